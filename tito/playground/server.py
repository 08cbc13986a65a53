"""The server of the playground: the page's files, its questions, and a stream of what a training tells.

It listens on this machine only, and answers only a page that came from itself: another site that is open in the same browser
can send requests here too, but its Host or Origin is another one.
"""

import asyncio
import contextlib
import json
import tempfile

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from tito import page, workspace
from tito.playground.keeping import Playground
from tito.playground.questions import FILE, QUESTION, Refusal, body, checked

QUIET = 15  # seconds after which a stream says that it is still there
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; frame-ancestors 'none'"
)


def app(space, folder=None):
    """Return the application.

    Args:
        space: The workspace.
        folder: Folder for networks; by default a temporary one.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app):
        with tempfile.TemporaryDirectory() as own:
            app.state.playground = Playground(space, folder or own)
            await app.state.playground.models()
            yield
            await app.state.playground.end()

    made = Starlette(routes=ROUTES, lifespan=lifespan, exception_handlers={Refusal: refused, ClientDisconnect: gone})
    made.state.files = files()
    made.add_middleware(OwnPagesOnly)
    return made


def files():
    """Return the page's files, with a script that says where the server is, and without networks: those come from the server."""
    made = page.files(workspace.course_dir())
    first = b'<script src="engine.js">'
    made["index.html"] = made["index.html"].replace(first, b'<script src="server.js"></script>' + first)
    made["server.js"] = b'window.TINYTORCH_SERVER = "/api";\n'
    made["models.js"] = b"const TINYTORCH_MODELS = {};\n"
    return made


async def file(request):
    """Answer with a file of the page."""
    name, known = request.path_params.get("name", "index.html"), request.app.state.files
    if name not in known:
        return PlainTextResponse("there is no such file", 404)
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(known[name], media_type=TYPES["." + name.rpartition(".")[2]], headers=headers)


async def ask(request):
    """Answer a question: predict, show a field, train, stop."""
    playground = request.app.state.playground
    try:
        message = checked(json.loads(await body(request, QUESTION)))
    except (ValueError, RecursionError):
        raise Refusal("a question is JSON") from None
    if message["type"] == "train":
        message.pop("type")
        await playground.train(message)
        return JSONResponse([])
    if message["type"] == "stop":
        await playground.stop()
        return JSONResponse([])
    return JSONResponse(await playground.ask(message))


async def load(request):
    """Take a network of the user's own."""
    return JSONResponse(await request.app.state.playground.load("own", await body(request, FILE)))


async def models(request):
    """Answer with what the page shows of each network."""
    return JSONResponse(await request.app.state.playground.models())


async def save(request):
    """Answer with the network that was trained last, as a file."""
    path = request.app.state.playground.networks.get("trained")
    return Response(path.read_bytes(), media_type="application/octet-stream") if path else PlainTextResponse("none", 404)


async def events(request):
    """Answer with a stream of what happens, until the page closes it."""
    stream = told(request.app.state.playground.listeners)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def told(listeners):
    """Yield what a page that listens is told, as server-sent events."""
    queue = asyncio.Queue()
    listeners.add(queue)
    try:
        yield "event: open\ndata: {}\n\n"
        while True:
            try:
                yield f"data: {json.dumps(await asyncio.wait_for(queue.get(), QUIET))}\n\n"
            except TimeoutError:
                yield ": still here\n\n"
    finally:
        listeners.discard(queue)


async def refused(request, error):
    """Say why a question is not answered."""
    return JSONResponse([{"type": "error", "text": str(error)}], error.status)


async def gone(request, error):
    """Answer a page that does not wait for the answer."""
    return PlainTextResponse("", 400)


ROUTES = [
    Route("/", file),
    Route("/api/ask", ask, methods=["POST"]),
    Route("/api/load", load, methods=["POST"]),
    Route("/api/models", models),
    Route("/api/save", save),
    Route("/api/events", events),
    Route("/{name}", file),
]


class OwnPagesOnly:
    """Refuse requests whose Host is not this machine's loopback, or whose Origin is another page's.

    Args:
        app: The application behind it.
    """

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
            host, origin = headers.get(b"host", ""), headers.get(b"origin")
            name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
            foreign = origin is not None and origin != f"http://{host}" or headers.get(b"sec-fetch-site") == "cross-site"
            if name not in ("127.0.0.1", "localhost", "[::1]") or foreign:
                await PlainTextResponse("the playground answers only its own page on this machine", 403)(scope, receive, send)
                return
        await self.app(scope, receive, send)
