"""The charts of a run, as files beside its weights."""

import numpy as np

from common.evaluation import predict
from tinytorch.drawing import training as figures

DPI = 200  # sharp in print
TITLES = {
    "curves": "Each epoch of the training; data: {data}",
    "confusion": "Classes of {count:,} test images; data: {data}",
    "filters": "First layer, longest weights first: red positive, blue negative",
    "feature_maps": "What the layers make of the first test image: red positive, blue negative",
    "mistakes": "Worst mistakes among {count:,} test images: what each is, what it was taken for; data: {data}",
}


def title(name, data, count):
    """Return a figure's title: what it shows, and of which data."""
    return TITLES[name].format(data=data, count=count)


def draw(folder, history, model, data, tests):
    """Draw the epochs, the mistakes, the first layer and the outputs of convolutions, if matplotlib is installed.

    Args:
        folder: `pathlib.Path` of the folder to draw into.
        history: List of a dict of numbers for each epoch.
        model: The network; it is switched to eval mode, with gradients off.
        data: The data set.
        tests: Batches of its test data, as the network sees them.

    Returns:
        Text for the closing table.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return "not drawn: pip install matplotlib"
    folder.mkdir(parents=True, exist_ok=True)
    rest(model)
    logits, labels = predict(model, tests)
    counts = np.zeros((len(data.classes),) * 2, int)
    np.add.at(counts, (labels, logits.argmax(axis=1)), 1)
    drawn = {
        "curves": figures.curves(history),
        "confusion": figures.confusion(counts, data.classes),
        **layers(model, data, tests),
        "mistakes": figures.mistakes(data.test_images, labels, logits, data.classes),
    }
    for name, figure in drawn.items():
        figure.suptitle(title(name, data.name, len(labels)), fontsize=9)
        figure.savefig(folder / f"{name}.png", dpi=DPI)
    return f"{', '.join(drawn)} (.png), beside the weights"


def rest(model):
    """Switch a network to eval mode, with gradients off."""
    model.train(False)
    for parameter in model.parameters():
        parameter.requires_grad = False


def layers(model, data, tests):
    """Return figures by name: the first layer's weights, and the convolutions' outputs for the first image."""
    first = next(model.parameters())
    if first.ndim == 2:
        return {"filters": figures.filters(first, data.test_images.shape[1:])}
    images, _ = next(iter(tests))
    maps = {f"{name} {kind}": values for (name, kind), values in seen(model, images[:1]).items()}
    return {"filters": figures.filters(first), "feature_maps": figures.feature_maps(data.test_images[0], maps)}


def seen(model, image):
    """Run a network on one image, and return the outputs of its convolutions and pools.

    Args:
        model: The network.
        image: Tensor of shape (1, channels, height, width).

    Returns:
        Dict from a pair, the layer's path and class, to an array (channels, height, width), in the order of the layers.
    """
    outputs, watched = {}, [pair for pair in leaves(model) if kind(pair[1]) in ("Conv2d", "MaxPool2d", "AvgPool2d")]

    def watch(path, layer):
        def forward(*inputs):
            out = type(layer).forward(layer, *inputs)
            outputs[path, kind(layer)] = out.data[0]
            return out

        return forward

    for path, layer in watched:
        layer.forward = watch(path, layer)
    try:
        model(image)
    finally:
        for _, layer in watched:
            del layer.forward
    return outputs


def leaves(model, path=""):
    """Yield path and layer for each layer that has no layers inside."""
    children = list(model.named_children())
    if not children:
        yield path, model
    for name, child in children:
        yield from leaves(child, f"{path}.{name}" if path else name)


def kind(layer):
    """Return the name of a layer's class."""
    return type(layer).__name__
