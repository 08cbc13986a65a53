"""The server of the playground: the page's files, its questions, and a stream of what a training tells.

It listens on this machine only, and answers only a page that came from itself: another site that is open in the same browser
can send requests here too, but its Host or Origin is another one.
"""

import asyncio
import base64
import contextlib
import json
import sys
import tempfile
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from tito import page, workspace

QUESTION, FILE = 2**17, 2**24  # the largest bodies: a question, and a network
LINE = 2**26  # the longest answer of a process
SECONDS = 30  # for an answer
LIMITS = {"hidden": (4, 512), "epochs": (1, 100), "batch": (1, 1000), "seed": (0, 2**32 - 1)}
KINDS = {  # of questions: what each of them says
    "predict": ("digit", "off"),
    "field": ("digit", "off", "layer", "unit"),
    "train": (*LIMITS, "lr"),
    "stop": (),
}
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; frame-ancestors 'none'"
)


class Asked(Exception):
    """A question that cannot be answered; the message is for the user."""

    def __init__(self, text, status=400):
        self.status = status
        super().__init__(text)


class Process:
    """A process that runs the learner's package.

    Args:
        space: The workspace.
        job: ``"predict"`` or ``"train"``.
    """

    def __init__(self, space, job):
        self.space, self.job, self.process, self.turn = space, job, None, asyncio.Lock()

    async def start(self):
        """Start it."""
        pipes = dict(stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE)
        words = [sys.executable, "-P", "-X", "utf8", "-m", "tito.playground.process", self.job]
        self.process = await asyncio.create_subprocess_exec(*words, env=self.space.environment(), **pipes)

    async def send(self, message):
        """Send it a question."""
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        await self.process.stdin.drain()

    async def answer(self):
        """Return its next line as data, or None if it has ended."""
        line = await self.process.stdout.readline()
        return json.loads(line) if line else None

    async def end(self):
        """Kill it."""
        if self.process and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        self.process = None


class Playground:
    """Keeps the processes, the networks and the pages that listen.

    Args:
        space: The workspace.
        folder: Folder for the networks that the page sends and that a training makes.
    """

    def __init__(self, space, folder):
        self.space, self.folder = space, Path(folder)
        self.predictor, self.training = Process(space, "predict"), None
        self.print, self.listeners, self.networks = None, set(), self.saved()

    def saved(self):
        """Return the networks to begin with, by name: those that came along, and those that the learner has trained."""
        there = {name: page.HERE / f"{name}.safetensors" for name in page.MODELS}
        runs = sorted((self.space.root / "runs").glob("*/weights.safetensors"))
        return there | {f"run {path.parent.name}": path for path in runs if not path.parent.name.startswith("cifar")}

    def fingerprint(self):
        """Return what changes when a file of the package does."""
        files = sorted(self.space.package.rglob("*.py"))
        return [(str(path), (about := path.stat()).st_mtime_ns, about.st_size) for path in files]

    async def ready(self):
        """Return the messages about all networks; the process is started, or started again if the package has changed.

        Must be called within the predictor's turn.
        """
        now = self.fingerprint()
        if self.print == now and self.predictor.process and self.predictor.process.returncode is None:
            return []
        await self.predictor.end()
        await self.predictor.start()
        self.print = now
        return [await self.exchange({"type": "load", "key": key, "path": str(path)}) for key, path in self.networks.items()]

    async def exchange(self, message):
        """Ask the process that predicts, and return its answer. One that ends or hangs is replaced at the next question."""
        try:
            await self.predictor.send(message)
            answer = await asyncio.wait_for(self.predictor.answer(), SECONDS)
        except TimeoutError:
            answer = {"type": "error", "text": f"your package did not answer within {SECONDS} s"}
            await self.predictor.end()
        except (ConnectionError, ValueError):
            answer = None
        if answer is None:
            await self.predictor.end()
            answer = {"type": "error", "text": "the process that runs your package ended; the terminal shows what it printed"}
        return answer

    async def ask(self, message):
        """Return the answers to a question about networks: a list of messages for the page."""
        async with self.predictor.turn:
            news = await self.ready()
            return [*news, await self.exchange(message)]

    async def models(self):
        """Return the messages about all networks."""
        async with self.predictor.turn:
            news = await self.ready()
            return news or [
                await self.exchange({"type": "load", "key": key, "path": str(path)}) for key, path in self.networks.items()
            ]

    async def load(self, key, data):
        """Keep a network's bytes, and return the message about it."""
        target = self.folder / f"{key}.safetensors"
        target.write_bytes(data)
        (*news, answer) = await self.ask({"type": "load", "key": key, "path": str(target)})
        if answer["type"] == "loaded":
            self.networks[key] = target
        return [*news, answer]

    async def train(self, options):
        """Start a training; only one runs at a time."""
        if self.training:
            raise Asked("a training is running, here or in another tab: stop it first", 409)
        self.training = Process(self.space, "train")
        self.training.last = {"epoch": 0, "epochs": options["epochs"]}
        await self.training.start()
        await self.training.send({"type": "train", **options})
        self.task = asyncio.create_task(self.follow(self.training))

    async def follow(self, training):
        """Pass on what a training tells until it ends."""
        told = None
        try:
            while (message := await training.answer()) is not None:
                told = message["type"]
                if told == "epoch":
                    message = await self.with_network(training, message)
                self.tell(message)
        except ValueError:
            pass
        await training.end()
        if self.training is training:
            self.training = None
            if told not in ("finished", "error"):
                self.tell({"type": "error", "text": "the process of the training ended; the terminal shows what it printed"})

    async def with_network(self, training, message):
        """Load the network of an epoch, and return the message with what the page shows of it."""
        training.last = {name: message[name] for name in ("epoch", "epochs")}
        *_, about = await self.load("trained", base64.b64decode(message.pop("weights")))
        return {**message, "model": about} if about["type"] == "loaded" else about

    async def stop(self):
        """End the training that runs."""
        training, self.training = self.training, None
        if training:
            await training.end()
            self.tell({"type": "finished", "how": "stopped", **training.last})

    def tell(self, message):
        """Send a message to every page that listens."""
        for queue in self.listeners:
            queue.put_nowait(message)

    async def end(self):
        """End all processes."""
        await self.stop()
        await self.predictor.end()


