"""`tito module reset`: start a notebook over, and keep a copy of the old one."""

import typer


def reset(
    module: str = typer.Argument(help="03, 3 or layers."),
    format: str = typer.Option(None, help="ipynb or py; by default the same as before."),
    restore: bool = typer.Option(False, "--restore", help="Go back to the last copy of your notebook instead."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask."),
):
    """Start a notebook over, and keep a copy of the old one.

    The exported package is not changed; a dated copy of your notebook is kept under .tito/backups.
    """
    from tito import console, scaffold, workspace

    if format not in (None, "ipynb", "py"):
        raise typer.BadParameter(f"{format!r} is neither ipynb nor py", param_hint="--format")
    space = workspace.find()
    chosen = space.curriculum.module(module)
    if space.is_clone:
        raise workspace.WorkspaceError(
            "this is a clone of the course: a reset would replace the reference by stubs. "
            "`tito init DIR` writes a workspace to work in"
        )
    workspace.check_released(chosen)
    if restore:
        return bring_back(space, chosen)
    old = space.notebook(chosen) if space.has_notebook(chosen) else None
    if old and not yes and not typer.confirm(f"Start {space.label(old)} over? A copy of it is kept."):
        raise typer.Exit(1)
    kept = space.backup(old) if old else None
    path = scaffold.write_notebook(space, chosen, format or (old.suffix[1:] if old else "ipynb"))
    if old and old != path:
        old.unlink()
    console.say(
        f"{space.label(path)} is back to its original state." + (f" Yours is kept as {space.label(kept)}." if kept else "")
    )
    console.next_step(f"tito module start {chosen.number}")


def bring_back(space, module):
    """Replace a notebook by the last copy of it, and keep a copy of what is replaced."""
    from tito import console, workspace
    from tito.files import replace_atomically
    from tito.notebooks.copies import copies

    old = space.notebook(module) if space.has_notebook(module) else None
    candidates = [old] if old else [space.folder(module) / f"{module.name}{suffix}" for suffix in (".ipynb", ".py")]
    path, copy = next(((path, copies(path)[0]) for path in candidates if copies(path)), (None, None))
    if copy is None:
        places = "neither under .tito/backups nor in .ipynb_checkpoints beside it"
        raise workspace.WorkspaceError(f"there is no other copy of {space.label(candidates[0])}, {places}")
    data = copy.read_bytes()
    kept = f" What it was is kept as {space.label(space.backup(old))}." if old else ""
    replace_atomically(path, data)
    console.say(f"{space.label(path)} is {space.label(copy)} again.{kept}")
    console.next_step(f"tito module test {module.number}")
