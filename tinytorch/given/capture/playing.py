"""Turn a tape into a list of calls with fixed buffers, and play it. Given.

A call is a function without arguments and without a result: everything that it reads and writes was fixed when it was made. So a
replay is ``for call in calls: call()``. On a GPU a call is a kernel's launch, ``kernel[grid, block, stream](...)``, and the same
list, played once while a stream is captured, becomes a graph.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from tinytorch.given.capture.arrays import empty_like
from tinytorch.given.capture.containers import leaves, nested
from tinytorch.given.capture.live import Live
from tinytorch.given.capture.memory import ALIGNED, plan
from tinytorch.given.capture.recording import CaptureError, Choice, Entry, Otherwise, Ref, refs
from tinytorch.given.prepared import prepare_mean, prepare_product, prepare_sum

PREPARED = {id(np.matmul): prepare_product, id(np.mean): prepare_mean}  # functions of NumPy that do much before they compute


class Line(NamedTuple):
    """What one entry of the tape becomes: its calls, and how they came about, for `tape()`."""

    entry: Entry
    calls: list
    form: str  # "out", "in place", "prepared", "copied", "choice" or "view"


class Player:
    """The calls of a tape, and the memory that they work in.

    Args:
        tape: List of `Entry`.
        outputs: List of `Ref`: what is still needed when the tape has been played.
        starts: List of arrays like the gradients from before the step.
        prepared: Whether to use the prepared forms of kernels.
    """

    def __init__(self, tape, outputs, starts, prepared=True):
        self.use_prepared = prepared
        self.groups = [(entry, self.taken_apart(entry)) for entry in tape]
        self.entries = [part for _, parts in self.groups for part in parts]
        read = {ref.root.index for ref in refs([entry[1:4] for entry in tape]) if ref.root.kind == "start"}
        read |= {ref.root.index for ref in outputs if ref.root.kind == "start"}
        self.same, self.starts = {}, {i: empty_like(starts[i]) for i in sorted(read)}
        for entry in tape:
            if entry.parts and self.entries and self.in_parts(entry):
                self.same[entry.parts[-1].root] = entry.out.root
        self.kept = {self.same.get(ref.root, ref.root) for ref in outputs}
        self.scratch_sizes = [0] * len(self.entries)
        self.place()
        if any(self.measure()):  # kernels want scratch: it is part of the plan, too
            self.arena = None  # so that there are not two
            self.place()
        self.lines = [self.line(number, entry) for number, entry in enumerate(self.entries)]
        lines = iter(self.lines)
        self.calls = [call for entry, parts in self.groups for call in self.chosen(entry, [next(lines) for _ in parts])]

    def in_parts(self, entry):
        """Say whether an entry is replayed part by part: it can be, and its kernel has no prepared form."""
        if not entry.parts or entry.is_view() or self.use_prepared and entry.op.prepared.get(entry.kernels):
            return False
        last, out = entry.parts[-1], entry.out
        return last.root.kind == "part" and (last.root.nbytes, last.offset, last.strides) == (
            out.root.nbytes,
            out.offset,
            out.strides,
        )

    def taken_apart(self, entry):
        """Return the parts of an entry, or the entry itself; where a part may choose, what the whole entry needs is kept."""
        if not self.in_parts(entry):
            return [entry]
        parts = [part._replace(op=entry.op, line=entry.line) for part in entry.parts[:-1]]
        whole = entry.inputs, entry.settings
        return [part._replace(inputs=(*part.inputs, whole)) if isinstance(part.function, Choice) else part for part in parts]

    # Memory.

    def spans(self):
        """Return the bytes of each piece of memory, and the first and the last entry that needs it."""
        spans = {}
        for number, entry in enumerate(self.entries):
            for ref in refs((entry.inputs, entry.settings, entry.out)):
                root = self.same.get(ref.root, ref.root)
                if root.kind in ("made", "part") and not root.on_device:
                    size, first, _ = spans.get(root, (root.nbytes, number, number))
                    spans[root] = size, first, len(self.entries) if root in self.kept else number
            if self.scratch_sizes[number]:
                spans["scratch", number] = self.scratch_sizes[number], number, number
        return spans

    def place(self):
        """Plan the arena, and take it."""
        self.offsets, self.bytes = plan(self.spans())
        self.arena = aligned(self.bytes)

    def poison(self):
        """Fill the arena with nan, so that what is read before it is written shows."""
        self.arena[...] = 0xFF

    def memory(self, root):
        """Return the bytes of a piece of memory."""
        root = self.same.get(root, root)
        if root.kind == "start":
            return self.starts[root.index].reshape(-1).view(np.uint8)
        return self.arena[self.offsets[root] : self.offsets[root] + root.nbytes]

    def array(self, ref):
        """Return the array that a reference means here; anything else as it is."""
        if not isinstance(ref, Ref) or ref.root.kind in ("outside", "input"):
            return ref.array if isinstance(ref, Ref) else ref
        return np.ndarray(ref.shape, ref.dtype, self.memory(ref.root), ref.offset, ref.strides)

    def measure(self):
        """Ask the prepared forms how much scratch they want, and return the bytes for each entry."""

        def counted(number):
            def scratch(shape, dtype=np.float32):
                array = np.empty(shape, dtype)
                self.scratch_sizes[number] += -(-array.nbytes // ALIGNED) * ALIGNED
                return array

            return scratch

        for number, entry in enumerate(self.entries):
            self.prepare(entry, counted(number))
        return self.scratch_sizes

    def scratch(self, number):
        """Return the function that gives an entry's prepared form its scratch."""
        start = self.offsets.get(("scratch", number), 0)
        taken = [start]

        def scratch(shape, dtype=np.float32):
            array = np.ndarray(shape, dtype, self.arena, taken[0])
            taken[0] += -(-array.nbytes // ALIGNED) * ALIGNED
            return array

        return scratch

    # Calls.

    def prepare(self, entry, scratch):
        """Return the calls of an entry's prepared form; None if there is none for these arrays."""
        form = entry.op.prepared.get(entry.kernels) if entry.op and self.use_prepared and not entry.is_view() else None
        if form is None:
            return None
        inputs, settings = self.arguments(entry)
        if any(isinstance(x, Live) for x in leaves(inputs)):
            return None
        if entry.out is None:
            if any(isinstance(x, tuple) and list_like(x) for x in settings.values()):  # such as betas, made of two live numbers
                return None
            make = form(scratch, *inputs)
            return None if make is None else [renewed(make, settings)]
        if any(isinstance(x, Live) for x in leaves(settings)):
            return None
        return form(self.array(entry.out), scratch, *inputs, **{**entry.op.defaults, **settings})

    def prepared_function(self, entry, inputs, settings):
        """Return a call that does what a function of NumPy's does, with less before it computes; None if there is none."""
        if is_reduction(entry.function) and entry.function.__self__ is np.add and entry.takes_out:
            return prepare_sum(inputs, settings, self.array(entry.out)) if self.use_prepared else None
        prepare = PREPARED.get(id(entry.function))
        if prepare and not settings and all(isinstance(x, np.ndarray) for x in inputs):
            return prepare(*inputs, self.array(entry.out))
        return None

    def chosen(self, entry, lines):
        """Return the calls of an entry's lines; if one of them chooses otherwise than in the recording, the whole entry runs."""
        calls = [call for line in lines for call in line.calls]
        if not any(line.form == "choice" for line in lines):
            return calls
        whole = copied(bound(entry.function, *self.arguments(entry)), self.array(entry.out), entry)

        def call():
            try:
                for part in calls:
                    part()
            except Otherwise:
                whole()

        return [call]

    def arguments(self, entry):
        """Return the inputs and the settings of an entry, with arrays."""
        return nested(self.array, entry.inputs), nested(self.array, entry.settings)

    def line(self, number, entry):
        """Return what an entry becomes."""
        if entry.is_view():
            return Line(entry, [], "view")
        if isinstance(entry.function, Choice):
            return Line(entry, [partial(entry.function, self.array(entry.inputs[0]))], "choice")
        calls = self.prepare(entry, self.scratch(number))
        if calls is not None:
            return Line(entry, calls, "prepared")
        inputs, settings = self.arguments(entry)
        call = self.prepared_function(entry, inputs, settings)
        if call is not None:
            return Line(entry, [call], "out")
        if entry.out is None:
            return Line(entry, [bound(entry.function, inputs, settings)], "in place")
        if entry.takes_out:
            return Line(entry, [bound(entry.function, *with_out(entry.function, inputs, settings, self.array(entry.out)))], "out")
        return Line(entry, [copied(bound(entry.function, inputs, settings), self.array(entry.out), entry)], "copied")


def with_out(function, inputs, settings, out):
    """Return the inputs and the settings of a function of NumPy that writes to ``out``; by position, that takes 0.2 us less."""
    if isinstance(function, np.ufunc) and not settings and function not in (np.maximum, np.minimum):  # these want the keyword
        return (*inputs, out), {}
    if is_reduction(function) and len(inputs) == 1 and settings.keys() <= {"axis", "dtype", "keepdims"}:
        return (*inputs, settings.get("axis", 0), settings.get("dtype"), out, settings.get("keepdims", False)), {}
    return inputs, {**settings, "out": out}


def is_reduction(function):
    """Say whether a function is `reduce` of a ufunc, such as `np.add.reduce`."""
    return isinstance(getattr(function, "__self__", None), np.ufunc) and function.__name__ == "reduce"


def bound(function, inputs, settings):
    """Return a call of a function with fixed arguments; live numbers are computed again each time."""
    if not any(isinstance(x, Live) for x in leaves((inputs, settings))):
        return partial(function, *inputs, **settings) if inputs or settings else function

    def now(x):
        return x.read() if isinstance(x, Live) else x

    if not any(isinstance(x, Live) for x in leaves(inputs)) and all(
        isinstance(x, Live) or not list_like(x) for x in settings.values()
    ):
        moving = [(key, x.read) for key, x in settings.items() if isinstance(x, Live)]
        known = {key: x for key, x in settings.items() if not isinstance(x, Live)}
        fixed = partial(function, *inputs, **known) if inputs or known else function
        if len(moving) == 1:
            ((key, read),) = moving
            return lambda: fixed(**{key: read()})
        return lambda: fixed(**{key: read() for key, read in moving})
    return lambda: function(*nested(now, inputs), **nested(now, settings))


def renewed(make, settings):
    """Return a call that makes the call for the settings of now, and keeps it for as long as they stay the same.

    Args:
        make: Function of the settings that returns a call.
        settings: Dict; some of its values may be live numbers.
    """
    moving = [(key, x.read) for key, x in settings.items() if isinstance(x, Live)]
    known = {key: x for key, x in settings.items() if not isinstance(x, Live)}
    if not moving:
        return make(**known)
    held, ready = None, None
    if len(moving) == 1:
        ((key, read),) = moving

        def call():
            nonlocal held, ready
            now = read()
            if now is not held:
                held, ready = now, make(**known, **{key: now})
            ready()

        return call

    def call_of_several():
        make(**known, **{key: read() for key, read in moving})()

    return call_of_several


def list_like(x):
    """Say whether something may hold live numbers inside."""
    return isinstance(x, (list, dict)) or isinstance(x, tuple) and any(isinstance(leaf, Live) for leaf in leaves(x))


def copied(function, out, entry):
    """Return a call that runs a function and copies its result to where the tape expects it."""

    def call():
        result = function()
        if getattr(result, "shape", ()) != out.shape:
            raise CaptureError(
                f"{entry.line} makes an array whose shape depends on numbers: {out.shape} when the step was recorded, "
                f"{np.shape(result)} now: choose with where(condition, a, b) instead"
            )
        out[...] = result

    return call


def aligned(size):
    """Return an array of bytes that starts at a line of the cache."""
    memory = np.empty(size + ALIGNED, np.uint8)
    start = -memory.ctypes.data % ALIGNED
    return memory[start : start + size]
