"""Write a step down as a tape: which functions ran, on which memory, in which order. Given."""

import contextvars
import threading
import weakref
from typing import Any, NamedTuple

import numpy as np

from tinytorch.given.capture.arrays import offset_of, on_device, owner_of
from tinytorch.given.capture.containers import leaves, nested
from tinytorch.given.capture.live import LiveDict
from tinytorch.given.capture.sources import PACKAGE, where, within
from tinytorch.given.capture.traced import Moving, Traced, bare, current
from tinytorch.given.device import is_array
from tinytorch.given.op import InPlace, part


class CaptureError(RuntimeError):
    """A step does something that a tape cannot repeat. The message names the line, and says what to write."""

    def __init__(self, text):
        super().__init__(text)
        recorder = getattr(current, "recorder", None)
        if recorder is not None:  # the step may catch the error: `Recorder.outcome` raises it then
            recorder.refusals.append(self)


class Unsuitable(Exception):
    """A kernel's own NumPy cannot be taken apart; the kernel is replayed as a whole."""


class Root:
    """A piece of memory that arrays lie in.

    Args:
        kind: ``"input"``, ``"start"`` (a gradient from before the step), ``"made"`` by an entry, ``"part"``: made inside a
            kernel, or ``"outside"``: everything else.
        index: Number among those of its kind, in the order in which they were met.
        owner: The array that owns the memory; held only if a replay works in that memory, too.
    """

    def __init__(self, kind, index, owner):
        self.kind, self.index, self.nbytes, self.on_device = kind, index, owner.nbytes, on_device(owner)
        self.stays = kind in ("input", "outside")
        self.owner = owner if self.stays else None
        self.name = kind, index


class Ref:
    """An array as the tape knows it: where in which memory its numbers are.

    Args:
        root: The `Root`.
        array: The array.
    """

    def __init__(self, root, array):
        self.root, self.offset = root, offset_of(array, owner_of(array))
        self.shape, self.strides, self.dtype = array.shape, array.strides, array.dtype
        self.array = array if root.stays else None  # held only if a replay works in the same memory

    def name(self):
        """Return what is the same in two recordings of a step."""
        return "array", self.root.name, self.offset, self.shape, self.strides, self.dtype


class Entry(NamedTuple):
    """One line of the tape.

    Args:
        function: What runs.
        inputs: Tuple of its arguments, with a `Ref` in place of every array.
        settings: Dict of its keyword arguments, the same.
        out: `Ref` of the result; None for a function that writes to its arguments.
        op: The op whose kernel it is, or None for NumPy's own functions.
        kernels: The kernel set that the op's kernel is from.
        takes_out: Whether the function can write to a given array: ``function(..., out=array)``.
        parts: Entries that do the same with NumPy's functions, one by one; None if that is not known.
        line: Where the user's code called it.
        moves: Whether it copies numbers to or from a device on the way.
    """

    function: Any
    inputs: tuple
    settings: dict
    out: Ref | None
    op: Any = None
    kernels: str = ""
    takes_out: bool = False
    parts: list | None = None
    line: str = ""
    moves: bool = False

    def is_view(self):
        """Say whether the result lies in the memory of an argument: then there is nothing to do in a replay."""
        return self.out is not None and any(ref.root is self.out.root for ref in refs((self.inputs, self.settings)))


def refs(x):
    """Return the array references among the leaves."""
    return [leaf for leaf in leaves(x) if isinstance(leaf, Ref)]


