"""The process that runs the learner's package for the playground: a line of JSON in, lines of JSON out.

`python -m tito.playground.process predict` answers questions until its input ends; `... train` reads one question and
trains. What the package prints goes to standard error, so that it cannot disturb the answers.
"""

import base64
import json
import os
import sys
import time

import numpy as np

TEST, GALLERY = 1000, 24
WORDS = ("data", "epochs", "seed", "accuracy", "milestone")


def explained(error):
    """Return an error as the learner needs it: its words, and the notebook, cell and line that it came from."""
    from tinytorch.given.imports import add_note

    add_note(error)
    return "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])


class Predictor:
    """Answers the page's questions about networks."""

    def __init__(self):
        self.networks, self.built = {}, {}

    def load(self, key, path):
        """Read a network and build it of the package's layers; return what the page shows of it."""
        from tito.models import network

        model = network.read(path)
        self.networks[key], self.built[key] = model, network.built(model)
        outputs = self.outputs(key, np.zeros((1, 1, 28, 28), np.float32), [])
        return {
            "type": "loaded",
            "key": key,
            "title": model.title,
            "pixels": model.pixels,
            "trained": {name: model.about[name] for name in WORDS if name in model.about},
            "layers": [{name: layer[name] for name in ("kind", "size") if name in layer} for layer in model.layers],
            "units": [list(output.shape[1:]) for output in outputs],
        }

    def outputs(self, key, pixels, off):
        """Return the output of each layer, tensors of shape (1, ...); neurons that are switched off give 0."""
        from tinytorch.tensor import Tensor

        x, made = pixels if isinstance(pixels, Tensor) else Tensor(pixels), []
        for number, layer in enumerate(self.built[key]):
            x = layer(x)
            units = [unit for at, unit in off if at == number and unit < x.shape[1]]
            if units:
                mask = np.ones(x.shape, np.float32)
                mask[:, units] = 0
                x = x * Tensor(mask)
            made.append(x)
        return made

    def pixels(self, key, digit):
        """Return 784 numbers from 0 to 1 as the network takes them."""
        mean, deviation = self.networks[key].pixels
        return (np.array(digit, np.float32).reshape(1, 1, 28, 28) - np.float32(mean)) / np.float32(deviation)

    def predict(self, id=None, model=None, digit=None, off=()):
        """Return what each layer computes for a digit, and the probabilities."""
        from tito.models.evaluating import probabilities

        began = time.perf_counter()
        outputs = [np.array(output.data[0]) for output in self.outputs(model, self.pixels(model, digit), off)]
        told = [{"shape": list(output.shape), "values": output.ravel().tolist()} for output in outputs]
        return {
            "type": "prediction",
            "id": id,
            "model": model,
            "milliseconds": 1000 * (time.perf_counter() - began),
            "outputs": told,
            "chances": probabilities(outputs[-1]).tolist(),
        }

    def field(self, id=None, model=None, digit=None, off=(), layer=0, unit=0):
        """Return how the value of a neuron, or the largest of a feature map, grows with each pixel, by your autograd."""
        from tinytorch.tensor import Tensor

        digit = Tensor(self.pixels(model, digit), requires_grad=True)
        chosen = self.outputs(model, digit, off)[layer][0, unit]
        values = np.array(chosen.data)
        strongest = np.unravel_index(values.argmax(), values.shape)
        (chosen[tuple(int(place) for place in strongest)] if values.ndim else chosen).backward()
        grad = np.zeros(784, np.float32) if digit.grad is None else np.array(digit.grad.data).ravel()
        return {
            "type": "field",
            "id": id,
            "layer": layer,
            "unit": unit,
            "values": (grad / self.networks[model].pixels[1]).tolist(),
        }


def stepper(model, lr):
    """Return a function of images and labels that takes one step of gradient descent and returns the loss.

    It uses your autograd and optimizer, or before modules 05 and 06 the gradients that you worked out by hand in module 04.
    """
    from tinytorch.losses import cross_entropy, mlp_gradients

    try:
        from tinytorch.optim import SGD
    except ImportError:

        def by_hand(images, labels):
            loss = mlp_gradients(model, images, labels)
            for parameter in model.parameters():
                parameter.data[...] -= lr * parameter.grad.data
            return loss.item()

        return by_hand
    optimizer = SGD(model.parameters(), lr=lr)

    def by_autograd(images, labels):
        optimizer.zero_grad()
        loss = cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return by_autograd


