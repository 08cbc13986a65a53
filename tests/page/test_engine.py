"""The page's numbers are Python's: its engine run by node, without a browser, on the same networks, digits and batches."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from parity import STEPS, Training

from tinytorch.datasets import mnist_5k
from tito import page, workspace
from tito.models import network

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not on the path")
DIGITS = mnist_5k()
FOLDER = workspace.course_dir() / "tinytorch" / "datasets" / "mnist_5k"
BEGIN = f"""
const fs = require("fs"), zlib = require("zlib"), engine = require({json.dumps(str(page.HERE / "engine.js"))})();
const idx = (name) => engine.parseIDX(new Uint8Array(zlib.gunzipSync(fs.readFileSync({json.dumps(str(FOLDER))} + "/" + name + "-ubyte.gz")))).values;
const test = idx("test-images-idx3"), digit = (i) => Float32Array.from(test.subarray(784 * i, 784 * (i + 1)), (value) => value / 255);
const read = (path) => {{ const bytes = fs.readFileSync(path); return engine.readModel(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)); }};
const given = JSON.parse(fs.readFileSync(0, "utf8")), say = (value) => console.log(JSON.stringify(value));
"""


def run(code, given=None):
    """Run JavaScript with the engine in node; return what it says."""
    done = subprocess.run([NODE, "-e", BEGIN + code], input=json.dumps(given), capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_node
@pytest.mark.parametrize("key", page.MODELS)
def test_logits_are_python_s(key):
    path = page.HERE / f"{key}.safetensors"
    theirs = run(
        "const m = read(given); say(Array.from({length: 100}, (_, i) => Array.from(engine.forward(m, digit(i)).at(-1).values)));",
        str(path),
    )
    np.testing.assert_allclose(theirs, network.run(network.read(path), DIGITS.test_images[:100]), atol=1e-4)


@needs_node
def test_ten_steps_of_training_are_python_s():
    training = Training()
    data = 'idx("train-images-idx3"), idx("train-labels-idx1")'
    training.require_the_same(*run(f"say(({STEPS})(engine, given, {data}));", training.given))


@needs_node
def test_the_centre_of_mass_is_pixel_14_and_mnist_s_digits_stay():
    same, centres = run(
        """let same = 0;
        for (let i = 0; i < 300; i++) { const one = digit(i); same += engine.toDigit(one, 28).every((value, j) => Math.abs(value - one[j]) < 1e-5); }
        const centres = [[20, 30, 60, 9], [150, 10, 100, 90], [5, 200, 40, 70]].map(([x, y, w, h]) => {
            const raster = new Float32Array(280 * 280);
            for (let v = y; v < y + h; v++) for (let u = x; u < x + w; u++) raster[v * 280 + u] = 1;
            const made = engine.toDigit(raster, 280); let mass = 0, left = 0, top = 0;
            made.forEach((value, i) => { mass += value; left += value * (i % 28); top += value * Math.floor(i / 28); });
            return [left / mass, top / mass]; });
        say([same, centres]);"""
    )
    assert same >= 270, "aiming half a pixel beside 14 moves half of them"
    np.testing.assert_allclose(centres, 14, atol=0.02)


@needs_node
def test_the_layers_of_a_file_are_those_that_python_finds(tmp_path):
    for shapes in (
        [(32, 1, 3, 3), (64, 32, 3, 3), (10, 1600)],
        [(8, 1, 3, 3), (16, 8, 3, 3), (10, 784)],
        [(30, 784), (20, 30), (10, 20)],
    ):
        from safetensors.numpy import save_file

        arrays = {f"{3 * i}.weight": np.zeros(shape, np.float32) for i, shape in enumerate(shapes)}
        save_file(arrays, tmp_path / "net.safetensors")
        theirs = run("say(read(given).layers);", str(tmp_path / "net.safetensors"))
        assert theirs == network.read(tmp_path / "net.safetensors").layers


@needs_node
def test_what_the_page_saves_python_reads(tmp_path):
    run(
        """fs.writeFileSync(given, Buffer.from(engine.dumpSafetensors(engine.makeMLP(7, engine.random(1)).arrays, {epochs: "3"}))); say(1);""",
        str(tmp_path / "net"),
    )
    model = network.read(tmp_path / "net")
    assert model.title == "784, 7, 10" and model.about == {"epochs": 3}


def test_the_page_is_whole_and_asks_no_other_host(tmp_path):
    index = page.write(tmp_path, workspace.course_dir())
    text = index.read_text(encoding="utf-8")
    for name in (*page.WRITTEN[1:], "digits.js", "models.js"):
        assert f'"{name}"' in text and (tmp_path / name).stat().st_size > 100
        assert "https://" not in (tmp_path / name).read_text(encoding="utf-8") and "http://" not in (tmp_path / name).read_text(
            encoding="utf-8"
        )
