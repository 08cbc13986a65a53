"""Compare two recordings of a step with each other, and a replay with the step itself. Given."""

import contextlib
import hashlib
import sys
import zlib

import numpy as np

from tinytorch.given import random
from tinytorch.given.capture.arguments import is_input, returned
from tinytorch.given.capture.arrays import numbers_of, on_device, owner_of, same
from tinytorch.given.capture.containers import leaves, nested
from tinytorch.given.capture.places import PLAIN, Keys
from tinytorch.given.capture.recording import CaptureError, NewArray, Recorder, Ref, Silent, refs
from tinytorch.given.capture.traced import Traced, bare, door
from tinytorch.given.capture.unread import forget_unread
from tinytorch.given.capture.watching import watching
from tinytorch.given.capture.world import LARGE, is_within, reachable
from tinytorch.given.op import part
from tinytorch.given.state import state, watchers

FIRST_NEEDED = 8  # runs in which a container may get what is there from then on


class Recording:
    """One run of a step, written down.

    Args:
        step: The step.
        arguments: What it was called with: its modules and other objects count as what it can reach.
        static: The arrays that its tensors were copied to.
        changed: Counter of the places in Python, and of their containers, that steps have changed while they were recorded; this
            run adds its own.
    """

    def __init__(self, step, arguments, static, changed):
        objects = [leaf for leaf in leaves(arguments) if not is_input(leaf)]
        self.world = reachable(("step", step), *(("argument", each) for each in objects))
        self.leaves = [tensor for _, tensor in self.world.tensors if tensor.requires_grad]
        self.arrays = {id(tensor): tensor.data for _, tensor in self.world.tensors}
        self.had = [leaf.grad is not None for leaf in self.leaves]
        self.before = Snapshot(self.world, self.leaves)
        for leaf in self.leaves:
            if leaf.grad is not None:
                leaf._grad = type(leaf.grad)(leaf.grad.data.copy())  # the step works on a copy; the snapshot keeps the old one
        self.recorder = Recorder(static, [leaf.grad.data for leaf in self.leaves if leaf.grad is not None], self.keep)
        arrays = [*(array for _, array in self.world.arrays), *(tensor.data for _, tensor in self.world.tensors)]
        self.recorder.outlive = {id(owner_of(array)) for array in arrays}
        self.changed, self.settled, self.chosen = changed, True, choices()
        self.inputs = [zlib.crc32(np.ascontiguousarray(numbers_of(owner_of(array)))) for array in static]

    def run(self, call):
        """Run the step, and write it down; after a refusal everything is as it was before the call."""
        watchers.append(self.recorder)
        try:
            silent = contextlib.redirect_stdout(Silent(self.recorder, sys.stdout))
            with door(self.recorder), silent, watching(self.world):
                result = self.recorder.outcome(call)
            self.freeze_what_is_read()
            self.refuse_changes()
            self.recorder.make_new_arrays()
            results = [leaf for leaf in leaves(result) if not isinstance(leaf, PLAIN)]
            self.plain = [leaf for leaf in leaves(result) if isinstance(leaf, PLAIN)]
            self.outputs = [self.output(leaf) for leaf in results]
        except CaptureError:
            self.recorder.open = False
            self.world.restore()
            self.before.restore()
            raise
        finally:
            watchers.remove(self.recorder)
            self.recorder.keep = None  # it holds copies of everything, in case of a refusal
        self.returned = returned(result, [self.maker(leaf, ref) for leaf, ref in zip(results, self.outputs)])
        self.results = [bare(leaf if isinstance(leaf, np.ndarray) else leaf.data) for leaf in results]
        self.gradients = [None if leaf.grad is None else self.recorder.ref(leaf.grad.data) for leaf in self.leaves]
        self.world.loose = set(self.recorder.counters) | self.recorder.live - set(self.recorder.frozen)
        forget_unread(self.world)

    def freeze_what_is_read(self):
        """Note the numbers that replays would compute again and that code of the user's may have read as they are."""
        may_read = self.world.reading()
        for source in self.recorder.live | set(self.recorder.counters):
            if may_read(*source):
                line = self.world.lines.of(str(source[1]), "LOAD") or "the step"
                self.recorder.frozen.setdefault(source, line)

    def refuse_changes(self):
        """Refuse what the step changed in Python, which a replay would not change.

        A place may change once: what is made when it is first needed, such as an optimizer's state, is there from then on. So a
        dict may get new keys, in a few runs.
        """
        counters = self.recorder.counters
        self.world.loose = set(counters)
        changes = dict(self.world.changes())
        for place in [place for place in changes if self.changed[place] or self.changed[place[0]] == FIRST_NEEDED]:
            name, owner = changes[place], changes[place].rpartition(".")[0].split("[")[0]
            line = self.world.lines.of(name) or self.world.lines.of(name, "LOAD")
            if line is None and owner:  # code of the package changes it: a scheduler's count, for example
                line = self.world.lines.calling(owner)
            raise CaptureError(
                f"{line or 'the step'} changes {name}, which a replay would not do, because it runs none of the step's Python: "
                "change it outside of the captured step (schedule.step() after it), return what is new, or keep it in a tensor "
                "and write to that (count += 1)"
            )
        self.settled = not changes
        self.changed.update([*changes, *{container for container, _ in changes}])
        self.refuse_writes(self.world.rewritten(self.recorder.written))
        for name in self.world.moved():
            line = self.world.lines.of(name, "LOAD") or "the step"
            raise CaptureError(
                f"{line} takes something from {name!r}, and a replay would not take the next: take it outside of the captured "
                "step, and pass it as an argument"
            )
        for name, chosen in choices().items():
            if chosen != self.chosen[name]:
                line = self.world.lines.of(name, "LOAD") or "the step"
                raise CaptureError(
                    f"{line} chooses with {name} what holds from then on, which a replay would not do: choose it outside of the "
                    "captured step, or for a part of the step by `with`"
                )
        for name, tensor in self.world.tensors:
            if tensor.data is not self.arrays[id(tensor)]:
                raise CaptureError(f"the step gives {name} another array: write into the one it has ({name}.data *= 0.9, copy_)")
        for source, line in self.recorder.frozen.items():
            if source in counters:
                raise CaptureError(
                    f"{line} makes a plain number of {source[1]!r}, which every step changes, so a replay would keep this one: "
                    "pass it on as it is to an op made with @in_place, and compute with it there"
                )

    def keep(self, owner):
        """Copy an array that an op is about to write to; refuse it if something else has written to it already."""
        if id(owner) not in self.recorder.written:
            self.refuse_writes(self.world.rewritten(self.recorder.written, owner))
        self.before.keep(owner)

    def refuse_writes(self, names):
        """Refuse what the step writes to plain arrays."""
        for name in names:
            line = self.world.lines.into(name) or "the step"
            raise CaptureError(
                f"{line} changes the numbers of {name}, an array that is no tensor, and a replay would not do that, because it "
                "runs none of the step's Python: keep it in a tensor (count = tt.zeros(3), then count[0] += 1), or change it "
                "outside of the captured step"
            )

    def frozen_arrays(self):
        """Return the plain arrays that the step may have read and no entry works with.

        Returns:
            List of (name, function that returns what is in the array now, what that was).
        """
        used = {id(ref.root.owner) for ref in refs([entry[1:4] for entry in self.recorder.tape])}
        contents, is_read = self.world.contents, self.world.readable()
        return [(name, read, held) for name, array, read, held in contents if is_read(array) and not is_within(array, used)]

    def difference(self):
        """Return the name of what the step can reach and is not as it was; None if all is, apart from what is computed again."""
        arrays = (name for name, read, held in self.frozen_arrays() if read() != held)
        return self.world.changed() or next(arrays, None)

    def output(self, leaf):
        """Return where the array of a result lies."""
        if isinstance(leaf, Traced):
            return self.recorder.ref(leaf)
        if not isinstance(leaf, part("Tensor")):
            raise CaptureError(
                f"the captured step returns a {type(leaf).__name__}: return tensors, in a tuple, list or dict if wanted"
            )
        if leaf.origin is not None and leaf.origin.inputs is not None:
            raise CaptureError(
                "the captured step returns a tensor that still has its graph, and a replay makes none: "
                "call backward() inside the step, or return tensor.detach()"
            )
        return self.recorder.ref(leaf.data)

    def maker(self, leaf, ref):
        """Return the function that makes a result from the array with its numbers, for the caller to keep and to change.

        What is in memory that outlives the step, such as a parameter, is no copy: it is not one without capture, either.
        """
        if id(leaf) in self.world.names:
            return lambda array: leaf
        lasts, tensor = id(ref.root.owner) in self.recorder.outlive, part("Tensor")
        if isinstance(leaf, tensor):
            return tensor if lasts else lambda array: tensor(array.copy())
        if ref.root in self.recorder.numbers_of_python:
            return np.ndarray.item
        return (lambda array: array) if lasts else lambda array: array.copy() if array.ndim else array[()]

    def outside(self):
        """Return what the tape reads and no entry made: a dict from the memory's name to its root."""
        found = {}
        for entry in self.recorder.tape:
            for ref in refs((entry.inputs, entry.settings)):
                if ref.root.kind == "outside":
                    found.setdefault(ref.root.name, ref.root)
        return found


