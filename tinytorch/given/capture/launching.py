"""Turn the entries of a tape that run on a device into launches with fixed memory. Given.

A kernel of the device is Python that launches. When the tape is made it runs once more, in memory that belongs to the tape; its
launches are kept, and a replay makes them again. On a GPU the launches of neighbouring entries become one graph.

Some entries stay as they are, between the graphs: what copies between the host and the device, and what takes a number that
changes, such as a learning rate, because a launch keeps the numbers that it was made with. Copies to the device that need
nothing from it come first, so that they cut no graph in two.
"""

from functools import partial

from tinytorch.given.capture.containers import leaves
from tinytorch.given.capture.live import Live
from tinytorch.given.capture.playing import Line, Player
from tinytorch.given.capture.recording import Ref, refs
from tinytorch.given.gpu import pool
from tinytorch.given.gpu.device_array import DeviceArray, send, uploaded


class DevicePlayer(Player):
    """The calls of a tape with entries on a device; those on the host are `Player`'s."""

    def __init__(self, tape, outputs, starts, prepared=True):
        self.pool, self.arrays, self.open = pool.Pool(), {}, []
        super().__init__(uploads_first(tape), outputs, starts, prepared)
        self.close()
        self.calls = [call for line in self.lines for call in line.calls]

    def array(self, ref):
        """Return the array that a reference means here; anything else as it is."""
        if not isinstance(ref, Ref) or not ref.root.on_device or ref.root.stays:
            return super().array(ref)
        own = self.starts[ref.root.index] if ref.root.kind == "start" else self.arrays[ref.root]
        return own if own.shape == ref.shape else DeviceArray(ref.shape, ref.dtype, root=own)

    def line(self, number, entry):
        """Return what an entry becomes; its launches are added when those of its neighbours are known."""
        if is_launches(entry) and not entry.is_view():
            line = Line(entry, [], "launches")
            self.open.append((number, line))
            return line
        self.close()
        if entry.out is not None and entry.out.root.on_device and not entry.is_view():
            self.take(entry.out)
        line = super().line(number, entry)
        if entry.function is uploaded:
            line = Line(entry, [partial(send, self.array(entry.inputs[0]), self.array(entry.out))], "upload")
        self.forget(number)
        return line

    def close(self):
        """Let the entries that wait run, and keep their launches."""
        functions = [partial(self.launch, number, line.entry) for number, line in self.open]
        with pool.private(self.pool):
            for (_, line), calls in zip(self.open, pool.device().captured(functions)):
                line.calls.extend(calls)
        self.open = []

    def launch(self, number, entry):
        """Run the kernel of an entry on the arrays of this tape, and keep its result."""
        inputs, settings = self.arguments(entry)
        out = entry.function(*inputs, **settings)
        if entry.out is not None:
            self.arrays[entry.out.root] = out
        self.forget(number)

    def take(self, ref):
        """Take memory for the result of an entry that is not made of launches."""
        with pool.private(self.pool):
            self.arrays[ref.root] = DeviceArray(ref.shape, ref.dtype)

    def forget(self, number):
        """Give back the memory of what no later entry needs; later results go there."""
        for root in self.last_needed.get(number, ()):
            self.arrays.pop(root, None)

    def place(self):
        """Plan the arena of the host's arrays, and find out when each array of the device is needed for the last time."""
        super().place()
        last = {ref.root: n for n, entry in enumerate(self.entries) for ref in refs((entry.inputs, entry.settings, entry.out))}
        self.last_needed = {}
        for root, number in last.items():
            if root.on_device and root.kind == "made" and root not in self.kept:
                self.last_needed.setdefault(number, []).append(root)

    def poison(self):
        """Fill the memory of this tape with nan, where it is simulated."""
        super().poison()
        for block in self.pool.blocks:
            pool.poison(block)


def is_launches(entry):
    """Say whether an entry always makes the same launches: its arrays are on the device, and its numbers stay."""
    arrays = refs((entry.inputs, entry.settings))
    moving = any(isinstance(x, Live) for x in leaves((entry.inputs, entry.settings)))
    return bool(arrays) and all(ref.root.on_device for ref in arrays) and not moving and not entry.moves


def uploads_first(tape):
    """Return the entries of a tape in an order that begins with those that need nothing from the device.

    These are draws of random numbers, for example, and the copies of their results to the device. An entry stays behind one that
    works on the same array of the host, and those that read or write Python's numbers stay where they are.
    """
    first, rest, busy = [], [], set()
    for entry in tape:
        roots = {ref.root for ref in refs((entry.inputs, entry.settings))}
        moving = any(isinstance(x, Live) for x in leaves((entry.inputs, entry.settings)))
        free = (roots or entry.out) and not moving and not any(root.on_device or root in busy for root in roots)
        (first if free else rest).append(entry)
        if not free:
            busy |= {*roots, entry.out.root} if entry.out else roots
    return [*first, *rest]
