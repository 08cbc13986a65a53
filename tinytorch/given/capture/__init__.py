"""`tinytorch.capture`: run a training step, write it down, and from then on play what was written. Given.

The first call runs the step as it is. The second and the third write it down, each with its own inputs: what differs between
them, and is neither an argument nor made by the step, cannot be replayed and is refused. Then the tape is played on the third
call's inputs, and must give the same parameters, gradients and optimizer state, bit for bit. Later calls copy their inputs to
fixed buffers and play the tape: no dispatch, no graph, no allocation.

    arguments  what a step is called with, and what it returns
    containers tuples, lists, dicts and dataclasses of tensors
    traced     arrays that write down what NumPy does with them
    live       numbers that change between steps
    arrays     what is the same for arrays of NumPy's and of a device
    world      what a step can reach in Python, and whether it has changed
    places     what holds it: attributes, keys of dicts, entries of lists, variables
    unread     what of that the step cannot have read, and may change
    iterators  iterators and Python's own random generators
    sources    whose code something is, and which line of the user's runs
    lines      the line that a message names
    watching   calls that a replay would not make: clocks, files, output
    recording  the tape
    comparing  two recordings, and a replay with the step itself
    memory     the plan of the arena
    playing    from the entries to a list of calls
    launching  the same for entries on a device: its launches, which are a graph on a GPU
    printing   what `step.tape()` shows
    tape       when a tape may be played, and what it leaves behind
"""

import functools
import operator
import sys
import threading
import warnings
from collections import Counter

from tinytorch.given.capture import comparing
from tinytorch.given.capture.arguments import contents, described, filled, repeated
from tinytorch.given.capture.arrays import buffer_for, owner_of
from tinytorch.given.capture.printing import Table
from tinytorch.given.capture.recording import CaptureError, Recorder
from tinytorch.given.capture.tape import Tape
from tinytorch.given.capture.world import Captured
from tinytorch.given.state import state, watchers

KINDS = 32  # of arguments that a step is recorded for
UNLIKE = 8  # recordings for one kind of arguments that differ each time, after which the user is told
TAPES = 8  # that are kept for arguments of one kind, such as one for training and one for evaluation
one_at_a_time = threading.RLock()  # a recording changes what a tensor's `data` is and where output goes


