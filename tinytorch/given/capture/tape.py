"""A recorded step: when it may be played, and what a replay leaves behind. Given."""

import functools
import importlib
import operator
import sys

from tinytorch.given.capture import comparing
from tinytorch.given.capture.arrays import copy_of, on_device, owner_of
from tinytorch.given.capture.playing import Player
from tinytorch.given.capture.recording import CaptureError, refs
from tinytorch.given.history import ticks
from tinytorch.given.op import part, registrations


class Tape:
    """A recorded step that can be played.

    Args:
        recording: The second `comparing.Recording`, which has just run.
        buffers: The arrays that a call's tensors are copied to.
    """

    def __init__(self, recording, buffers):
        recorder = recording.recorder
        self.entries, self.buffers, self.prepared = recorder.tape, buffers, True
        self.world, self.leaves, self.had = recording.world, recording.leaves, recording.had
        self.conditions = [foresee for foresee, _ in recorder.conditions.values()]
        self.outcomes = [outcome for _, outcome in recorder.conditions.values()]
        self.questions = recorder.questions
        self.version, self.registered = registrations[0], registered(recorder.tape)
        self.starting = [leaf for leaf, had in zip(self.leaves, self.had) if had]
        self.returned, self.outputs, self.slopes = recording.returned, recording.outputs, recording.gradients
        self.written, self.generators = recorder.written, recorder.generators
        self.versions = [t.written for _, t in self.world.tensors if id(owner_of(t.data)) in recorder.written]
        self.frozen = [(read, held) for _, read, held in recording.frozen_arrays()]
        self.connect()
        self.check(recording)
        self.world.refresh()
        self.is_untouched = self.guard()

    def connect(self):
        """Make the calls, and find the arrays that hold the results and the gradients afterwards."""
        tensor, wanted = part("Tensor"), [*self.outputs, *(ref for ref in self.slopes if ref is not None)]
        self.player = player_of(self.entries)(self.entries, wanted, [leaf.data for leaf in self.starting], self.prepared)
        self.result = functools.partial(self.returned, [*map(self.player.array, self.outputs)])
        self.gradients = [None if ref is None else tensor(self.player.array(ref)) for ref in self.slopes]
        grads = [grad for grad in self.gradients if grad is not None]
        there = [each for grad in grads if on_device(grad.data) for each in (grad.data, owner_of(grad.data))]
        self.counted = [*grads, owner_of(self.player.arena), *there]
        self.holders = None

    def check(self, recording):
        """Compare a replay with the step itself; without prepared kernels, should one of them round otherwise than its kernel.

        Raises:
            CaptureError: They differ. The message says in what.
        """
        before, after = recording.before, recording.before.digest()
        results = [array.copy() for array in recording.results]
        trouble = comparing.first_difference(self, before, after, results)
        if trouble is not None:
            self.prepared = False
            self.connect()
            trouble = comparing.first_difference(self, before, after, results)
        if trouble is not None:
            before.restore()
            raise CaptureError(
                f"a replay of the step gives other numbers than the step: {trouble} differs. Something in it changes numbers "
                "where capture does not see it: compute with tensors, or with an op made with @op or @in_place"
            )

    def snapshot(self):
        """Return a snapshot of what a replay changes; the gradients too, because replays write them in the same memory."""
        return comparing.Snapshot(self.world, self.leaves, self.written.values(), self.generators, grads=True)

    def fits(self):
        """Say whether the tape can be played now: what the step can reach is as it was when it was recorded.

        The numbers of the inputs are in their buffers already, because the step may ask something about them.
        """
        try:
            same = self.version == registrations[0] and self.is_untouched()
        except (LookupError, ValueError, AttributeError):  # something is not there any more
            same = False
        if not same and not self.fits_after_all():
            return False
        return not self.questions or all(question.is_answered_so(*arrays) for question, arrays in self.questions)

    def fits_after_all(self):
        """Say whether what has changed makes no difference: numbers that are equal to those of before, for example."""
        if [leaf._grad is not None for leaf in self.leaves] != self.had:
            return False
        if any(entry != current for entry, current in zip(self.registered, again(self.registered))):
            return False
        if [read() for read in self.conditions] != self.outcomes or not self.world.holds():
            return False
        if any(read() != held for read, held in self.frozen):
            return False
        self.version, self.is_untouched = registrations[0], self.guard()
        return True

    def guard(self):
        """Return a function that says whether nothing has been touched: one question after the other, compiled from source.

        That takes a third of the time of a loop over what is to be compared, and it is asked before each replay.
        """
        objects, names = [], {}

        def name(x):
            if id(x) not in names:
                names[id(x)] = f"x{len(names)}"
                objects.append(x)
            return names[id(x)]

        grads = [f"{name(leaf)}._grad is {'not ' * had}None" for leaf, had in zip(self.leaves, self.had)]
        answers = [f"{name(read)}() == {name(answer)}" for read, answer in zip(self.conditions, self.outcomes)]
        numbers = [f"{name(read)}() == {name(held)}" for read, held in self.frozen]
        questions = " and ".join([*grads, *answers, *numbers, *self.world.questions(name)]) or "True"
        return eval(compiled(", ".join(names.values()), questions))(*objects)

    def play(self):
        """Make every call, and return what the step returns."""
        self.run()
        return self.result()

    def run(self):
        """Make every call."""
        if self.holders and self.held() != self.holders and any(map(operator.gt, self.held(), self.holders)):
            self.connect()  # someone kept a gradient, which keeps its numbers: this replay needs other memory
        for i, own in self.player.starts.items():
            own[...] = self.starting[i]._grad.data
        try:
            for call in self.player.calls:
                call()
        except BaseException:
            self.take_back()
            raise
        self.hand_out()
        self.holders = self.held()

    def hand_out(self):
        """Give the parameters their gradients, and count the writes."""
        for leaf, grad in zip(self.leaves, self.gradients):
            leaf._grad = grad
        ticks[0] += 1
        for written in self.versions:
            written[0] = ticks[0]

    def take_back(self):
        """Give the parameters the gradients from before the step, where it needs them, and else none: its own are half done."""
        for leaf in self.leaves:
            leaf._grad = None
        for i, own in self.player.starts.items():
            self.starting[i]._grad = part("Tensor")(copy_of(own))

    def held(self):
        """Count who refers to the gradients and to their memory."""
        return [*map(sys.getrefcount, self.counted)]


@functools.lru_cache(maxsize=64)
def compiled(names, expression):
    """Return the code of a function of some objects; it returns one without arguments, whose value is that of an expression."""
    return compile(f"lambda {names}: lambda: {expression}", "<guard of a captured step>", "eval")


def player_of(entries):
    """Return the class of the player: another one if a kernel of the tape runs on a device."""
    there = any(ref.root.on_device for ref in refs([entry[1:4] for entry in entries]))
    return importlib.import_module("tinytorch.given.capture.launching").DevicePlayer if there else Player


def registered(tape):
    """Return what is registered on the ops of a tape: kernels and gradient rules."""
    found = {(entry.op, entry.kernels): None for entry in tape if entry.op}
    return list(again([(op, kernels) for op, kernels in found]))


def again(entries):
    """Yield what is registered now on ops."""
    for op, kernels, *_ in entries:
        yield op, kernels, op.forward, op.kernels.get(kernels), op.rules, op.rule_of_each
