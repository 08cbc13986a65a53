"""`tito dev export`: write the generated files that are committed: the package's files and names, and the book's pages."""

import typer


def export(
    modules: list[str] = typer.Argument(None, help="03, layers; all by default."),
    check: bool = typer.Option(False, "--check", help="Write nothing; exit with status 1 if a file differs."),
):
    """Make the package's files from the modules.

    They hold the reference solutions. The book's pages of measurements and differences are made from records and tables.
    """
    from tito import console
    from tito.files import write_atomically
    from tito.lint import course

    here = course.find(modules or ())
    stale = []
    for path, text in made(here, every=not modules):
        stale += [] if is_in_sync(path, text) else [path]
        word = "in sync" if path not in stale else "differs" if check else "written"
        if path in stale and not check:
            write_atomically(path, text)
        console.say(f"  {here.label(path):46}  {word}")
    failed = not here.modules or bool(check and stale)
    console.next_step("tito dev export" if failed else "tito dev check")
    raise typer.Exit(1 if failed else 0)


def made(course, every):
    """Yield the path and the text of each generated file; those of the whole course only if `every`."""
    from tito.bench import page
    from tito.book import differences
    from tito.notebooks import names

    for module in course.modules:
        yield course.space.exported(module), course.text(module)
    yield course.root / names.PATH, names.text_of(course)  # it holds the names of all modules, so one module may change it
    for name, text in {**page.files(course.root), **differences.files(course.root)}.items() if every else ():
        yield course.root / name, text


def is_in_sync(path, text):
    """Return whether a committed file matches its export, byte for byte."""
    return path.is_file() and path.read_bytes() == text.encode("utf-8")
