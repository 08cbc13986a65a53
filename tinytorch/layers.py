# Made by tito from modules/03_layers/layers.py: edit that file, then run `tito module complete 03`.

# layers.py, cell 5
"""Layers: parameters, the modules that hold them, and the containers that hold modules."""
import math
from collections import namedtuple

import numpy as np

from tinytorch.activations import gelu, leaky_relu, log_softmax, relu, sigmoid, softmax, tanh
from tinytorch.given.module_methods import ModuleMethods
from tinytorch.given.op import op
from tinytorch.given.random import generator
from tinytorch.tensor import Tensor, matmul, zeros

LoadedKeys = namedtuple("LoadedKeys", "missing_keys unexpected_keys")  # load_state_dict returns it


# layers.py, cell 7
@op
def linear(x, weight, bias=None):
    """Compute every neuron's weighted sum of the inputs, plus its bias.

    Args:
        x: Array of shape (..., in_features), or (in_features,) for one example.
        weight: Array of shape (out_features, in_features): one row for each neuron.
        bias: Array of shape (out_features,), or None for no bias.

    Returns:
        Array of shape (..., out_features). Entry ``[..., j]`` is the sum over k of
        ``x[..., k] * weight[j, k]``, plus ``bias[j]``.

    Raises:
        ValueError: ``x`` has a different number of features. The message contains its shape.

    Example:
        >>> weight = np.array([[1.0, 1.0], [0.0, 3.0], [2.0, 0.0]])
        >>> linear.forward(np.array([[1.0, 2.0]]), weight, np.array([0.0, 10.0, 0.0]))
        array([[ 3., 16.,  2.]])
    """
    out = matmul.forward(x, weight.T)
    return out if bias is None else out + bias


# layers.py, cell 14
class Parameter(Tensor):
    """A tensor that training changes: it requires a gradient from the start.

    Args:
        data: Number, nested list, array or tensor of floats; an array or a tensor is not copied.
        requires_grad: Whether gradients flow to it; False if training should leave it unchanged.

    Example:
        >>> Parameter([1.0, 2.0])
        tensor([1., 2.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data, requires_grad=True):
        super().__init__(data, requires_grad)


class Buffer(Tensor):
    """A tensor that is moved and saved with the parameters, but not changed by training."""

    __slots__ = ("persistent",)

    def __init__(self, data, persistent=True):
        super().__init__(data)
        self.persistent = persistent


# layers.py, cell 18
class Tree:
    """An object whose attributes may be parameters or further trees; the base of every module."""

    def named_children(self):
        """Yield the trees among the attributes, each with the attribute's name."""
        for name, value in vars(self).items():
            if isinstance(value, Tree):
                yield name, value

    def children(self):
        """Yield the trees among the attributes."""
        yield from (child for _, child in self.named_children())

    def modules(self):
        """Yield this tree and all trees below it."""
        yield self
        for child in self.children():
            yield from child.modules()

    def named_parameters(self, prefix=""):
        """Yield the parameters of this tree and of all trees below it, each with its path.

        Args:
            prefix: Path of this tree itself. It comes before every path, with a dot in between,
                unless it is empty.

        Returns:
            Iterator over pairs (path, parameter), attributes in the order in which they were
            assigned. A parameter that is in several attributes has several paths. Everything else
            is skipped: numbers, strings, lists, tensors that are not parameters.

        Example:
            >>> net = Tree()
            >>> net.scale, net.inner = Parameter([2.0]), Tree()
            >>> net.inner.bias = Parameter([0.0, 1.0])
            >>> [path for path, _ in net.named_parameters()]
            ['scale', 'inner.bias']
        """
        for name, value in vars(self).items():
            path = f"{prefix}.{name}" if prefix else name
            if isinstance(value, Parameter):
                yield path, value
            elif isinstance(value, Tree):
                yield from value.named_parameters(path)

    def parameters(self):
        """Yield every parameter of the tree once, even if it occurs twice."""
        yield from {id(parameter): parameter for _, parameter in self.named_parameters()}.values()

    def named_buffers(self, prefix=""):
        """Yield the buffers of this tree and of all trees below it, each with its path."""
        start, own = f"{prefix}." if prefix else "", vars(self).items()
        yield from ((start + name, value) for name, value in own if isinstance(value, Buffer))
        for name, child in self.named_children():
            yield from child.named_buffers(start + name)


