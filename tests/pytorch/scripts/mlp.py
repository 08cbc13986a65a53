"""Train a small MLP to tell three spirals apart."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def spirals(points=120, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    x, y = [], []
    for c in range(classes):
        radius = np.linspace(0.1, 1, points)
        angle = np.linspace(4 * c, 4 * (c + 1), points) + rng.normal(0, 0.15, points)
        x.append(np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1))
        y.append(np.full(points, c))
    order = rng.permutation(points * classes)
    return torch.tensor(np.concatenate(x)[order], dtype=torch.float32), torch.tensor(np.concatenate(y)[order])


def make_model():
    return nn.Sequential(
        nn.Linear(2, 64),
        nn.ReLU(inplace=True),
        nn.Linear(64, 64),
        nn.ReLU(inplace=True),
        nn.Linear(64, 3),
    ).to(device)


def train(model, epochs=12):
    inputs, labels = spirals()
    train_loader = DataLoader(
        TensorDataset(inputs[:300], labels[:300]), batch_size=25, shuffle=False, num_workers=0, pin_memory=False
    )
    test_loader = DataLoader(TensorDataset(inputs[300:], labels[300:]), batch_size=60)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    history = []
    for epoch in range(epochs):
        model.train()
        running_loss = 0.0
        for x, y in train_loader:
            x, y = x.to(device), y.to(device)
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            running_loss += loss.item() * x.size(0)

        model.eval()
        correct = 0
        with torch.no_grad():
            for x, y in test_loader:
                predicted = model(x.to(device)).argmax(dim=1)
                correct += (predicted == y.to(device)).sum().item()
        history.append(running_loss / len(train_loader.dataset))
        print(f"epoch {epoch + 1}: loss {history[-1]:.4f}, accuracy {correct / len(test_loader.dataset):.2%}")
    return history


if __name__ == "__main__":
    torch.manual_seed(0)
    train(make_model())