def train(say, hidden, epochs, batch, lr, seed, **rest):
    """Train an MLP on the digits that come with the course, and tell the page how it goes.

    Args:
        say: Function of a message for the page.
        hidden, epochs, batch, lr, seed: As the user chose them.
        rest: What else the page says.
    """
    from tinytorch.datasets import mnist_5k
    from tinytorch.losses import mlp
    from tinytorch.tensor import Tensor

    digits, rng = mnist_5k(), np.random.default_rng(seed)
    images, tests = (part.reshape(-1, 784).astype(np.float32) / 255 for part in (digits.train_images, digits.test_images))
    model = mlp(784, hidden, 10, rng=rng)
    step, count, seconds = stepper(model, lr), len(images), 0.0
    for epoch in range(epochs):
        order, losses, told = rng.permutation(count), [], time.perf_counter()
        began = told
        for start in range(0, count, batch):
            chosen = order[start : start + batch]
            losses.append(step(Tensor(images[chosen]), Tensor(digits.train_labels[chosen])))
            if not np.isfinite(losses[-1]):
                raise FloatingPointError(f"the loss is {losses[-1]}: choose a smaller learning rate")
            now = time.perf_counter()
            if now - told > 0.1 or start + batch >= count:
                done, told = min(1.0, (start + batch) / count), now
                say(type="progress", epoch=epoch, done=done, loss=float(np.mean(losses[-20:])), seconds=seconds + now - began)
        seconds += time.perf_counter() - began
        measured(say, model, tests, digits, epoch + 1, epochs, seconds, float(np.mean(losses)))
    say(type="finished", how="done", epoch=epochs, epochs=epochs)


def measured(say, model, tests, digits, epoch, epochs, seconds, loss):
    """Tell the page how the network does on the held-out digits, and what it is now."""
    from tinytorch.given.state import state
    from tinytorch.tensor import Tensor
    from tito.models import formats, network
    from tito.models.evaluating import measures

    before, state.recording = state.recording, False
    logits, labels = np.array(model(Tensor(tests)).data), digits.test_labels
    state.recording = before
    accuracy, _, mean, _ = measures(logits, labels)
    guesses = logits.argmax(axis=1)
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels, guesses), 1)
    wrong = np.flatnonzero(guesses != labels)
    worst = wrong[np.argsort(logits[wrong, labels[wrong]] - logits[wrong].max(axis=1))][:GALLERY]
    arrays = {name: np.array(tensor.data, np.float32) for name, tensor in model.state_dict().items()}
    layers = network.plan({name: array.shape for name, array in arrays.items()})
    about = {"milestone": "trained in the playground", "epochs": epoch, "accuracy": accuracy}
    data = formats.to_web(network.Network(arrays, layers, network.UNIT, network.title(layers, arrays), about))
    say(
        type="epoch",
        epoch=epoch,
        epochs=epochs,
        seconds=seconds,
        loss=mean,
        accuracy=accuracy,
        confusion=counts.tolist(),
        mistakes=[[int(i), int(labels[i]), int(guesses[i])] for i in worst],
        train={"loss": loss},
        weights=base64.b64encode(data).decode("ascii"),
    )


def main():
    """Answer on the real standard output, which is hidden from the package."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)

    def say(**message):
        answers.write(json.dumps(message, allow_nan=True).replace("NaN", "null").replace("Infinity", "null") + "\n")

    predictor = Predictor()
    for line in sys.stdin:
        message = json.loads(line)
        kind = message.pop("type")
        try:
            if kind == "train":
                train(say, **message)
            else:
                say(**{"load": predictor.load, "predict": predictor.predict, "field": predictor.field}[kind](**message))
        except BaseException as error:
            if isinstance(error, (KeyboardInterrupt, SystemExit)) and kind != "load":
                raise
            say(type="error", id=message.get("id"), text=explained(error))
        if kind == "train":
            return


if __name__ == "__main__":
    main()