# layers.py, cell 26
class Stateful(Tree):
    """A tree whose parameters and buffers can be saved and loaded by name."""

    def state_dict(self):
        """Return a dict from path to tensor, on the memory of the parameters and buffers."""
        buffers = (pair for pair in self.named_buffers() if pair[1].persistent)
        held = (*self.named_parameters(), *buffers)
        return {path: tensor.detach() for path, tensor in held}

    def load_state_dict(self, state_dict, strict=True):
        """Overwrite parameters and buffers, in place, with the values of a state dict.

        Args:
            state_dict: Dict from path to a tensor, or an array, of the same shape as this tree's
                tensor with that path.
            strict: Whether missing and unexpected paths are errors. If not, they are ignored. A
                wrong shape is an error either way.

        Returns:
            `LoadedKeys`: the list of paths that are missing from the state dict, and the list of
            paths that only the state dict has.

        Raises:
            RuntimeError: The state dict does not fit. The message lists every path that is wrong,
                and nothing has been changed.

        Example:
            >>> net = Stateful()
            >>> net.scale = Parameter([2.0])
            >>> net.load_state_dict({"scale": Tensor([3.0]), "other": Tensor([1.0])}, strict=False)
            LoadedKeys(missing_keys=[], unexpected_keys=['other'])
            >>> net.scale
            tensor([3.], requires_grad=True)
        """
        own = self.state_dict()
        missing = [path for path in own if path not in state_dict]
        unexpected = [path for path in state_dict if path not in own]
        shared = [path for path in own if path in state_dict]
        problems = []
        if strict:
            problems += [f"{path} is missing" for path in missing]
            problems += [f"{path} is unexpected" for path in unexpected]
        for path in shared:
            here, there = own[path].shape, state_dict[path].shape
            if here != there:
                problems.append(f"{path} has shape {here} here and {there} in the state dict")
        if problems:
            heading = f"the state dict does not fit {type(self).__name__}:"
            raise RuntimeError("\n  ".join([heading, *problems]))
        for path in shared:
            own[path].copy_(state_dict[path])
        return LoadedKeys(missing, unexpected)


# layers.py, cell 34
class Module(ModuleMethods, Stateful):
    """A layer, or a network of layers.

    A subclass assigns its parameters and smaller modules, and defines `forward`.

    Example:
        >>> class Scale(Module):
        ...     def __init__(self, factor): self.factor = Parameter([factor])
        ...     def forward(self, x): return x * self.factor
        >>> Scale(3.0)(Tensor([1.0, 2.0]))
        tensor([3., 6.], from=mul)
    """

    training = True

    def __call__(self, *inputs, **options): return self.forward(*inputs, **options)
    def eval(self): return self.train(False)
    def extra_repr(self): return ""

    def forward(self, *inputs, **options):
        name = type(self).__name__
        raise NotImplementedError(f"{name} has no method forward: define what it computes")

    def train(self, mode=True):
        """Switch all modules of the tree to training mode, or to evaluation mode; return the tree.

        The mode changes what some layers do, such as dropout.
        """
        for module in self.modules():
            module.training = mode
        return self

    def register_buffer(self, name, tensor, persistent=True):
        """Assign a tensor as a buffer, or None; it is saved if it is persistent."""
        setattr(self, name, None if tensor is None else Buffer(tensor, persistent))


# layers.py, cell 38
def overwrite(tensor, values):
    """Write values into a tensor, even into a parameter, and return it."""
    tensor.detach().copy_(values)
    return tensor


def uniform_(tensor, a=0.0, b=1.0, rng=None):
    """Fill a tensor with numbers spread evenly from ``a`` to ``b``, and return it."""
    return overwrite(tensor, generator(rng).random(tensor.shape, np.float32) * (b - a) + a)


def fans(tensor):
    """Return fan-in and fan-out of a weight (out, in), or (out, in, height, width)."""
    area = math.prod(tensor.shape[2:])
    return tensor.shape[1] * area, tensor.shape[0] * area


def calculate_gain(nonlinearity, param=None):
    """Return PyTorch's gain of an activation; ``param`` is the slope of ``"leaky_relu"``."""
    slope = 0.01 if param is None else param
    gains = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2),
             "leaky_relu": math.sqrt(2 / (1 + slope ** 2))}
    return gains[nonlinearity]


