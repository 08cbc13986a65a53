"""`tito dev export`: the package's committed files, made from the reference solutions."""
import typer


def export(
    modules: list[str] = typer.Argument(None, help="03, layers; all that are there by default."),
    check: bool = typer.Option(False, "--check", help="Write nothing; end with status 1 if a file differs."),
):
    """Make the package's files of the modules' reference solutions, in a clone of the course."""
    from tito import console
    from tito.notebooks.export import write_atomically
    from tito.lint import course

    here = course.find(modules or ())
    stale = [module for module in here.modules if not is_in_sync(here, module)]
    for module in here.modules:
        word = "in sync" if module not in stale else "differs" if check else "written"
        if module in stale and not check:
            write_atomically(here.space.exported(module), here.text(module))
        console.say(f"  {here.label(here.space.exported(module)):32}{word}")
    failed = not here.modules or bool(check and stale)
    console.next_step("tito dev export" if failed else "tito dev check")
    raise typer.Exit(1 if failed else 0)


def is_in_sync(course, module):
    """Say whether the committed file of a module is what an export gives, byte for byte."""
    path = course.space.exported(module)
    return path.is_file() and path.read_bytes() == course.text(module).encode("utf-8")
