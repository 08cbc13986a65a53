"""The check of 08.3 predict."""

import importlib

import numpy as np

from .shared import batches


def describe_predict(inputs, labels, weight, training, ends):
    last = "" if ends == "normally" else f", where the last batch ends {ends}"
    return (
        f"predict(model, loader){last}",
        f"model = Sequential(layer), model.training = {training}; {batches(inputs)}, {weight.shape[1]} classes",
    )


def draw_predict(rng):
    """Batches of one size and of several, from either mode, to their end or to an exception or Ctrl-C, of network or loader."""
    for sizes, training, ends in (
        ([2, 2], True, "normally"),
        ([3, 3, 1], False, "normally"),
        ([1], True, "normally"),
        ([4, 2, 2], True, "with a KeyError"),
        ([2, 3], True, "with KeyboardInterrupt"),
        ([3, 2], False, "with a KeyError"),
        ([2, 2], True, "with a KeyError in the loader"),
    ):
        classes, dtype = int(rng.integers(2, 6)), rng.pick(np.int64, np.uint8)
        yield dict(
            inputs=[rng.standard_normal((n, 3), np.float32) for n in sizes],
            labels=[rng.integers(0, classes, n).astype(dtype) for n in sizes],
            weight=rng.standard_normal((3, classes), np.float32),
            training=training,
            ends=ends,
        )


def observe_predict(module, inputs, labels, weight, training, ends):
    """Run a network that doubles its outputs in training, and note the modes of the layer inside it."""
    layers = importlib.import_module("tinytorch.layers")
    modes, graphs = [], []

    class Inner(layers.Module):
        def __init__(self):
            self.weight = layers.Parameter(weight.copy())

        def forward(self, x):
            out = (x @ self.weight) * (2.0 if self.training else 1.0)
            modes.append(bool(self.training))
            graphs.append(out.requires_grad)
            if ends in ("with a KeyError", "with KeyboardInterrupt") and len(modes) == len(inputs):
                raise {"with a KeyError": KeyError, "with KeyboardInterrupt": KeyboardInterrupt}[ends]("on purpose")
            return out

    def loader():
        for i, (x, y) in enumerate(zip(inputs, labels), 1):
            if ends == "with a KeyError in the loader" and i == len(inputs):
                raise KeyError("on purpose")
            yield module.Tensor(x), module.Tensor(y)

    model = layers.Sequential(Inner())
    model.train(training)
    result, ended = None, "normally"
    try:
        result = module.predict(model, loader())
    except (KeyError, KeyboardInterrupt) as error:
        if "on purpose" not in str(error):
            raise
        ended = ends
    finally:
        gradients, module.no_grad.__globals__["state"].recording = (model[0].weight * 1.0).requires_grad, True
    pair = result if isinstance(result, (tuple, list)) and len(result) == 2 else (None, None)
    return predicted(
        modes, graphs, [arrays_only(part) for part in pair], ended, (bool(model.training), bool(model[0].training)), gradients
    )


def predicted(modes, graphs, pair, ended, afterwards, gradients):
    """Write down what came of a prediction."""
    outputs, labels = pair
    modes, graphs = (modes, graphs) if ended == "normally" else ([], [])  # how much runs before that is free
    return {
        "training mode, batch by batch": modes,
        "whether the output requires grad, batch by batch": graphs,
        "outputs": outputs,
        "labels": labels,
        "it ended": ended,
        "model.training afterwards": afterwards[0],
        "model[0].training afterwards": afterwards[1],
        "whether new tensors remember a graph afterwards": gradients,
    }


def arrays_only(value):
    """Return an array, and for anything else the name of its type."""
    return value if isinstance(value, np.ndarray) or value is None else f"a {type(value).__name__}, no NumPy array"


