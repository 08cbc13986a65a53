"""`tito playground`: draw digits for your own package."""

import typer


def playground(
    port: int = typer.Option(8000, min=0, max=65535, help="Port to listen on; 0 for any. If it is busy, the next free one."),
    browser: bool = typer.Option(True, "--browser/--no-browser", help="Open the page in the browser."),
    terminal: bool = typer.Option(False, "--terminal", help="No page: digits, activations, probabilities in this terminal."),
):
    """Draw digits in the browser, and let your own package read them.

    The page is served to this machine only. If your package raises an exception, the page shows it. Once you have exported the
    corrected code, the page uses it for the next drawing.
    """
    import importlib.util

    from tito import console, workspace
    from tito.commands.model import ask

    space = workspace.find()
    if terminal:
        ask("watch")
    missing = [name for name in ("starlette", "uvicorn") if importlib.util.find_spec(name) is None]
    if missing:
        console.say(f"The playground needs {' and '.join(missing)}.")
        console.next_step('pip install "tinytorch-course[playground]", or tito playground --terminal')
        raise typer.Exit(2)
    from tito.playground import serving

    serving.serve(space, port, browser)
