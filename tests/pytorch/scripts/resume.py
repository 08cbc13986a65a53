"""Train, save a checkpoint, load it into a new model and a new optimizer, and go on where it stopped."""

import os
import tempfile

import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(5)
x = torch.tensor(rng.uniform(-3, 3, (128, 1)), dtype=torch.float32)
y = torch.sin(x) + 0.1 * torch.tensor(rng.normal(size=(128, 1)), dtype=torch.float32)


class Curve(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
        self.head = nn.Linear(hidden, 1)
        self.register_buffer("seen", torch.tensor(0))

    def forward(self, x):
        return self.head(self.body(x))


def make_model():
    return Curve()


def run_epochs(model, optimizer, scheduler, epochs):
    criterion = nn.SmoothL1Loss(beta=0.5)
    losses = []
    for _ in range(epochs):
        for xb, yb in zip(x.split(32), y.split(32)):
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            model.seen += len(xb)
            losses.append(loss.item())
        scheduler.step()
    return losses


def optimizer_for(model):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-4)
    return optimizer, torch.optim.lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.5)


def train(model):
    optimizer, scheduler = optimizer_for(model)
    losses = run_epochs(model, optimizer, scheduler, 4)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "checkpoint.pt")
        torch.save(
            {
                "epoch": 4,
                "model_state_dict": model.state_dict(),
                "optimizer_state_dict": optimizer.state_dict(),
                "scheduler_state_dict": scheduler.state_dict(),
                "best_loss": min(losses),
            },
            path,
        )
        on = run_epochs(model, optimizer, scheduler, 4)

        checkpoint = torch.load(path, map_location=torch.device("cpu"), weights_only=True)
    model = make_model()
    optimizer, scheduler = optimizer_for(model)
    model.load_state_dict(checkpoint["model_state_dict"])
    optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
    scheduler.load_state_dict(checkpoint["scheduler_state_dict"])
    assert checkpoint["epoch"] == 4 and checkpoint["best_loss"] == min(losses)
    assert model.seen.item() == 4 * 128
    again = run_epochs(model, optimizer, scheduler, 4)
    assert again == on, "a resumed training must give the same losses"
    return losses + again


if __name__ == "__main__":
    torch.manual_seed(0)
    print(train(make_model()))
