"""`tinytorch.capture`: run a training step, write it down, and from then on play what was written. Given.

The first call runs the step as it is. The second and the third write it down, each with its own inputs: what differs between
them, and is neither an argument nor made by the step, cannot be replayed and is refused. Then the tape is played on the third
call's inputs, and must give the same parameters, gradients and optimizer state, bit for bit. Later calls copy their inputs to
fixed buffers and play the tape: no dispatch, no graph, no allocation.

    arguments  what a step is called with, and what it returns
    traced     arrays that write down what NumPy does with them
    live       numbers that change between steps
    arrays     what is the same for arrays of NumPy's and of a device
    world      what a step can reach in Python, and whether it has changed
    recording  the tape
    comparing  two recordings, and a replay with the step itself
    memory     the plan of the arena
    playing    from the entries to a list of calls
    launching  the same for entries on a device: its launches, which are a graph on a GPU
    printing   what `step.tape()` shows
    tape       when a tape may be played, and what it leaves behind
"""

import functools
import warnings
from collections import Counter

from tinytorch.given.capture import comparing
from tinytorch.given.capture.arguments import described, filled, returned, template
from tinytorch.given.capture.arrays import copy_of
from tinytorch.given.capture.printing import Table
from tinytorch.given.capture.recording import Recorder
from tinytorch.given.capture.tape import Tape, threads
from tinytorch.given.capture.world import Captured
from tinytorch.given.state import state, watchers

KINDS = 32  # of arguments that a step is recorded for
TAPES = 8  # that are kept for arguments of one kind, such as one for training and one for evaluation


class capture(Captured):
    """Record a training step, and replay it: the same numbers without the Python between the kernels.

    Args:
        step: Function of tensors that runs a whole step: forward, ``backward()``, ``optimizer.step()``. It may return tensors.

    Calling it is calling the step. It raises a `CaptureError` where the step does something that a replay could not repeat, such
    as reading a loss with ``.item()``: return the tensor, and read it outside.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> weight = Tensor([1.0, 2.0], requires_grad=True)
        >>> @capture
        ... def step(x):
        ...     weight.grad = None
        ...     loss = (weight * x).sum()
        ...     loss.backward()
        ...     return loss
        >>> [step(Tensor([float(i), 1.0])).item() for i in range(5)]
        [2.0, 3.0, 4.0, 5.0, 6.0]
        >>> weight.grad
        tensor([4., 1.])
    """

    def __init__(self, step):
        functools.update_wrapper(self, step)
        self.step, self.started = step, False
        self.tapes, self.recordings, self.buffers, self.changed = {}, {}, {}, Counter()
        self.own = {*vars(self), "own"}  # what a step's user sets besides belongs to the step

    def __call__(self, *inputs, **options):
        if watchers and any(isinstance(watcher, Recorder) for watcher in watchers):  # inside another captured step
            return self.step(*inputs, **options)
        arrays = []
        given = *described(inputs, arrays), *options, *described(options.values(), arrays)
        kind = *given, state.kernels, state.recording, threads()
        tapes = self.tapes.get(kind)
        if tapes:
            copy_to(tapes[0].buffers, arrays)
            for tape in tapes:
                if tape.fits():
                    return tape.play()
        if not self.started:
            self.started = True
            return self.step(*inputs, **options)
        return self.record(kind, inputs, options, arrays)

    def record(self, kind, inputs, options, arrays):
        """Run the step and write it down; the second recording of a kind becomes a tape."""
        if kind not in self.buffers and len(self.buffers) >= KINDS:
            warnings.warn(
                "a captured step is recorded for each shape of its tensors and for each value of its other arguments, and this "
                f"one has met {KINDS} kinds: calls with others run as without capture. Pass numbers that change as tensors",
                RuntimeWarning,
                stacklevel=3,
            )
            return self.step(*inputs, **options)
        buffers = self.buffers.setdefault(kind, [copy_of(array) for array in arrays])
        copy_to(buffers, arrays)
        arguments, named = filled((inputs, options), iter(buffers))
        recording = comparing.Recording(self.step, (inputs, options), buffers, self.changed)
        result = recording.run(lambda: self.step(*arguments, **named))
        case = kind, *recording.had, *(question.answer for question, _ in recording.recorder.questions)
        first = self.recordings.pop(case, None)
        if not recording.settled:
            return returned(template(result), iter(recording.results))()
        if first is None or not first.still_holds() or not comparing.told_apart(first, recording):
            self.recordings[case] = recording
            recording.before = None  # it held copies of everything, in case of a refusal
            return returned(template(result), iter(recording.results))()
        comparing.compare(first, recording)
        tape = Tape(recording, result, buffers)
        self.tapes[kind] = [tape, *self.tapes.get(kind, [])][:TAPES]
        return tape.result()

    def tape(self):
        """Return the tape recorded last: it prints as a table of its calls, with shapes, bytes and microseconds.

        Returns:
            `printing.Table`, or None if nothing has been recorded yet.
        """
        tapes = [kept[0] for kept in self.tapes.values()]
        return Table(tapes[-1]) if tapes else None


def copy_to(buffers, arrays):
    """Copy the arrays of a call to where tapes expect them."""
    for own, array in zip(buffers, arrays):
        own[...] = array  # half as long as np.copyto, until the numbers move
