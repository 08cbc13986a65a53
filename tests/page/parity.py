"""Ten steps of training in Python: the same that the page's engine takes, in node and in a browser."""

import numpy as np

from tinytorch.datasets import mnist_5k
from tinytorch.layers import Linear, ReLU, Sequential
from tinytorch.losses import cross_entropy
from tinytorch.optim import SGD
from tinytorch.tensor import Tensor

LR = 0.1
# Takes the steps with `engine`, from the weights and batches in `given`, on `images` and `labels`; returns losses and weights.
STEPS = f"""(engine, given, images, labels) => {{
    const model = engine.makeMLP(16, engine.random(0));
    for (const [name, values] of Object.entries(given.start)) model.arrays[name].values.set(values.flat());
    const trainer = new engine.Trainer(model), losses = given.batches.map((batch) => trainer.step(images, labels, batch, {LR}).loss);
    const arrays = Object.entries(trainer.model().arrays);
    return [losses, Object.fromEntries(arrays.map(([name, array]) => [name, Array.from(array.values)]))];
}}"""


class Training:
    """An MLP with its first weights and ten batches, as JSON can hold them in `given`."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.model = Sequential(Linear(784, 16, rng=rng), ReLU(), Linear(16, 10, rng=rng))
        self.batches = rng.integers(0, 4000, (10, 25)).tolist()
        start = {name: tensor.numpy().tolist() for name, tensor in self.model.state_dict().items()}
        self.given = {"start": start, "batches": self.batches}

    def require_the_same(self, losses, weights):
        """Take the steps with the course's own code, and compare."""
        digits, optimizer, ours = mnist_5k(), SGD(self.model.parameters(), lr=LR), []
        for batch in self.batches:
            images = Tensor(digits.train_images[batch].reshape(-1, 784).astype(np.float32) / 255)
            loss = cross_entropy(self.model(images), Tensor(digits.train_labels[batch]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            ours.append(loss.item())
        np.testing.assert_allclose(losses, ours, rtol=1e-5)
        for name, tensor in self.model.state_dict().items():
            np.testing.assert_allclose(np.reshape(weights[name], tensor.shape), tensor.numpy(), atol=1e-5)
