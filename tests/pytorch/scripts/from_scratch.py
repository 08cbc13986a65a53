"""A logistic regression from bare tensors, then the same with nn.Module, nn.functional, optim and DataLoader, step by step."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(2)
centres = rng.normal(size=(4, 20))
y_all = rng.integers(0, 4, 400)
x_all = (centres[y_all] + rng.normal(size=(400, 20))).astype(np.float32)
x_train, y_train, x_valid, y_valid = map(torch.tensor, (x_all[:320], y_all[:320], x_all[320:], y_all[320:]))
n, c = x_train.shape
bs = 64


def log_softmax(x):
    return x - x.exp().sum(-1).log().unsqueeze(-1)


def nll(input, target):
    return -input[range(target.shape[0]), target].mean()


def accuracy(out, yb):
    preds = torch.argmax(out, dim=1)
    return (preds == yb).float().mean()


def by_hand(weights, bias, lr=0.5, epochs=2):
    losses = []
    for _ in range(epochs):
        for i in range((n - 1) // bs + 1):
            xb, yb = x_train[i * bs : i * bs + bs], y_train[i * bs : i * bs + bs]
            loss = nll(log_softmax(xb @ weights + bias), yb)
            loss.backward()
            with torch.no_grad():
                weights -= weights.grad * lr
                bias -= bias.grad * lr
                weights.grad.zero_()
                bias.grad.zero_()
            losses.append(loss.item())
    return losses


class Logistic(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = nn.Parameter(torch.randn(20, 4) / math.sqrt(20))
        self.bias = nn.Parameter(torch.zeros(4))
        self.lin = nn.Linear(20, 4)

    def forward(self, xb):
        return self.lin(xb)


def loss_batch(model, loss_func, xb, yb, opt=None):
    loss = loss_func(model(xb), yb)
    if opt is not None:
        loss.backward()
        opt.step()
        opt.zero_grad()
    return loss.item(), len(xb)


def fit(epochs, model, loss_func, opt, train_dl, valid_dl):
    history = []
    for _ in range(epochs):
        model.train()
        for xb, yb in train_dl:
            loss_batch(model, loss_func, xb, yb, opt)
        model.eval()
        with torch.no_grad():
            losses, nums = zip(*[loss_batch(model, loss_func, xb, yb) for xb, yb in valid_dl])
        history.append(np.sum(np.multiply(losses, nums)) / np.sum(nums))
    return history


class WrappedDataLoader:
    def __init__(self, dl, func):
        self.dl, self.func = dl, func

    def __len__(self):
        return len(self.dl)

    def __iter__(self):
        for b in self.dl:
            yield self.func(*b)


def make_model():
    return Logistic()


def train(model):
    history = by_hand(model.weights.detach().clone().requires_grad_(), torch.zeros(4, requires_grad=True))
    with torch.no_grad():
        before = accuracy(model(x_valid), y_valid).item()

    for _ in range(2):
        for i in range((n - 1) // bs + 1):
            loss = F.cross_entropy(model(x_train[i * bs : i * bs + bs]), y_train[i * bs : i * bs + bs])
            loss.backward()
            with torch.no_grad():
                for p in model.lin.parameters():
                    p -= p.grad * 0.1
                model.zero_grad()
            history.append(loss.item())

    train_ds, valid_ds = TensorDataset(x_train, y_train), TensorDataset(x_valid, y_valid)
    square = WrappedDataLoader(DataLoader(train_ds, batch_size=bs), lambda x, y: (x.view(-1, 20), y))
    valid = WrappedDataLoader(DataLoader(valid_ds, batch_size=bs * 2), lambda x, y: (x.view(-1, 20), y))
    opt = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history += fit(3, model, F.cross_entropy, opt, square, valid)
    assert accuracy(model(x_valid), y_valid).item() > before
    return history


if __name__ == "__main__":
    print(train(make_model()))