def choices():
    """Return what this thread has chosen for all that it does, by the names of the functions that choose."""
    return {"seterr": np.geterr(), "use": state.kernels, "set_grad_enabled": state.recording, "set_num_threads": threads()}


def threads():
    """Return how many threads the compiled kernels use: some choose by it between a loop and the matrix library."""
    return sys.modules["numba"].get_num_threads() if "numba" in sys.modules else 1


class Snapshot:
    """What a step may change: arrays, gradients, generators and counts, with their values.

    Tensors are copied at once, unless they are as large as a data set, and other arrays before they are written to: of an
    optimizer's arrays, a step may need a part.

    Args:
        world: What the step can reach.
        leaves: The tensors that have gradients.
        written: Arrays that are known to be written.
        generators: Dict of generators that are known to be drawn from.
        grads: Whether the gradients' numbers are copied, too, and not only kept.
    """

    def __init__(self, world, leaves, written=(), generators=None, grads=False):
        self.names = {id(owner_of(tensor.data)): name for name, tensor in world.tensors}
        self.names |= {id(owner_of(array)): name for name, array in world.arrays}
        self.copied = {}
        for array in [*written, *(tensor.data for _, tensor in world.tensors if owner_of(tensor.data).nbytes <= LARGE)]:
            self.keep(owner_of(array))
        self.leaves, self.grads = leaves, [leaf.grad for leaf in leaves]
        self.copies = [np.array(numbers_of(grad.data)) if grads and grad is not None else None for grad in self.grads]
        generators = {id(g): g for g in [random.default(), *(g for _, g in world.generators), *(generators or {}).values()]}
        self.generators = [(g, g.bit_generator.state) for g in generators.values()]
        dicts = [place.holder for place in world.places if isinstance(place, Keys) and isinstance(place.holder, dict)]
        self.counts = [(plain, numbers_in(plain)) for plain in dicts if "__name__" not in plain]  # not the globals of a file

    def keep(self, owner):
        """Copy an array, unless that is done already."""
        if id(owner) not in self.copied and owner.dtype.kind in "biuf":
            self.copied[id(owner)] = owner, np.array(numbers_of(owner), order="K")

    def restore(self):
        """Set everything to the values of this snapshot."""
        for array, values in self.copied.values():
            if on_device(array) or array.flags.writeable:
                array[...] = values
        for leaf, grad, values in zip(self.leaves, self.grads, self.copies):
            leaf._grad = grad  # which may have the dtype of before: `grad` would refuse it
            if values is not None:
                grad.data[...] = values
        for generator, numbers in self.generators:
            generator.bit_generator.state = numbers
        for plain, values in self.counts:
            plain.update(values)

    def digest(self):
        """Return what the same things hold now: a dict from their names to digests of their numbers."""
        now = {("array", id(array)): digest_of(array) for array, _ in self.copied.values()}
        now |= {("grad", id(leaf)): digest_of(leaf.grad.data) for leaf in self.leaves if leaf.grad is not None}
        now |= {("generator", id(generator)): repr(generator.bit_generator.state) for generator, _ in self.generators}
        return now | {("number", id(plain), key): plain[key] for plain, values in self.counts for key in values}

    def name(self, place):
        """Return the name of a place of the digest."""
        kind, identity, *key = place
        if kind == "grad":
            leaf = next(leaf for leaf in self.leaves if id(leaf) == identity)
            return f"the gradient of {self.names.get(id(owner_of(leaf.data)), 'a parameter')}"
        if kind == "array":
            return self.names.get(identity, "an array that the step writes to")
        return f"the number {key[0]!r}" if key else "the state of a random generator"


