"""`tito module test`: check the learner's exercises."""

import sys

import typer

MOST_PROBLEMS = 20  # shown
STYLES = {"passed": "green", "unwritten": "dim"}


def test(
    target: str = typer.Argument(help="03, layers, or 03.2 for one exercise."),
    watch: bool = typer.Option(False, "--watch", help="Check again whenever the notebook is saved."),
    everything: bool = typer.Option(False, "--all", help="Show every failure in full, not only the first."),
    timeout: float = typer.Option(10.0, min=0.1, max=86400, help="Seconds that each exercise may take."),
):
    """Check your exercises, as they are saved."""
    from tito import workspace

    space = workspace.find()
    module, exercise = space.curriculum.target(target)
    workspace.check_released(module)
    if watch:
        watch_notebook(space, module, exercise, everything, timeout)
    outcome = run(space, module, exercise, timeout)
    raise typer.Exit(0 if conclude(space, module, outcome, exercise, everything) else 1)


def run(space, module, exercise=None, timeout=10.0):
    """Check a module or one exercise, print each verdict as it arrives, and return the `trial.Trial`."""
    from tito import console, workspace
    from tito.checks import trial
    from tito.notebooks import source

    exercises = source.read(workspace.course_source(module)).exercises()
    labels = [each.label for each in exercises if exercise in (None, each.id)]
    if labels:
        refuse_without_prerequisites(space, module)
    path, waiting = space.notebook(module), iter(labels)
    console.say(console.wrap(f"{space.label(path)}, {trial.saved(path)}"))
    console.say()

    def announce():
        name = next(waiting, None)
        console.pending(f"  {console.SIGNS['current']} {name}  ..." if name else "")

    def tell(verdict):
        console.pending()
        status = verdict.status if verdict.status in STYLES else "failed"
        console.say(
            f"  {console.SIGNS[status]} {verdict.id:6}{verdict.name:27} {brief(verdict)}", style=STYLES.get(status, "red")
        )
        sys.stdout.flush()
        announce()

    announce()
    try:
        return trial.run(space, module, exercise, timeout, tell=tell)
    finally:
        console.pending()


def refuse_without_prerequisites(space, module):
    """Exit with status 1 if earlier modules that a module imports are not in the package yet."""
    from tito import console

    missing = [each for each in space.curriculum.prerequisites(module) if not space.exported(each).is_file()]
    if not missing:
        return
    files = ", ".join(space.label(space.exported(each)) for each in missing)
    console.say(
        console.wrap(f"Nothing was checked: module {module} needs {', '.join(map(str, missing))}, not exported yet ({files}).")
    )
    number = missing[0].number
    console.next_step(f"tito module start {number}, or tito module complete {number} --borrow")
    raise typer.Exit(1)


def conclude(space, module, outcome, exercise=None, everything=False):
    """Print the verdicts of a trial and the next command, and record what passed.

    Returns:
        Whether every core exercise passed, or the chosen one.
    """
    from tito import console, standing

    failed = show(outcome, everything, printed=exercise is not None)
    unwritten = [verdict for verdict in outcome.verdicts if verdict.status == "unwritten"]
    console.say(f"{len(outcome.passed)} passed, {len(failed)} failed, {len(unwritten)} not written yet", style="bold")
    open_core = [verdict for verdict in unwritten if exercise or verdict.id not in extensions(module)]
    if exercise is None:
        standing.record(space, module, outcome.passed)
    culprit = failed[0].failure.culprit if failed else None
    if outcome.problems:
        console.next_step(f"fix that in the notebook and save it, then tito module test {module.number}")
    elif culprit:
        console.next_step(after_culprit(space, culprit, failed[0]))
    elif failed and failed[0].failure.shared:
        console.next_step(f"edit the cell named above and save, then tito module test {module.number}")
    elif failed:
        console.next_step(f"edit {failed[0].name} and save, or tito module hint {failed[0].id}")
    elif open_core and open_core[0].failure:
        console.next_step(after_culprit(space, open_core[0].failure.culprit, open_core[0]))
    elif open_core:
        console.next_step(f"write {open_core[0].name} and save, or tito module hint {open_core[0].id}")
    else:
        console.next_step(f"tito module {'test' if exercise else 'complete'} {module.number}")
    return not outcome.problems and not failed and not open_core and bool(outcome.passed)


def show(outcome, everything=False, printed=False):
    """Print the first failure, or all failures, in full.

    Args:
        outcome: The `trial.Trial`.
        everything: Show every failure in full.
        printed: Also show what the learner's code printed.

    Returns:
        List of the verdicts that failed.
    """
    from tito import console
    from tito.checks import layout

    failed = [verdict for verdict in outcome.verdicts if verdict.status not in STYLES]
    console.say()
    if outcome.problems:
        console.say("The notebook cannot be exported before this is fixed; the other exercises were checked without it:")
        for problem in outcome.problems[:MOST_PROBLEMS]:
            console.say(console.wrap(str(problem)), style="red")
        if len(outcome.problems) > MOST_PROBLEMS:
            console.say(f"and {len(outcome.problems) - MOST_PROBLEMS} more")
        console.say()
    for verdict in failed if everything else failed[:1]:
        console.say(layout.text(verdict, outcome.label, printed=printed))
        console.say()
    if outcome.changed:
        names = ", ".join(name for name, _ in outcome.changed)
        console.say(
            f"Given code that you changed: {names}.\nIf you did not mean to, `tito init DIR` writes unchanged notebooks.",
            style="yellow",
        )
        console.say()
    return failed


def after_culprit(space, culprit, verdict):
    """Return the next step if an earlier module or exercise causes a failure."""
    if verdict.status == "unwritten":
        return f"write {culprit} first, or call nothing in {verdict.name} that runs it: tito module test {culprit}"
    return f"tito module test {culprit}, which causes this failure"


def brief(verdict):
    """Return a short result of an exercise."""
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

    return {exercise.id for exercise in source.read(workspace.course_source(module)).exercises() if exercise.extension}


def watch_notebook(space, module, exercise, everything, timeout):
    """Check again at every save, until the learner presses Ctrl-C."""
    import time

    from tito import console
    from tito.notebooks.problems import SourceError

    path, seen = space.notebook(module), None
    while True:
        changed = path.stat().st_mtime_ns if path.exists() else seen
        if changed != seen:
            seen = changed
            try:
                conclude(space, module, run(space, module, exercise, timeout), exercise, everything)
            except SourceError as error:
                console.say(str(error), style="red")
            console.say("\nWatching for the next save; Ctrl-C ends it.", style="dim")
        try:
            time.sleep(0.3)
        except KeyboardInterrupt:
            raise typer.Exit(0) from None
