"""`tito book serve`: the website on this machine."""

import typer


def serve(
    port: int = typer.Option(8000, min=0, max=65535, help="The port; 0 takes a free one."),
):
    """Serve the book that was built last, on this machine only."""
    from tito import console, workspace
    from tito.book import serving

    site = workspace.course_dir() / "book" / "_build" / "html"
    if not (site / "index.html").is_file():
        console.say(f"There is no book in {site} yet.")
        console.next_step("tito book build")
        raise typer.Exit(2)
    try:
        server = serving.server(site, port)
    except OSError as error:
        console.say(f"Port {port} cannot be used: {error.strerror}.")
        console.next_step("tito book serve --port 0, which takes a free one")
        raise typer.Exit(1) from None
    with server:
        console.say(f"The book is at http://127.0.0.1:{server.server_port}")
        console.next_step("open that address; Ctrl+C stops the server")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            console.say()
