"""Memory of the device, kept for reuse: asking the driver for memory takes longer than most kernels. Given."""

import contextlib
import functools
import threading
import weakref
from collections import defaultdict

import numpy as np

from tinytorch.given.gpu import backend, graphs, simulator

GRAIN = 512  # sizes are rounded up to multiples of it, so that arrays of nearly the same size can follow each other
STAGING = 1 << 22  # bytes of pinned memory through which data go to the device


class Block:
    """A piece of the device's memory.

    Args:
        raw: Array of bytes on the device.

    ``views`` keeps the arrays that were made of it: making one on a GPU takes microseconds.
    """

    __slots__ = ("raw", "nbytes", "views", "__weakref__")

    def __init__(self, raw):
        self.raw, self.nbytes, self.views = raw, raw.size, {}

    def view(self, shape, dtype):
        """Return the first bytes as an array that kernels take."""
        key = shape, dtype
        if key not in self.views:
            count = int(np.prod(shape)) * dtype.itemsize
            self.views[key] = self.raw[:count].view(dtype).reshape(shape)
        return self.views[key]


class Pool:
    """Gives out blocks, takes them back, and counts.

    ``stats`` has, in bytes: ``allocated``, what arrays hold now; ``peak``, the most they ever held; ``reserved``, what the
    device gave. And two counts: ``reused`` and ``new`` blocks.
    """

    def __init__(self):
        self.free, self.blocks, self.lock = defaultdict(list), weakref.WeakSet(), threading.RLock()
        self.stats = dict(allocated=0, peak=0, reserved=0, reused=0, new=0)

    def take(self, nbytes):
        """Return a block of at least some bytes; in the simulator, full of nan."""
        size = max(GRAIN, -(-nbytes // GRAIN) * GRAIN)
        with self.lock:
            block = self.free[size].pop() if self.free[size] else None
            self.stats["new" if block is None else "reused"] += 1
            self.stats["reserved"] += size if block is None else 0
            self.stats["allocated"] += size
            self.stats["peak"] = max(self.stats["peak"], self.stats["allocated"])
        block = block or Block(device().empty(size))
        self.blocks.add(block)
        return poison(block)

    def give_back(self, block):
        """Keep a block for the next array of its size."""
        with self.lock:
            self.free[block.nbytes].append(block)
            self.stats["allocated"] -= block.nbytes

    def empty(self):
        """Give all free blocks back to the device."""
        with self.lock:
            self.stats["reserved"] -= sum(block.nbytes for blocks in self.free.values() for block in blocks)
            self.free.clear()


def poison(block):
    """Fill a simulated device's block with bytes that are nan as floats, so that nobody reads what was left there."""
    if isinstance(block.raw, np.ndarray):
        block.raw.fill(0xFF)
    return block


class SimulatedMemory:
    """The device's memory in the simulator: NumPy arrays."""

    def empty(self, nbytes):
        """Return memory for some bytes."""
        return np.empty(nbytes, np.uint8)

    def upload(self, array, target):
        """Copy a row of numbers to the device."""
        np.copyto(target, array)

    def download(self, source):
        """Return a copy of the device's numbers."""
        return source.copy()

    def synchronize(self):
        """Do nothing: a simulated kernel is done when its launch returns."""

    def captured(self, functions):
        """Run functions without making their launches, and return for each a list of calls that make them.

        Args:
            functions: List of functions without arguments.
        """
        return [simulator.launches_of(function) for function in functions]


class CudaMemory:
    """The memory of a GPU."""

    def __init__(self):
        self.cuda = backend.cuda

    def empty(self, nbytes):
        """Return memory for some bytes."""
        return self.cuda.device_array(nbytes, np.uint8)

    @functools.cached_property
    def staging(self):
        """Pinned memory: the device fetches from there without a further copy."""
        return self.cuda.pinned_array(STAGING, np.uint8)

    def upload(self, array, target):
        """Copy a row of numbers to the device, through pinned memory if it fits."""
        if array.nbytes <= STAGING:
            staged = self.staging[: array.nbytes].view(array.dtype)
            staged[...] = array
            array = staged
        target.copy_to_device(array)
        self.synchronize()  # before the staging is used again

    def download(self, source):
        """Return a copy of the device's numbers."""
        return source.copy_to_host()

    def synchronize(self):
        """Wait until all launched kernels are done."""
        self.cuda.synchronize()

    def captured(self, functions):
        """Run functions while the stream is captured, so that nothing is launched; the first gets the graph of all of them.

        Args:
            functions: List of functions without arguments.
        """
        return [[graphs.captured(functions)], *([] for _ in functions[1:])] if functions else []


@functools.cache
def device():
    """Return the memory of the chosen backend."""
    return SimulatedMemory() if backend.choose().name == "simulator" else CudaMemory()


pool = Pool()


@contextlib.contextmanager
def private(own):
    """Take memory from a pool of one's own inside a with block; it goes back to that pool.

    Args:
        own: The `Pool`.
    """
    global pool
    before, pool = pool, own
    try:
        yield
    finally:
        pool = before