class capture(Captured):
    """Record a training step, and replay it: the same numbers without the Python between the kernels.

    Args:
        step: Function of tensors that runs a whole step: forward, ``backward()``, ``optimizer.step()``. It may return tensors.

    Calling it is calling the step. It raises a `CaptureError` where the step does something that a replay could not repeat, such
    as reading a loss with ``.item()``: return the tensor, and read it outside. Arguments and results may be in tuples, lists,
    dicts and dataclasses. What a replay returns is new, unless it outlives the step, as a parameter does. Replays write gradients
    in the same memory again and again: of a gradient's array that you want to keep, such as ``weight.grad.numpy()``, make a copy.

    Raises:
        TypeError: The step cannot be called.

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

    bound = False  # whether it belongs to an object, whose method was captured

    def __init__(self, step=None):
        if not callable(step):
            raise TypeError(
                f"capture takes the step, a function that trains on one batch, and got {step!r}: "
                "write step = capture(step), or @capture without parentheses above its definition"
            )
        functools.update_wrapper(self, step)
        self.step, self.started = step, False
        self.tapes, self.recordings, self.buffers, self.changed = {}, {}, {}, Counter()
        self.unlike = Counter()
        self.own = {*vars(self), "own"}  # what a step's user sets besides belongs to the step

    def __get__(self, instance, owner=None):
        """Return the step of an object, if a method was captured: each object has its own."""
        if instance is None:
            return self
        bound = capture(self.step.__get__(instance, owner))
        bound.bound = True
        return vars(instance).setdefault(self.__name__, bound)  # found there from now on

    def __reduce__(self):
        """Say how to make it again: pickles and copies hold the step, and record it again."""
        if self.bound:
            return getattr, (self.step.__self__, self.__name__)
        home = sys.modules.get(self.__module__)
        try:
            if operator.attrgetter(self.__qualname__)(home) is self:
                return self.__qualname__  # it is found by its name, as functions are
        except AttributeError:
            pass
        return capture, (self.step,)

    def __call__(self, *inputs, **options):
        if watchers and any(isinstance(watcher, Recorder) for watcher in watchers):  # inside another captured step
            return self.step(*inputs, **options)
        arrays = []
        given = *described(inputs, arrays), *options, *described(options.values(), arrays)
        kind = *given, repeated((inputs, options), arrays), state.kernels, state.recording, comparing.threads()
        tapes = self.tapes.get(kind)
        if tapes:
            copy_to(tapes[0].buffers, arrays)
            for tape in tapes:
                if tape.fits():
                    return tape.play()
        if not self.started:
            self.started = True
            return self.step(*inputs, **options)
        with one_at_a_time:
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
        buffers = self.buffers.setdefault(kind, [buffer_for(array) for array in arrays])
        copy_to(buffers, arrays)
        arguments, named = filled((inputs, options), iter(buffers))
        recording = comparing.Recording(self.step, (inputs, options), buffers, self.changed)
        before = [*contents((arguments, named))]

        def run():
            result = self.step(*arguments, **named)
            check_arguments(before, [*contents((arguments, named))])
            check_memory(arrays, recording.recorder.written)
            return result

        recording.run(run)
        case = kind, *recording.had, *(question.answer for question, _ in recording.recorder.questions)
        first = self.recordings.pop(case, None)
        if not recording.settled:
            return recording.returned(recording.results)
        changed = None if first is None else first.difference()
        if changed is not None:
            self.count_unlike(kind, changed)
        if first is None or changed is not None or not comparing.told_apart(first, recording):
            self.recordings[case] = recording
            recording.before = None  # it held copies of everything, in case of a refusal
            return recording.returned(recording.results)
        comparing.compare(first, recording)
        tape = Tape(recording, buffers)
        self.tapes[kind] = [tape, *self.tapes.get(kind, [])][:TAPES]
        return tape.result()

    def count_unlike(self, kind, changed):
        """Count the recordings that differ from the one before, and say so if there are many: a step that is slow in silence."""
        self.unlike[kind] += 1
        if self.unlike[kind] == UNLIKE:
            warnings.warn(
                f"a captured step has been recorded {UNLIKE} times and could not be replayed, because {changed} is another one "
                "each time, and recording takes longer than the step itself: pass it to the step as an argument, a number in a "
                "tensor; or, if the step does not use it, keep it where the step does not find it, such as in a variable",
                RuntimeWarning,
                stacklevel=4,
            )

    def tape(self):
        """Return the tape recorded last: it prints as a table of its calls, with shapes, bytes and microseconds.

        Returns:
            `printing.Table`, or None if nothing has been recorded yet.
        """
        tapes = [kept[0] for kept in self.tapes.values()]
        return Table(tapes[-1]) if tapes else None


def check_arguments(before, after):
    """Refuse a step that puts something into its lists and dicts, or gives a tensor among its arguments another array."""
    if len(before) != len(after) or not all(map(operator.is_, before, after)):
        raise CaptureError(
            "the captured step changes a list, a dict or a tensor that is among its arguments, which a replay would not do: "
            "return what is new, and put it there outside of the step"
        )


def check_memory(arrays, written):
    """Refuse arguments in memory that the step writes to: a replay works on copies of the arguments."""
    if any(id(owner_of(array)) in written for array in arrays):
        raise CaptureError(
            "an argument of the captured step shares its memory with something that the step writes to, and a replay would read "
            "a copy of it: pass a copy (w.detach().clone()), or leave the argument out and read it in the step"
        )


def copy_to(buffers, arrays):
    """Copy the arrays of a call to where tapes expect them."""
    for own, array in zip(buffers, arrays):
        own[...] = array  # half as long as np.copyto, until the numbers move
