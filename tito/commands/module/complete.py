"""`tito module complete`: check a module, and export its code into the package."""

import typer


def complete(
    module: str = typer.Argument(help="03, 3 or layers."),
    borrow: bool = typer.Option(False, "--borrow", help="Use the reference solution instead of your own, to move on."),
    timeout: float = typer.Option(10.0, min=0.1, max=86400, help="Seconds that each exercise may take."),
):
    """Check a module and export it.

    If every core exercise passes, the notebook's code goes into the package; if not, nothing changes.
    """
    from tito import workspace

    space = workspace.find()
    chosen = space.curriculum.module(module)
    workspace.check_released(chosen)
    if borrow:
        return take_reference(space, chosen)
    from tito.commands.module.test import extensions, run, show

    outcome = run(space, chosen, timeout=timeout)
    show(outcome)
    lacking = [
        verdict
        for verdict in outcome.verdicts
        if verdict.status != "passed" and not (verdict.status == "unwritten" and verdict.id in extensions(chosen))
    ]
    if lacking or outcome.problems or not outcome.passed:
        refuse(space, chosen, outcome, lacking)
    export(space, chosen, outcome)


def refuse(space, module, outcome, lacking):
    """Print why nothing was exported, and exit with status 1."""
    from tito import console, standing
    from tito.commands.module.test import after_culprit

    standing.record(space, module, outcome.passed)
    first = f"{lacking[0].id} {lacking[0].name}" if lacking else "the problem above" if outcome.problems else "no exercise passed"
    more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
    console.say(f"Not exported: {first}{more}.\n{space.label(space.exported(module))} is unchanged.", style="red")
    culprit = lacking[0].failure.culprit if lacking and lacking[0].failure else None
    if outcome.problems:
        console.next_step(f"fix that in the notebook and save it, then tito module complete {module.number}")
    elif culprit:
        console.next_step(after_culprit(space, culprit, lacking[0]))
    else:
        console.next_step(f"tito module test {lacking[0].id}" if lacking else f"tito module start {module.number}")
    raise typer.Exit(1)


def export(space, module, outcome):
    """Write the package's file, record the completion, and print what comes next."""
    from tito import console, standing
    from tito.files import write_atomically

    write_atomically(space.exported(module), outcome.text)
    standing.record(space, module, outcome.passed)
    console.say(f"Module {module} is complete: {space.label(space.exported(module))} now has your code.", style="green")
    if standing.is_borrowed(space, module):
        console.say("It was borrowed before, so the map still shows it as borrowed.", style="yellow")
    console.next_step(what_comes_after(space))


def what_comes_after(space):
    """Return the next command, the same one as `tito` shows."""
    from tito import standing
    from tito.commands.overview import next_command

    return next_command(space, standing.standings(space))


def take_reference(space, module):
    """Export the reference solution, marked as borrowed."""
    from tito import console, standing, workspace
    from tito.files import write_atomically

    if space.is_clone:
        raise workspace.WorkspaceError("a clone already has the reference: there is nothing to borrow")
    text = standing.borrowed_text(module)
    if space.exported(module).exists():
        console.say(f"Kept your exported file as {space.label(space.backup(space.exported(module)))}")
    standing.borrow(space, module)
    write_atomically(space.exported(module), text)
    console.say(f"Module {module} is borrowed: the package has the reference, and your notebook is unchanged.", style="yellow")
    console.next_step(what_comes_after(space))