# layers.py, cell 40
def kaiming_uniform_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", rng=None):
    """Fill a weight evenly between minus and plus the bound that keeps numbers the same size.

    Args:
        tensor: Tensor of shape (out_features, in_features), or a convolution's
            (out, in, height, width); it is overwritten.
        a: Slope of the leaky ReLU for negative numbers; 0 makes it ReLU.
        mode: ``"fan_in"`` keeps the size in the forward pass, ``"fan_out"`` in the backward pass.
        nonlinearity: Name of the activation that follows, as in `calculate_gain`.
        rng: Generator to draw from; None for the default one.

    Returns:
        The same tensor. The bound is ``calculate_gain(nonlinearity, a) * sqrt(3 / fan)``.

    Raises:
        ValueError: ``mode`` is something else. The message contains the mode.

    Example:
        >>> weight = kaiming_uniform_(zeros(50, 6))
        >>> 0.95 < weight.abs().max().item() <= 1.0
        True

    Source:
        He, Zhang, Ren and Sun, Delving Deep into Rectifiers, 2015, section 2.2.
    """
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f'kaiming_uniform_ needs mode="fan_in" or mode="fan_out", got {mode!r}')
    fan = fans(tensor)[0 if mode == "fan_in" else 1]
    bound = calculate_gain(nonlinearity, a) * math.sqrt(3 / max(fan, 1))
    return uniform_(tensor, -bound, bound, rng)


# layers.py, cell 44
def normal_(tensor, mean=0.0, std=1.0, rng=None):
    """Fill a tensor with draws from a normal distribution, and return it."""
    return overwrite(tensor, generator(rng).standard_normal(tensor.shape, np.float32) * std + mean)


def kaiming_normal_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", rng=None):
    """Fill a weight as `kaiming_uniform_` does, with a normal distribution of the same variance."""
    fan = dict(zip(("fan_in", "fan_out"), fans(tensor)))[mode]
    return normal_(tensor, 0.0, calculate_gain(nonlinearity, a) / math.sqrt(fan), rng)


def xavier_uniform_(tensor, gain=1.0, rng=None):
    """Fill a weight evenly within ``gain * sqrt(6 / (fan_in + fan_out))`` of 0, and return it."""
    bound = gain * math.sqrt(6 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, rng)


# layers.py, cell 46
class Linear(Module):
    """A layer of neurons: every output is a weighted sum of all inputs, plus a bias.

    Args:
        in_features: Number of inputs.
        out_features: Number of neurons.
        bias: Whether the neurons have a bias; without one, the attribute ``bias`` is None.
        rng: Generator for the weight, then the bias; None for the default one.

    Its parameters are ``weight``, of shape (out_features, in_features), and ``bias``, of shape
    (out_features,), float32, evenly spread between minus and plus ``1 / sqrt(in_features)``. Its
    inputs have shape (..., in_features), its outputs shape (..., out_features).

    Example:
        >>> layer = Linear(3, 2)
        >>> layer
        Linear(in_features=3, out_features=2, bias=True)
        >>> layer(Tensor([[1.0, 2.0, 3.0]])).shape
        (1, 2)
    """

    def __init__(self, in_features, out_features, bias=True, rng=None):
        weight = zeros(out_features, in_features)
        self.weight = Parameter(kaiming_uniform_(weight, a=math.sqrt(5), rng=rng))
        bound = 1 / math.sqrt(in_features) if in_features else 0
        self.bias = Parameter(uniform_(zeros(out_features), -bound, bound, rng)) if bias else None

    def forward(self, x):
        return linear(x, self.weight, self.bias)

    in_features = property(lambda self: self.weight.shape[1])
    out_features = property(lambda self: self.weight.shape[0])

    def extra_repr(self):
        return (f"in_features={self.in_features}, out_features={self.out_features}, "
                f"bias={self.bias is not None}")


