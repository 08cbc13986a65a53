"""The op: a NumPy function on which later modules register more. Given.

An op starts in one module as a plain function on arrays. Gradient rules (module 05), faster kernels (module 10) and
GPU kernels (module 11) are registered on it later: nothing is patched, and no earlier file changes. PyTorch's
``torch.library``, HIPS autograd's ``defvjp`` and JAX's primitives have the same shape.

`dispatch` chooses the function that runs an op; `history` holds what a result remembers of it.
"""

import functools
import importlib
import inspect
import sys

from tinytorch.given import shapes
from tinytorch.given.dispatch import select_kernel
from tinytorch.given.state import watched, watchers

# The parts that modules register, and the file that registers each.
HOME = {"apply": "tinytorch.tensor", "Tensor": "tinytorch.tensor", "backward": "tinytorch.autograd"}
_parts = {}
registrations = [0]  # how often something has been registered on an op
ops = {}  # name -> the op that `@op` made; the methods of tensors look ops up here


def register(name):
    """Register the decorated function or class as a part of the framework; registering again replaces it.

    Args:
        name: ``"apply"``, which runs an op; ``"Tensor"``, the class of their results; or ``"backward"``, which walks back
            through the ops that ran.

    Returns:
        A decorator that returns its function or class unchanged.

    Raises:
        ValueError: There is no such part.

    Example:
        >>> register("forward")
        Traceback (most recent call last):
        ...
        ValueError: there is no part 'forward': the parts are apply, Tensor, backward
    """
    if name not in HOME:
        raise ValueError(f"there is no part {name!r}: the parts are {', '.join(HOME)}")

    def keep(made):
        _parts[name] = made
        return made

    return keep


