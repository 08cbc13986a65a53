"""A network as a file tells it: its arrays, its layers in order, and what its pixels are."""

import itertools
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinytorch.datasets import MNIST
from tinytorch.given import gguf, safetensors
from tinytorch.given.files import BadFile

PAGE = "tinytorch.page"  # where the header of a file for the page keeps layers, pixels and title
SIDE, CLASSES = 28, 10
STANDARD = [MNIST.pixels[0][0], MNIST.pixels[1][0]]  # mean and standard deviation of pixels from 0 to 1
UNIT = [0.0, 1.0]
PIXELS = {"standard": STANDARD, "unit": UNIT}


@dataclass(frozen=True)
class Network:
    """A network that reads digits.

    Args:
        arrays: Dict from name to float32 array, shapes as PyTorch has them.
        layers: List of dicts, one a layer in order: its kind, and the names of its arrays or its sizes.
        pixels: Mean and standard deviation: a pixel from 0 to 1 enters the network as (pixel - mean) / deviation.
        title: The network in words.
        about: Dict of what the file says about its training.
    """

    arrays: dict
    layers: list
    pixels: list
    title: str
    about: dict


def read(path, pixels=None):
    """Read a network from a safetensors or GGUF file.

    Args:
        path: The file. Its first bytes, not its name, say which format it has.
        pixels: Name of an entry of `PIXELS`; by default what the file says, else ``"standard"``.

    Raises:
        ValueError: The file is damaged, or its arrays are no network that reads digits. The message names it.
        OSError: It cannot be opened.
    """
    with open(path, "rb") as file:
        is_gguf = file.read(4) == gguf.MAGIC
    if is_gguf:
        arrays, settings = gguf.load_file(path)
        arrays, about, scale = from_peer(arrays), {"architecture": settings.get("general.architecture")}, UNIT
    else:
        arrays, texts = safetensors.load_file(path)
        about = described(texts)
        scale = scale_of(about)
    try:
        arrays = numbers(arrays)
        layers = about.pop(PAGE, {}).get("layers") or plan({name: array.shape for name, array in arrays.items()})
    except BadFile as error:
        raise BadFile(f"{path}: {error}") from None
    return Network(arrays, layers, PIXELS.get(pixels, scale), title(layers, arrays), about)


def described(texts):
    """Return the texts of a header that are JSON, as data."""
    made = {}
    for name, text in texts.items():
        try:
            made[name] = json.loads(text)
        except (ValueError, RecursionError):
            made[name] = text
    if not isinstance(made.get(PAGE, {}), dict):
        del made[PAGE]
    return made


def scale_of(about):
    """Return the mean and standard deviation of the pixels that a file was trained on."""
    choices = about.get("choices")
    trained_on_units = isinstance(choices, dict) and choices.get("model") == "mnist-cnn"
    return about.get(PAGE, {}).get("pixels") or (UNIT if trained_on_units else STANDARD)


def numbers(arrays):
    """Return arrays as float32, and refuse any that are not numbers with a fraction."""
    wrong = [name for name, array in arrays.items() if array.dtype.kind != "f"]
    if wrong or not arrays:
        raise BadFile(f"{wrong[0]} is {arrays[wrong[0]].dtype}, not float" if wrong else "there is no array in it")
    return {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}


def from_peer(arrays):
    """Return the arrays of a file for ggml's `mnist-eval` with PyTorch's names and order."""
    if "dense.weight" not in arrays or arrays["dense.weight"].shape != (10, 784):
        return arrays
    made = {name.replace(".kernel", ".weight"): array for name, array in arrays.items()}
    for name in ("conv1.bias", "conv2.bias"):
        if name in made:
            made[name] = made[name].reshape(-1)
    made["dense.weight"] = made["dense.weight"].reshape(10, 7, 7, 16).transpose(0, 3, 1, 2).reshape(10, 784)
    return made


def plan(shapes):
    """Return the layers of a network that reads digits of 28 by 28, worked out from the shapes of its arrays.

    Convolutions come first, each with a max-pool of 2 and a ReLU; then linear layers with a ReLU between them. The
    padding of a convolution is none, or keeps the size: what makes the first linear layer fit.

    Args:
        shapes: Dict from name to shape.

    Raises:
        ValueError: There is no such network, or several.

    Example:
        >>> [layer["kind"] for layer in plan({"0.weight": (8, 784), "0.bias": (8,), "2.weight": (10, 8)})]
        ['flatten', 'linear', 'relu', 'linear']
    """
    weights = {name: shape for name, shape in shapes.items() if len(shape) in (2, 4)}
    order = sorted(weights, key=lambda name: (-len(weights[name]), natural(name)))
    convolutions, linears = ([name for name in order if len(weights[name]) == axes] for axes in (4, 2))
    biases = {name: bias_of(name, shapes) for name in order}
    if not linears or set(shapes) != set(order) | set(filter(None, biases.values())):
        strange = sorted(set(shapes) - set(order) - set(filter(None, biases.values())))
        raise BadFile(f"convolutions and linear layers do not have the arrays {', '.join(strange[:3]) or '(no linear layer)'}")
    paddings = list(fitting([weights[name] for name in convolutions], weights[linears[0]][1]))
    if len(paddings) != 1:
        sizes = ", ".join(f"{name} {weights[name]}" for name in order)
        raise BadFile(f"its layers do not fit digits of {SIDE} by {SIDE}: {sizes}")
    layers = []
    for name, padding in zip(convolutions, paddings[0]):
        layers += [dict(kind="conv2d", weight=name, bias=biases[name], padding=padding), dict(kind="max_pool2d", size=2)]
        layers.append(dict(kind="relu"))
    layers.append(dict(kind="flatten"))
    for name, after in zip(linears, [*linears[1:], None]):
        layers.append(dict(kind="linear", weight=name, bias=biases[name]))
        if (weights[after][1] if after else CLASSES) != weights[name][0]:
            raise BadFile(f"{name} {weights[name]} is followed by {after or 'nothing'} {weights[after] if after else CLASSES}")
        if after:
            layers.append(dict(kind="relu"))
    return layers


