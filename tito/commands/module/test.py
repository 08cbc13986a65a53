"""`tito module test`: check what the learner wrote."""

import typer


def test(
    target: str = typer.Argument(help="03, layers, or 03.2 for one exercise."),
    watch: bool = typer.Option(False, "--watch", help="Check again whenever the notebook is saved."),
    everything: bool = typer.Option(False, "--all", help="Show every failure in full, not the first alone."),
    timeout: float = typer.Option(10.0, min=0.1, help="Seconds that each exercise may take."),
):
    """Check your exercises, as they are saved."""
    from tito import workspace
    from tito.checks import trial

    space = workspace.find()
    module, exercise = space.curriculum.target(target)
    if watch:
        watch_notebook(space, module, exercise, everything, timeout)
    outcome = trial.run(space, module, exercise, timeout)
    raise typer.Exit(0 if conclude(space, module, outcome, exercise, everything) else 1)


def conclude(space, module, outcome, exercise=None, everything=False):
    """Print the verdicts of a trial and the next command, and record what passed.

    Returns:
        Whether all is well: every core exercise passed, or the one that was asked for.
    """
    from tito import console, standing
    from tito.checks import trial

    console.say(f"{outcome.label}, {trial.saved(outcome.path)}")
    console.say()
    failed = show(outcome, everything, printed=exercise is not None)
    unwritten = [verdict for verdict in outcome.verdicts if verdict.status == "unwritten"]
    console.say(f"{len(outcome.passed)} passed, {len(failed)} failed, {len(unwritten)} not written yet")
    open_core = [one for one in unwritten if exercise or one.id not in extensions(module)]
    if exercise is None:
        standing.record(space, module, outcome.passed)
    if failed and failed[0].failure.shared:
        console.next_step(f"edit the cell that is named above and save, then tito module test {module.number}")
    elif failed:
        console.next_step(f"edit {failed[0].name} and save, or tito module hint {failed[0].id}")
    elif open_core and open_core[0].failure:
        console.next_step(
            f"write that first, or call nothing in {open_core[0].name} that runs it: tito module hint {open_core[0].id}"
        )
    elif open_core:
        console.next_step(f"write {open_core[0].name} and save, or tito module hint {open_core[0].id}")
    else:
        console.next_step(f"tito module {'test' if exercise else 'complete'} {module.number}")
    return not failed and not open_core and bool(outcome.passed)


def show(outcome, everything=False, printed=False):
    """Print one line for each exercise, and the first failure, or all of them, in full.

    Args:
        outcome: The `trial.Trial`.
        everything: Show every failure in full.
        printed: Show what the learner's code printed, too.

    Returns:
        List of the verdicts that failed.
    """
    from tito import console
    from tito.checks import layout

    styles = {"passed": "green", "unwritten": "dim"}
    failed = [verdict for verdict in outcome.verdicts if verdict.status not in styles]
    for verdict in outcome.verdicts:
        console.say(f"  {verdict.id:6}{verdict.name:27} {brief(verdict)}", style=styles.get(verdict.status, "red"))
    console.say()
    for verdict in failed if everything else failed[:1]:
        console.say(layout.text(verdict, outcome.where(verdict), printed=printed))
        console.say()
    if outcome.changed:
        names = ", ".join(f"{name} (cell {cell})" for name, cell in outcome.changed)
        console.say(
            f"Not as the course gives it: {names}.\nIf that was not on purpose: `tito init DIR` writes unchanged notebooks.",
            style="yellow",
        )
        console.say()
    return failed


def brief(verdict):
    """Say in a few words how an exercise stands."""
    if verdict.status == "unwritten":
        return verdict.failure.rows[0][1] if verdict.failure else "not written yet"
    return (
        f"{verdict.status} {verdict.passed} of {verdict.total} cases"
        if verdict.status == "passed"
        else f"{verdict.status}: {verdict.passed} of {verdict.total} cases pass"
    )


def extensions(module):
    """Return the ids of a module's exercises that are not core."""
    from tito import workspace
    from tito.notebooks import source

    return {one.id for one in source.read(workspace.course_source(module)).exercises() if one.extension}


def watch_notebook(space, module, exercise, everything, timeout):
    """Check again at every save, until the learner presses Ctrl-C."""
    import time

    from tito import console
    from tito.checks import trial
    from tito.notebooks.problems import SourceError

    path, seen = space.notebook(module), None
    while True:
        changed = path.stat().st_mtime_ns if path.exists() else seen
        if changed != seen:
            seen = changed
            try:
                conclude(space, module, trial.run(space, module, exercise, timeout), exercise, everything)
            except SourceError as error:
                console.say(str(error), style="red")
            console.say("\nWatching for the next save; Ctrl-C ends it.", style="dim")
        try:
            time.sleep(0.3)
        except KeyboardInterrupt:
            raise typer.Exit(0) from None