# layers.py, cell 55
def dropout(x, p=0.5, training=True, rng=None):
    """Replace each entry by 0 with probability p, and divide those that are kept by 1 - p.

    Args:
        x: Tensor of any shape.
        p: Probability, from 0 to 1, that an entry becomes 0. Every entry is drawn independently.
        training: Whether to drop entries; if False, they pass unchanged.
        rng: Generator to draw from; None for the default one.

    Returns:
        Tensor of the same shape and dtype.

    Raises:
        ValueError: p is not from 0 to 1. The message contains it.

    Example:
        >>> dropout(Tensor([3.0, -2.0]), p=0.9, training=False)
        tensor([ 3., -2.])

    Source:
        Srivastava and others, Dropout: A Simple Way to Prevent Neural Networks from Overfitting,
        2014, section 10.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout needs a probability from 0 to 1, got p={p}")
    if not training:
        return x
    kept = generator(rng).random(x.shape, np.float32) >= p
    scale = 1 / (1 - p) if p < 1 else 0  # with p = 1 nothing is kept
    return x * Tensor(kept * x.dtype.type(scale)).to(x.device)


# layers.py, cell 60
class Dropout(Module):
    """Dropout as a module: active after `train()`, without effect after `eval()`.

    Args:
        p: Probability that an entry becomes 0.
        rng: Generator to draw from; None for the default one.

    Example:
        >>> Dropout(0.5).eval()(Tensor([1.0, 2.0]))
        tensor([1., 2.])
    """

    def __init__(self, p=0.5, rng=None):
        self.p, self.rng = p, rng

    def forward(self, x): return dropout(x, self.p, self.training, self.rng)
    def extra_repr(self): return f"p={self.p}"


# layers.py, cell 64
class Sequential(Module):
    """A row of modules, each fed with the output of the one before.

    Args:
        layers: The modules, in order. They become the attributes ``0``, ``1`` and so on.

    Raises:
        TypeError: One of the layers is not a module. The message contains its representation.

    Example:
        >>> net = Sequential(Linear(4, 3), Linear(3, 2, bias=False))
        >>> [path for path, _ in net.named_parameters()]
        ['0.weight', '0.bias', '1.weight']
        >>> net(Tensor([[1.0, 2.0, 3.0, 4.0]])).shape
        (1, 2)
    """

    def __init__(self, *layers):
        for index, layer in enumerate(layers):
            if not isinstance(layer, Module):
                raise TypeError(f"Sequential needs modules, got {layer!r}: "
                                "a class needs its parentheses, a function a module")
            setattr(self, str(index), layer)

    def forward(self, x):
        for layer in self:
            x = layer(x)
        return x

    def __iter__(self): return self.children()
    def __len__(self): return sum(1 for _ in self)

    def __getitem__(self, index):
        chosen = list(self)[index]
        return Sequential(*chosen) if isinstance(index, slice) else chosen

    def append(self, layer):
        """Add a layer at the end, and return self."""
        setattr(self, str(len(self)), layer)
        return self


# layers.py, cell 70
class Flatten(Module):
    """Join the axes from ``start_dim`` to ``end_dim`` into one; by default all but the batch."""

    def __init__(self, start_dim=1, end_dim=-1): self.start_dim, self.end_dim = start_dim, end_dim
    def forward(self, x): return x.flatten(self.start_dim, self.end_dim)
    def extra_repr(self): return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class ReLU(Module):
    """`relu` as a module; the argument ``inplace`` is accepted as in PyTorch, but has no effect."""

    def __init__(self, inplace=False): self.inplace = inplace
    def forward(self, x): return relu(x)


class Sigmoid(Module):
    """`sigmoid` as a module."""

    def forward(self, x): return sigmoid(x)


class Tanh(Module):
    """`tanh` as a module."""

    def forward(self, x): return tanh(x)


# layers.py, cell 71
class GELU(Module):
    """`gelu` as a module."""

    def __init__(self, approximate="none"): self.approximate = approximate
    def forward(self, x): return gelu(x, approximate=self.approximate)
    def extra_repr(self): return f"approximate={self.approximate!r}"


class LeakyReLU(Module):
    """`leaky_relu` as a module."""

    def __init__(self, negative_slope=0.01, inplace=False): self.negative_slope = negative_slope
    def forward(self, x): return leaky_relu(x, negative_slope=self.negative_slope)
    def extra_repr(self): return f"negative_slope={self.negative_slope}"


class Softmax(Module):
    """`softmax` along an axis as a module."""

    def __init__(self, dim=-1): self.dim = dim
    def forward(self, x): return softmax(x, dim=self.dim)
    def extra_repr(self): return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """`log_softmax` along an axis as a module."""

    def forward(self, x): return log_softmax(x, dim=self.dim)
