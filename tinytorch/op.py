"""The op: a NumPy function on which later modules register more. Given.

An op is born in one module as a plain function on arrays. Gradient rules (module 05), faster kernels (module 10) and
GPU kernels (module 11) are registered on it later: nothing is patched, and no earlier file changes. It is the shape of
PyTorch's ``torch.library``, of HIPS autograd's ``defvjp`` and of JAX's primitives.
"""
import functools
import importlib
import importlib.util
import inspect
import sys
import threading
import warnings
from collections import Counter
from typing import Any, NamedTuple

from tinytorch.device import device_of

HOME = {"apply": "tinytorch.tensor", "backward": "tinytorch.autograd"}  # the two parts, and who hands them over
_parts = {}
_given = {}  # kernel set -> function that registers and returns the kernel given for an op, or None

ticks = [0]  # how many writes in place there have been, in all tensors together
fallbacks = Counter()  # op name -> how often the chosen kernel set lacked it and the NumPy forward ran instead
watchers = []  # what looks on while ops run, such as module 09's profile: it may put a function of its own around each


def watched(moment, function, *details):
    """Let every watcher put a function of its own around one that is about to run.

    Args:
        moment: Name of the watcher's method: ``"kernel"``, ``"rule"`` or ``"part"``.
        function: What is about to run, or None.
        details: What else the method receives: the op, the kernel's set and, if another set was asked for, True; the op; or
            the part's name.

    Returns:
        The function to run instead.

    Example:
        >>> watched("kernel", abs) is abs  # unless somebody watches
        True
    """
    for watcher in watchers if function else ():
        function = getattr(watcher, moment)(function, *details)
    return function


class State(threading.local):
    """What this thread has chosen: whether ops are remembered, and which kernel set runs on the CPU."""

    recording = True
    kernels = "numpy"


state = State()


def register(name):
    """Register the decorated function as a part of the framework; registering again replaces it.

    Args:
        name: ``"apply"``, which runs an op, or ``"backward"``, which walks back through the ops that ran.

    Returns:
        A decorator that returns its function unchanged.

    Raises:
        ValueError: There is no such part.

    Example:
        >>> register("forward")
        Traceback (most recent call last):
        ...
        ValueError: there is no part 'forward': the parts are apply, backward
    """
    if name not in HOME:
        raise ValueError(f"there is no part {name!r}: the parts are {', '.join(HOME)}")

    def keep(function):
        _parts[name] = function
        return function

    return keep


def part(name):
    """Return a registered part, importing the module that registers it when nobody has yet.

    Args:
        name: ``"apply"`` or ``"backward"``.

    Returns:
        The function registered last.

    Raises:
        ImportError: The module that registers it has not been exported. The message names it.

    Example:
        >>> part("apply").__name__
        'apply'
    """
    if name not in _parts:
        importlib.import_module(HOME[name])
    return watched("part", _parts[name], name) if watchers else _parts[name]


