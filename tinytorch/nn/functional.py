"""PyTorch's `nn.functional`: activations, layers and losses as functions of tensors. Given.

`import tinytorch.nn.functional as F`, then `F.relu(x)`, `F.linear(x, weight, bias)`, `F.cross_entropy(logits, labels)`,
`F.softmax(x, dim=1)`.
"""

from tinytorch.given import names

__path__ = []  # then `from tinytorch.nn.functional import x` can name the nearest x
__getattr__, __dir__ = names.namespace(
    "tinytorch.nn.functional", ["more/functional"], lambda: ["activations", "layers", "losses", "cnn"]
)
