# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Layers
#
# A layer is a function with numbers of its own, its **parameters**, which training changes. A network is a layer made of layers. In
# this module you write the layer that most networks are made of, the tree that finds every parameter of a network and loads it by
# name, the rule for the initial weights, dropout, and the container that runs layers one after another. At the end you show ten
# digits to a network that has learned nothing, and see what it guesses.

# %%
from tito import notebook
check = notebook("03")

import matplotlib.pyplot as plt
import numpy as np
rng = np.random.default_rng(0)

# %% [markdown]
# ## A layer of neurons
#
# A **neuron** computes a weighted sum of its inputs and adds a number of its own, the **bias**. A layer is a row of neurons with
# the same inputs. As in PyTorch, the weights of each neuron are one row of a matrix:
#
# $$y_{ij} = \sum_k x_{ik} W_{jk} + b_j \qquad x\;(n, \mathrm{in}),\; W\;(\mathrm{out}, \mathrm{in}),\; b\;(\mathrm{out})$$

# %%
x = np.array([[1, 2, 3], [0, 1, 0]])                      # two examples, three features
weight = np.array([[1, 0, -1], [2, 2, 2], [0, 5, 0], [1, 1, 0]])   # four neurons
bias = np.array([0, 0, 100, 0])
[[sum(int(x[i, k] * weight[j, k]) for k in range(3)) + int(bias[j]) for j in range(4)]
 for i in range(2)]

# %%
#| export
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

# %% [markdown]
# Make this formula an op, like those before. It computes with arrays, but when you call it with tensors it returns a tensor with an
# `origin`. It takes three inputs, and the last is optional. An op may call another op's `forward`: `matmul.forward(a, b)` is your
# matrix product from module 01, for arrays. It already raises an error for shapes that do not fit.

# %% exercise="03.1" minutes=10 points=1
#| export
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
    ### BEGIN SOLUTION
    out = matmul.forward(x, weight.T)
    return out if bias is None else out + bias
    ### END SOLUTION

# %% check="03.1"
check("03.1")

# %% [markdown] hint="03.1"
# Your matrix product sums over the last axis of the left factor and the second-to-last axis of the right one. In which order are the
# axes of `weight`, and in which order do you need them?

# %% [markdown] hint="03.1"
# `weight.T` is the array with its axes in reverse order, without a copy. Add the bias with `+`, but only if there is one. Test this
# with `is None`, because `if bias` raises an error for an array with several entries.

# %% [markdown]
# If the inputs of a neuron are the pixels of an image, its weights form an image too. The more alike the two images are, the larger
# the sum. So a neuron is a template. Below, three templates made by hand are applied to three images.

# %%
vertical, horizontal = np.zeros((2, 5, 5), np.float32)
vertical[:, 2] = horizontal[2, :] = 1
images = np.stack([vertical, horizontal, np.eye(5, dtype=np.float32)]).reshape(3, 25)
templates = images - images.mean(axis=1, keepdims=True)  # sum 0: brightness alone gives 0
outputs = linear(Tensor(images), Tensor(templates)).numpy().round().astype(int)

figure, axes = plt.subplots(1, 3, figsize=(6, 2.2), layout="constrained")
for axis, image, output in zip(axes, images, outputs):
    axis.imshow(image.reshape(5, 5), cmap="gray")
    axis.set(title="vertical {}\nhorizontal {}\ndiagonal {}".format(*output), xticks=[], yticks=[])

# %% [markdown]
# ## Parameters, and the tree that holds them
#
# Templates should be learned, not made by hand. So a layer keeps its weights as **parameters**: tensors that require a gradient from
# the start. The class `Parameter` is given. It adds nothing else, but lets you tell parameters from other tensors.
#
# From here on you work with tensors. The result of an op has an `origin`. Later, this is how a gradient gets back to the weights, as
# long as you compute with the tensors themselves and not with their arrays.

# %%
#| export
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

# %% [markdown]
# To train a network, to save it or to count its parameters, you have to find all parameters, however deep they are nested. You need
# not keep a list, because the network is a tree whose branches are Python attributes. `vars(thing)` is a dict of the attributes of an
# object, in the order in which they were assigned.

# %%
from types import SimpleNamespace