class Op:
    """A named computation: its forward function, and what modules have registered on it.

    Args:
        forward: Function of arrays (positional) and settings (keyword-only) that returns an array.

    Example:
        >>> double = Op(lambda a: a * 2)
        >>> double.forward(21)
        42
    """

    def __init__(self, forward):
        functools.update_wrapper(self, forward)
        self.name = forward.__name__
        self.forward = forward
        self.defaults = forward.__kwdefaults__ or {}
        self.signature = inspect.signature(forward)
        self.most, self.names, self.settings = argument_names(self.signature)
        self.rules = ()
        self.rule_of_each = None
        self.kernels = {}
        self.flops = self.moved = None

    def __call__(self, *inputs, **params):
        if len(inputs) > self.most or params and not self.names.isdisjoint(params):
            inputs, params = self.bind(inputs, params)
        return (_parts.get("apply") or part("apply"))(self, *inputs, **params)

    def bind(self, inputs, params):
        """Tell inputs from settings where some inputs were given by name, or some settings by place.

        Args:
            inputs: Tuple of what was given by place: inputs, and after them perhaps settings, in the forward's order.
            params: Dict of what was given by name.

        Returns:
            Tuple of all inputs, and dict of all settings.

        Raises:
            TypeError: There are too many of them, one is missing, or one has an unknown name.

        Example:
            >>> scale = Op(lambda a, factor, *, shift=0: a * factor + shift)
            >>> scale.bind((1.0, 2.0, 3.0), {})
            ((1.0, 2.0), {'shift': 3.0})
            >>> scale.bind((1.0,), {"factor": 2.0})
            ((1.0, 2.0), {'shift': 0})
        """
        extra = inputs[self.most:]
        if len(extra) > len(self.settings):
            raise TypeError(f"{self.name}{self.signature} takes at most {self.most + len(self.settings)} arguments, got {len(inputs)}")
        given = self.signature.bind(*inputs[:self.most], **dict(zip(self.settings, extra)), **params)
        given.apply_defaults()
        return given.args, given.kwargs

    def __repr__(self):
        kernels = ", ".join(["numpy", *self.kernels])
        return f"<op {self.name}: kernels {kernels}; {'has' if self.rules or self.rule_of_each else 'no'} gradient rule>"

    def register_vjp(self, *rules, each=None):
        """Register the gradient rules: how a gradient of the output becomes a gradient of each input.

        Args:
            rules: One function for each positional argument, ``rule(grad, out, *inputs, **params)``, written with ops.
                None marks an argument that has no gradient, such as labels.
            each: Instead of them, one rule for an op of any number of inputs; it also receives ``argument``, a position.

        Example:
            >>> triple = Op(lambda a: a * 3)
            >>> triple.register_vjp(lambda grad, out, a: grad * 3)
            >>> triple.rule(0)(1.0, None, 5.0)
            3.0
        """
        self.rules, self.rule_of_each = rules, each

    def rule(self, argument):
        """Return the gradient rule of one input.

        Args:
            argument: Position of the input, from 0.

        Returns:
            ``rule(grad, out, *inputs, **params)``, or None for an input without a gradient.

        Raises:
            NotImplementedError: The op has no rule for it. The message says what to write.

        Example:
            >>> @op
            ... def flip(a): return -a
            >>> flip.rule(0)
            Traceback (most recent call last):
            ...
            NotImplementedError: op 'flip' has no gradient rule for argument 0: write one with flip.register_vjp(...)
        """
        if not self.rule_of_each and argument >= len(self.rules):
            raise NotImplementedError(f"op {self.name!r} has no gradient rule for argument {argument}: "
                                      f"write one with {self.name}.register_vjp(...)")
        each = self.rule_of_each
        rule = functools.partial(each, argument=argument) if each else self.rules[argument]
        return watched("rule", rule, self) if watchers else rule

    def register_kernel(self, name):
        """Register the decorated function as this op's kernel of a set; it has the forward's signature.

        Args:
            name: A kernel set of the CPU, such as ``"numba"``, or a device, such as ``"cuda"``.

        Returns:
            A decorator that returns its function unchanged.

        Example:
            >>> double = Op(lambda a: a * 2)
            >>> fast = double.register_kernel("numba")(lambda a: a + a)
            >>> double.kernels["numba"](21)
            42
        """
        def keep(kernel):
            self.kernels[name] = kernel
            return kernel

        return keep

    def register_cost(self, flops, moved=None):
        """Register what the op costs, whichever kernel runs it; a profile divides it by the time that it took.

        Args:
            flops: Function ``flops(out, *arrays, **params)`` of the result, the inputs and the settings, their defaults
                filled in. It returns how many floating-point operations the op's formula takes.
            moved: Function of the same arguments: how many bytes have to be read and written. None for every array
                read once and the result written once.

        Example:
            >>> double = Op(lambda a: a * 2)
            >>> double.register_cost(lambda out, a: 1)
            >>> double.flops(42, 21)
            1
        """
        self.flops, self.moved = flops, moved


