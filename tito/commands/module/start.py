"""`tito module start`: show where to start a module."""

import typer


def start(
    module: str = typer.Argument(help="03, 3 or layers."),
    lab: bool = typer.Option(False, "--lab", help="Open the notebook in Jupyter Lab."),
):
    """Show a module's notebook and exercises."""
    from tito import console, scaffold, standing, workspace
    from tito.notebooks import source

    space = workspace.find()
    chosen = space.curriculum.module(module)
    workspace.check_released(chosen)
    needed = space.curriculum.prerequisites(chosen)
    missing = [each.module for each in standing.standings(space) if each.module in needed and not each.usable]
    path = space.notebook(chosen) if space.has_notebook(chosen) else scaffold.write_notebook(space, chosen, "ipynb")
    console.say(f"{chosen.number} {chosen.title}   {space.label(path)}", style="bold")
    console.say()
    for exercise in source.read(workspace.course_source(chosen)).exercises():
        kind = "extension" if exercise.extension else "core"
        console.say(f"  {exercise.id:6}{exercise.name:28}{exercise.minutes:3} minutes   {kind}")
    if missing:
        listed = ", ".join(map(str, missing))
        console.say()
        console.say(console.wrap(f"This module needs {listed}, not exported yet."), style="yellow")
    if lab:
        open_lab(path)
    elif missing:
        console.next_step(f"tito module start {missing[0].number}")
    else:
        console.next_step(f"open {space.label(path)}, then tito module test {chosen.number}")


def open_lab(path):
    """Run Jupyter Lab on a notebook until the learner ends it, and exit with its status.

    Raises:
        typer.Exit: Jupyter Lab is not installed, or ended with an error.
    """
    import importlib.util
    import subprocess
    import sys

    from tito import console

    if importlib.util.find_spec("jupyterlab") is None:
        console.say("Jupyter Lab is not installed here.")
        console.next_step('pip install "tinytorch-course[notebook]"')
        raise typer.Exit(2)
    raise typer.Exit(subprocess.run([sys.executable, "-m", "jupyterlab", str(path)], check=False).returncode)