def part(name):
    """Return a registered part; import the module that registers it if it is not there yet.

    Args:
        name: ``"apply"``, ``"Tensor"`` or ``"backward"``.

    Returns:
        The function or class registered last.

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

    patterns = None  # one for each input; () if all inputs have the same shape; None if any shape will do
    check_settings = None
    adapts = False  # whether something is to be done before a kernel: settings to be checked, floats to be made
    takes_floats = None  # slice of the inputs: their integers become floats before a kernel sees them

    def __init__(self, forward):
        functools.update_wrapper(self, forward)
        self.name = forward.__name__
        self.forward = forward
        self.defaults = forward.__kwdefaults__ or {}
        self.rules = ()
        self.rule_of_each = None
        self.kernels = {}
        self.prepared = {}
        self.right_shapes = set()
        self.flops = self.moved = None

    # Read when an op is first called, because most programs import many more ops than they call.

    @functools.cached_property
    def signature(self):
        """The signature of the forward function."""
        return inspect.signature(self.forward)

    @functools.cached_property
    def most(self):
        """How many inputs the op takes at most."""
        return sys.maxsize if self._named("VAR_POSITIONAL") else len(self._named("POSITIONAL_OR_KEYWORD"))

    @functools.cached_property
    def names(self):
        """The names of the inputs, and ``input``, which is PyTorch's name for the first."""
        return frozenset(["input", *self._named("POSITIONAL_OR_KEYWORD")])

    @functools.cached_property
    def settings(self):
        """The names of the settings, in order."""
        return self._named("KEYWORD_ONLY")

    def _named(self, kind):
        """Return the names of the arguments of one kind, in order."""
        return [name for name, parameter in self.signature.parameters.items() if parameter.kind.name == kind]

    def __call__(self, *inputs, **params):
        if len(inputs) > self.most or params and not self.names.isdisjoint(params):
            inputs, params = self.bind(inputs, params)
        return (_parts.get("apply") or part("apply"))(self, *inputs, **params)

    def bind(self, inputs, params):
        """Sort arguments into inputs and settings when inputs come by name, or settings by position.

        Args:
            inputs: Tuple of the positional arguments: inputs, then possibly settings, in the forward's order.
            params: Dict of the keyword arguments.

        Returns:
            Tuple of all inputs, and dict of all settings.

        Raises:
            TypeError: There are too many arguments, one is missing, or one has an unknown name.

        Example:
            >>> scale = Op(lambda a, factor, *, shift=0: a * factor + shift)
            >>> scale.bind((1.0, 2.0, 3.0), {})
            ((1.0, 2.0), {'shift': 3.0})
            >>> scale.bind((1.0,), {"factor": 2.0})
            ((1.0, 2.0), {'shift': 0})
        """
        if "input" in params and "input" not in self.signature.parameters:
            inputs = (params.pop("input"), *inputs)
        extra = inputs[self.most :]
        if len(extra) > len(self.settings):
            raise TypeError(
                f"{self.name}{self.signature} takes at most {self.most + len(self.settings)} arguments, got {len(inputs)}"
            )
        given = self.signature.bind(*inputs[: self.most], **dict(zip(self.settings, extra)), **params)
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
            each: One rule for all inputs instead, for an op with any number of them; it also receives ``argument``, the position.

        Example:
            >>> triple = Op(lambda a: a * 3)
            >>> triple.register_vjp(lambda grad, out, a: grad * 3)
            >>> triple.rule(0)(1.0, None, 5.0)
            3.0
        """
        self.rules, self.rule_of_each = rules, each
        registrations[0] += 1

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
            raise NotImplementedError(
                f"op {self.name!r} has no gradient rule for argument {argument}: write one with {self.name}.register_vjp(...)"
            )
        each = self.rule_of_each
        rule = functools.partial(each, argument=argument) if each else self.rules[argument]
        return watched("rule", rule, self) if watchers else rule

    def register_kernel(self, name):
        """Register the decorated function, which has the forward's signature, as this op's kernel.

        Args:
            name: A CPU kernel set, such as ``"numba"``, or a device, such as ``"cuda"``.

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
            self.prepared.pop(name, None)  # it belongs to the kernel that was there before
            registrations[0] += 1
            return kernel

        return keep

    def register_prepared(self, name):
        """Register the decorated function, which prepares this op's kernel for many runs on the same arrays.

        `tinytorch.capture` asks it once where each result goes, and from then on makes its calls.

        Args:
            name: The kernel set or device, such as ``"numba"``; its kernel must be registered first.

        Returns:
            A decorator that returns its function unchanged. The function is
            ``prepare(out, scratch, *arrays, **settings) -> [call, ...]``: each call takes nothing, returns nothing and, together,
            they write to ``out`` what the kernel would return. ``scratch(shape, dtype)`` gives memory that holds numbers during
            these calls only. For an op in place it is ``prepare(scratch, *arrays) -> make``, and ``make(**settings)`` returns the
            call for these settings, because they may change from step to step. None means that these arrays are not covered.

        Example:
            >>> import numpy as np
            >>> double = Op(lambda a: a * 2)
            >>> prepare = double.register_prepared("numpy")(lambda out, scratch, a: [lambda: np.multiply(a, 2, out=out)])
            >>> out = np.zeros(1)
            >>> for call in double.prepared["numpy"](out, np.empty, np.ones(1)): _ = call()
            >>> out
            array([2.])
        """

        def keep(prepare):
            self.prepared[name] = prepare
            registrations[0] += 1
            return prepare

        return keep

    def register_shapes(self, *patterns, check=None):
        """Register which shapes the op takes; other shapes are refused before any kernel runs.

        Args:
            patterns: One string for each input, such as ``"n c h w"``: a name for each axis. Axes with the same name need
                the same size. ``"..."`` at the start means any number of axes. A pattern of None, or an input that is
                left out, is not checked. Without patterns and ``check``, all inputs need the same shape.
            check: Function ``check(*shapes, **settings)`` that raises a ValueError if shapes and settings do not fit
                together; None if the patterns say everything.

        Example:
            >>> import numpy as np
            >>> weigh = Op(lambda x, weight: x @ weight.T)
            >>> weigh.register_shapes("... i", "o i")
            >>> select_kernel(weigh, np.ones((2, 3)), np.ones((5, 4)))
            Traceback (most recent call last):
            ...
            ValueError: <lambda> needs shapes (..., i), (o, i), got x (2, 3), weight (5, 4): i is 3 and 4
        """
        self.patterns, self.check_settings = None if check and not patterns else patterns, check
        self.adapts = self.adapts or check is not None
        self.right_shapes.clear()
        shapes.suit.cache_clear()

    def register_floats(self, first=None):
        """Make the op compute in floats: integer inputs become float32 first, as in PyTorch.

        NumPy would take the narrowest float that holds them (float16 for 8 bits), or wrap around below 0.

        Args:
            first: How many inputs this applies to, counted from the first; None for all.

        Example:
            >>> import numpy as np
            >>> root = Op(lambda a: np.sqrt(a))
            >>> root.register_floats()
            >>> select_kernel(root, np.array([4], np.uint8))(np.array([4], np.uint8))
            array([2.], dtype=float32)
        """
        self.takes_floats, self.adapts = slice(first), True

    def register_cost(self, flops, moved=None):
        """Register what the op costs, whichever kernel runs it; a profile divides the cost by the time it took.

        Args:
            flops: Function ``flops(out, *arrays, **params)`` of the result, the inputs and all settings, defaults
                included. It returns how many floating-point operations the op's formula takes.
            moved: Function of the same arguments that returns how many bytes must be read and written. None means that
                every array is read once and the result is written once.

        Example:
            >>> double = Op(lambda a: a * 2)
            >>> double.register_cost(lambda out, a: 1)
            >>> double.flops(42, 21)
            1
        """
        self.flops, self.moved = flops, moved


def op(forward):
    """Make an op of the decorated function.

    Args:
        forward: Function of arrays (positional) and settings (keyword-only) that returns an array.

    Returns:
        The `Op`; its attribute ``forward`` is the function itself.

    Example:
        >>> @op
        ... def double(a): return a * 2
        >>> double.name
        'double'
    """
    return enter(Op(forward))


def enter(made):
    """Put an op into the registry `ops`; it replaces an op of its name only if both come from the same file or notebook.

    So you can run a cell again, and an `exp` that a script defines does not change what ``x.exp()`` calls.

    Args:
        made: The op.

    Returns:
        The op.
    """
    taken = ops.get(made.name)
    if taken is None or taken.__module__ == made.__module__:
        ops[made.name] = made
    return made


class InPlace(Op):
    """An op that changes its arrays in place, like an optimizer's step: it takes arrays, not tensors.

    Its kernels are registered and chosen like any op's. Nothing is wrapped or remembered, and no gradient flows. Its arrays
    need the same shape, unless `register_shapes` says otherwise.
    """

    patterns = ()

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
    return enter(InPlace(forward))
