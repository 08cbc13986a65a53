"""What `tito model` does, on the learner's package: what is printed here, the user sees."""

import json
import os
import sys
import time
from pathlib import Path

from tito import console
from tito.files import why_not_written


def show(path, pixels=None):
    """List the arrays of a file, and the network that they make."""
    import numpy as np

    from tinytorch.given import gguf, safetensors
    from tito.models import network

    with open(path, "rb") as file:
        reader, kind = (gguf, "GGUF") if file.read(4) == gguf.MAGIC else (safetensors, "safetensors")
    arrays, texts = reader.load_file(path)
    total = sum(array.nbytes for array in arrays.values())
    console.say(
        f"{path}: {kind}, {len(arrays)} arrays, {sum(array.size for array in arrays.values()):,} numbers, {total:,} bytes"
    )
    console.say()
    width = max(map(len, arrays), default=0)
    for name in sorted(arrays, key=network.natural):
        array = arrays[name]
        span = f"{array.min():.4g} to {array.max():.4g}" if array.size and array.dtype.kind in "fiu" else ""
        wrong = "" if array.dtype.kind != "f" or np.isfinite(array).all() else ", not all finite"
        console.say(f"  {name:{width}}  {array.dtype.name:8} {shown(array.shape):18} {span}{wrong}")
    about = {name: value for name, value in network.described(texts).items() if name not in ("package", network.PAGE)}
    if about:
        console.say()
        console.say("  " + ", ".join(f"{name} {value}" for name, value in about.items())[:500])
    console.say()
    try:
        console.say(f"  layers: {layers(network.read(path, pixels))}")
    except ValueError as error:
        console.say(f"  not a network that reads digits: {error}")
        console.next_step("tito milestone list")
        return 0
    console.next_step(f"tito model eval {path}")
    return 0


def shown(shape):
    """Return a shape as text."""
    return "(" + ", ".join(map(str, shape)) + ")"


def layers(model):
    """Return the layers of a network in words."""
    names = {"conv2d": "conv", "max_pool2d": "max-pool 2", "relu": "ReLU", "flatten": "flatten", "linear": "linear"}
    words = []
    for layer in model.layers:
        size = shown(model.arrays[layer["weight"]].shape) if "weight" in layer else ""
        words.append(" ".join(filter(None, [names[layer["kind"]], size, "padded" if layer.get("padding") else ""])))
    return ", ".join(words)


def evaluate(path, pixels=None, data_dir=None, data="auto", kernels="numpy", threads=1, batch=500, seed=None):
    """Measure a network on the test digits."""
    os.environ["NUMBA_NUM_THREADS"] = str(threads)
    import numpy as np
    from threadpoolctl import threadpool_limits

    import tinytorch
    from tinytorch.datasets import mnist, mnist_5k, mnist_or_5k
    from tinytorch.given.state import state
    from tito.models import evaluating, network, terminal

    began = time.perf_counter()
    model = network.read(path, pixels)
    loaded = time.perf_counter() - began
    network.built(model)  # before anything is printed: the package may lack a module that it needs
    digits = {"auto": mnist_or_5k, "mnist": mnist, "mnist-5k": lambda folder: mnist_5k()}[data](data_dir)
    tinytorch.use(kernels)
    threadpool_limits(threads)
    tinytorch.fallbacks.clear()
    order = " then ".join(dict.fromkeys([state.kernels, "numpy"]))
    console.say(f"{path}: {model.title}, loaded in {1000 * loaded:.1f} ms; pixels {model.pixels}")
    console.say(f"device cpu, kernels {order}, {threads} thread{'s' * (threads != 1)}")
    result = evaluating.score(model, digits.test_images, digits.test_labels, batch)
    missing = ", ".join(f"{op} ({times:,} times)" for op, times in tinytorch.fallbacks.items())
    if missing:
        console.say(f"numpy ran what {state.kernels} has no kernel for: {missing}")
    chosen = int(np.random.default_rng(seed).integers(len(digits.test_labels)))
    chances = evaluating.probabilities(result.logits[chosen])
    console.say()
    for line in terminal.digit(digits.test_images[chosen], console.plain()):
        print(f"  {line}")
    guess, label = int(chances.argmax()), digits.test_labels[chosen]
    console.say(f"  test digit {chosen}: a {label}, predicted {guess} with a probability of {100 * chances[guess]:.1f} %")
    console.say()
    count = len(digits.test_labels)
    spread = f"± {result.loss_error:.6f}" if count > batch else f"(its error needs two batches or more: --batch {count // 2})"
    rows = {
        "test digits": f"{count:,} of {digits.name}, {f'batches of {batch}' if count > batch else 'all in one batch'}",
        "accuracy": f"{100 * result.accuracy:.2f} ± {100 * result.accuracy_error:.2f} %",
        "loss": f"{result.loss:.6f} {spread}",
        "a digit": f"{result.microseconds:.2f} µs",
    }
    for label, text in rows.items():
        console.say(f"  {label:12} {text}")
    console.next_step(f"tito model export {path} --to web")
    return 0


