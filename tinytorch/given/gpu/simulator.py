"""A simulator of a GPU: it runs a kernel's Python source thread by thread, and says what goes wrong. Given.

``@cuda.jit`` makes a kernel, ``kernel[blocks, threads](arrays)`` launches it, as with numba. The threads of a block run in
turn, each until it has to wait; the same launch always does the same. `watch` also writes down every access to memory, and
returns a `Report` (`report.py`): races, memory sectors, bank conflicts, float64.

What is different from a GPU: whole numbers have no size while a kernel computes with them, and one that does not fit where it is
stored is an error; blocks run one after the other; and nothing here says how fast a kernel is.
"""

import functools
import inspect
import math
import sys
import threading
from types import SimpleNamespace

import numpy as np

from tinytorch.given.gpu.arrays import KernelArray, Unsupported, poisoned
from tinytorch.given.gpu.report import Report
from tinytorch.given.gpu.rewriting import INTEGERS, WARP_WAITS, Float32Math, names_of, raise_at, rewritten

WARP = 32  # threads that run in step
SHARED = 48 * 1024  # bytes that the arrays of a block may take, on every GPU
TURNS = 300_000  # of one while loop by all threads of a block, before it counts as endless
WATCHED = 150_000  # the same for a watched launch, which is slower: turns, and half of the accesses to memory
ONE_RUN = threading.RLock()  # the names that a kernel sees are those of one launch


class DivergentBarrier(RuntimeError):
    """Some threads of a block wait at a barrier that others never reach; on a GPU the kernel hangs, or goes wrong."""


class EndlessLoop(RuntimeError):
    """A while loop does not come to an end."""


def three(size):
    """Return a size given as an int or a tuple as a tuple of three ints.

    Example:
        >>> three(4), three((2, 3))
        ((4, 1, 1), (2, 3, 1))
    """
    sizes = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    return (*(int(n) for n in sizes), 1, 1)[:3]


def along(sizes):
    """Return sizes as what a kernel reads: with ``x``, ``y`` and ``z``."""
    return SimpleNamespace(**dict(zip("xyz", sizes)))


def places(sizes):
    """Return the positions in a grid or a block, in the order of their numbers: x changes first."""
    return [(x, y, z) for z in range(sizes[2]) for y in range(sizes[1]) for x in range(sizes[0])]