encoder = SimpleNamespace(weight=Parameter([[1.0, 0.5]]), size=2)
net = SimpleNamespace(name="toy", scale=Parameter([2.0]), encoder=encoder)
for name, value in vars(net).items():
    print(name, "->", value)

# %% [markdown]
# The full name of the encoder's parameter is its **path**, `encoder.weight`. Write `named_parameters`, which goes through a tree and
# yields every parameter with its path. The similar methods are given; they show you how to do it.

# %% exercise="03.2" minutes=25 points=3
#| export
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
        ### BEGIN SOLUTION
        for name, value in vars(self).items():
            path = f"{prefix}.{name}" if prefix else name
            if isinstance(value, Parameter):
                yield path, value
            elif isinstance(value, Tree):
                yield from value.named_parameters(path)
        ### END SOLUTION

    def parameters(self):
        """Yield every parameter of the tree once, even if it occurs twice."""
        yield from {id(parameter): parameter for _, parameter in self.named_parameters()}.values()

    def named_buffers(self, prefix=""):
        """Yield the buffers of this tree and of all trees below it, each with its path."""
        start, own = f"{prefix}." if prefix else "", vars(self).items()
        yield from ((start + name, value) for name, value in own if isinstance(value, Buffer))
        for name, child in self.named_children():
            yield from child.named_buffers(start + name)

# %% check="03.2"
check("03.2")

# %% [markdown] hint="03.2"
# Two kinds of attributes matter. If it is a parameter, yield it right away. If it is a tree, there is already a method that finds its
# parameters: the one you are writing.

# %% [markdown] hint="03.2"
# `yield from` passes on everything that another generator yields. Pass the child's path as `prefix`, so that the child yields full
# paths.

# %% [markdown] hint="03.2"
# Loop over `vars(self).items()`. First make the path: the name alone if there is no prefix, else prefix, dot, name. Then use
# `isinstance` to test whether the value is a `Parameter` or a `Tree`.

# %%
def branch(*shape):
    tree = Tree()
    tree.weight, tree.bias = Parameter(np.ones(shape)), Parameter(np.zeros(shape[0]))
    return tree

net = Tree()
net.first, net.last = branch(4, 3), branch(2, 4)
net.middle = [branch(4, 4), branch(4, 4)]      # two more, in a Python list
for path, parameter in net.named_parameters():
    print(f"{path:13} {parameter.shape}")
print(sum(parameter.numel() for parameter in net.parameters()), "numbers in all")

# %% [markdown] question="03.1"
# The two branches in the list are missing, and PyTorch would miss them too. What would you notice when you train such a
# network? How could you store them in the tree instead?

# %% [markdown]
# ## Saving and loading by name
#
# A trained network is worth nothing if it is lost when the process ends. A file needs only the paths and the numbers. A dict from
# path to tensor is called a **state dict**, in PyTorch and here. The method that makes it, `state_dict`, is given. Besides the
# parameters, it includes **buffers**: numbers that belong to a layer but are not trained (a layer in module 12 needs them). When you
# load a state dict, check it first. A file that does not fit must not leave half of the network overwritten, and the error should
# list all problems at once.
#
# Loading writes **into** the tensors. A new `Parameter` in place of the old one would look the same. But code that uses the old one,
# such as the optimizer of module 06, would go on training a tensor that no layer uses any more. You cannot write into a parameter
# directly. Instead, `state_dict` returns `parameter.detach()`, a tensor on the same memory that you can write into with `copy_`.

# %% exercise="03.3" minutes=30 points=4
#| export
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
        ### BEGIN SOLUTION
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
        ### END SOLUTION

# %% check="03.3"
check("03.3")

# %% [markdown] hint="03.3"
# `self.state_dict()` is the tree's own dict. There are three groups of paths: those only in the tree's dict, those only in the
# argument, and those in both. Only in the last group can shapes differ.

# %% [markdown] hint="03.3"
# Collect all problems in a list of sentences. Raise the error once, after you have found the last problem and before you write the
# first parameter. With `strict=False` the first two groups are not problems, but you still return them.

# %% [markdown] hint="03.3"
# The tensors in `self.state_dict()` share memory with the parameters, so `copy_` on them changes the parameters. It takes a tensor or
# an array. Return `LoadedKeys(...)` of the first two groups.

# %% [markdown]
# The names are PyTorch's, so a state dict saved by PyTorch fits a network of the same structure. If a state dict does not fit, the
# error tells you why:

