"""The processes that run the learner's package, the networks that they hold, and the pages that listen."""

import asyncio
import base64
import contextlib
import json
import sys
from pathlib import Path

from tito import leftovers, page
from tito.playground.questions import Refusal

LINE = 2**26  # the longest answer of a process
SECONDS = 30  # for an answer
ENDED = "the process that runs your package ended; the terminal shows what it printed"


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
        # Ctrl-C is for the server, which then ends this process; reached as well, it would print where it was.
        pipes = dict(**leftovers.APART, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE)
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
        if self.predictor.process is None:  # the question before ended it
            return {"type": "error", "text": ENDED}
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
            answer = {"type": "error", "text": ENDED}
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
        async with self.predictor.turn:  # nobody reads the file while it is written
            target.write_bytes(data)
            news = await self.ready()
            answer = await self.exchange({"type": "load", "key": key, "path": str(target)})
        if answer["type"] == "loaded":
            self.networks[key] = target
        return [*news, answer]

    async def train(self, options):
        """Start a training; only one runs at a time."""
        if self.training:
            raise Refusal("a training is running, here or in another tab: stop it first", 409)
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
                self.tell({"type": "error", "text": ENDED})

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
