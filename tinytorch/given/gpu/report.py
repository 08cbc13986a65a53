"""What a watched run of a kernel shows: races, memory sectors, bank conflicts, float64, and who read what. Given."""

import linecache
from collections import defaultdict

import numpy as np

from tinytorch.given.gpu.arrays import Access
from tinytorch.given.gpu.rewriting import CONSTANTS_OF_MATH, float64_lines, raise_at

WARP, SECTOR, BANKS, BANK = 32, 32, 32, 4  # threads; bytes; banks; bytes that one bank holds side by side


class Race(RuntimeError):
    """Two threads access one place, one of them writes, and nothing says who comes first."""


class Unwritten(RuntimeError):
    """A thread reads memory that nobody has written; on a GPU, something is there."""


class InactiveLane(RuntimeError):
    """A thread takes a value from a lane of its warp that does not take part; on a GPU, it may be anything."""


class Report:
    """What happened while a kernel ran; `watch` makes it.

    ``accesses`` lists every access of every thread in the order in which they ran.
    """

    def __init__(self):
        self.accesses, self.barriers, self.widened_lines, self.unwritten = [], defaultdict(list), [], []
        self.arrays, self.written, self.grouped, self.inactive = {}, set(), (0, []), []

    def begin(self, run, arrays):
        """Remember which launch this is, and its arguments that are arrays, by name."""
        self.run, self.arrays = run, arrays
        self.file = run.kernel.py_func.__code__.co_filename

    def note(self, run, array, offset, kind, site, value):
        """Write down an access; also a float64 that goes into a float32 array, and a read of what nobody wrote."""
        access = run.place, run.thread, run.phase, run.warp_phase, array, offset, kind, site
        self.accesses.append(tuple.__new__(Access, access))  # much of a watched run's time goes by here
        if kind == "write" and isinstance(value, np.float64) and array.dtype == np.float32:
            self.widened(site[1])
        if array.space != "global":
            if kind != "read":
                self.written.add((id(array), offset))
            elif (id(array), offset) not in self.written:
                self.unwritten.append(self.accesses[-1])

    def widened(self, line):
        """Write down that a line computed in float64."""
        if line not in self.widened_lines:
            self.widened_lines.append(line)

    def barrier(self, run, line):
        """Write down that a block passed a barrier."""
        self.barriers[run.place].append(line)

    # What it comes to.

    def counts(self, name, kind):
        """Return how often each entry of an argument was accessed.

        Args:
            name: Name of the kernel's argument.
            kind: ``"read"``, ``"write"`` or ``"atomic"``.

        Returns:
            int array of the argument's shape.
        """
        array = self.arrays[name]
        counts = np.zeros(array.size, np.int64)
        for access in self.of(name, kind):
            counts[entry_number(access)] += 1
        return counts.reshape(array.array.shape)

    def of(self, name, kind=None):
        """Return the accesses to an array that the kernel calls ``name``, in order."""
        return [access for access in self.accesses if access.array.name == name and kind in (None, access.kind)]

    def by_warp(self, space=None, name=None):
        """Return the accesses that a warp makes at the same moment: a list of lists.

        A warp runs in step, so its threads' first accesses by an instruction belong together, and their second ones.
        """
        if self.grouped[0] != len(self.accesses):
            self.grouped = len(self.accesses), self.groups()
        wanted = ((group, group[0].array) for group in self.grouped[1])
        return [group for group, array in wanted if space in (None, array.space) and name in (None, array.name)]

    def groups(self):
        """Return the accesses of all warps, moment by moment."""
        turns, together = defaultdict(int), defaultdict(list)
        for access in self.accesses:
            block, thread, _, _, _, _, kind, site = access
            key = block, thread, site, kind
            together[block, thread // WARP, site, kind, turns[key]].append(access)
            turns[key] += 1
        return list(together.values())

    def sectors(self, name=None, kind=None):
        """Return how many sectors of 32 bytes the warps moved, and how few would do.

        Args:
            name: Of one argument only; None for all.
            kind: ``"read"`` or ``"write"`` only; None for both.

        Returns:
            Pair of ints.
        """
        moved = needed = 0
        for group in self.by_warp("global", name):
            if kind in (None, group[0].kind):
                first, last, fewest = sectors_of(group)
                moved, needed = moved + len(last), needed + fewest
        return moved, needed

    def bank_conflicts(self, name=None):
        """Return how many cycles the warps' accesses to shared memory take beyond one each.

        Args:
            name: Of one shared array only; None for all.
        """
        return sum(ways(group) - 1 for group in self.by_warp("shared", name))

    def races(self):
        """Return a sentence for each race, the first of each pair of instructions."""
        return [self.race(one, other) for one, other in self.racing()]

    def racing(self):
        """Return the pairs of accesses that race, the first of each pair of instructions."""
        pairs = {}
        for accesses in self.by_place().values():
            for one, other in racing(accesses):
                pairs.setdefault((one.site, other.site, one.kind, one.block == other.block), (one, other))
        return list(pairs.values())

    def unwritten_reads(self):
        """Return a sentence for the first read of shared or local memory that nobody had written."""
        return [self.unwritten_read(access) for access in self.unwritten[:1]]

    def unwritten_read(self, access):
        """Say in a sentence which access read what nobody had written."""
        whose = "no thread has" if access.array.space == "shared" else "that thread has not"
        return (
            f"unwritten memory: {self.who(access)} reads {entry(access)} in {access.array.space} memory at "
            f"{self.text(access.line)}, and {whose} written it"
        )

    def float64(self):
        """Return a sentence for each line that computed in float64, with the line that is the likely cause."""
        made = [self.text(line) for line in float64_lines(self.run.kernel.py_func)] if self.widened_lines else []
        return [f"float64 at {self.text(line)}{cause(self.text(line), made)}" for line in self.widened_lines]

    def check(self):
        """Raise an error if the result depends on luck.

        Raises:
            Race: There is a race.
            Unwritten: Memory is read that nobody has written.
            InactiveLane: A value is taken from a lane that does not take part.
        """
        function = self.run.kernel.py_func
        for one, other in self.racing()[:1]:
            raise_at(Race(self.race(one, other)), function, other.line)
        for access in self.unwritten[:1]:
            raise_at(Unwritten(self.unwritten_read(access)), function, access.line)
        for sentence, place in self.inactive[:1]:
            self.run.raise_at(InactiveLane(sentence), place)

    def by_place(self):
        """Return the accesses to each place in memory; shared memory is another in each block."""
        places = defaultdict(list)
        for access in self.accesses:
            if access.array.space == "shared":
                places[access.block, id(access.array), access.offset].append(access)
            elif access.array.space == "global":
                places[access.array.start + access.offset].append(access)
        return places

    def race(self, one, other):
        """Say in a sentence which two accesses race."""
        why = "blocks run in no order" if one.block != other.block else "no barrier is between them"
        same = other.array.name == one.array.name and entry(other) == entry(one)
        also = "and" if same else f"and, as {entry(other)},"
        places = f" at {self.text(one.line)}", f" at {self.text(other.line)}"
        if one.line == other.line:
            places = "", f", both at {self.text(one.line)}"
        return (
            f"race in {one.array.space} memory: {entry(one)} is {PAST[one.kind]} by {self.who(one)}{places[0]} "
            f"{also} {PAST[other.kind]} by {self.who(other)}{places[1]}: {why}"
        )

    def who(self, access):
        """Return the name of the thread of an access."""
        return f"thread {self.run.threads[access.thread]} of block {access.block}"

    def faults(self):
        """Return a sentence for each fault that values alone may hide: races, unwritten memory, inactive lanes, float64."""
        return [*self.races(), *self.unwritten_reads(), *(sentence for sentence, _ in self.inactive[:1]), *self.float64()]

    def text(self, line):
        """Return a line of the kernel's source, in quotes."""
        return f"`{linecache.getline(self.file, line).strip()}`"

    def most_barriers(self):
        """Return how many barriers the block with the most of them passed."""
        return max(map(len, self.barriers.values()), default=0)

    def __str__(self):
        moved, needed = self.sectors()
        lines = [f"{self.run.kernel.__name__}: {len(places_of(self))} blocks of {len(self.run.threads)} threads"]
        lines += [f"  sectors of 32 bytes: {moved} moved, {needed} would do"] if needed else []
        shared = self.by_warp("shared")
        lines += (
            [f"  shared memory: {len(shared)} accesses by warps, {self.bank_conflicts()} cycles lost to bank conflicts"]
            if shared
            else []
        )
        lines += [f"  barriers in a block: {self.most_barriers()}"] if self.barriers else []
        return "\n".join(lines + [f"  {fault}" for fault in self.faults()])

    __repr__ = __str__


def cause(text, made):
    """Say where a float64 comes from.

    Args:
        text: The line that computed in float64.
        made: Lines with a number such as 0.5, or an array of float64.
    """
    if "float64" in text:
        return ": np.float32 is asked for"
    for constant in CONSTANTS_OF_MATH:
        if f"math.{constant}" in text:
            return f": math.{constant} is a float64; np.float32(math.{constant}) is not"
    if text in made:
        return ": a number with a point is a float64; np.float32(...) is not"
    if made:
        return f": it comes from {made[0]}, which is float64; np.float32(...) is not"
    if "/" in text.replace("//", ""):
        return ": `/` of two whole numbers makes a float64; np.float32(...) of one of them does not"
    return ": a whole number and a float32 together make a float64; np.float32(0) and a float32 do not"


PAST = {"read": "read", "write": "written", "atomic": "changed at once"}


def places_of(report):
    """Return the blocks that accessed memory."""
    return {access.block for access in report.accesses}


def entry_number(access):
    """Return the number of the entry that an access touched, in the order of indices."""
    array = access.array.array
    if not array.size:
        return 0
    if array.flags.c_contiguous:
        return access.offset // array.itemsize
    index, offset = [0] * array.ndim, access.offset
    for size, stride in zip(array.shape, array.strides):
        offset -= min(stride, 0) * (size - 1)  # from the lowest address: an axis may run backwards
    for axis in sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis])):
        size, stride = array.shape[axis], array.strides[axis]
        if size > 1 and stride:
            steps, offset = divmod(offset, abs(stride))
            index[axis] = steps if stride > 0 else size - 1 - steps
    return int(np.ravel_multi_index(index, array.shape))