def export(path, to, out=None, pixels=None):
    """Write a network in another format."""
    from tinytorch.datasets import mnist_5k
    from tinytorch.given.files import write_atomically
    from tito.models import formats, network

    model = network.read(path, pixels)
    write, ending = formats.FORMATS[to]
    target = Path(out) if out else network.beside(path, ending)
    problem = why_not_written(target, Path(f"name{ending}").suffix)
    if problem:
        raise formats.NoExport(f"{problem} (--out)")
    data = write(model)
    said = ""
    if to == "onnx":
        images = mnist_5k().test_images[:200]
        apart = formats.check_onnx(data, model, images, network.run(model, images))
        said = f"onnxruntime's logits are within {apart:.1e} of yours" if apart is not None else "not checked: no onnxruntime"
    if target.exists() and target.resolve() == Path(path).resolve():
        raise formats.NoExport(f"{target} is the file that is read: name another one with --out")
    write_atomically(target, data)
    console.say(f"{target}: {model.title}, {len(data):,} bytes{', ' * bool(said)}{said}")
    after = {
        "gguf": f"mnist-eval {target} t10k-images-idx3-ubyte t10k-labels-idx1-ubyte (of ggml's examples)",
        "web": "drop the file on the page See and learn, or tito playground",
        "onnx": "open the file with onnxruntime, or look at it with Netron",
        "safetensors": f"tito model show {target}",
    }
    console.next_step(after[to])
    return 0


def watch(path=None):
    """Show test digits one after the other: each layer's activations, and the probabilities."""
    import numpy as np
    from rich import box
    from rich.columns import Columns
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    from tinytorch.datasets import mnist_5k
    from tito import page
    from tito.models import evaluating, network, terminal
    from tito.playground.process import Predictor

    plain, digits, predictor = console.plain(), mnist_5k(), Predictor()
    screen, edge = Console(width=80) if plain else Console(), box.ASCII if plain else box.ROUNDED
    path = path or str(page.HERE / f"{page.MODELS[-1]}.safetensors")
    predictor.load("own", path)
    while True:
        chosen = int(np.random.default_rng().integers(len(digits.test_labels)))
        digit = digits.test_images[chosen]
        outputs = predictor.outputs("own", predictor.pixels("own", digit.ravel() / 255), [])
        chances = evaluating.probabilities(np.array(outputs[-1].data[0]))
        picture = Text("\n").join(map(Text.from_ansi, terminal.digit(digit, plain)))
        bars = Panel("\n".join(terminal.bars(chances)), title="probabilities", box=edge)
        screen.print(Columns([Panel(picture, title=f"test digit {chosen}: a {digits.test_labels[chosen]}", box=edge), bars]))
        for layer, output in zip(network.read(path).layers, outputs):
            if layer["kind"] in ("relu", "linear"):
                shades = terminal.activations(np.array(output.data[0]).ravel())
                screen.print(Panel(shades, title=f"{layer['kind']}, {output.shape[1]} numbers", box=edge))
        if not sys.stdin.isatty() or input("Enter for another digit, q to end: ").strip().lower() == "q":
            break
    console.next_step("tito playground")
    return 0


def do(job):
    """Do a job, report known errors as the user's, and exit with its status.

    Args:
        job: JSON: the name of a function of this file, and its arguments.
    """
    from tinytorch.datasets import DataError
    from tito.models.formats import NoExport

    name, arguments = json.loads(job)
    try:
        sys.exit({"show": show, "evaluate": evaluate, "export": export, "watch": watch}[name](**arguments))
    except BrokenPipeError:  # `tito model show FILE | head`: the reader has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except ImportError as error:  # of a module of the package that is not exported yet
        if not (error.name or "").startswith("tinytorch"):
            raise
        refuse(str(error), "tito")
    except (NoExport, DataError, ValueError, OSError) as error:
        if not isinstance(error, (NoExport, DataError, OSError)) and type(error).__name__ != "BadFile":
            raise
        said = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
        refuse(said, "tito model show FILE lists what is in a file")


def refuse(said, command):
    """Print what is wrong and the next command, and exit with status 2."""
    console.say(console.wrap(said))
    console.next_step(command)
    sys.exit(2)
