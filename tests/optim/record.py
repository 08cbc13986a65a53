"""Record what PyTorch's optimizers and schedules do, for machines without it: python tests/optim/record.py"""

import json
from pathlib import Path

import problem
import torch

FILE = Path(__file__).with_name("recorded.json")


def optimize(name, settings):
    """Return the parameters after all steps, flattened."""
    params = [torch.tensor(value, requires_grad=True) for value in problem.start()]
    optimizer = getattr(torch.optim, name)(params, **settings)
    for step in range(problem.STEPS):
        for param, grad in zip(params, problem.gradients(step, [param.detach().numpy() for param in params])):
            param.grad = torch.tensor(grad)
        optimizer.step()
    return [number for param in params for number in param.detach().numpy().ravel().tolist()]


def schedule(name, settings):
    """Return the learning rate of every count."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **settings)
    rates = []
    for _ in range(problem.STEPS):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


if __name__ == "__main__":
    recorded = {
        "torch": torch.__version__,
        **{key: optimize(*setting) for key, setting in problem.SETTINGS.items()},
        **{key: schedule(*setting) for key, setting in problem.SCHEDULES.items()},
    }
    FILE.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")
