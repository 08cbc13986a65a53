"""`tito milestone run`: train a network on the learner's package."""

import typer


def run(
    context: typer.Context,
    name: str = typer.Argument(help="The milestone; `tito milestone list` lists them."),
):
    """Train a network on your package.

    Options after the name go to the milestone's script: `tito milestone run mnist-mlp --epochs 5`, or `--help`.
    """
    import subprocess
    import sys

    from tito import console, leftovers, standing, workspace
    from tito.checks.runner import how_it_ended

    if name == "--help":  # options after the name belong to the script, so typer must not take this one
        typer.echo(context.get_help())
        raise typer.Exit
    space = workspace.find()
    chosen = space.curriculum.milestone(name)
    script = space.root / "milestones" / chosen.script
    needed = space.curriculum.prerequisites(chosen)
    missing = [each.module for each in standing.standings(space) if each.module in needed and not each.usable]
    if missing:
        console.say(f"{chosen.name} needs module {missing[0]}, which is not exported yet.")
        console.next_step(f"tito module start {missing[0].number}")
        raise typer.Exit(2)
    if not script.exists():
        raise workspace.WorkspaceError(f"{space.label(script)} does not exist: {chosen.name} is not in this release yet")
    process = subprocess.Popen([sys.executable, str(script), *context.args], env=space.environment())
    with leftovers.process(process):
        status = ending(process)
    if status < 0:
        console.say(f"{chosen.name} was killed: {how_it_ended(status)}")
        console.next_step(f"tito milestone run {chosen.name} --resume")
    raise typer.Exit(status if status >= 0 else 128 - status)


def ending(process):
    """Wait for a process, and return its exit status.

    Ctrl-C also reaches the process, which then saves; it is not killed here. If tito ends in another way, the process ends too.
    """
    try:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                pass
    finally:
        end(process)


def end(process, seconds=5):
    """Terminate a process that is still running, and kill it after some seconds."""
    import subprocess

    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
