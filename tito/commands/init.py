"""`tito init`: write a workspace."""

from pathlib import Path

import typer


def init(
    folder: Path = typer.Argument(help="The folder to write; it must be new or empty."),
    format: str = typer.Option("ipynb", help="Notebooks as ipynb, or as py (percent scripts)."),
    solved: bool = typer.Option(False, "--solved", help="Fill in the reference solutions: for authors and tests."),
):
    """Write a workspace to work in.

    It contains notebooks with exercises to fill in, the given files, and the milestone scripts.
    """
    from tito import console, scaffold, workspace

    if format not in ("ipynb", "py"):
        raise typer.BadParameter(f"{format!r} is neither ipynb nor py", param_hint="--format")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise typer.BadParameter(f"{folder} already exists and is not empty: name a new folder", param_hint="FOLDER")
    inside = workspace_around(folder)
    if inside:
        raise typer.BadParameter(f"{folder} would be inside the workspace {inside}: name a folder beside it", param_hint="FOLDER")
    written = scaffold.write(folder, format, solved)
    every = workspace.Workspace(folder.absolute()).curriculum.modules
    missing = [str(module) for module in every if module not in written]
    later = f"; {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not in this release yet" if missing else ""
    console.say(f"A workspace is in {folder}{' (solved)' if solved else ''}: {len(written)} of {len(every)} modules{later}.")
    console.next_step("tito module start 01", folder)


def workspace_around(folder):
    """Return the learner's workspace around a new folder, or None if there is none, or only a clone of the course."""
    from tito import workspace

    try:
        space = workspace.find(folder.absolute().parent)
    except workspace.NoWorkspace:
        return None
    return None if space.is_clone else space.root
