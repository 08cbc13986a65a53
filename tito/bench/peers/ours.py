"""The learner's package, by hand and by autograd, with each kernel set."""

import functools

from tito.bench.training import Package
from tito.bench.variants import Candidate

WAYS = {"tinytorch": "by_walk", "by hand": "by_hand", "captured": "by_walk"}


def package(kernels, gradients="by_walk", captured=False):
    """Return the package that `import tinytorch` gives, with a kernel set; a captured step is recorded and replayed."""
    import tinytorch
    from tinytorch.tensor import Tensor

    capture = tinytorch.capture if captured else lambda step: step
    context = functools.partial(tinytorch.use, kernels)
    return Package(tinytorch, Tensor, globals()[gradients], context=context, capture=capture)


def candidates(make, kernels, ways=WAYS):
    """Yield a candidate for each way to compute gradients and each kernel set.

    Args:
        make: Function of a `Package` that returns the `Variant`.
        kernels: Names of kernel sets.
        ways: Names of ways to compute gradients, from `WAYS`.
    """
    for way in ways:
        for name in kernels:
            needs = ("tinytorch", "numba") if name == "numba" else ("tinytorch",)
            yield Candidate(f"{way} {name}", lambda name=name, way=way: make(package(name, WAYS[way], way == "captured")), needs)


def by_walk(model, images, labels):
    """Fill in the gradients with autograd, and return the loss."""
    from tinytorch.losses import cross_entropy

    loss = cross_entropy(model(images), labels)
    loss.backward()
    return loss


def by_hand(model, images, labels):
    """Fill in the gradients of linear layers with ReLU in between, by the functions of module 04; return the loss."""
    from tinytorch.layers import Linear
    from tinytorch.losses import cross_entropy, cross_entropy_backward, linear_backward, relu_backward
    from tinytorch.tensor import Tensor

    outs = [images]
    for layer in model:
        outs.append(layer(outs[-1]))
    loss = cross_entropy(outs[-1], labels)
    grad = cross_entropy_backward(outs[-1].data, labels.data)
    for layer, x, out in reversed(list(zip(model, outs, outs[1:]))):
        if isinstance(layer, Linear):
            grad, weight, bias = linear_backward(grad, x.data, layer.weight.data, needs_input_grad=x is not images)
            layer.weight.grad, layer.bias.grad = Tensor(weight), Tensor(bias)
        else:
            grad = relu_backward(grad, out.data)
    return loss
