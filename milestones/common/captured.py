"""Training with a captured step: recorded once for each size of a batch, then replayed."""

import numpy as np

import tinytorch
from tinytorch.optim import clip_grad_norm_


def captured_epochs():
    """Return a function that trains for an epoch, like `train_epoch` of module 08, with a captured step that it keeps."""
    steps = []

    def train_epoch(model, loader, criterion, optimizer, *, clip_norm=None, after_step=None):
        """Train a network on every batch of a loader, once; return the mean loss over all examples."""
        model.train(True)
        if not steps:
            steps.append(captured_step(model, criterion, optimizer, clip_norm))
        losses, sizes = [], []
        for batch in loader:
            losses.append(steps[0](*batch).item())
            sizes.append(len(batch[1]))
            if after_step is not None:
                after_step(losses[-1])
        if not losses:
            raise ValueError("nothing to train on: the loader gave no batch")
        return float(np.average(losses, weights=sizes))

    return train_epoch


def captured_step(model, criterion, optimizer, clip_norm):
    """Return a training step that is recorded, and then replayed."""
    weights = list(model.parameters())

    @tinytorch.capture
    def step(inputs, labels):
        optimizer.zero_grad()
        outputs = model(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        if clip_norm is not None:
            clip_grad_norm_(weights, clip_norm)
        optimizer.step()
        return loss

    return step
