"""PyTorch's `nn.functional`: activations, layers and losses as functions of tensors. Given.

`import tinytorch.nn.functional as F`, then `F.relu(x)`, `F.linear(x, weight, bias)`, `F.cross_entropy(logits, labels)`,
`F.softmax(x, dim=1)`.
"""
from tinytorch.given import imports


def __getattr__(name):
    return imports.lookup(name, ["activations", "layers", "losses", "cnn"])
