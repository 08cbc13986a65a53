"""Training with a captured step: recorded once for each size of a batch, then replayed."""

import tinytorch
from tinytorch.optim import clip_grad_norm_


def captured_epochs():
    """Return a function that trains for an epoch, like `train_epoch` of module 08, with a captured step that it keeps."""
    steps = {}

    def train_epoch(model, loader, criterion, optimizer, *, clip_norm=None, after_step=None):
        """Train a network on every batch of a loader, once; return the mean loss over all examples."""
        model.train()
        if not steps:
            steps["step"] = captured_step(model, criterion, optimizer, clip_norm)
        total, count = 0.0, 0
        for inputs, labels in loader:
            loss = steps["step"](inputs, labels).item()
            total, count = total + loss * len(labels), count + len(labels)
            if after_step is not None:
                after_step(loss)
        if count == 0:
            raise ValueError("the loader has no batch: nothing to train on")
        return total / count

    return train_epoch


def captured_step(model, criterion, optimizer, clip_norm):
    """Return a training step that is recorded, and then replayed."""

    @tinytorch.capture
    def step(inputs, labels):
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        if clip_norm is not None:
            clip_grad_norm_(model.parameters(), clip_norm)
        optimizer.step()
        return loss

    return step
