"""`tito dev run`: run the solved notebooks from top to bottom."""

import typer


def run(modules: list[str] = typer.Argument(None, help="03, layers; all by default.")):
    """Run the solved notebooks.

    Each runs in a fresh kernel, on what its prerequisites export. It is slower than `check`.
    """
    from tito import console
    from tito.lint import course

    here = course.find(modules or ())
    failed = [module for module in here.modules if not passes(here, module)]
    if failed:
        console.next_step(f"fix that cell, then tito dev run {failed[0].number}")
    else:
        console.next_step("tito dev check" if here.modules else "write a module: nothing was run")
    raise typer.Exit(1 if failed or not here.modules else 0)


def passes(course, module):
    """Run one notebook, print its time or the failed cell, and return whether it passed."""
    import time

    from tito import console
    from tito.book import BookError

    start = time.perf_counter()
    try:
        execute(course, module)
    except BookError as error:
        console.say(f"  {module.folder:18}failed, {time.perf_counter() - start:.1f} s", style="red")
        console.say(f"      {error}")
        return False
    console.say(f"  {module.folder:18}ok, {time.perf_counter() - start:.1f} s")
    return True


def execute(course, module):
    """Run a module's solved notebook with a package in a temporary folder.

    Raises:
        BookError: A cell failed; the message names it.
    """
    import os

    from tito.book import execution
    from tito.notebooks import strip

    with course.package(module, course.text(module)) as folder:
        path = folder / "modules" / module.folder / f"{module.name}.ipynb"
        path.parent.mkdir()
        strip.write(strip.learner_cells(course.notebook(module), solved=True), path)
        execution.execute(path, {**os.environ, "TINYTORCH_WORKSPACE": str(folder)})