class Run:
    """One launch of a kernel: what its threads share, and which of them is running."""

    def __init__(self, kernel, grid, block, report=None):
        self.kernel, self.grid, self.block, self.report = kernel, three(grid), three(block), report
        self.typed = report is not None
        self.threads = places(self.block)
        if len(self.threads) > 1024:
            raise ValueError(f"a block has at most 1024 threads, got {self.block}: {len(self.threads)}")
        self.blockDim, self.gridDim = along(self.sizes(self.block)), along(self.sizes(self.grid))
        self.indices = [along(self.sizes(place)) for place in self.threads]
        self.threadIdx = self.blockIdx = None

    def sizes(self, numbers):
        """Return sizes and indices as the kernel sees them: with a type, if types are watched."""
        return tuple(map(np.int64, numbers)) if self.typed else numbers

    def start(self, *arguments):
        """Run all blocks, one after the other."""
        function, waits = self.kernel.compiled(self.typed)
        names = list(inspect.signature(self.kernel.py_func).parameters)
        arguments = [self.argument(name, value) for name, value in zip(names, arguments, strict=True)]
        if self.report:
            self.report.begin(self, {name: value for name, value in zip(names, arguments) if isinstance(value, KernelArray)})
        with ONE_RUN, np.errstate(all="ignore"):
            before, cuda.run = cuda.run, self
            try:
                for place in places(self.grid):
                    self.place = place
                    self.blockIdx, self.shared, self.turns = along(self.sizes(self.place)), {}, {}
                    self.accesses_before = len(self.report.accesses) if self.report else 0
                    self.phase, self.warp_phases = 0, {}
                    (self.run_waiting if waits else self.run_straight)(function, arguments)
            except Exception as error:
                if " of block " not in str(error):
                    error.add_note(f"in {self.who()} of {self.kernel.__name__}")
                raise
            finally:
                cuda.run = before

    def argument(self, name, value):
        """Return an argument as the kernel sees it."""
        if isinstance(value, np.ndarray):
            return KernelArray(value, name, "global", self)
        if isinstance(value, tuple):
            return self.sizes(value)
        kinds = {float: np.float64, int: np.int64 if self.typed else int}
        return kinds.get(type(value), lambda same: same)(value)

    def become(self, thread):
        """Make a thread the running one."""
        self.thread, self.threadIdx, self.warp_phase = thread, self.indices[thread], self.warp_phases.get(thread // WARP, 0)

    def run_straight(self, function, arguments):
        """Run the threads of a block whose kernel never waits: each from its beginning to its end."""
        for thread in range(len(self.threads)):
            self.become(thread)
            function(*arguments)

    def run_waiting(self, function, arguments):
        """Run the threads of a block in turn, each to the next place where it waits."""
        generators = [None] * len(self.threads)
        waiting, answers, ready = {}, {}, list(range(len(self.threads)))
        while ready:
            for thread in ready:
                self.become(thread)
                waiting.pop(thread, None)
                try:
                    if generators[thread] is None:
                        generators[thread] = function(*arguments)
                    waiting[thread] = generators[thread].send(answers.pop(thread, None))
                except StopIteration:
                    pass
            answers = self.meet_in_warps(waiting) or self.meet_in_block(waiting)
            ready = sorted(answers)

    def meet_in_warps(self, waiting):
        """Let warps go on in which all that wait for each other have come; return what each thread gets."""
        answers = {}
        for first in range(0, len(self.threads), WARP):
            lanes = {thread: waiting[thread] for thread in range(first, first + WARP) if thread in waiting}
            met = {thread: request for thread, request in lanes.items() if request[0] in WARP_WAITS}
            if not met:
                continue
            kind, line = next(iter(met.values()))[:2]
            met = {thread: request for thread, request in met.items() if request[:2] == (kind, line)}
            mask = self.mask_of(met, kind, line)
            late = [thread for thread in lanes if thread not in met and mask >> thread % WARP & 1]
            if late:
                self.raise_at(
                    DivergentBarrier(
                        f"divergent {kind}: {self.who(next(iter(met)))} waits {self.at(line)} for "
                        f"{self.who(late[0])}, which waits {self.at(lanes[late[0]][1])}"
                    ),
                    line,
                )
            self.warp_phases[first // WARP] = self.warp_phases.get(first // WARP, 0) + 1
            self.note_inactive(kind, line, met)
            answers |= {thread: exchanged(kind, thread, met) for thread in met}
        return answers

    def mask_of(self, met, kind, line):
        """Return the mask that the lanes of a warp exchange values with.

        Raises:
            DivergentBarrier: They name different masks, or one that leaves out a lane which takes part.
        """
        masks = {thread: int(request[2]) if len(request) > 2 else 2**WARP - 1 for thread, request in met.items()}
        first, mask = next(iter(masks.items()))
        for thread, own in masks.items():
            trouble = (
                f"the mask {own:#x}, and {self.who(first)} {mask:#x}" if own != mask else f"the mask {mask:#x} without its bit"
            )
            if own != mask or not mask >> thread % WARP & 1:
                self.raise_at(DivergentBarrier(f"divergent {kind}: {self.who(thread)} names {trouble} {self.at(line)}"), line)
        return mask

    def note_inactive(self, kind, line, met):
        """Write down which lanes take a value from one that does not take part."""
        for thread in met if self.report and kind.startswith("shfl") else ():
            other = lane_of(kind, thread, met)
            if 0 <= other < WARP and thread - thread % WARP + other not in met:
                sentence = f"{self.who(thread)} takes the value of lane {other} {self.at(line)}, and that lane does not take part"
                self.report.inactive.append((f"inactive lane: {sentence}", line))

    def meet_in_block(self, waiting):
        """Let a block go on whose threads have all come to the same barrier; return what each thread gets.

        Raises:
            DivergentBarrier: They have not.
        """
        if not waiting:
            return {}
        thread, (kind, line, *values) = next(iter(waiting.items()))
        others = [other for other in range(len(self.threads)) if waiting.get(other, ())[:2] != (kind, line)]
        if others:
            other = others[0]
            where = f"waits {self.at(waiting[other][1])}" if other in waiting else "has ended"
            self.raise_at(
                DivergentBarrier(
                    f"divergent barrier: {self.who(thread)} waits {self.at(line)}, but {self.who(other)} {where}: "
                    "all threads of a block have to reach the same syncthreads()"
                ),
                line,
            )
        self.phase += 1
        if self.report:
            self.report.barrier(self, line[1])
        flags = [bool(request[2]) for request in waiting.values()] if values else []
        answer = {"syncthreads_and": all, "syncthreads_or": any, "syncthreads_count": sum}.get(kind, lambda flags: None)(flags)
        return dict.fromkeys(waiting, answer)

    def who(self, thread=None):
        """Return the name of a thread, by default of the running one."""
        return f"thread {self.threads[self.thread if thread is None else thread]} of block {self.place}"

    def at(self, place):
        """Return where a kernel, or a function that it calls, waits: its name, and the line counted from its decorator."""
        name, line = place
        return f"in line {line} of {name}"

    def raise_at(self, error, place):
        """Raise an error at a place as in `at`."""
        name, line = place
        function = self.kernel.py_func
        if name != function.__name__:
            function = names_of(function)[name].py_func
        raise_at(error, function, function.__code__.co_firstlineno + line - 1)

    def memory(self, space, shape, dtype, name, place):
        """Return an array that a kernel asks for: the block's own, or the thread's own."""
        if self.report and dtype_of(dtype) == np.float64:
            self.report.widened(sys._getframe(2).f_lineno)
        if space == "local":
            return KernelArray(poisoned(shape, dtype_of(dtype)), name, space, self)
        if place not in self.shared:
            array = KernelArray(poisoned(shape, dtype_of(dtype)), name, space, self)
            taken = sum(other.array.nbytes for other in self.shared.values())
            if taken + array.array.nbytes > SHARED:
                raise Unsupported(
                    f"too much shared memory: {name} of shape {tuple(map(int, array.shape))} takes {array.array.nbytes:,} bytes"
                    f"{f' after {taken:,} for others' if taken else ''}, and a block has {SHARED:,}: use smaller tiles"
                )
            self.shared[place] = array
        return self.shared[place]

    def count_turn(self, place):
        """Count a turn of a while loop.

        Raises:
            EndlessLoop: There were too many.
        """
        turns = self.turns[place] = self.turns.get(place, 0) + 1
        accesses = len(self.report.accesses) - self.accesses_before if self.report else 0
        if turns + accesses / 2 > (WATCHED if self.report else TURNS):
            raise EndlessLoop(
                f"endless loop: {self.who()} is still in the while loop {self.at(place)}, after {turns - 1:,} turns "
                "of the block's threads: what makes its condition false?"
            )


def exchanged(kind, thread, met):
    """Return what a thread gets when its warp exchanges values.

    Args:
        kind: Such as ``"shfl_down_sync"``.
        thread: Number of the thread.
        met: Dict from the number of each thread that takes part to its request: kind, line, mask, value, and lane.
    """
    if kind == "syncwarp":
        return None
    lane, value = thread % WARP, met[thread][3]
    if not kind.startswith("shfl"):
        flags = {other % WARP: bool(request[3]) for other, request in met.items()}
        return {"all_sync": all(flags.values()), "any_sync": any(flags.values())}.get(
            kind, sum(1 << other for other, flag in flags.items() if flag)
        )
    other = lane_of(kind, thread, met)
    if not 0 <= other < WARP:
        return value
    source = met.get(thread - lane + other)
    return source[3] if source else poisoned((), np.asarray(value).dtype)[()]  # that lane does not take part


def lane_of(kind, thread, met):
    """Return the lane that a thread takes a value from, which may lie beyond the warp; see `exchanged`."""
    lane, by = thread % WARP, int(met[thread][4])
    return {"shfl_down_sync": lane + by, "shfl_up_sync": lane - by, "shfl_xor_sync": lane ^ by, "shfl_sync": by}[kind]


def dtype_of(kind):
    """Return the NumPy dtype of a type of numba's or of NumPy's."""
    try:
        return np.dtype(kind)
    except TypeError:
        return np.dtype(str(kind))


class Kernel:
    """A kernel, or a function that kernels call.

    Args:
        function: What stands below ``@cuda.jit``.
        device: Whether it is called by kernels, and not launched.
    """

    def __init__(self, function, device=False):
        self.py_func, self.device, self.__name__, self.__doc__ = function, device, function.__name__, function.__doc__
        self.versions = {}

    def compiled(self, typed):
        """Return the rewritten function, and whether it waits."""
        if typed not in self.versions:
            self.versions[typed] = rewritten(self.py_func, lambda name, value: as_kernels_see(name, value, typed), typed)
        return self.versions[typed]

    @property
    def waits(self):
        """Whether the function waits for other threads."""
        return self.compiled(False)[1]

    def __getitem__(self, sizes):
        if self.device:
            raise TypeError(f"{self.__name__} is called by kernels, and not launched")
        return Launch(self, *sizes[:2])

    def __call__(self, *arguments):
        if cuda.run is None:
            raise TypeError(f"a kernel is launched with its sizes: {self.__name__}[blocks, threads](...)")
        return self.compiled(cuda.run.typed)[0](*arguments)


class Launch:
    """A kernel with its grid and its block."""

    def __init__(self, kernel, grid, block):
        self.kernel, self.grid, self.block = kernel, grid, block

    def __call__(self, *arguments):
        launch = functools.partial(self.run, *map(host, arguments))
        launch() if cuda.kept is None else cuda.kept.append(launch)

    def run(self, *arguments):
        """Run all threads."""
        Run(self.kernel, self.grid, self.block).start(*arguments)


def launches_of(function):
    """Run a function, and return its launches, as a list of calls, instead of making them: what a GPU calls stream capture."""
    before, cuda.kept = cuda.kept, []
    try:
        function()
        return cuda.kept
    finally:
        cuda.kept = before


def host(value):
    """Return the NumPy array that is the memory of a simulated device's array; anything else as it is."""
    return getattr(value, "memory", value)


def watch(kernel, grid, block, *arguments):
    """Run a kernel, and write down every access to memory.

    Args:
        kernel: What ``@cuda.jit`` made, here or with numba.
        grid, block: Sizes, as for a launch.
        arguments: NumPy arrays and numbers.

    Returns:
        The `Report`.

    Example:
        >>> @cuda.jit
        ... def double(x): x[cuda.grid(1)] *= np.float32(2)
        >>> watch(double, 1, 4, np.ones(4, np.float32)).counts("x", "read")
        array([1, 1, 1, 1])
    """
    report = Report()
    Run(simulated(kernel), grid, block, report).start(*map(host, arguments))
    return report


def simulated(kernel):
    """Return a kernel of numba's as one of the simulator's."""
    return kernel if isinstance(kernel, Kernel) else Kernel(getattr(kernel, "py_func", kernel))


def as_kernels_see(name, value, typed):
    """Return what a name stands for inside a simulated kernel."""
    if name == "count_turn":
        return lambda place: cuda.run.count_turn(place)
    if name == "range" and typed:
        return lambda *ends: map(np.int64, range(*ends))
    if value is math:
        return Float32Math()
    kind = getattr(value, "__name__", None) if isinstance(value, type) else str(value) if is_type(value) else None
    if kind == "float32":
        return narrowed if typed else np.float32
    if kind in INTEGERS:
        return whole(np.dtype(kind), np.int64 if typed else int)
    if getattr(value, "gridsize", None) and getattr(value, "jit", None):  # numba's cuda
        return cuda
    if not isinstance(value, Kernel) and callable(getattr(value, "py_func", None)):
        return Kernel(value.py_func, device=True)
    return value


def whole(dtype, make):
    """Return what makes a whole number of a type; one that the type cannot hold is an error, and on a GPU another number.

    Args:
        dtype: NumPy dtype.
        make: The type that the number has in the simulator.
    """
    limits = np.iinfo(dtype)

    def number(value):
        result = make(value)
        if not limits.min <= result <= limits.max:
            raise OverflowError(f"{result} does not fit into {dtype}, which holds {limits.min} to {limits.max}")
        return result

    return number


def is_type(value):
    """Say whether a value is one of numba's types."""
    return type(value).__module__.startswith(("numba.core.types", "numba_cuda_mlir"))


def narrowed(value):
    """Make a float32; a float64 that is rounded here was computed in float64, and that is written down."""
    if isinstance(value, np.float64):
        cuda.run.report.widened(sys._getframe(1).f_lineno)
    return np.float32(value)


class Atomic:
    """`cuda.atomic`: reads, changes and writes an entry, and no other thread comes between."""

    def add(self, array, index, value):
        return self.change(array, index, lambda old: old + value)

    def max(self, array, index, value):
        return self.change(array, index, lambda old: max(old, value))

    def min(self, array, index, value):
        return self.change(array, index, lambda old: min(old, value))

    def change(self, array, index, function):
        """Replace an entry, and return what it was."""
        place = array.checked(index)
        if array.run.report:
            array.note(place, "atomic", up=3)
        old = array.array[place]
        array.array[place] = function(old)
        return old


class Cuda:
    """What kernels call `cuda`, and what a program calls to make and launch them: numba's names."""

    __name__ = "simulated cuda"
    run = None  # the `Run` that is going on
    kept = None  # the list of launches that are kept, and not made
    atomic = Atomic()
    warpsize = WARP

    threadIdx = property(lambda self: self.run.threadIdx)
    blockIdx = property(lambda self: self.run.blockIdx)
    blockDim = property(lambda self: self.run.blockDim)
    gridDim = property(lambda self: self.run.gridDim)
    laneid = property(lambda self: self.run.thread % WARP)

    def jit(self, function=None, device=False, **options):
        """Make a kernel of the decorated function; options of numba's make no difference here."""
        if function is None or not callable(function):
            return lambda function: Kernel(function, device)
        return Kernel(function, device)

    def grid(self, ndim):
        """Return the thread's position in the grid along the first one, two or three axes."""
        run = self.run
        position = tuple(
            getattr(run.blockIdx, axis) * getattr(run.blockDim, axis) + getattr(run.threadIdx, axis) for axis in "xyz"[:ndim]
        )
        return position[0] if ndim == 1 else position

    def gridsize(self, ndim):
        """Return the number of threads along the first one, two or three axes of the grid."""
        sizes = tuple(getattr(self.run.gridDim, axis) * getattr(self.run.blockDim, axis) for axis in "xyz"[:ndim])
        return sizes[0] if ndim == 1 else sizes

    class shared:
        """Arrays that the threads of a block share."""

        @staticmethod
        def array(shape, dtype, alignment=None, name="shared", place=None):
            return cuda.run.memory("shared", shape, dtype, name, place)

    class local:
        """Arrays that belong to one thread."""

        @staticmethod
        def array(shape, dtype, alignment=None, name="local", place=None):
            return cuda.run.memory("local", shape, dtype, name, place)

    def synchronize(self):
        """Do nothing: a simulated launch is done when it returns."""


cuda = Cuda()