def natural(name):
    """Return a name as a key to sort by, in which 10 comes after 9."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def bias_of(name, shapes):
    """Return the name of the bias beside a weight, or None."""
    bias = re.sub(r"(weight|kernel)$", "bias", name)
    return bias if bias != name and shapes.get(bias) == (shapes[name][0],) else None


def fitting(convolutions, features):
    """Yield each choice of paddings with which convolutions, each before a max-pool of 2, leave this many features."""
    channels = [1, *(shape[0] for shape in convolutions)]
    if any(shape[1] != before or shape[2] != shape[3] for shape, before in zip(convolutions, channels)):
        return
    for paddings in itertools.product(*([0, shape[2] // 2] for shape in convolutions)):
        side = SIDE
        for shape, padding in zip(convolutions, paddings):
            side = (side + 2 * padding - shape[2] + 1) // 2
        if side > 0 and channels[-1] * side * side == features:
            yield paddings


def title(layers, arrays):
    """Return the sizes of a network's layers in words, such as ``conv 6, conv 16, 120, 84, 10``."""
    words = [] if layers[0]["kind"] == "conv2d" else [str(SIDE * SIDE)]
    for layer in layers:
        if layer["kind"] in ("conv2d", "linear"):
            words.append(f"{'conv ' * (layer['kind'] == 'conv2d')}{len(arrays[layer['weight']])}")
    return ", ".join(words)


def built(network):
    """Return the network made of the package's own layers, in evaluation mode, with these arrays in them."""
    from tinytorch import layers as given_by_module_03

    made = []
    for layer in network.layers:
        kind = layer["kind"]
        weight = network.arrays.get(layer.get("weight"))
        if kind == "conv2d":
            from tinytorch.cnn import Conv2d

            out_channels, in_channels, size, _ = weight.shape
            made.append(Conv2d(in_channels, out_channels, size, padding=layer["padding"], bias=layer["bias"] is not None))
        elif kind == "max_pool2d":
            from tinytorch.cnn import MaxPool2d

            made.append(MaxPool2d(layer["size"]))
        elif kind == "linear":
            made.append(given_by_module_03.Linear(*weight.shape[::-1], bias=layer["bias"] is not None))
        else:
            made.append({"relu": given_by_module_03.ReLU, "flatten": given_by_module_03.Flatten}[kind]())
        if weight is not None:
            made[-1].weight.data[...] = weight
            if layer["bias"] is not None:
                made[-1].bias.data[...] = network.arrays[layer["bias"]]
        for parameter in made[-1].parameters():
            parameter.requires_grad = False
    model = given_by_module_03.Sequential(*made)
    model.train(False)
    return model


def run(network, images, batch=500):
    """Return the package's logits for digits: an array (N, 10).

    Args:
        network: The `Network`.
        images: Digits, uint8, (N, 28, 28).
        batch: Digits in a batch.
    """
    return np.concatenate([*batches(network, images, batch)])


def batches(network, images, batch):
    """Yield the logits of each batch of digits; see `run`."""
    from tinytorch.given.state import state
    from tinytorch.tensor import Tensor

    model, before = built(network), state.recording
    state.recording = False
    try:
        for start in range(0, len(images), batch):
            yield np.array(model(Tensor(inputs(network, images[start : start + batch]))).data)
    finally:
        state.recording = before


def inputs(network, images):
    """Return digits (N, 28, 28), uint8, as the network takes them: float32, (N, 1, 28, 28)."""
    mean, deviation = network.pixels
    pixels = images.reshape(len(images), 1, SIDE, SIDE).astype(np.float32)
    pixels *= 1 / (255 * deviation)
    pixels -= mean / deviation
    return pixels


def beside(path, ending):
    """Return the path of a file beside another, with another ending."""
    path = Path(path)
    return path.with_name(path.name.removesuffix(".safetensors").removesuffix(".gguf") + ending)
