"""`tito book build`: the website."""

from pathlib import Path

import typer


def build(
    execute: bool = typer.Option(True, "--execute/--no-execute", help="Run the notebooks, or leave out their outputs."),
    out: Path = typer.Option(None, help="The folder for the site; by default book/_build/html."),
):
    """Build the book: a page for every module that exists.

    Outputs come from the reference solutions, which are left out themselves. A notebook runs again if something that it depends
    on has changed.
    """
    from tito import console
    from tito.book import BookError, site

    try:
        with console.bar(site.parts(execute), "parts") as begin:
            index = site.build(out, execute, begin)
    except BookError as error:
        console.say(str(error))
        console.next_step("fix that, then tito book build again")
        raise typer.Exit(error.status) from None
    console.say(f"The book is in {index}")
    console.next_step("open that file in a browser")
