"""A recorded step: when it may be played, and what a replay leaves behind. Given."""

import sys

import numpy as np

from tinytorch.given.capture import comparing
from tinytorch.given.capture.arguments import returned
from tinytorch.given.capture.playing import Player
from tinytorch.given.capture.recording import CaptureError, owner_of
from tinytorch.given.history import ticks
from tinytorch.given.op import part, registrations


class Tape:
    """A recorded step that can be played.

    Args:
        recording: The second `comparing.Recording`, which has just run.
        result: What the step returned.
        buffers: The arrays that a call's tensors are copied to.
        arena: Function from a number of bytes to memory.
    """

    def __init__(self, recording, result, buffers, arena):
        self.world, self.leaves, self.had, self.buffers = recording.world, recording.leaves, recording.had, buffers
        self.conditions = [read for read, _ in recording.recorder.conditions.values()]
        self.outcomes = [outcome for _, outcome in recording.recorder.conditions.values()]
        self.starting = [leaf for leaf, had in zip(self.leaves, self.had) if had]
        self.version, self.registered = registrations[0], registered(recording.recorder.tape)
        after = comparing.Snapshot(recording, recording.recorder.written)
        for prepared in (True, False):  # a prepared form that rounds otherwise than its kernel is not used
            wanted = [ref for _, ref in (*recording.outputs, *recording.gradients) if ref is not None]
            starts = [grad.data for grad in recording.starts]
            self.player = Player(recording.recorder.tape, wanted, starts, arena, prepared)
            self.connect(recording, result)
            trouble = comparing.first_difference(self, recording, after)
            if trouble is None:
                break
        else:
            after.restore()
            raise CaptureError(
                f"a replay of the step gives other numbers than the step: {trouble} differs. Something in it changes numbers where "
                "capture does not see it: compute with tensors, or with an op made with @op or @in_place"
            )
        self.world.refresh()

    def connect(self, recording, result):
        """Find the arrays that a replay returns, the gradients that it fills, and the tensors that it writes to."""
        tensor, array = part("Tensor"), self.player.array
        self.result = returned(result, {id(leaf): array(ref) for leaf, ref in recording.outputs})
        self.gradients = [(leaf, None if ref is None else tensor(array(ref))) for leaf, ref in recording.gradients]
        written = recording.recorder.written
        self.versions = [t.written for _, t in self.world.tensors if id(owner_of(t.data)) in written]

    def fits(self):
        """Say whether the tape can be played now: what the step can reach is as it was when it was recorded."""
        if [leaf._grad is not None for leaf in self.leaves] != self.had:
            return False
        if self.version != registrations[0]:
            if any(entry != current for entry, current in zip(self.registered, again(self.registered))):
                return False
            self.version = registrations[0]
        if self.conditions and [read() for read in self.conditions] != self.outcomes:
            return False
        return self.world.holds()

    def play(self, arrays):
        """Copy the inputs to their buffers, make every call, and return what the step returns."""
        for own, array in zip(self.buffers, arrays):
            np.copyto(own, array)
        self.run()
        return self.result()

    def run(self):
        """Make every call; then hand out the gradients, and count the writes."""
        for own, leaf in zip(self.player.starts, self.starting):
            own[...] = leaf._grad.data.reshape(-1).view(np.uint8)
        for call in self.player.calls:
            call()
        for leaf, grad in self.gradients:
            leaf._grad = grad
        ticks[0] += 1
        for written in self.versions:
            written[0] = ticks[0]


def threads():
    """Return how many threads the compiled kernels use: some choose by it between a loop and the matrix library."""
    numba = sys.modules.get("numba")
    return numba.get_num_threads() if hasattr(numba, "get_num_threads") else 1


def registered(tape):
    """Return what is registered on the ops of a tape: kernels and gradient rules."""
    found = {(entry.op, entry.kernels): None for entry in tape if entry.op}
    return list(again([(op, kernels) for op, kernels in found]))


def again(entries):
    """Yield what is registered now on ops."""
    for op, kernels, *_ in entries:
        yield op, kernels, op.forward, op.kernels.get(kernels), op.rules, op.rule_of_each
