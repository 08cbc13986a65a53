"""Train a small convolutional network with batch normalisation on drawn crosses, squares and discs."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.optim.lr_scheduler import CosineAnnealingLR


def pictures(count=96, size=12, seed=1):
    rng = np.random.default_rng(seed)
    images, labels = rng.normal(0, 0.2, (count, 1, size, size)).astype(np.float32), rng.integers(0, 3, count)
    rows, columns = np.mgrid[:size, :size]
    for image, label in zip(images, labels):
        y, x, r = rng.integers(4, 8), rng.integers(4, 8), rng.integers(2, 4)
        down, across = abs(rows - y), abs(columns - x)
        shape = [(down * across == 0) & (down + across <= r), np.maximum(down, across) == r, down**2 + across**2 <= r * r]
        image[0][shape[label]] += 1
    return torch.from_numpy(images), torch.from_numpy(labels).long()


class Block(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)), inplace=True)


class Net(nn.Module):
    def __init__(self, num_classes=3):
        super().__init__()
        self.features = nn.Sequential(Block(1, 8), nn.MaxPool2d(2), Block(8, 16), Block(16, 16, stride=2))
        self.pool = nn.AdaptiveAvgPool2d((1, 1))
        self.classifier = nn.Linear(16, num_classes)

    def forward(self, x):
        x = self.pool(self.features(x))
        return self.classifier(torch.flatten(x, 1))


def make_model():
    model = Net()
    for m in model.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(m, nn.BatchNorm2d):
            nn.init.constant_(m.weight, 1)
            nn.init.constant_(m.bias, 0)
    return model


def train(model, epochs=5, batch_size=24):
    images, labels = pictures()
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1, weight=torch.tensor([1.0, 0.5, 2.0]))
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True)
    scheduler = CosineAnnealingLR(optimizer, T_max=epochs)
    history = []
    for _ in range(epochs):
        model.train()
        for start in range(0, len(images), batch_size):
            batch, target = images[start : start + batch_size], labels[start : start + batch_size]
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(model(batch), target)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
            optimizer.step()
            history.append(loss.item())
        scheduler.step()
        model.eval()
        with torch.no_grad():
            history.append(F.cross_entropy(model(images), labels).item())
    return history


if __name__ == "__main__":
    torch.manual_seed(1)
    print([round(loss, 4) for loss in train(make_model())])