def digest_of(array):
    """Return a digest of the numbers of an array."""
    return array.shape, hashlib.blake2b(np.ascontiguousarray(numbers_of(array))).digest()


def numbers_in(plain):
    """Return the numbers in a dict, with their keys."""
    return {key: value for key, value in plain.items() if type(value) in (int, float)}


def told_apart(first, second):
    """Say whether two recordings can show which arrays depend on the inputs.

    They cannot if an input was the same in both, and the tape reads an array that was made outside of it: a copy of that input?
    """
    fresh = [root for name, root in second.outside().items() if is_fresh(name, root, first) and root.owner.size > 1]
    return not fresh or all(a != b for a, b in zip(first.inputs, second.inputs))


def is_fresh(name, root, first):
    """Say whether an array from outside is another one than in the first recording."""
    before = first.outside().get(name)
    return before is None or before.owner is not root.owner


def compare(first, second):
    """Refuse two recordings that differ in more than their inputs.

    Raises:
        CaptureError: They do. The message names the line, and says what to write.
    """
    for one, two in zip(first.recorder.tape, second.recorder.tape):
        if steps(one) != steps(two):
            raise CaptureError(
                f"the step did not do the same twice: {label(one)} ran at {one.line}, the next time {label(two)} at {two.line}. "
                "A replay cannot choose: use where(condition, a, b), or capture each case as a step of its own"
            )
        if isinstance(two.function, NewArray):
            compare_new(one, two)
        if names((one.inputs, one.settings)) != names((two.inputs, two.settings)):
            if [*map(layout, leaves((one.inputs, one.settings)))] == [*map(layout, leaves((two.inputs, two.settings)))]:
                raise CaptureError(changed_number(one, two))
            raise CaptureError(other_arrays(one, two))
    for old, new in zip(first.plain, second.plain):
        if named_number(old) != named_number(new):
            raise CaptureError(
                f"the captured step returns {new!r}, and {old!r} the time before, and a replay would return it again and again: "
                "return a tensor, and call .item() on what the step returned"
            )
    if len(first.recorder.tape) != len(second.recorder.tape):
        shorter, longer = sorted([first.recorder.tape, second.recorder.tape], key=len)
        extra = longer[len(shorter)]
        raise CaptureError(f"the step ran {label(extra)} at {extra.line} in one call and not in the next: a replay cannot choose")
    before, lines = first.outside(), {}
    for entry in second.recorder.tape:
        for ref in refs((entry.inputs, entry.settings)):
            lines.setdefault(ref.root, (entry.line, label(entry)))
    for name, root in second.outside().items():
        old = before[name].owner
        if old is not root.owner and not same(old, root.owner):
            line, what = lines[root]
            raise CaptureError(another_array(line, what))


