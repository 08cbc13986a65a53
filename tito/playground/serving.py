"""Listen on a port of this machine, and say where."""

import socket
import threading
import webbrowser

import uvicorn

from tito import console
from tito.playground.server import app

TRIED = 20  # ports, from the one that is asked for


def free(port):
    """Return a socket that listens on this machine, on this port or the next one that is free.

    Raises:
        OSError: None of them is free.
    """
    for number in range(port, min(port + TRIED, 65536)) if port else [0]:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listening.bind(("127.0.0.1", number))
        except OSError as error:
            listening.close()
            last = error
            continue
        return listening
    raise last


class Server(uvicorn.Server):
    """Says when it is ready.

    Args:
        config: uvicorn's configuration.
        said: Function that is called then.
    """

    def __init__(self, config, said):
        super().__init__(config)
        self.said = said

    async def startup(self, sockets=None):
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self.said()


def serve(space, port, browser):
    """Serve the playground until Ctrl-C.

    Args:
        space: The workspace.
        port: The port.
        browser: Whether to open the page.
    """
    listening = free(port)
    number = listening.getsockname()[1]
    address = f"http://127.0.0.1:{number}/"
    if port and number != port:
        console.say(f"Port {port} is busy.")

    def said():
        console.say(f"The playground is ready: {address}")
        console.next_step("draw a digit there; Ctrl-C here ends it")
        if not console.plain() and browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    settings = dict(log_level="warning", timeout_graceful_shutdown=1, lifespan="on")
    Server(uvicorn.Config(app(space), **settings), said).run(sockets=[listening])
