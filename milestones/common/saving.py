"""A run's files: at every moment each is the complete old file or the complete new one."""

import json

from tinytorch.given import safetensors
from tinytorch.given.files import write_atomically


def write_json(path, data):
    """Write JSON."""
    write_atomically(path, (json.dumps(data, indent=2) + "\n").encode())


def save(path, model, **about):
    """Write a network's weights, and data about them.

    Args:
        path: `pathlib.Path` of the file, in the safetensors format.
        model: The network.
        about: JSON data for the file's header.
    """
    weights = {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}
    write_atomically(path, safetensors.dump(weights, {name: json.dumps(value) for name, value in about.items()}))


def load(path):
    """Return what `save` wrote: a dict of arrays, and a dict of the data about them."""
    weights, about = safetensors.load_file(path)
    return weights, {name: json.loads(value) for name, value in about.items()}