# %%
branches = Stateful()
branches.first, branches.last = branch(4, 3), branch(2, 4)
state = branches.state_dict()
state["first.weight"] = state["first.weight"].mT
state["last.scale"] = state.pop("last.bias")
try:
    branches.load_state_dict(state)
except RuntimeError as error:
    print(error)

# %% [markdown]
# ## Module
#
# A tree that computes something is a **module**. The class `Module` is given. Calling a module runs its `forward`, which every layer
# defines for itself. `train` and `eval` switch the whole tree between training and use. The base class `ModuleMethods` has the rest
# of PyTorch's methods: `zero_grad` clears the gradients, `to` moves all parameters to another device or dtype, and printing a module
# shows the tree.

# %%
#| export
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

# %% [markdown]
# ## How large should weights be at the start?
#
# Weights cannot all start at zero, because every neuron would compute the same and learn the same. So they start at random, spread
# evenly between minus some bound and plus that bound. Which bound? Send numbers through thirty layers with ReLU, and see how large
# they are afterwards:

# %%
def sizes_through_layers(bound, depth=30, width=256):
    x, sizes = rng.standard_normal((64, width)), []
    for _ in range(depth):
        x = relu.forward(x @ rng.uniform(-bound, bound, (width, width)))
        sizes.append(np.sqrt(np.mean(x ** 2)))
    return sizes

figure, axis = plt.subplots(figsize=(5, 2.6))
for bound in [0.08, 0.12, 0.153, 0.2, 0.3]:
    axis.semilogy(sizes_through_layers(bound), label=f"bound {bound}")
axis.set(xlabel="layer", ylabel="typical size of its outputs")
axis.legend(loc="upper left", bbox_to_anchor=(1, 1));

# %% [markdown]
# The mean square of a sum of n products, each with a weight of variance v, is n · v times the mean square of the inputs. Numbers
# spread evenly between -b and b have variance b² / 3, and ReLU halves the mean square. So the size stays the same if
# n · b² / 3 · 1/2 = 1. For 256 inputs that gives b = 0.153.
#
# The n is called **fan-in**: the number of inputs that a neuron sums over. In the backward pass, gradients are summed over the
# **fan-out**, the number of neurons that an input goes to. A factor, the **gain**, makes up for the loss in the activation. For ReLU
# it is the square root of 2. Functions for these three are given, and so is one that overwrites a tensor with random numbers.

# %%
#| export
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

# %% [markdown]
# Write PyTorch's rule for initial weights, under PyTorch's name. The underscore at the end means that it writes in place:
#
# $$b = \mathrm{gain} \cdot \sqrt{3 / \mathrm{fan}}$$

# %% exercise="03.4" minutes=20 points=2
#| export
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
    ### BEGIN SOLUTION
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f'kaiming_uniform_ needs mode="fan_in" or mode="fan_out", got {mode!r}')
    fan = fans(tensor)[0 if mode == "fan_in" else 1]
    bound = calculate_gain(nonlinearity, a) * math.sqrt(3 / max(fan, 1))
    return uniform_(tensor, -bound, bound, rng)
    ### END SOLUTION

# %% check="03.4"
check("03.4")

# %% [markdown] hint="03.4"
# `fans(tensor)` returns both fans, and `calculate_gain` returns the gain. Choose the fan according to `mode`, and compute the bound.

# %% [markdown] hint="03.4"
# `uniform_` writes into the tensor and returns it. It needs both ends of the range, and the generator `rng`.

# %%
#| export
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

# %% [markdown]
# ## Linear
#
# Now you have everything for the layer itself. PyTorch initialises a linear layer with `kaiming_uniform_` and `a=math.sqrt(5)`. This
# is a roundabout way to get the bound $1 / \sqrt{\mathrm{in}}$, a rule older than Kaiming's. The bias gets the same bound. Start
# the same way, and your networks learn like PyTorch's.

# %% exercise="03.5" minutes=20 points=3
#| export
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
        ### BEGIN SOLUTION
        weight = zeros(out_features, in_features)
        self.weight = Parameter(kaiming_uniform_(weight, a=math.sqrt(5), rng=rng))
        bound = 1 / math.sqrt(in_features) if in_features else 0
        self.bias = Parameter(uniform_(zeros(out_features), -bound, bound, rng)) if bias else None
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return linear(x, self.weight, self.bias)
        ### END SOLUTION

    in_features = property(lambda self: self.weight.shape[1])
    out_features = property(lambda self: self.weight.shape[0])

    def extra_repr(self):
        return (f"in_features={self.in_features}, out_features={self.out_features}, "
                f"bias={self.bias is not None}")

