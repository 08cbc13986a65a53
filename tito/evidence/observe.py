"""The process that runs the learner's package on a milestone's weights. It returns arrays, and judges nothing.

Run as `python observe.py FOLDER`. The folder holds `job.json` (see `verdict.observe`) and `inputs.safetensors`; the answer is
written beside them. The test examples come without their labels.
"""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

STEPS = 1e-7, 1e-9  # of the difference quotients, in float64
FEW = 32  # test examples that are also passed through the network one by one


def limit(memory, seconds):
    """Limit the memory and CPU time of this process, where the system supports it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for what, size in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds)):
        try:
            resource.setrlimit(what, (size, size))
        except (ValueError, OSError):  # macOS
            pass


def import_package(parent):
    """Import the learner's package from this folder only."""
    sys.path.insert(0, parent)
    package = Path(importlib.import_module("tinytorch").__file__).resolve().parent
    if package != Path(parent).resolve() / "tinytorch":
        sys.exit(f"`import tinytorch` imported {package}, not the package in {parent}")


def arrays(model):
    """Return copies of a network's parameters, by name."""
    return {name: np.copy(tensor.data) for name, tensor in model.state_dict().items()}


def logits(model, transform, images, size=500):
    """Return the network's scores (N, C) for images (N, ...)."""
    from tinytorch.given.state import state

    model.eval()
    state.recording = False
    scores = [np.copy(model(transform(images[i : i + size])).data) for i in range(0, len(images), size)]
    state.recording = True
    return np.concatenate(scores)


def train_without_dropout(model):
    """Put a network into training mode, except dropout, which would make the loss a different function at every call."""
    model.train()
    for module in model.modules():
        if type(module).__name__ == "Dropout":
            module.training = False


def gradients(model, kind, images, labels):
    """Return the gradient of the loss with respect to each parameter, computed by the learner's package."""
    from tinytorch.losses import cross_entropy, mlp_gradients

    for parameter in model.parameters():
        parameter.grad = None
    if kind == "manual":
        mlp_gradients(model, images, labels)
    else:
        cross_entropy(model(images), labels).backward()
    return {
        name: np.copy(parameter.grad.data) if parameter.grad is not None else np.zeros(parameter.shape)
        for name, parameter in model.named_parameters()
    }


def slopes(model, images, labels, directions):
    """Return the slope of the loss along each direction, from the difference between two nearby points.

    A ReLU or a pool that switches between the two points puts a kink in the loss. So each slope is measured with two steps: the
    shorter one rarely crosses a kink, the longer one has a smaller rounding error.

    Args:
        model: The network.
        images: Its inputs.
        labels: Their classes.
        directions: Dict from a parameter's name to an array of directions in it.

    Returns:
        Dict from a parameter's name to an array of shape (steps, directions).
    """
    from tinytorch.losses import cross_entropy

    measured = {}
    for name, parameter in model.named_parameters():
        start = np.copy(parameter.data)

        def loss(change):
            parameter.detach().copy_(start + change)
            return cross_entropy(model(images), labels).item()

        measured[name] = np.array(
            [[(loss(step * along) - loss(-step * along)) / (2 * step) for along in directions[name]] for step in STEPS]
        )
        parameter.detach().copy_(start)
    return measured


def observe(job, given):
    """Return everything that the verdict needs, as a dict of arrays."""
    from tinytorch.tensor import Tensor

    script = importlib.import_module(job["script"])
    model, transform = script.rebuild(np.random.default_rng(job["seed"]), job["choices"])
    answer = part("initial", arrays(model))
    if {name: array.shape for name, array in arrays(model).items()} != {
        name: array.shape for name, array in taken("weights", given).items()
    }:
        return answer  # nothing to measure: these are the weights of another network
    initial = arrays(model)
    model.load_state_dict(taken("weights", given))
    answer["logits"] = logits(model, transform, given["test_images"])
    answer["apart"] = logits(model, transform, given["test_images"][:FEW], size=1)
    model.load_state_dict(initial)
    model.to(np.float64)
    train_without_dropout(model)
    batch = Tensor(transform(given["images"]).data.astype(np.float64)), Tensor(given["labels"])
    answer.update(part("gradient", gradients(model, job["gradients"], *batch)))
    answer.update(part("slope", slopes(model, *batch, taken("direction", given))))
    return answer


def part(kind, named):
    """Return a dict of arrays with a prefix before each name."""
    return {f"{kind}:{name}": np.array(array, order="C") for name, array in named.items()}


def taken(kind, named):
    """Return the arrays whose names have this prefix, with the prefix removed."""
    return {name.partition(":")[2]: array for name, array in named.items() if name.startswith(f"{kind}:")}


def main():
    """Read the job, observe, write the answer."""
    folder = Path(sys.argv[1])
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    given = load_file(folder / "inputs.safetensors")
    limit(job["memory"], job["seconds"])
    sys.path.insert(0, job["milestones"])
    import_package(job["package_parent"])
    save_file(observe(job, given), folder / "answer.safetensors")


if __name__ == "__main__":
    main()
