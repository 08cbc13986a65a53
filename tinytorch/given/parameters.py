"""Check what an optimizer is given: groups of parameters, and valid settings. An error says what to write instead. Given."""

import functools
import numbers
from collections.abc import Iterable

import numpy as np

from tinytorch.given.op import part
from tinytorch.given.state import watched, watchers


def parameter_groups(params, name):
    """Return an optimizer's parameters as a list of groups: dicts with an iterable of parameters under ``"params"``.

    Args:
        params: Iterable of parameters, or of such dicts.
        name: Name of the optimizer, for messages.

    Raises:
        TypeError: ``params`` is neither. The message says what to write.
        ValueError: ``params`` is empty.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> w = Tensor([1.0], requires_grad=True)
        >>> parameter_groups([w], "SGD")
        [{'params': [tensor([1.], requires_grad=True)]}]
        >>> parameter_groups(w, "SGD")
        Traceback (most recent call last):
        ...
        TypeError: SGD needs a list of parameters, got one tensor of shape (1,): write SGD([w], ...)
    """
    if isinstance(params, part("Tensor")):
        raise TypeError(f"{name} needs a list of parameters, got one tensor of shape {params.shape}: write {name}([w], ...)")
    if isinstance(params, dict):
        raise TypeError(f"{name} needs a list of groups, got one dict: write {name}([{{'params': ...}}], ...)")
    params = iterated(params, name)
    if not params:
        raise ValueError(f"{name} needs parameters, got an empty list")
    return params if isinstance(params[0], dict) else [{"params": params}]


def iterated(params, name):
    """Return an iterable as a list; refuse what is not an iterable of parameters, and sets, which have no order."""
    if getattr(params, "parameters", None):
        raise TypeError(
            f"{name} needs a list of parameters, got a {type(params).__name__}: write {name}(model.parameters(), ...)"
        )
    if isinstance(params, np.ndarray):
        raise TypeError(
            f"{name} needs a list of parameters, got an array of shape {params.shape}: an array has no gradient, "
            f"make a parameter of it, w = Parameter(array), and write {name}([w], ...)"
        )
    if not isinstance(params, Iterable) or isinstance(params, (str, bytes, set, frozenset)):
        raise TypeError(f"{name} needs a list of parameters, got a {type(params).__name__}")
    return list(params)


def parameter_list(params, name):
    """Return one tensor, or an iterable of tensors, as a list.

    Args:
        params: The tensors.
        name: Name of the function or optimizer that was given them, for messages.

    Raises:
        TypeError: One of them has no gradient, such as an array or a pair of a name and a parameter.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> parameter_list(Tensor([1.0]), "clip_grad_norm_")
        [tensor([1.])]
        >>> parameter_list([("weight", Tensor([1.0]))], "SGD")
        Traceback (most recent call last):
        ...
        TypeError: SGD needs parameters, got a pair of a name and a tensor: write model.parameters(), not named_parameters()
    """
    params = [params] if isinstance(params, part("Tensor")) else iterated(params, name)
    for param in params:
        if isinstance(param, tuple):
            raise TypeError(
                f"{name} needs parameters, got a pair of a name and a tensor: write model.parameters(), not named_parameters()"
            )
        try:
            param.grad
        except AttributeError:
            raise TypeError(
                f"{name} needs parameters, got a {type(param).__name__} among them: "
                "only tensors have gradients, such as Parameter(array)"
            ) from None
    return params


def checked_group(group, optimizer):
    """Return a group for an optimizer, its parameters in a list and its settings filled in from the defaults.

    Args:
        group: Dict with one parameter or an iterable of them under ``"params"``, and with settings.
        optimizer: The optimizer, which has `defaults` and the groups that came before.

    Raises:
        TypeError: One of the parameters is not a tensor.
        ValueError: A parameter appears twice or is the result of an op; a setting is unknown or has an invalid value.
    """
    name = type(optimizer).__name__
    if not isinstance(group, dict) or "params" not in group:
        raise ValueError(f"a group of {name} is a dict with 'params', got {group!r}")
    params = parameter_list(group["params"], name)
    for param in params:
        if not getattr(param, "is_leaf", True):
            raise ValueError(
                f"{name} needs parameters, got the result of {param.origin.op.name!r}, of shape {param.shape}: "
                "a step would not change what it was computed from; give the parameters themselves"
            )
    everything = [*optimizer.params(), *params]
    if len({id(param) for param in everything}) < len(everything):
        raise ValueError(f"{name} needs each parameter once, got one of them twice")
    group = {**optimizer.defaults, **group, "params": params}
    for setting in group.keys() - {"params", "initial_lr", "name"}:
        if setting not in optimizer.defaults:
            raise ValueError(f"{name} has no setting {setting!r}: there are {', '.join(optimizer.defaults)}")
        if isinstance(group[setting], (np.generic, np.ndarray, part("Tensor"))):
            # A NumPy number or a tensor of one number would change the dtype of the arrays; a Python number does not.
            group[setting] = group[setting].item()
        refuse(setting, group[setting])
    return group


def refuse(setting, value):
    """Refuse an invalid value of a setting: a negative number, a beta that is not below 1, anything that is not a number.

    Args:
        setting: Name of the setting, such as ``"lr"``.
        value: Its value; True and False are left alone.

    Example:
        >>> refuse("betas", (0.9, 1.0))
        Traceback (most recent call last):
        ...
        ValueError: betas needs two numbers from 0 to below 1, got (0.9, 1.0)
    """
    if setting == "betas":
        pair = isinstance(value, (tuple, list)) and len(value) == 2
        if not pair or not all(isinstance(beta, numbers.Real) and 0 <= beta < 1 for beta in value):
            raise ValueError(f"betas needs two numbers from 0 to below 1, got {value}")
    elif not isinstance(value, numbers.Real) or not value >= 0:
        raise ValueError(f"{setting} needs a number of at least 0, got {value!r}")


def takes_parameters(function):
    """Make a function of a list of parameters and a length take one parameter or any iterable, as PyTorch's do.

    Args:
        function: Function ``function(parameters, max_norm)``.

    Returns:
        The function that checks both, and then calls it.
    """

    @functools.wraps(function)
    def checked(parameters, max_norm):
        refuse("max_norm", max_norm)
        parameters = parameter_list(parameters, function.__name__)
        if not watchers:
            return function(parameters, max_norm)
        gradients = [param.grad.data for param in parameters if param.grad is not None]
        return watched("whole", on_arrays(function))(*gradients, max_norm=max_norm)

    return checked


def on_arrays(function):
    """Return a function of gradients' arrays that does what a function of parameters does."""

    def run(*gradients, max_norm):
        holders = [part("Tensor")(np.empty_like(gradient)) for gradient in gradients]
        for holder, gradient in zip(holders, gradients):
            holder.grad = part("Tensor")(gradient)
        return function(holders, max_norm)

    run.__name__ = function.__name__
    return run
