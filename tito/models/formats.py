"""Networks as files for other programs: safetensors, GGUF for ggml, ONNX, and the page."""

import json

import numpy as np

from tinytorch.given import gguf, safetensors
from tito.models.network import CLASSES, PAGE, SIDE, UNIT


class NoExport(Exception):
    """A network cannot be written in a format; the message says why, and what would help."""


def to_safetensors(network):
    """Return the arrays under their own names, which PyTorch's layers load if they have the same names."""
    return safetensors.dump(network.arrays, {name: json.dumps(value) for name, value in network.about.items()})


def to_web(network):
    """Return a safetensors file whose header tells the page the layers and the pixels."""
    told = {"layers": network.layers, "pixels": network.pixels, "title": network.title}
    about = {name: json.dumps(value) for name, value in network.about.items() if name != "package"}
    return safetensors.dump(network.arrays, {**about, PAGE: json.dumps(told)})


def to_gguf(network):
    """Return a GGUF file that ggml's example `mnist-eval` loads: an MLP 784-500-10, or a CNN of 8 and 16 filters of 3 by 3.

    mnist-eval feeds pixels from 0 to 1. An MLP that was trained on standardised ones computes the same with the mean and the
    deviation moved into its first layer. A CNN cannot: the zeros around its picture would have to be another number.
    """
    with_weights = [layer for layer in network.layers if "weight" in layer]
    shapes = [network.arrays[layer["weight"]].shape for layer in with_weights]
    kinds = {tuple(shapes_of(name)): name for name in gguf.PEERS}
    architecture = kinds.get(tuple(shapes))
    if architecture is None or any(layer["bias"] is None for layer in with_weights):
        raise NoExport(
            f"mnist-eval has two networks, 784-500-10 and one of conv 8, conv 16 (3 by 3) and 10; this is {network.title}. "
            "Train one of them: `tito milestone run mnist-mlp --hidden 500` or `tito milestone run lenet5 --model mnist-cnn`"
        )
    pairs = [(network.arrays[layer["weight"]], network.arrays[layer["bias"]]) for layer in with_weights]
    if architecture == "mnist-fc":
        pairs[0] = folded(*pairs[0], *network.pixels)
        names = ("fc1.weight", "fc1.bias"), ("fc2.weight", "fc2.bias")
    else:
        if network.pixels != UNIT:
            raise NoExport("mnist-eval feeds pixels from 0 to 1, and this CNN takes others; `--model mnist-cnn` does not")
        pairs = [(kernel, bias.reshape(-1, 1, 1)) for kernel, bias in pairs[:2]] + [(rows_first(pairs[2][0]), pairs[2][1])]
        names = ("conv1.kernel", "conv1.bias"), ("conv2.kernel", "conv2.bias"), ("dense.weight", "dense.bias")
    arrays = {name: np.ascontiguousarray(array) for both in zip(names, pairs) for name, array in zip(*both)}
    return gguf.dump(arrays, architecture)


def shapes_of(architecture):
    """Return the shapes of the weights that mnist-eval loads, in the order of the layers."""
    return [shape for name, shape in gguf.PEERS[architecture].items() if not name.endswith("bias")]


def folded(weight, bias, mean, deviation):
    """Return the weight and bias of a linear layer that does to pixels what this one does to standardised pixels."""
    scaled = weight.astype(np.float64) / deviation
    return scaled.astype(np.float32), (bias - mean * scaled.sum(axis=1)).astype(np.float32)


def rows_first(weight):
    """Return the dense layer's weight with its columns in the order row, column, channel, as ggml flattens a picture."""
    return weight.reshape(CLASSES, 16, 7, 7).transpose(0, 2, 3, 1).reshape(CLASSES, -1)


def to_onnx(network):
    """Return an ONNX file: a graph from ``images``, pixels from 0 to 1 of shape (N, 1, 28, 28), to ``logits`` (N, 10)."""
    try:
        from onnx import TensorProto, checker, helper, numpy_helper
    except ImportError:
        raise NoExport('ONNX needs its package: pip install "tinytorch-course[onnx]"') from None
    mean, deviation = (np.array(value, np.float32) for value in network.pixels)
    nodes = [
        helper.make_node("Sub", ["images", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "deviation"], ["pixels"]),
    ]
    last = "pixels"
    for number, layer in enumerate(network.layers):
        out = "logits" if number == len(network.layers) - 1 else f"layer{number}"
        arrays = [layer[name] for name in ("weight", "bias") if layer.get(name)]
        operator, settings = {
            "conv2d": ("Conv", {"pads": [layer.get("padding", 0)] * 4}),
            "max_pool2d": ("MaxPool", {"kernel_shape": [layer.get("size")] * 2, "strides": [layer.get("size")] * 2}),
            "relu": ("Relu", {}),
            "flatten": ("Flatten", {}),
            "linear": ("Gemm", {"transB": 1}),
        }[layer["kind"]]
        settings = {} if layer["kind"] not in ("conv2d", "max_pool2d", "linear") else settings
        nodes.append(helper.make_node(operator, [last, *arrays], [out], **settings))
        last = out
    constants = {**network.arrays, "mean": mean, "deviation": deviation}
    graph = helper.make_graph(
        nodes,
        network.title,
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", CLASSES])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, producer_name="tinytorch", ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    checker.check_model(model)
    return model.SerializeToString()


def check_onnx(data, network, images, logits):
    """Compare an ONNX file with our own logits, by onnxruntime.

    Args:
        data: The file's bytes.
        network: The `Network`.
        images: Digits, uint8, (N, 28, 28).
        logits: What the package gives for them, (N, 10).

    Returns:
        The largest difference, or None if onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        return None
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    pixels = images.reshape(-1, 1, SIDE, SIDE).astype(np.float32) / 255
    return float(np.abs(session.run(["logits"], {"images": pixels})[0] - logits).max())


FORMATS = {
    "safetensors": (to_safetensors, ".plain.safetensors"),
    "gguf": (to_gguf, ".gguf"),
    "onnx": (to_onnx, ".onnx"),
    "web": (to_web, ".web.safetensors"),
}
