"""`tito milestone run`: train a network on the learner's package."""

import typer


def run(
    context: typer.Context,
    name: str = typer.Argument(help="The milestone; `tito milestone list` shows which there are."),
):
    """Train a network on your package.

    Options that follow the name go to the milestone's script: `tito milestone run mnist-mlp --epochs 5`, or `--help`.
    """
    import subprocess
    import sys

    from tito import console, standing, workspace
    from tito.checks.runner import how_it_ended

    if name == "--help":  # an option behind the name belongs to the script, so typer must not take this one
        typer.echo(context.get_help())
        raise typer.Exit
    space = workspace.find()
    chosen = space.curriculum.milestone(name)
    script = space.root / "milestones" / chosen.script
    needed = space.curriculum.prerequisites(chosen)
    missing = [one.module for one in standing.standings(space) if one.module in needed and not one.usable]
    if missing:
        raise workspace.WorkspaceError(
            f"{chosen.name} runs on what module {missing[0]} builds, and that is not exported yet: "
            f"`tito module start {missing[0].number}`"
        )
    if not script.exists():
        raise workspace.WorkspaceError(f"{space.label(script)} is not there: {chosen.name} is not in this release yet")
    status = ending(subprocess.Popen([sys.executable, str(script), *context.args], env=space.environment()))
    if status < 0:
        console.say(f"{chosen.name} was ended from outside: {how_it_ended(status)}")
        console.next_step(f"tito milestone run {chosen.name} --resume")
    raise typer.Exit(status if status >= 0 else 128 - status)


def ending(process):
    """Wait for a process, and return its exit status. Ctrl-C reaches it, too, and it takes its time to save: nobody kills it here."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            pass