def argument_names(signature):
    """Return how many inputs an op takes at most, their names, and the names of its settings, in order."""
    kinds = {name: parameter.kind for name, parameter in signature.parameters.items()}
    names = [name for name, kind in kinds.items() if kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    any_number = inspect.Parameter.VAR_POSITIONAL in kinds.values()
    settings = [name for name, kind in kinds.items() if kind is inspect.Parameter.KEYWORD_ONLY]
    return sys.maxsize if any_number else len(names), frozenset(names), settings


def op(forward):
    """Make an op of the decorated function.

    Args:
        forward: Function of arrays (positional) and settings (keyword-only) that returns an array.

    Returns:
        The `Op`; ``forward`` itself stays reachable as its attribute of that name.

    Example:
        >>> @op
        ... def double(a): return a * 2
        >>> double.name
        'double'
    """
    return Op(forward)


class InPlace(Op):
    """An op that changes its arrays in place, as the step of an optimizer does: it takes arrays, not tensors.

    Its kernels are registered and chosen like any op's. Nothing is wrapped or remembered, and no gradient flows.
    """

    def __call__(self, *arrays, **params):
        select_kernel(self, *arrays)(*arrays, **params)


def in_place(forward):
    """Make an op of a function that changes arrays in place and returns nothing.

    Args:
        forward: Function of arrays (positional) and settings (keyword-only).

    Returns:
        The `InPlace` op.

    Example:
        >>> import numpy as np
        >>> @in_place
        ... def double(a): a *= 2
        >>> x = np.array([1.0, 2.0])
        >>> double(x)
        >>> x
        array([2., 4.])
    """
    return InPlace(forward)


def select_kernel(op, *arrays):
    """Choose the function that runs an op: where the data lives decides first, then the kernel set in use.

    Args:
        op: The op.
        arrays: Its inputs, unwrapped: arrays, or Python numbers, which live anywhere.

    Returns:
        A function with the signature of ``op.forward``.

    Raises:
        ValueError: The arrays lie on different devices.
        NotImplementedError: They lie on a device for which the op has no kernel.

    Example:
        >>> select_kernel(Op(lambda a: abs(a)), -3.0)(-3.0)
        3.0
    """
    device = device_of(*arrays)
    if device == "cpu" and state.kernels == "numpy" and not watchers:
        return op.forward
    chosen = state.kernels if device == "cpu" else device
    kernel = op.forward if chosen == "numpy" else op.kernels.get(chosen)
    if kernel is None and chosen in _given:
        kernel = _given[chosen](op)
    if kernel is not None:
        return watched("kernel", kernel, op, chosen) if watchers else kernel
    if device != "cpu":
        raise NotImplementedError(f"op {op.name!r} has no {device} kernel: write one with "
                                  f"@{op.name}.register_kernel({device!r}), or move the tensor back with .to('cpu')")
    fallbacks[op.name] += 1
    return watched("kernel", op.forward, op, "numpy", True) if watchers else op.forward


class Origin(NamedTuple):
    """Where a tensor came from: the op, its inputs as given, its settings, and how many writes in place came before."""

    op: Op
    inputs: tuple
    params: dict[str, Any]
    time: int


def tick(tensor):
    """Count a write in place, and note the count on the tensor, for all views of its memory.

    Args:
        tensor: Tensor that was written to.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> x, before = Tensor([1.0]), ticks[0]
        >>> tick(x)
        >>> x.version == ticks[0] == before + 1
        True
    """
    ticks[0] += 1
    tensor.written[0] = ticks[0]


def follow(view, *inputs):
    """Let a tensor that shares an input's memory share its note of the last write: a write to either is one to both.

    Args:
        view: Tensor that was made from the inputs, of new memory or of theirs.
        inputs: What it was made from: tensors, arrays and numbers.

    Returns:
        The tensor.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> x = Tensor([1.0, 2.0])
        >>> part = x[:1]
        >>> x.zero_(), part.version == x.version > 0
        (tensor([0., 0.]), True)
    """
    base = view.data.base
    for x in inputs:
        if isinstance(x, type(view)) and (x.data is base or x.data.base is base):
            view.written = x.written
    return view


def record(out, op, inputs, params):
    """Remember on a result where it came from, if a gradient may one day have to flow back through it.

    That is so when recording is on, some input requires a gradient, and the result is a floating-point tensor.

    Args:
        out: Tensor that the op returned; its ``requires_grad`` and ``origin`` are set.
        op: The op that ran.
        inputs: Tuple of its inputs, tensors and numbers, before they were unwrapped.
        params: Dict of its settings; the defaults of the others are filled in.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> (Tensor([1.0], requires_grad=True) * 2).origin.op.name
        'mul'
    """
    if getattr(out.data, "base", None) is not None:  # arrays of a device need not have one
        follow(out, *inputs)
    if not state.recording or out.data.dtype.kind != "f":
        return
    kind = type(out)
    for x in inputs:
        if isinstance(x, kind) and x.requires_grad:
            out.requires_grad, out.origin = True, Origin(op, inputs, {**op.defaults, **params}, ticks[0])
            return


def load(kernels):
    """Make a kernel set ready: import what registers its kernels. Nothing is compiled before an op runs.

    Args:
        kernels: ``"numpy"``, or ``"numba"``: the kernels of module 10, if exported, and those that are given.

    Returns:
        Name of the set that can run here: ``"numpy"``, with a warning, where numba is not installed.

    Raises:
        ValueError: There is no such set.

    Example:
        >>> load("numpy")
        'numpy'
        >>> load("fast")
        Traceback (most recent call last):
        ...
        ValueError: there is no kernel set 'fast': the sets are numpy, numba
    """
    if kernels not in ("numpy", "numba"):
        raise ValueError(f"there is no kernel set {kernels!r}: the sets are numpy, numba")
    if kernels == "numpy" or kernels in _given:
        return kernels
    if importlib.util.find_spec("numba") is None:
        warnings.warn("numba is not installed, so the NumPy kernels run: "
                      "to install it, run `pip install 'tinytorch-course[kernels]'`", RuntimeWarning, stacklevel=3)
        return "numpy"
    try:
        importlib.import_module("tinytorch.kernels_cpu")
    except ImportError as error:
        if error.name != "tinytorch.kernels_cpu":  # else module 10 is still to be written
            raise
    _given[kernels] = importlib.import_module("tinytorch.kernels").find
    return kernels


class use:
    """Choose the kernel set that runs on the CPU, for good or for the length of a ``with`` block.

    The choice is this thread's. An op for which the set has no kernel runs its NumPy forward, and is counted in `fallbacks`.

    Args:
        kernels: ``"numpy"`` or ``"numba"``.

    Raises:
        ValueError: There is no such set.

    Example:
        >>> with use("numpy"):
        ...     state.kernels
        'numpy'
    """

    def __init__(self, kernels):
        self.previous, state.kernels = state.kernels, load(kernels)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        state.kernels = self.previous
