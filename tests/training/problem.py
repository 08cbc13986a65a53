"""One small training in which everything is random that can be; as a script it runs, resumes, and hangs where it is told."""

import argparse
import hashlib
import json
import time
from pathlib import Path

import numpy as np

from tinytorch import training
from tinytorch.data import DataLoader, TensorDataset, random_split
from tinytorch.given.callbacks import Callback
from tinytorch.layers import Dropout, Flatten, Linear, ReLU, Sequential
from tinytorch.losses import cross_entropy
from tinytorch.optim import AdamW, CosineAnnealingLR

BATCH, EXAMPLES = 8, 60


def noisy(images, rng):
    """Make bytes into numbers, and draw noise from the dataset's generator."""
    return images.astype(np.float32) / 255 + 0.3 * rng.standard_normal(images.shape, np.float32)


def loaders():
    """Return two loaders of pictures whose class is their brightest row; the last batch is smaller."""
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 4, EXAMPLES)
    images = rng.integers(0, 120, (EXAMPLES, 1, 4, 5), dtype=np.uint8)
    images[np.arange(EXAMPLES), 0, labels] += 60
    data = TensorDataset(images, labels, transform=noisy, rng=np.random.default_rng(8))
    train, validation = random_split(data, [42, 18], rng=np.random.default_rng(9))
    order = np.random.default_rng(10)
    return DataLoader(train, batch_size=BATCH, shuffle=True, generator=order, prefetch=1), DataLoader(validation, batch_size=7)


def network(hidden=12):
    """Return a network with dropout, whose first dropout draws from its own generator and whose second from the default one."""
    rng = np.random.default_rng(11)
    return Sequential(
        Flatten(),
        Linear(20, hidden, rng=rng),
        ReLU(),
        Dropout(0.3, rng=np.random.default_rng(12)),
        Linear(hidden, 6, rng=rng),
        ReLU(),
        Dropout(0.1),
        Linear(6, 4, rng=rng),
    )


def trainer(checkpoint=None, callbacks=(), hidden=12, **options):
    """Return a trainer with a schedule by step, clipping, and early stopping that never stops in six epochs."""
    model = network(hidden)
    optimizer = AdamW(model.parameters(), lr=0.02)
    return training.Trainer(
        model,
        cross_entropy,
        optimizer,
        CosineAnnealingLR(optimizer, 40),
        [training.EarlyStopping(patience=50), *callbacks],
        checkpoint,
        clip_norm=1.0,
        schedule="step",
        **options,
    )


def digest(one):
    """Return a hash of all numbers of a training: weights, optimizer, generators, history but for its seconds."""
    state = json.loads(json.dumps(one.state_dict(), default=lambda array: [str(array.dtype), array.tobytes().hex()]))
    for record in state["history"]:
        del record["seconds"]
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


class Hang(Callback):
    """Say that a certain step of an epoch is reached, and wait to be killed."""

    def __init__(self, epoch, step, flag):
        self.left, self.epoch, self.flag = step, epoch, flag

    def step_end(self, trainer, loss):
        """Count the steps of that epoch."""
        if trainer.epoch + 1 == self.epoch:
            self.left -= 1
            if self.left == 0:
                Path(self.flag).write_text("here", encoding="utf-8")
                time.sleep(600)


def main():
    """Run the training that the command line asks for, and print its digest."""
    options = argparse.ArgumentParser()
    options.add_argument("checkpoint")
    options.add_argument("--epochs", type=int, default=6)
    options.add_argument("--resume", action="store_true")
    options.add_argument("--hang", nargs=3, metavar=("EPOCH", "STEP", "FLAG"))
    found = options.parse_args()
    callbacks = [Hang(int(found.hang[0]), int(found.hang[1]), found.hang[2])] if found.hang else []
    one = trainer(found.checkpoint, callbacks)
    one.fit(*loaders(), epochs=found.epochs, resume=found.resume)
    print("interrupted" if one.interrupted else digest(one))


if __name__ == "__main__":
    main()