def predict_turn(
    during=lambda training: False,
    remembered=False,
    after=lambda training, ends: training,
    joined=None,
    output=None,
    gradients=lambda ends: True,
    label=None,
    inside=None,
):
    """Make a prediction, or a wrong turn.

    Args:
        during: The mode during it, a function of the mode before.
        remembered: Whether graphs are.
        after: The mode afterwards, a function of the mode before and of how the last batch ends.
        joined: What becomes of a list of outputs, or of labels, one for each batch; by default they are joined.
        output: What becomes of the outputs of a batch.
        gradients: Whether gradients are on afterwards.
        label: What is returned for the labels, of what they should be.
        inside: The mode of the layer inside afterwards, if it is another one.
    """
    join = joined or np.concatenate

    def turn(inputs, labels, weight, training, ends):
        scale, w = 2.0 if during(training) else 1.0, weight.astype(np.float64)
        outputs = [scale * np.einsum("ij,jk->ik", x.astype(np.float64), w) for x in inputs]
        whole = ends == "normally"
        pair = (join([output(out) if output else out for out in outputs]), join(labels)) if whole else (None, None)
        pair = (pair[0], label(pair[1])) if label and whole else pair
        return predicted(
            [during(training)] * len(inputs),
            [remembered] * len(inputs),
            pair,
            ends,
            (after(training, ends), (inside or after)(training, ends)),
            gradients(ends),
        )

    return turn


def stacked(arrays):
    """What np.array makes of a list of batches."""
    return np.array(arrays)


def normally(ends):
    return ends == "normally"


oracle_predict = predict_turn()
misconceptions_predict = {
    "the network stayed in training mode, so dropout is at work: model.eval() switches all layers, model.training = False none of them": predict_turn(
        during=lambda training: training
    ),
    "the network was left in evaluation mode": predict_turn(after=lambda training, ends: False),
    "the network's own attribute was put back, and not those of its layers: model.train(before) switches all of them": predict_turn(
        inside=lambda training, ends: False
    ),
    "the network was put into training mode afterwards, though it had not been": predict_turn(after=lambda training, ends: True),
    "an exception leaves the network in evaluation mode: put the mode back in any case (try, finally)": predict_turn(
        after=lambda training, ends: training and normally(ends)
    ),
    "Ctrl-C leaves the network in evaluation mode: `except Exception` misses it, `finally` does not": predict_turn(
        after=lambda training, ends: training and ends != "with KeyboardInterrupt"
    ),
    "a graph was remembered for a backward pass that never comes": predict_turn(remembered=True),
    "an exception leaves gradients off: `with no_grad():` puts them back": predict_turn(gradients=normally),
    "only the last batch was returned": predict_turn(joined=lambda arrays: arrays[-1]),
    "only the first batch was returned": predict_turn(joined=lambda arrays: arrays[0]),
    "lists of batches were returned; they are to be joined (np.concatenate)": predict_turn(
        joined=lambda arrays: "a list, no NumPy array"
    ),
    "batches were stacked into one array; they are to be joined (np.concatenate)": predict_turn(joined=stacked),
    "batches were joined side by side; they belong below each other": predict_turn(
        joined=lambda arrays: np.concatenate(arrays, axis=-1)
    ),
    "classes were returned; the outputs are asked for, shape (N, C)": predict_turn(output=lambda out: out.argmax(axis=1)),
    "the outputs were changed, by exp; they are asked for as they are": predict_turn(output=np.exp),
    "probabilities were returned; the outputs are asked for as they are": predict_turn(
        output=lambda out: np.exp(out) / np.exp(out).sum(axis=1, keepdims=True)
    ),
    "tensors were returned; NumPy arrays are asked for": predict_turn(joined=lambda arrays: "a Tensor, no NumPy array"),
    "the loader was gone through twice; an iterator is empty the second time: keep what the first pass gives": lambda ends, **inputs: (
        ("raises", "ValueError", "at least one array") if ends == "normally" else oracle_predict(ends=ends, **inputs)
    ),
}
