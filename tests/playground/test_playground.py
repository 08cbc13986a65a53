"""The playground's server: answers by the learner's package, its errors as text, one training, and no strangers."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("starlette", reason="pip install starlette uvicorn")
pytest.importorskip("httpx")
from starlette.testclient import TestClient

from tinytorch.datasets import mnist_5k
from tito import page
from tito.models import network
from tito.playground import keeping, server, serving

sys.path.insert(0, str(Path(__file__).parent))
import spaces

pytestmark = pytest.mark.slow  # each starts processes that import the package
DIGITS = mnist_5k()
DIGIT = (DIGITS.test_images[0].ravel() / 255).tolist()
HERE = {"host": "127.0.0.1:8000"}
OPTIONS = {"type": "train", "hidden": 16, "epochs": 1, "batch": 50, "lr": 0.1, "seed": 0}


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return spaces.exported(tmp_path_factory.mktemp("space"))


@pytest.fixture(scope="module")
def client(space):
    with TestClient(server.app(space), headers=HERE) as client:
        yield client


def ask(client, **message):
    answer = client.post("/api/ask", json=message)
    return answer.json()


def predict(client, model="mlp", **more):
    return ask(client, type="predict", model=model, digit=DIGIT, off=[], **more)[-1]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no process groups to ask for")
def test_ctrl_c_reaches_the_server_alone(space):
    async def group():
        process = keeping.Process(space, "predict")
        await process.start()
        try:
            return os.getpgid(process.process.pid)
        finally:
            await process.end()

    assert asyncio.run(group()) != os.getpgid(0)


def test_the_first_prediction_takes_less_than_50_ms(space):
    with TestClient(server.app(space), headers=HERE) as client:
        began = time.perf_counter()
        answer = predict(client)
        seconds = time.perf_counter() - began
    print(f"{1000 * seconds:.1f} ms")
    assert answer["type"] == "prediction" and np.argmax(answer["chances"]) == DIGITS.test_labels[0]
    assert seconds < 0.05


@pytest.mark.parametrize("model", page.MODELS)
def test_the_answer_is_the_package_s(client, model):
    answer = predict(client, model)
    ours = network.run(network.read(page.HERE / f"{model}.safetensors"), DIGITS.test_images[:1])[0]
    np.testing.assert_allclose(answer["outputs"][-1]["values"], ours, atol=1e-4)
    assert sum(answer["chances"]) == pytest.approx(1)


def test_a_field_and_a_neuron_that_is_off(client):
    field = ask(client, type="field", model="mlp", digit=DIGIT, off=[], layer=1, unit=3)[-1]
    model = network.read(page.HERE / "mlp.safetensors")
    np.testing.assert_allclose(field["values"], model.arrays["0.weight"][3] / model.pixels[1], rtol=1e-4)
    off = ask(client, type="predict", model="mlp", digit=DIGIT, off=[[1, 3]])[-1]
    assert off["outputs"][1]["values"][3] == 0


def test_a_broken_package_shows_its_error_and_recovers_without_a_restart(client, space):
    path = space.package / "layers.py"
    whole = path.read_text(encoding="utf-8")
    line = "return linear(x, self.weight, self.bias)"
    assert whole.count(line) == 1
    path.write_text(whole.replace(line, "return x @ self.weights_of_mine"), encoding="utf-8")
    try:
        said = predict(client)
        assert said["type"] == "error" and "weights_of_mine" in said["text"]
        assert "layers.py, cell" in said["text"] and ", line" in said["text"]
        path.write_text("def broken(:\n", encoding="utf-8")
        assert "SyntaxError" in predict(client)["text"]
        path.write_text("import os; os._exit(3)\n", encoding="utf-8")
        assert "ended" in predict(client)["text"]
    finally:
        path.write_text(whole, encoding="utf-8")
    assert predict(client)["type"] == "prediction"


def listen(client, until, act):
    """Start something, and return what the stream tells until a message of this type."""
    playground, told = client.app.state.playground, []
    original = playground.tell

    def tell(message):
        told.append(message)
        original(message)

    playground.tell = tell
    try:
        assert act().status_code == 200
        end = time.monotonic() + 60
        while not any(message["type"] in (until, "error") for message in told):
            assert time.monotonic() < end, told
            time.sleep(0.05)
    finally:
        playground.tell = original
    return told


def test_a_training_by_the_package(client):
    told = listen(client, "finished", lambda: client.post("/api/ask", json=OPTIONS))
    assert told[-1] == {"type": "finished", "how": "done", "epoch": 1, "epochs": 1}
    (epoch,) = [message for message in told if message["type"] == "epoch"]
    assert epoch["accuracy"] > 0.7 and np.sum(epoch["confusion"]) == 1000 and epoch["model"]["key"] == "trained"
    assert predict(client, "trained")["type"] == "prediction"
    saved = client.get("/api/save").content
    assert saved[8:9] == b"{"


def test_a_second_training_is_refused_and_the_first_is_stopped(client):
    assert client.post("/api/ask", json={**OPTIONS, "epochs": 100}).status_code == 200
    second = client.post("/api/ask", json=OPTIONS)
    assert second.status_code == 409 and "another tab" in second.json()[0]["text"]
    told = listen(client, "finished", lambda: client.post("/api/ask", json={"type": "stop"}))
    assert told[-1]["how"] == "stopped"
    assert client.post("/api/ask", json=OPTIONS).status_code == 200
    listen(client, "finished", lambda: client.post("/api/ask", json={"type": "stop"}))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:8000", "origin": "http://localhost:8000"}, 200),
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example:8000"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:9000"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_strangers_are_refused(client, headers, status):
    for method, path in (("GET", "/"), ("GET", "/api/models"), ("POST", "/api/ask")):
        done = client.request(
            method,
            path,
            headers={**HERE, **headers},
            json={"type": "predict", "model": "mlp", "digit": DIGIT, "off": []} if method == "POST" else None,
        )
        assert done.status_code == status


BAD = [
    b"",
    b"[",
    b"[" * 5000,
    b"[]",
    b'{"type": "dump"}',
    b'{"type": "predict", "digit": [1, 2]}',
    json.dumps({"type": "predict", "model": "mlp", "digit": ["x"] * 784}).encode(),
    json.dumps({"type": "predict", "model": "mlp", "digit": DIGIT, "off": [[-1, 0]]}).encode(),
    json.dumps({**OPTIONS, "epochs": 10**9}).encode(),
    json.dumps({**OPTIONS, "lr": "fast"}).encode(),
    json.dumps({**OPTIONS, "hidden": True}).encode(),
]


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
def test_a_question_that_is_none_is_refused_in_words(client, body):
    answer = client.post("/api/ask", content=body)
    assert answer.status_code == 400 and answer.json()[0]["type"] == "error"


def test_bodies_are_limited(client):
    assert client.post("/api/ask", content=bytes(2**17 + 1)).status_code == 413
    assert client.post("/api/ask", content=(bytes(2**16) for _ in range(3))).status_code == 413
    assert client.post("/api/load", content=bytes(2**24 + 1)).status_code == 413


def test_a_network_of_one_s_own_and_a_damaged_one(client):
    (*_, answer) = client.post("/api/load", content=(page.HERE / "mlp.safetensors").read_bytes()).json()
    assert answer["type"] == "loaded" and answer["key"] == "own"
    (*_, answer) = client.post("/api/load", content=b"damaged").json()
    assert answer["type"] == "error" and "not a whole safetensors file" in answer["text"]
    assert predict(client, "own")["type"] in ("prediction", "error")
    assert predict(client, "nobody's")["type"] == "error"


def test_the_page_s_files_and_no_others(client):
    assert "server.js" in client.get("/").text
    assert client.get("/page.js").headers["content-security-policy"].startswith("default-src 'self'")
    for name in ("/server.py", "/..%2f..%2fpyproject.toml", "/%2e%2e/server.py", "/lenet5.safetensors"):
        assert client.get(name).status_code == 404


def test_a_busy_port_is_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with serving.free(taken.getsockname()[1]) as other:
            assert other.getsockname()[0] == "127.0.0.1" and other.getsockname()[1] != taken.getsockname()[1]


def test_the_command_says_when_it_is_ready_and_streams_events(tmp_path):
    httpx = pytest.importorskip("httpx")
    words = [sys.executable, "-m", "tito", "playground", "--port", "0", "--no-browser"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=Path(__file__).parents[2])
    try:
        threading.Timer(60, process.kill).start()
        ready = process.stdout.readline()
        assert ready.startswith("The playground is ready: http://127.0.0.1:"), ready
        address = ready.split()[-1]
        with httpx.stream("GET", f"{address}api/events") as stream:
            assert next(stream.iter_lines()) == "event: open"
        assert httpx.get(address, headers={"host": "evil.example"}).status_code == 403
    finally:
        process.terminate()
        assert process.wait(15) is not None


def test_the_terminal_shows_a_digit_and_probabilities():
    words = [sys.executable, "-m", "tito", "playground", "--terminal"]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 0 and "probabilities" in done.stdout and "relu, 128 numbers" in done.stdout
    assert done.stdout.isascii()