# %% check="03.5"
check("03.5")

# %% [markdown] hint="03.5"
# Make a parameter from a tensor: `zeros(...)` of the right shape, filled by one of the functions above. Assign it to an attribute, and
# the tree finds it.

# %% [markdown] hint="03.5"
# Watch the order of the sizes: the constructor takes the number of inputs first, but the shape of the weight begins with the number
# of neurons. And pass `rng` to both draws, or the layer cannot be reproduced.

# %% [markdown] hint="03.5"
# `forward` is one call of `linear` (exercise 03.1) with your two attributes. A missing bias is None in both places.

# %%
layer = Linear(784, 256, rng=rng)
print(layer, {path: parameter.shape for path, parameter in layer.named_parameters()}, sep="\n")
print(sum(parameter.numel() for parameter in layer.parameters()), "numbers")

# %% [markdown]
# ## Dropout
#
# A network can memorise its examples. **Dropout** makes that harder: in training, it replaces each number by 0 with probability p,
# drawn again for every batch, so that no neuron can rely on another. The numbers that are kept are divided by 1 - p, so that the sum
# stays the same on average. Then dropout has nothing to do when you use the network: all numbers pass unchanged.

# %%
ones = np.ones((12, 30), np.float32)
figure, axes = plt.subplots(1, 3, figsize=(8, 1.6), layout="constrained")
for axis, p in zip(axes, [0.1, 0.5, 0.8]):
    dropped = np.where(rng.random(ones.shape) < p, 0, ones / (1 - p))
    axis.imshow(dropped, cmap="gray")
    axis.set(title=f"p = {p}, mean {dropped.mean():.2f}", xticks=[], yticks=[])

# %% [markdown]
# Write dropout as a function of tensors. There are two special cases. With p = 1 nothing is kept, and you must not divide by 0. And
# a probability outside the range from 0 to 1 is a mistake, so raise an error with that number in its message.

# %% exercise="03.6" minutes=20 points=3
#| export
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
    ### BEGIN SOLUTION
    if not 0 <= p <= 1:
        raise ValueError(f"dropout needs a probability from 0 to 1, got p={p}")
    if not training:
        return x
    kept = generator(rng).random(x.shape, np.float32) >= p
    scale = 1 / (1 - p) if p < 1 else 0  # with p = 1 nothing is kept
    return x * Tensor(kept * x.dtype.type(scale)).to(x.device)
    ### END SOLUTION

# %% check="03.6"
check("03.6")

# %% [markdown] hint="03.6"
# `generator(rng).random(x.shape, np.float32)` gives a number spread evenly between 0 and 1 for every entry. What is the probability
# that such a number is below p?

# %% [markdown] hint="03.6"
# Make an array, the mask, with 0 where an entry is dropped and 1 / (1 - p) where it is kept. Return the tensor times the mask, so
# that the result has an `origin`. A float64 mask would make the result float64, so convert the mask.

# %% [markdown] hint="03.6"
# In this order: raise the error for an impossible p; return `x` if there is nothing to do; draw; compare; divide; multiply.

# %%
#| export
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

# %%
layer = Dropout(0.25, rng=rng)
x = Tensor(np.ones((2, 6), np.float32))
print("train", layer(x), "again", layer(x), "eval ", layer.eval()(x), sep="\n")

# %% [markdown] question="03.2"
# A network with dropout returns different results each time you give it the same image. What did you forget?

# %% [markdown]
# ## Sequential
#
# Most networks are a row of layers, each fed with the output of the one before. PyTorch names the layers by position: the weight of
# the first layer has the path `0.weight`. An attribute may be called `0`. You cannot write `self.0 = layer`, but `setattr` takes any
# name.
#
# The methods that iterate, count and index are given; you write the rest. The tree would silently skip anything that is not a
# module, such as a function or a class without its parentheses. So raise an error for it.