async def body(request, most):
    """Return the body of a request, or refuse it once it is too long."""
    said = request.headers.get("content-length", "0")
    parts, size = [], int(said) if said.isdigit() else most + 1
    if size <= most:
        size = 0
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > most:
                break
    if size > most:
        raise Asked(f"the request has more than {most} bytes", 413)
    return b"".join(parts)


def checked(message):
    """Return a question if it is one, with numbers within their limits."""
    if not isinstance(message, dict) or message.get("type") not in KINDS:
        raise Asked("the playground does not know this question")
    kind = message["type"]
    made = {name: message.get(name) for name in ("type", *KINDS[kind])}
    if kind in ("predict", "field"):
        made |= {"id": message.get("id"), "model": str(message.get("model"))}
        digit, off = made["digit"], made["off"] or []
        if not (
            isinstance(digit, list) and len(digit) == 784 and all(isinstance(x, (int, float)) and 0 <= x <= 1 for x in digit)
        ):
            raise Asked("a digit is 784 numbers from 0 to 1")
        pairs = [*off, [made.get("layer", 0), made.get("unit", 0)]] if isinstance(off, list) else [0]
        if not all(isinstance(pair, list) and len(pair) == 2 and all(type(x) is int and x >= 0 for x in pair) for pair in pairs):
            raise Asked("neurons are named by a layer and a number")
        made["off"] = off
    if kind == "train":
        for name, (least, most) in LIMITS.items():
            if type(made[name]) is not int or not least <= made[name] <= most:
                raise Asked(f"{name} needs a whole number from {least} to {most}, got {made[name]}")
        if not isinstance(made["lr"], (int, float)) or not 0 < made["lr"] <= 10:
            raise Asked(f"the learning rate needs a number above 0 and up to 10, got {made['lr']}")
    return made


def app(space, folder=None):
    """Return the application.

    Args:
        space: The workspace.
        folder: Folder for networks; by default a temporary one.
    """
    files = page.files(workspace.course_dir())
    first = b'<script src="engine.js">'
    files["index.html"] = files["index.html"].replace(first, b'<script src="server.js"></script>' + first)
    files["server.js"] = b'window.TINYTORCH_SERVER = "/api";\n'
    files["models.js"] = b"const TINYTORCH_MODELS = {};\n"

    @contextlib.asynccontextmanager
    async def lifespan(app):
        with tempfile.TemporaryDirectory() as own:
            app.state.playground = Playground(space, folder or own)
            await app.state.playground.models()
            yield
            await app.state.playground.end()

    async def file(request):
        name = request.path_params.get("name", "index.html")
        if name not in files:
            return PlainTextResponse("there is no such file", 404)
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return Response(files[name], media_type=TYPES["." + name.rpartition(".")[2]], headers=headers)

    async def ask(request):
        playground = request.app.state.playground
        try:
            message = checked(json.loads(await body(request, QUESTION)))
        except (ValueError, RecursionError):
            raise Asked("a question is JSON") from None
        if message["type"] == "train":
            message.pop("type")
            await playground.train(message)
            return JSONResponse([])
        if message["type"] == "stop":
            await playground.stop()
            return JSONResponse([])
        return JSONResponse(await playground.ask(message))

    async def load(request):
        return JSONResponse(await request.app.state.playground.load("own", await body(request, FILE)))

    async def models(request):
        return JSONResponse(await request.app.state.playground.models())

    async def save(request):
        path = request.app.state.playground.networks.get("trained")
        return Response(path.read_bytes(), media_type="application/octet-stream") if path else PlainTextResponse("none", 404)

    async def events(request):
        playground, queue = request.app.state.playground, asyncio.Queue()

        async def stream():
            playground.listeners.add(queue)
            try:
                yield "event: open\ndata: {}\n\n"
                while True:
                    try:
                        yield f"data: {json.dumps(await asyncio.wait_for(queue.get(), 15))}\n\n"
                    except TimeoutError:
                        yield ": still here\n\n"
            finally:
                playground.listeners.discard(queue)

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def refused(request, error):
        return JSONResponse([{"type": "error", "text": str(error)}], error.status)

    async def gone(request, error):
        return PlainTextResponse("", 400)

    routes = [
        Route("/", file),
        Route("/api/ask", ask, methods=["POST"]),
        Route("/api/load", load, methods=["POST"]),
        Route("/api/models", models),
        Route("/api/save", save),
        Route("/api/events", events),
        Route("/{name}", file),
    ]
    made = Starlette(routes=routes, lifespan=lifespan, exception_handlers={Asked: refused, ClientDisconnect: gone})
    made.add_middleware(OwnPagesOnly)
    return made


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
