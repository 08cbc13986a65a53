"""What a step reads and changes where no op sees it: a captured step gives the numbers of the plain one, or is refused.

Each case would be silently wrong in a replay, which runs none of the step's Python.
"""

import array
import re

import numpy as np
import pytest

from tinytorch.given.capture import capture
from tinytorch.given.capture.recording import CaptureError
from tinytorch.tensor import Tensor


def inputs(count=8):
    """Return inputs, each another one."""
    return [Tensor(np.arange(6, dtype=np.float32).reshape(2, 3) + i) for i in range(count)]


def refused(step, match, count=8):
    """Check that a step is refused with the line of this file, and return the message."""
    run = capture(step)
    with pytest.raises(CaptureError, match=match) as caught:
        for x in inputs(count):
            run(x)
    assert re.search(r"test_hidden_state\.py:\d+", str(caught.value)), f"the message names no line of this file: {caught.value}"
    return str(caught.value)


def line_of(function, text):
    """Return the line of a function's source that holds a text, as a message names it."""
    import inspect

    lines, first = inspect.getsourcelines(function)
    return f"test_hidden_state.py:{first + next(i for i, line in enumerate(lines) if text in line)}"


def follows(step, change, count=12, replayed=True):
    """Check that a step follows what changes between two calls: it gives what the plain step gives.

    Args:
        step: Function of a tensor.
        change: Function of a number that sets what the step reads; the number is 0 at first, and 1 from the seventh call on.
    """
    runs = []
    for use in (lambda step: step, capture):
        change(0)
        run, outs = use(step), []
        for i, x in enumerate(inputs(count)):
            if i == 6:
                change(1)
            outs.append(np.array(run(x).data))
        runs.append(outs)
    assert not replayed or any(run.tapes.values()), "nothing was replayed"
    assert all(a.tobytes() == b.tobytes() for a, b in zip(*runs))
    assert any(not np.array_equal(a, b) for a, b in zip(runs[0], runs[0][1:])), "the case shows nothing"


# Plain arrays that the step writes to.


class Running:
    """Statistics in plain arrays."""

    def __init__(self):
        self.mean, self.seen, self.big = np.zeros(3, np.float32), np.zeros(1), np.zeros(2**18)

    def step(self, x):
        """Write to an array in two ways, of which ops see one."""
        self.mean *= 0.9
        self.mean += 0.1 * x.data.mean(0)
        return x * 2

    def step_after(self, x):
        """The same in the other order."""
        self.mean += 0.1 * x.data.mean(0)
        self.mean *= 0.9
        return x * 2

    def count(self, x):
        """Count in an array."""
        self.seen[0] += len(x)
        return x * 2

    def large(self, x):
        """Count in an array of which only a checksum is kept."""
        self.big[-1] += len(x)
        return x * 2


