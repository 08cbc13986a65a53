"""Record what PyTorch's optimizers and schedules do, for machines without it: python tests/optim/record.py"""

import importlib.util
import json
from pathlib import Path

import torch

FILE = Path(__file__).with_name("recorded.json")
spec = importlib.util.spec_from_file_location("optim_problem", Path(__file__).with_name("fifty_steps.py"))
problem = importlib.util.module_from_spec(spec)
spec.loader.exec_module(problem)


def optimize(name, settings):
    """Return the parameters after all steps, flattened."""
    params = [torch.tensor(value, requires_grad=True) for value in problem.start()]
    optimizer = getattr(torch.optim, name)(params, **settings)
    for step in range(problem.STEPS):
        for param, grad in zip(params, problem.gradients(step, [param.detach().numpy() for param in params])):
            param.grad = torch.tensor(grad)
        optimizer.step()
    return [number for param in params for number in param.detach().numpy().ravel().tolist()]


def schedule(make):
    """Return the learning rates and momenta of two groups at every count."""
    first, second = (torch.zeros(1, requires_grad=True) for _ in range(2))
    groups = [{"params": [first]}, {"params": [second], "lr": 0.05}]
    return problem.rates(make, torch.optim.lr_scheduler, torch.optim.SGD(groups, lr=0.4, momentum=0.9))


if __name__ == "__main__":
    recorded = {
        "torch": torch.__version__,
        **{key: optimize(*setting) for key, setting in problem.SETTINGS.items()},
        **{key: schedule(make) for key, make in problem.SCHEDULES.items()},
    }
    FILE.write_text(json.dumps(recorded) + "\n", encoding="utf-8")