class Recorder:
    """A watcher that writes down every kernel, and every piece of NumPy that works on a tensor's array.

    Args:
        inputs: The arrays that the step's arguments are copied to.
        starts: The arrays of the gradients that parameters have before the step.
        keep: Function of an array that is called before something is written to it.
    """

    def __init__(self, inputs, starts, keep):
        self.keep = keep
        self.thread, self.tape, self.inside, self.open = threading.get_ident(), [], None, True
        self.roots, self.counts = {}, {"made": 0, "part": 0, "outside": 0}
        self.live, self.written, self.errors = set(), {}, np.geterr()
        self.refusals, self.outlive, self.fresh, self.numbers_of_python = [], set(), {}, set()
        self.conditions, self.counters, self.frozen, self.generators, self.questions = {}, {}, {}, {}, []
        for kind, arrays in (("input", inputs), ("start", starts)):
            for index, array in enumerate(arrays):
                self.know(owner_of(array), Root(kind, index, owner_of(array)))

    # What ops ask every watcher.

    def rule(self, function, op):
        return function

    def part(self, function, name):
        return function

    def numbers(self, plain):
        return LiveDict(plain) if self.is_mine() else plain

    def random(self, generator):
        return Draws(self, generator) if self.is_mine() else generator

    def question(self, function):
        """Return a function that asks about numbers, and writes down question and answer.

        What is asked of the step's arguments is asked again before a replay, and anything else in the middle of it.
        """
        if not self.is_mine():
            return function
        if self.inside is not None:
            raise Unsuitable("question")

        def ask(*arrays):
            answer = bool(self.alone(function, arrays, {}))
            question, (places, _) = Question(function, answer, where()), self.known(arrays, {})
            if all(ref.root.kind == "input" for ref in places):
                self.questions.append((question, [ref.array for ref in places]))
            else:
                self.add(Entry(question, places, {}, None, line=where(), moves=self.moved))
            return answer

        return ask

    def upload(self, function):
        """Return a function that copies an array to a device, and writes that down."""
        if not self.is_mine():
            self.moved = True
            return function
        return lambda array: self.result(Entry(function, *self.known((array,), {}), None, line=where()), function(bare(array)))

    def download(self, function):
        """Refuse to copy an array from a device, unless a function that is written down as a whole does it."""
        if not self.is_mine():
            self.moved = True
            return function
        return lambda array: self.read("a copy from the device", array, None)

    def kernel(self, function, op, kernels, fell_back=False):
        """Return a function that runs a kernel and writes that down."""
        if not self.is_mine() or self.inside is not None:
            return function

        def run(*inputs, **settings):
            self.refuse_tensors(op, settings)
            if isinstance(op, InPlace):
                self.keep_all(inputs)
            plain = self.alone(function, inputs, settings)
            entry = Entry(function, *self.known(inputs, settings), None, op, kernels, line=where(), moves=self.moved)
            if plain is None:
                self.add(entry, written=inputs)
                return None
            if on_device(plain):
                return self.result(entry, plain)
            kernel, plain = rounded(function, inputs, plain)
            parts = None
            moving = any(isinstance(x, Moving) for x in leaves((inputs, settings)))
            if function is op.forward and kernel is function and not moving:
                parts = self.parts_of(function, inputs, settings, plain)
            return self.result(entry._replace(function=kernel, parts=parts), plain)

        return run

    def whole(self, function):
        """Return a function that runs one which changes arrays and returns a number, and writes it down as one entry.

        The number becomes a traced array: Python cannot read it, but the step may return it.
        """
        if not self.is_mine():
            return function

        def run(*inputs, **settings):
            self.keep_all(inputs)
            plain = np.asarray(self.alone(function, inputs, settings))
            entry = Entry(function, *self.known(inputs, settings), None, line=where(), moves=self.moved)
            out = self.result(entry, plain)
            self.numbers_of_python.add(self.root(out))
            for array in inputs:
                self.add_written(array, entry.line)
            return Traced(out)

        return run

    def alone(self, function, inputs, settings):
        """Run a function on plain arrays, and write down nothing of what it does inside."""
        self.open, self.moved = False, False
        try:
            return function(*bare(inputs), **bare(settings))
        finally:
            self.open = True

    # What traced arrays ask.

    def run(self, function, inputs, settings, takes_out=False):
        """Run a function of NumPy, write it down, and return its result as a traced array."""
        plain = function(*bare(inputs), **bare(settings))
        if not isinstance(plain, (np.ndarray, np.generic)):
            return self.read(getattr(function, "__name__", "this"), None, plain)
        errors = np.geterr()
        function = function if errors == self.errors else Quiet(function, errors)
        entry = Entry(function, *self.known(inputs, settings), None, takes_out=takes_out, line=where())
        return Traced(self.result(entry, np.asarray(plain)))

    def write(self, function, inputs, settings):
        """Run a function of NumPy that writes to an array, and write it down."""
        target = settings.get("out", inputs[0] if inputs else None)
        if self.inside is not None and isinstance(target, np.ndarray) and self.look_up(owner_of(bare(target))) is None:
            raise Unsuitable("an array that the kernel makes without a tensor")  # such as np.zeros: a replay would go on with it
        is_new = is_array(target) and self.look_up(owner_of(bare(target))) is None
        self.keep_all(target)
        if is_new and self.root(target) in self.fresh and overwrites(function, inputs, settings):
            self.fresh[self.root(target)][1].values[...] = 0  # whatever was in that memory, as np.empty gives it, is not read
        function(*bare(inputs), **bare(settings))
        self.add(Entry(function, *self.known(inputs, settings), None, line=where()), written=target)

    def read(self, name, array, value):
        """Refuse to hand a number to Python; inside a kernel, a replay can check that a choice turns out the same."""
        if self.inside is not None and name == "__bool__":
            self.add(Entry(Choice(value), (self.ref(array),), {}, None))
            return value
        if self.inside is not None:
            raise Unsuitable(name)
        raise CaptureError(
            f"{where()} reads numbers of a tensor ({name.strip('_')}{within(name)}) inside a captured step, and a replay would "
            "keep those of the recording: return the tensor from the step and read it there, or read it before the step and pass "
            "the number as an argument; to choose by values, use where(condition, a, b)"
        )

    def refuse_tensors(self, op, settings):
        """Refuse a tensor as a size, as an axis or in a slice: there, it becomes a number of Python's."""
        for leaf in leaves(settings):
            bounds = (leaf.start, leaf.stop, leaf.step) if isinstance(leaf, slice) else (leaf,)
            if any(isinstance(x, part("Tensor")) for x in bounds):
                raise CaptureError(
                    f"{where()} gives {op.name} a tensor as a whole number: a size, an axis or an end of a slice. A replay would "
                    "keep the number of the recording: read it outside of the captured step, and pass it as a number; or take "
                    "entries at places that change with a tensor of places: data[i + arange(8)] for data[i : i + 8]"
                )

    def expose(self, asker):
        """Refuse to hand out a plain array of a tensor's numbers, unless a file of the package asks for it; kernels go without.

        Args:
            asker: The file, or the name of the attribute that leads to the numbers.
        """
        if self.inside is not None:
            raise Unsuitable(asker)
        if not asker.startswith(PACKAGE):
            raise CaptureError(
                f"{where()} makes a plain array of a tensor's numbers, and what becomes of it is not replayed: compute with "
                "the tensor's array itself (x.data, x.data.copy(), x.data.astype(dtype)), or pass the array as an argument"
            )

    def freeze(self, sources):
        """Note that Python keeps a number which may change; refuse it if the step itself changes it."""
        self.frozen.update({source: where() for source in sources})

    def count(self, plain, key, value):
        """Write down that a number in a dict becomes the value of a live number."""

        read = value.read

        def advance(*what):
            plain[key] = read()

        advance.__name__ = "count"
        self.counters[id(plain), key] = value.foresee
        self.add(Entry(advance, (id(plain), key, value.name), {}, None, line=where()))

    def outcome(self, step):
        """Return what a step returns; raise what was refused in it, even if the step caught that."""
        try:
            result = step()
        except Exception:
            if not self.refusals:
                raise
        if self.refusals:
            raise self.refusals[0]
        return result

    # The tape.

    def is_mine(self):
        """Say whether the thread that asks is the one that records."""
        return self.open and threading.get_ident() == self.thread

    def add(self, entry, written=()):
        """Append an entry; refuse one that writes to the step's arguments."""
        (self.tape if self.inside is None else self.inside).append(entry)
        for array in leaves(written):
            if is_array(array):
                self.add_written(array, entry.line)

    def keep_all(self, arrays):
        """Let arrays from outside be copied that are about to be written to."""
        for array in leaves(arrays):
            if is_array(array) and self.root(array).kind == "outside" and self.root(array) not in self.fresh:
                self.alone(self.keep, (owner_of(bare(array)),), {})

    def add_written(self, array, line):
        """Note that some memory was written to."""
        root = self.root(array)
        if root.kind == "outside":
            self.written[id(root.owner)] = root.owner
        if root.kind == "input" and self.inside is None:
            raise CaptureError(
                f"{line} writes to an argument of the captured step, which a replay would do to a copy: "
                "make a new tensor (x = x + 1)"
            )

    def result(self, entry, plain):
        """Append an entry with a result, and return the result."""
        owner = owner_of(plain)
        if self.look_up(owner) is None:
            kind = "made" if self.inside is None else "part"
            self.know(owner, Root(kind, self.counts[kind], owner))
            self.counts[kind] += 1
        self.add(entry._replace(out=self.ref(plain)))
        return plain

    def known(self, inputs, settings):
        """Return arguments with references in place of arrays."""
        return nested(self.ref, tuple(inputs)), nested(self.ref, settings)

    def ref(self, x):
        """Return the reference of an array; anything else as it is."""
        if not is_array(x):
            return x
        x = bare(x)
        root = self.root(x)
        return Ref(root, x)

    def root(self, array):
        """Return the memory of an array; what no entry made comes from outside."""
        owner = owner_of(bare(array))
        root = self.look_up(owner)
        if root is None:
            root = Root("outside", self.counts["outside"], owner)
            self.counts["outside"] += 1
            self.know(owner, root)
            if isinstance(owner, np.ndarray) and id(owner) not in self.outlive and self.inside is None:
                self.fresh[root] = len(self.tape), NewArray(owner)
        return root

    def make_new_arrays(self):
        """Let the tape make the arrays that the step made without an op and wrote to, such as ``out`` in ``out[0] = x``."""
        written = [(root, place, new) for root, (place, new) in self.fresh.items() if id(root.owner) in self.written]
        for root, place, new in reversed(written):
            owner = self.written.pop(id(root.owner))
            root.kind, root.stays, root.owner = "made", False, None
            self.tape.insert(place, Entry(new, (), {}, self.ref(owner), line=new.line))

    def look_up(self, owner):
        """Return the memory that is known under an owner, if that is still the same array."""
        alive, root = self.roots.get(id(owner), (None, None))
        return root if alive is not None and alive() is owner else None

    def know(self, owner, root):
        """Remember the owner of some memory."""
        self.roots[id(owner)] = weakref.ref(owner), root

    def parts_of(self, function, inputs, settings, plain):
        """Return the entries that a NumPy kernel consists of; None if it does something that cannot be taken apart."""
        self.inside = []
        try:
            out = function(*nested(traced, tuple(inputs)), **nested(traced, settings))
            good = isinstance(out, Traced) and out.dtype == plain.dtype and out.shape == plain.shape
            if good and out.strides == plain.strides and bare(out).tobytes() == plain.tobytes():
                return [*self.inside, self.ref(out)]
        except Exception:  # whatever it was, the kernel as a whole can be replayed
            pass
        finally:
            self.inside = None
        return None