def compare_new(one, two):
    """Refuse an array that is not made again in each step, or with other numbers."""
    array = two.function.array()
    if array is not None and array is one.function.array():
        raise CaptureError(
            f"{two.line} writes to an array that outlives the step, where capture does not see it: keep it in a tensor that the "
            "step finds by a name or an attribute"
        )
    if not same(one.function.values, two.function.values):
        raise CaptureError(another_array(two.line, "the step"))


def another_array(line, what):
    """Say that an array from outside was another one each time."""
    return (
        f"{line} gives {what} an array that no op of the step made and that is another one in each call: a replay would "
        "keep this one. Pass it to the step as an argument, draw it with tinytorch, or compute it from tensors"
    )


def other_arrays(one, two):
    """Say how arrays differed between two recordings: in shape, or they are others."""
    pairs = [(a, b) for a, b in zip(refs((one.inputs, one.settings)), refs((two.inputs, two.settings))) if a.shape != b.shape]
    if pairs:
        return (
            f"{two.line} gives {label(two)} an array of shape {pairs[0][1].shape}, and {pairs[0][0].shape} the time before: its "
            "shape depends on numbers, as that of x[mask] does, and a replay has one shape only. Keep all entries, and choose "
            "with where(mask, x, 0)"
        )
    return (
        f"{two.line} gives {label(two)} another array than the time before, and a replay cannot choose: use "
        "where(condition, a, b), or capture each case as a step of its own"
    )


