"""`tito module complete`: check a module, and gather its code into the package."""

import typer


def complete(
    module: str = typer.Argument(help="03, 3 or layers."),
    borrow: bool = typer.Option(False, "--borrow", help="Take the reference solution instead of your own, to go on."),
    timeout: float = typer.Option(10.0, min=0.1, help="Seconds that each exercise may take."),
):
    """Check a module and export it.

    If every core exercise passes, the notebook's code goes into the package; if not, nothing changes.
    """
    from tito import console, workspace
    from tito.checks import trial

    space = workspace.find()
    chosen = space.curriculum.module(module)
    if borrow:
        return take_reference(space, chosen)
    outcome = trial.run(space, chosen, timeout=timeout)
    from tito.commands.module.test import extensions, show

    console.say(f"{outcome.label}, {trial.saved(outcome.path)}")
    console.say()
    show(outcome)
    lacking = [
        one
        for one in outcome.verdicts
        if one.status != "passed" and not (one.status == "unwritten" and one.id in extensions(chosen))
    ]
    if lacking or not outcome.passed:
        refuse(space, chosen, outcome, lacking)
    export(space, chosen, outcome)


def refuse(space, module, outcome, lacking):
    """Say why nothing was exported, and end with status 1."""
    from tito import console, standing

    standing.record(space, module, outcome.passed)
    first = f"{lacking[0].id} {lacking[0].name}" if lacking else "no exercise passed"
    more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
    console.say(f"Not exported: {first}{more}.\n{space.label(space.exported(module))} stays as it was.", style="red")
    console.next_step(f"tito module test {lacking[0].id}" if lacking else f"tito module start {module.number}")
    raise typer.Exit(1)


def export(space, module, outcome):
    """Write the package's file, record the completion, and name what comes next."""
    from tito import console, standing
    from tito.files import write_atomically

    write_atomically(space.exported(module), outcome.text)
    standing.record(space, module, outcome.passed)
    console.say(f"Module {module} is complete: {space.label(space.exported(module))} now holds your code.", style="green")
    if standing.borrowed_file(space, module).exists():
        console.say("It was borrowed before, so the map goes on calling it borrowed.", style="yellow")
    console.next_step(what_comes_after(space, module))


def what_comes_after(space, module):
    """Return the next command: the milestone that a module makes ready, else the module to go on with."""
    from tito import standing
    from tito.commands.overview import advice, next_module

    found = standing.standings(space)
    usable = {one.module.number for one in found if one.usable}
    ready = [
        one
        for one in space.curriculum.milestones
        if module.number in one.requires and usable.issuperset(one.requires) and (space.root / "milestones" / one.script).exists()
    ]
    return f"tito milestone run {ready[0].name}" if ready else advice(next_module(space, found), found)


def take_reference(space, module):
    """Export the reference solution, marked as borrowed."""
    from tito import console, standing, workspace
    from tito.files import write_atomically

    if space.is_clone:
        raise workspace.WorkspaceError("a clone holds the reference already: there is nothing to borrow here")
    if workspace.is_to_come(module):
        raise workspace.WorkspaceError(f"module {module} is not in this release yet")
    text = standing.borrowed_text(module)
    if space.exported(module).exists():
        console.say(f"Kept your exported file as {space.label(space.backup(space.exported(module)))}")
    standing.borrow(space, module)
    write_atomically(space.exported(module), text)
    console.say(f"Module {module} is borrowed: the package holds the reference, and your notebook is untouched.", style="yellow")
    console.next_step(what_comes_after(space, module))
