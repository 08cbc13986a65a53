"""The page See and learn: plain files that work from a folder, a static host or the playground.

Its scripts are written by hand. Two more are made here: the digits that come with the course, and the networks beside this
file, whose records say how they were trained.
"""

import base64
import json
from pathlib import Path

HERE = Path(__file__).parent
WRITTEN = ("index.html", "page.css", "embedded.js", "engine.js", "webgpu.js", "worker.js", "drawing.js", "remote.js", "page.js")
MODELS = ("lenet5", "mlp")  # the first is the one that is chosen


def files(course):
    """Return the files of the page: a dict from name to bytes.

    Args:
        course: Folder of the course, which holds the digits.
    """
    made = {name: (HERE / name).read_bytes() for name in WRITTEN}
    made["digits.js"] = script("TINYTORCH_DIGITS", digits(Path(course) / "tinytorch" / "datasets" / "mnist_5k"))
    made["models.js"] = script("TINYTORCH_MODELS", {name: coded(HERE / f"{name}.safetensors") for name in MODELS})
    return made


def digits(folder):
    """Return the digits that come with the course, as text: `train` and `test`, each with images and labels."""
    parts = ("images", "images-idx3"), ("labels", "labels-idx1")
    return {part: {name: coded(folder / f"{part}-{kind}-ubyte.gz") for name, kind in parts} for part in ("train", "test")}


def coded(path):
    """Return a file's bytes in base64: a page opened as a file may load scripts, but fetch nothing."""
    return base64.b64encode(path.read_bytes()).decode("ascii")


def script(name, value):
    """Return a script that gives a name to a value."""
    return f"const {name} = {json.dumps(value)};\n".encode()


def write(folder, course):
    """Write the page into a folder, and return the path of its first file."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files(course).items():
        (folder / name).write_bytes(data)
    return folder / "index.html"
