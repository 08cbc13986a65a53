"""A cache of its own for every test, a loopback mirror whose answers the test writes, and a small MNIST."""

import gzip
import hashlib
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from tinytorch.datasets import load_mnist
from tinytorch.datasets.errors import CorruptFile
from tinytorch.datasets.published import Published

USERS_DATA = os.environ.get("TINYTORCH_DATA")  # read before any test hides it


@pytest.fixture
def users_data():
    """The folder that $TINYTORCH_DATA named when the tests began, or None."""
    return USERS_DATA


@pytest.fixture(autouse=True)
def own_environment(monkeypatch, tmp_path):
    """Keep the tests off the user's cache, data and proxies."""
    monkeypatch.delenv("TINYTORCH_DATA", raising=False)
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


class Handler(BaseHTTPRequestHandler):
    """Answer each request with the next of the answers written for its path; the last one repeats."""

    def do_GET(self):
        mirror = self.server.mirror
        with mirror.lock:
            mirror.ranges.append(self.headers["Range"])
            answers = mirror.answers.get(self.path, [mirror.status(404)])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        answer(self)

    def log_message(self, *parts):
        pass

    def start(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()


class Mirror:
    """A server on 127.0.0.1. Each method that makes an answer is named for what the server does."""

    def __init__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.mirror, self.server.daemon_threads = self, True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.answers, self.ranges = {}, []
        self.lock, self.released = threading.Lock(), threading.Event()
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def serve(self, path, *answers):
        """Answer requests for path so, and return its URL."""
        self.answers[path] = list(answers)
        return self.url + path

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def whole(self, body):
        """Send the file, or the range that was asked for."""

        def answer(handler):
            start = int((handler.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
            if start >= len(body):
                return handler.start(416, Content_Range=f"bytes */{len(body)}")
            ranged = {"Content_Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
            handler.start(206 if start else 200, Content_Length=len(body) - start, **ranged)
            handler.wfile.write(body[start:])

        return answer

    def ignoring_range(self, body):
        """Send the whole file whatever was asked for."""

        def answer(handler):
            handler.start(200, Content_Length=len(body))
            handler.wfile.write(body)

        return answer

    def without_length(self, body):
        """Send the whole file and not say how long it is."""

        def answer(handler):
            handler.start(200)
            handler.wfile.write(body)

        return answer

    def dropping(self, body, after):
        """Close the connection after some bytes of the file."""

        def answer(handler):
            handler.start(200, Content_Length=len(body))
            handler.wfile.write(body[:after])

        return answer

    def stalling(self, body, after):
        """Send some bytes of the file, then nothing until the test sets `released` or is over."""

        def answer(handler):
            handler.start(200, Content_Length=len(body))
            handler.wfile.write(body[:after])
            handler.wfile.flush()
            self.released.wait(20)

        return answer

    def pausing(self, body, after):
        """Send some bytes of the file, and the rest when the test says so."""

        def answer(handler):
            self.stalling(body, after)(handler)
            handler.wfile.write(body[after:])

        return answer

    def mistaken_range(self, body, start):
        """Send a range that begins elsewhere than asked, or the file if no range was asked for."""

        def answer(handler):
            if not handler.headers["Range"]:
                return self.whole(body)(handler)
            handler.start(206, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}", Content_Length=len(body) - start)
            handler.wfile.write(body[start:])

        return answer

    def page(self):
        """Send a web page, as hotel networks do."""
        return self.ignoring_range(b"<!DOCTYPE html><title>Log in</title>")

    def status(self, code):
        """Refuse."""
        return lambda handler: handler.start(code, Content_Length=0)


@pytest.fixture
def mirror():
    """A loopback server."""
    server = Mirror()
    yield server
    server.close()


@pytest.fixture
def body():
    """A file to download: 300,000 bytes that do not repeat, several network chunks."""
    return np.random.default_rng(0).bytes(300_000)


@pytest.fixture
def check(body):
    """A check that accepts that file alone."""

    def same(path):
        if path.read_bytes() != body:
            raise CorruptFile(path, "not the file that was wanted")

    return same


@pytest.fixture
def small_set(monkeypatch):
    """A function that puts a small set in the place of a loader's `FILES`, and returns the bytes of its gzip files by name."""

    published = {}

    def make(loader, seed=1):
        rng, bodies, files = np.random.default_rng(seed), {}, []
        for file in published.setdefault(loader, loader.FILES):
            shape = (-(-file.shape[0] // 1000), *file.shape[1:])
            values = rng.integers(0, 10 if len(shape) == 1 else 256, shape, dtype=np.uint8)
            raw = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes() + values.tobytes()
            bodies[file.name] = gzip.compress(raw)
            files.append(Published(file.name, shape, hashlib.sha256(raw).hexdigest()))
        monkeypatch.setattr(loader, "FILES", tuple(files))
        return bodies

    return make


@pytest.fixture
def small_mnist(small_set):
    """Put a set of 60 and 10 images in MNIST's place, and return the bytes of its gzip files by name."""
    return small_set(load_mnist)


@pytest.fixture
def fill():
    """A function that writes a set's files into a folder, as gzip or not."""

    def write(folder: Path, bodies, compressed=True):
        folder.mkdir(parents=True, exist_ok=True)
        for name, packed in bodies.items():
            path = folder / (f"{name}.gz" if compressed else name)
            path.write_bytes(packed if compressed else gzip.decompress(packed))
        return folder

    return write