WAYS = {
    "an entry": lambda c: c.__setitem__(1, c[1] + 1),
    "out=": lambda c: np.add(c, 1, out=c),
    "a method": lambda c: c.fill(c[0] + 1),
    "a view": lambda c: c[1:].__iadd__(1),
    "copyto": lambda c: np.copyto(c, c + 1),
    "array.array": lambda c: c.__setitem__(0, c[0] + 1),
    "bytearray": lambda c: c.__setitem__(0, c[0] + 1),
    "memoryview": lambda c: c.__setitem__(0, c[0] + 1),
    "a list of arrays": lambda c: c[1].__iadd__(1),
    "objects": lambda c: c.__setitem__(0, c[0] + 1),
}
MADE = {
    "array.array": lambda: array.array("d", [0.0] * 4),
    "bytearray": lambda: bytearray(4),
    "memoryview": lambda: memoryview(bytearray(4)),
    "a list of arrays": lambda: [np.zeros(3), np.zeros(3)],
    "objects": lambda: np.zeros(3, object),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_plain_array_that_the_step_changes_is_refused(way):
    """One expects: it counts the steps. A replay would leave it as it is."""
    counts, use = MADE.get(way, lambda: np.zeros(3))(), WAYS[way]

    def step(x):
        use(counts)
        return x * 2

    message = refused(step, "changes the numbers of counts")
    assert "keep it in a tensor" in message


@pytest.mark.parametrize("method, line", [("step", "*= 0.9"), ("count", "+= len"), ("large", "+= len")])
def test_a_module_s_plain_array_is_refused_with_its_line(method, line):
    """One expects: running statistics that move with each batch."""
    running = Running()
    message = refused(getattr(running, method), "changes the numbers of")
    assert line_of(getattr(Running, method), line) in message
    assert not running.big.any() or running.big[-1] == 2  # the call before the refused one; what that did is taken back


def test_a_write_that_no_op_sees_after_one_that_is_seen():
    """One expects: both happen in each step. The replay is compared with the step before it is used."""
    run = capture(Running().step_after)
    with pytest.raises(CaptureError, match="mean.* differs"):
        for x in inputs():
            run(x)


def test_the_array_of_a_large_tensor_is_refused():
    """One expects: the step writes to the tensor."""
    large = Tensor(np.zeros(2**22 + 8, np.float32))
    raw = large.data

    def step(x):
        raw[5] += 1
        return x * 2

    assert line_of(step, "+= 1") in refused(step, "changes the numbers of raw")


@pytest.mark.parametrize("size", [3, 1000, 2**20])
@pytest.mark.parametrize(
    "read", [lambda a, x: x * float(a[1]), lambda a, x: x * Tensor(a * 2)[:3], lambda a, x: x + Tensor(a)[:3]]
)
def test_a_plain_array_that_changes_between_two_calls_is_that_of_now(size, read):
    """One expects: the numbers of now, whatever the size of the array."""
    values = np.ones(size, np.float32)
    follows(lambda x: read(values, x), lambda i: values.fill(1 + i))


@pytest.mark.parametrize("kind", ["array.array", "bytearray"])
def test_other_memory_that_changes_between_two_calls_is_that_of_now(kind):
    values = MADE[kind]()
    follows(lambda x: x + values[0], lambda i: values.__setitem__(0, i))


def test_an_array_that_ops_alone_change_is_replayed():
    """One expects: a plain array that moves with each batch, here by operations that are seen."""

    def run(use):
        mean, outs = np.zeros(3, np.float32), []

        def step(x):
            np.add(mean, x.data.mean(0), out=mean)
            return x - Tensor(mean)

        step = use(step)
        return step, [step(x).data.copy() for x in inputs()] + [mean]

    _, plain = run(lambda step: step)
    step, ours = run(capture)
    assert any(step.tapes.values()) and all(map(np.array_equal, plain, ours))


# Refusals that the step catches.


@pytest.mark.parametrize("error", [Exception, RuntimeError])
def test_a_refusal_that_the_step_catches_is_raised_again(error):
    """One expects: the loss is noted in each step."""
    kept = {"last": None}

    def step(x):
        loss = (x * 2).sum()
        try:
            kept["last"] = loss.item()
        except error:
            pass
        return loss

    assert line_of(step, "loss.item()") in refused(step, "reads numbers")


def test_a_refusal_that_becomes_another_error_is_raised():
    """One expects: to see what was refused."""

    def step(x):
        try:
            return x * (x.sum().item())
        except Exception as error:
            raise KeyError("of mine") from error

    refused(step, "reads numbers")


# Long lists.


@pytest.mark.parametrize("change", [lambda a: a.append(1), lambda a: a.__setitem__(1500, a[1500] + 1), lambda a: a.pop()])
def test_a_long_list_that_changes_is_refused(change):
    """One expects: each step changes the list, however long it is."""
    losses = [0.0] * 2000

    def step(x):
        change(losses)
        return x * 2

    refused(step, "changes losses")


def test_an_entry_far_back_in_a_list_is_that_of_now():
    values = [1.0] * 2000
    follows(lambda x: x * values[1500], lambda i: values.__setitem__(1500, 1.0 + i))