# %% exercise="03.7" minutes=15 points=2
#| export
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
        ### BEGIN SOLUTION
        for index, layer in enumerate(layers):
            if not isinstance(layer, Module):
                raise TypeError(f"Sequential needs modules, got {layer!r}: "
                                "a class needs its parentheses, a function a module")
            setattr(self, str(index), layer)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        for layer in self:
            x = layer(x)
        return x
        ### END SOLUTION

    def __iter__(self): return self.children()
    def __len__(self): return sum(1 for _ in self)

    def __getitem__(self, index):
        chosen = list(self)[index]
        return Sequential(*chosen) if isinstance(index, slice) else chosen

    def append(self, layer):
        """Add a layer at the end, and return self."""
        setattr(self, str(len(self)), layer)
        return self

# %% check="03.7"
check("03.7")

# %% [markdown] hint="03.7"
# `enumerate` numbers the layers from 0, and an attribute's name is a string.

# %% [markdown] hint="03.7"
# `for layer in self` goes through the children in order, because of `__iter__`. The output of one layer is the input of the next.

# %% [markdown] hint="03.7"
# `isinstance(layer, Module)` is true for modules only. In an f-string, `{layer!r}` is the representation.

# %% [markdown]
# Your activations become modules too, so that you can use them in a `Sequential`. `Flatten` turns a batch of images into a batch of
# rows of numbers. These modules have no parameters.

# %%
#| export
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

# %%
#| export
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

# %% [markdown]
# ## What an untrained network guesses
#
# Take ten digits, drawn by the computer on 28 by 28 pixels, the size of the handwritten digits in module 04. They go through one
# hidden layer and a last layer that returns ten scores. Softmax turns the scores into probabilities.

# %%
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

def draw_digit(digit, tilt=0):
    """Return a digit as an array (28, 28), 0 for paper and 1 for ink."""
    canvas = FigureCanvasAgg(Figure(figsize=(1, 1), dpi=28))
    canvas.figure.text(0.5, 0.45, str(digit), fontsize=60, rotation=tilt, ha="center", va="center")
    canvas.draw()
    return 1 - np.asarray(canvas.buffer_rgba())[..., 0].astype(np.float32) / 255

digits = Tensor(np.stack([draw_digit(digit, tilt=rng.uniform(-20, 20)) for digit in range(10)]))
print(digits.shape)

# %%
net = Sequential(Flatten(), Linear(784, 64, rng=rng), ReLU(), Linear(64, 10, rng=rng),
                 Softmax(dim=1))
guesses = net(digits).detach().numpy()
print(net)

figure, axes = plt.subplots(2, 10, figsize=(9, 2.2), sharey="row", layout="constrained")
for column, (image, guess) in enumerate(zip(digits.numpy(), guesses)):
    axes[0, column].imshow(image, cmap="gray_r")
    axes[0, column].set_axis_off()
    colors = ["C1" if digit == guess.argmax() else "C0" for digit in range(10)]
    axes[1, column].bar(range(10), guess, color=colors)
    axes[1, column].set_xlabel(f"guess {guess.argmax()}")

# %% [markdown]
# For every image, each digit gets a probability of about a tenth. The guesses are nearly the same for all images, because random
# weights hardly tell them apart. One such network may be lucky, but the average over many networks is close to chance:

# %%
def random_network():
    return Sequential(Flatten(), Linear(784, 64, rng=rng), ReLU(), Linear(64, 10, rng=rng))

guesses = np.stack([random_network()(digits).argmax(dim=1).numpy() for _ in range(300)])
accuracies = (guesses == np.arange(10)).mean(axis=1)
print(f"right on average: {np.mean(accuracies):.1%}, best of 300 networks: {max(accuracies):.0%}")

# %% [markdown] question="03.3"
# The best of 300 networks gets several digits right. Did it learn something? How would you find out?

# %%
twin, scores = random_network(), net[:-1](digits)     # the network without its softmax
print("two networks differ by", (twin(digits) - scores).abs().max().item())
print(twin.load_state_dict(net[:-1].state_dict()))
print("with the same state by", (twin(digits) - scores).abs().max().item())

# %% [markdown]
# The network is your code, and it has learned nothing yet. In module 04 you measure how wrong a guess is. From that number you
# work out how to change each of these 50,890 weights. Save the notebook, then run
#
# ```
# tito module complete 03
# ```
#
# This checks your notebook and exports your code to `tinytorch/layers.py`.