def overwrites(function, inputs, settings):
    """Say whether a function writes to all of its first argument, and to all of the memory that this lies in."""
    whole = function is np.copyto and "where" not in settings or function is np.ndarray.fill
    whole |= function is np.ndarray.__setitem__ and inputs[1] is Ellipsis
    return whole and inputs[0].nbytes == owner_of(bare(inputs[0])).nbytes


class NewArray:
    """An array that the step made without an op, as it was when an op met it first.

    Args:
        array: The array.
    """

    __name__ = "a new array"

    def __init__(self, array):
        self.array, self.values, self.line = weakref.ref(array), array.copy(), where()

    def __call__(self):
        return self.values


class Silent:
    """The output of a program, to which a step that is recorded may not print: replays would not.

    Args:
        recorder: The `Recorder`.
        output: The output itself; what other threads print goes there.
    """

    def __init__(self, recorder, output):
        self.recorder, self.output = recorder, output

    def write(self, text):
        """Refuse to write, or hand it on."""
        if self.recorder.is_mine():
            raise CaptureError(f"{where()} prints {text!r}, which a replay would not do: print outside of the captured step")
        return self.output.write(text)

    def __getattr__(self, name):
        return getattr(self.output, name)


class Otherwise(Exception):
    """A kernel chooses otherwise than when it was recorded."""


