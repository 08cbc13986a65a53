"""`tito milestone run`: train a network on the learner's package."""
import typer


def run(
    context: typer.Context,
    name: str = typer.Argument(help="The milestone, such as mnist-mlp."),
):
    """Train a network on your package.

    Options that follow the name go to the milestone's script: `tito milestone run mnist-mlp --epochs 5`, or `--help`.
    """
    import os
    import subprocess
    import sys

    from tito import console, progress, workspace

    if name == "--help":  # an option behind the name belongs to the script, so typer must not take this one
        typer.echo(context.get_help())
        raise typer.Exit
    space = workspace.find()
    chosen = space.curriculum.milestone(name)
    script = space.root / "milestones" / chosen.script
    missing = [one.module for one in progress.standings(space) if one.module.number in chosen.requires and not one.usable]
    if missing:
        raise workspace.WorkspaceError(f"{chosen.name} runs on what module {missing[0]} builds, and that is not exported yet: "
                                       f"`tito module start {missing[0].number}`")
    if not script.exists():
        raise workspace.WorkspaceError(f"{space.label(script)} is not there: {chosen.name} is not in this release yet")
    environment = {**os.environ, "TINYTORCH_WORKSPACE": str(space.root)}
    status = subprocess.run([sys.executable, str(script), *context.args], env=environment, check=False).returncode
    if status == 0 and "--help" not in context.args:
        console.next_step(f"tito milestone grade {chosen.name}" if chosen.floor else "tito")
    raise typer.Exit(status)