def entry(access):
    """Return the name of the entry that an access touched, such as ``tile[0, 3]``."""
    index = np.unravel_index(entry_number(access), access.array.array.shape)
    return f"{access.array.name}[{', '.join(str(int(i)) for i in index)}]"


def sectors_of(group):
    """Return the first address, the sectors, and the fewest sectors of what a warp accesses at one moment."""
    addresses = {access.array.start + access.offset for access in group}
    size = group[0].array.dtype.itemsize
    base = group[0].array.start  # a GPU's arrays begin at a multiple of 256
    touched = {(address - base + byte) // SECTOR for address in addresses for byte in (0, size - 1)}
    return min(addresses), touched, -(-len(addresses) * size // SECTOR)


def ways(group):
    """Return how many turns a warp's access to shared memory takes: the most different words that one bank has to give."""
    words = defaultdict(set)
    for access in group:
        word = access.offset // BANK
        words[word % BANKS].add(word)
    return max(map(len, words.values()))


def racing(accesses):
    """Return pairs of accesses to one place that race: the first two of one block, and the first two of different blocks.

    Two accesses race if they come from different threads, one of them writes, not both are atomic, and nothing orders them: a
    barrier between them if the threads are of one block, or a wait of their warp if they are of one warp.
    """
    pairs = {}
    for write in accesses:
        block, thread, phase, warp_phase, _, _, kind, _ = write
        if kind == "read":
            continue
        for other in accesses:
            same_block = other[0] == block
            if same_block and (other[1] == thread or other[2] != phase) or kind == other[6] == "atomic":
                continue
            if not (same_block and other[1] // WARP == thread // WARP and other[3] != warp_phase):  # the warp did not wait
                pairs.setdefault(same_block, (write, other))
        if len(pairs) == 2:
            break
    return list(pairs.values())