class Choice:
    """What a kernel asked of its numbers, such as whether a label is out of range, and the answer when it was recorded."""

    def __init__(self, answer):
        self.answer = answer

    def __call__(self, array, *others):
        if bool(array) is not self.answer:
            raise Otherwise


class Question:
    """A question about numbers that decides what a step does, and the answer when it was recorded.

    Args:
        function: Function of arrays.
        answer: True or False.
        line: Where the step asks.
    """

    __name__ = "question"

    def __init__(self, function, answer, line):
        self.function, self.answer, self.line = function, answer, line

    def is_answered_so(self, *arrays):
        """Say whether the answer is the same now."""
        return bool(self.function(*arrays)) is self.answer

    def __call__(self, *arrays):
        if not self.is_answered_so(*arrays):
            raise CaptureError(
                f"{self.line} chooses by numbers, and now otherwise than when the step was recorded: pass what it looks at, "
                "such as labels, to the step as an argument; then it is recorded for both cases"
            )


class Quiet:
    """A function of NumPy that runs under the warnings that were chosen for it, such as none when dividing by 0.

    NumPy keeps that choice in a context variable, so a context is made once: entering `np.errstate` each time takes 5 us.
    """

    def __init__(self, function, errors):
        self.function, self.errors, self.__name__ = function, errors, getattr(function, "__name__", "")
        with np.errstate(**errors):
            self.run = contextvars.copy_context().run

    def __call__(self, *inputs, **settings):
        return self.run(self.function, *inputs, **settings)

    def __eq__(self, other):
        return isinstance(other, Quiet) and (self.function, self.errors) == (other.function, other.errors)


def traced(x):
    """Return a traced array in place of a plain one."""
    return Traced(x) if isinstance(x, np.ndarray) else x


def rounded(function, inputs, out):
    """Do what `wrap` does with a kernel's result: float64 only if an input was, or by a cast; arrays instead of numbers."""
    out = np.asarray(out)
    kinds = {str(getattr(x, "dtype", "")) for x in inputs}
    if out.dtype != np.float64 or "float64" in kinds or kinds == {"float32"}:
        return function, out
    return lambda *inputs, **settings: np.asarray(function(*inputs, **settings)).astype(np.float32), out.astype(np.float32)


class Draws:
    """A random generator that writes down what is drawn from it: each replay draws new numbers.

    Args:
        recorder: The `Recorder`.
        generator: The ``numpy.random.Generator``.
    """

    def __init__(self, recorder, generator):
        self.recorder, self.generator = recorder, generator

    def __getattr__(self, name):
        method = getattr(self.generator, name)
        if not callable(method):
            return method
        self.recorder.generators[id(self.generator)] = self.generator
        return lambda *inputs, **settings: self.recorder.run(method, inputs, settings)