def changed_number(one, two):
    """Say which number differed between two recordings."""
    pairs = zip(leaves((one.inputs, one.settings)), leaves((two.inputs, two.settings)))
    old, new = next(((a, b) for a, b in pairs if names(a) != names(b)), (None, None))
    if callable(new):
        return (
            f"{two.line} gives {label(two)} another function than the time before, and a replay would keep one of them: define "
            "it outside of the captured step"
        )
    return (
        f"{two.line} gives {label(two)} the number {new!r}, and {old!r} the time before, so a replay would keep one of them: "
        "pass it to the step in a tensor, or read it from the optimizer's param_groups"
    )


def layout(x):
    """Return what tells arrays apart; numbers all count as the same."""
    return x.name() if isinstance(x, Ref) else None


def steps(entry):
    """Return which function an entry runs."""
    return (
        entry.op
        or getattr(entry.function, "__self__", None)
        and entry.function.__name__
        or getattr(entry.function, "__name__", "")
    )


def label(entry):
    """Return the name of what an entry runs."""
    return entry.op.name if entry.op else getattr(entry.function, "__name__", "a function")


def names(x):
    """Return arguments as they compare in two recordings: arrays and live numbers by name, and nan equal to itself."""
    return nested(lambda leaf: leaf.name() if isinstance(leaf, Ref) else named_number(leaf), x)


def named_number(x):
    """Return a number so that it compares equal to itself, 1 to neither 1.0 nor True, and 0.0 not to -0.0."""
    name = getattr(x, "name", None)
    if isinstance(name, tuple):  # a live number
        return name
    return (type(x), repr(x)) if isinstance(x, (int, float, complex)) else x


def first_difference(tape, before, after, results):
    """Play a tape on the recording's inputs, from the recording's beginning, and compare what comes out.

    Args:
        tape: The tape.
        before: `Snapshot` of the recording's beginning.
        after: What its digest was when the step had run.
        results: List of the arrays that the step returned.

    Returns:
        Text, or None if everything is equal bit for bit. Afterwards everything is as the replay left it.
    """
    before.restore()
    tape.player.poison()
    tape.run()
    now = before.digest()
    for place in {**after, **now}:
        if after.get(place) != now.get(place):
            return before.name(place)
    places = [tape.player.array(ref) for ref in tape.outputs]
    return None if all(map(same, results, places)) else "the result"
