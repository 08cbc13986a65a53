"""What a step reads and changes where no op sees it: a captured step gives the numbers of the plain one, or is refused.

Each case would be silently wrong in a replay, which runs none of the step's Python.
"""

import array
import contextvars
import datetime
import functools
import importlib
import inspect
import io
import logging
import os
import re
import sys
import tempfile
import time
import types
import warnings
import weakref
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

import tinytorch as tt
from tinytorch.given.capture import capture, sources
from tinytorch.given.capture.recording import CaptureError
from tinytorch.given.op import Op
from tinytorch.optim import SGD
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
    assert len({out.tobytes() for out in runs[0][:1] + runs[0][6:7]}) == 2, "the case shows nothing"


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
    assert running.seen[0] in (0, 2)  # the call before the refused one; what that did is taken back


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


@pytest.mark.parametrize("size", [1000, 2**20])
@pytest.mark.parametrize("read", [lambda a, x: x * float(a[1]), lambda a, x: x * Tensor(a * 2)[:3]])
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
        mean = np.zeros(3, np.float32)

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


# What a step asks of the computer, and what it puts out.

FILE = io.StringIO()
LOG = logging.getLogger("of mine")
LOG.addHandler(logging.StreamHandler(io.StringIO()))
scale_in_a_context = contextvars.ContextVar("scale", default=1.0)

CALLS = {
    "print on stderr": (lambda x: print("step", file=sys.stderr), "prints or writes text"),
    "print to a file": (lambda x: print("step", file=FILE), "prints or writes text"),
    "write": (lambda x: FILE.write("step"), "prints or writes text"),
    "stderr.write": (lambda x: sys.stderr.write("step"), "prints or writes text"),
    "logging": (lambda x: LOG.warning("step"), "prints or writes text"),
    "logging of the root": (lambda x: logging.error("step"), "prints or writes text"),
    "time": (lambda x: x * time.time(), "reads the clock"),
    "perf_counter": (lambda x: x * perf_counter(), "reads the clock"),
    "monotonic": (lambda x: x * time.monotonic_ns(), "reads the clock"),
    "now": (lambda x: x * datetime.datetime.now().second, "reads the clock"),
    "today": (lambda x: x * datetime.date.today().day, "reads the clock"),
    "environ": (lambda x: x * float(os.environ["SCALE"]), "uses the environment"),
    "environ.get": (lambda x: x * float(os.environ.get("SCALE", 1)), "uses the environment"),
    "getenv": (lambda x: x * float(os.getenv("SCALE", "1")), "uses the environment"),
    "in environ": (lambda x: x * ("SCALE" in os.environ), "uses the environment"),
    "open": (lambda x: open(__file__, encoding="utf-8").close(), "uses a file"),
    "a path": (lambda x: Path(__file__).read_text(encoding="utf-8"), "uses a file"),
    "exists": (lambda x: Path(__file__).exists(), "uses a file"),
    "np.load": (lambda x: np.load(PLACE["file"]), "uses a file"),
    "np.fromfile": (lambda x: np.fromfile(PLACE["file"], np.uint8), "uses a file"),
    "readline": (lambda x: PLACE["open"].readline(), "uses a file"),
    "eval": (lambda x: x * eval("1.0"), "calls eval"),
    "globals": (lambda x: x * globals()["BATCH_SCALE"], "calls globals"),
}
BATCH_SCALE = 2.0
PLACE = {}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_a_replay_would_not_make_is_refused(name, monkeypatch, tmp_path):
    """One expects: it is made in each step."""
    monkeypatch.setenv("SCALE", "1.5")
    np.save(tmp_path / "a.npy", np.ones(3))
    PLACE.update(file=tmp_path / "a.npy", open=io.StringIO("1\n2\n3\n"))
    call, match = CALLS[name]

    def step(x):
        call(x)
        return x * 2

    refused(step, match)


def test_a_progress_bar_of_a_library_is_refused():
    """One expects: the bar moves in each step. Its output comes from a file of the library's."""
    other = tempfile.mkdtemp()
    Path(other, "bars_of_a_library.py").write_text("def show(out):\n    out.write('.')\n", encoding="utf-8")
    sys.path.insert(0, other)
    try:
        import bars_of_a_library
    finally:
        sys.path.remove(other)
    out = io.StringIO()

    def step(x):
        bars_of_a_library.show(out)
        return x * 2

    with pytest.raises(CaptureError, match="prints or writes text"):
        for x in inputs():
            captured = locals().get("captured") or capture(step)
            captured(x)


def test_a_warning_is_shown_while_a_step_is_recorded():
    """Only that: a replay need not repeat it."""

    def step(x):
        warnings.warn("look", UserWarning, stacklevel=1)
        return x * 2

    with pytest.warns(UserWarning, match="look"):
        run = capture(step)
        for x in inputs():
            run(x)
    assert any(run.tapes.values())


def test_a_context_variable_is_that_of_now():
    follows(lambda x: x * scale_in_a_context.get(), lambda i: scale_in_a_context.set(1.0 + i))


def test_a_view_of_a_dict_is_that_of_now():
    settings = {"scale": 1.0}
    view = types.MappingProxyType(settings)
    follows(lambda x: x * view["scale"], lambda i: settings.update(scale=1.0 + i))


def test_minus_zero_is_another_number():
    settings = {"scale": 0.0}
    follows(lambda x: x * settings["scale"], lambda i: settings.update(scale=-0.0 if i else 0.0))


def test_minus_zero_as_an_argument_is_another_number():
    run = capture(lambda x, scale: x * scale)
    for x in inputs():
        run(x, 0.0)
    x = Tensor([1.0, 2.0])
    for x in inputs():
        assert np.signbit(run(x, -0.0).data).all() != np.signbit(run(x, 0.0).data).any()


# Tensors as whole numbers of Python's.

INDEXED = {
    "a slice": lambda x, n: x[:n],
    "a slice of an axis": lambda x, n: x[0:3, :n],
    "repeat": lambda x, n: x.repeat(n, 1),
    "expand": lambda x, n: x[0].expand(n, 3),
    "an axis": lambda x, n: x.sum(dim=n - 1),
    "another axis": lambda x, n: x.softmax(dim=n - 1),
    "reshape": lambda x, n: x.reshape(n, -1),
    "a tuple": lambda x, n: x.reshape((n, -1)),
    "transpose": lambda x, n: x.transpose(0, n - 1),
    "zeros": lambda x, n: tt.zeros(n, 3),
    "range": lambda x, n: list(range(n)),
    "an assignment": lambda x, n: (x * 1).__setitem__(slice(None, n), 1.0),
    "the array's slice": lambda x, n: x.data[:n],
    "an array as a bound": lambda x, n: x[: n.data],
}


@pytest.mark.parametrize("kind", INDEXED)
def test_a_tensor_as_a_whole_number_is_refused(kind):
    """One expects: the size, axis or slice of now."""

    def step(x, n):
        INDEXED[kind](x, n)
        return x * 2

    run = capture(step)
    with pytest.raises(CaptureError, match=r"test_hidden_state\.py:\d+ .*(as a whole number|reads numbers).*pass") as caught:
        for x in inputs():
            run(tt.cat([x, x], 0), Tensor(np.array(2)))
    assert "number" in str(caught.value)


def test_rows_that_a_loop_cuts_out_are_refused_with_what_to_write():
    """One expects: other rows in each step, as nanoGPT takes them; with a tensor of places they are."""
    data, rng = Tensor(np.arange(100)), np.random.default_rng(0)
    starts = [Tensor(rng.integers(0, 90, 4)) for _ in range(8)]
    cut = capture(lambda ix: tt.stack([data[i : i + 8] for i in ix]) * 1)
    with pytest.raises(CaptureError, match=r"data\[i \+ arange\(8\)\] for data\[i : i \+ 8\]"):
        for ix in starts:
            cut(ix)
    take = capture(lambda ix: tt.stack([data[i + tt.arange(8)] for i in ix]))
    for ix in starts:
        assert np.array_equal(take(ix).data, np.stack([np.arange(i, i + 8) for i in ix.data]))
    assert any(take.tapes.values())


# Code and numbers that the step reaches by way of classes, modules and ops.


class Scales:
    """A class whose numbers are read by its methods of all kinds."""

    scale = 1.0

    @staticmethod
    def of_static(x):
        """Scale by a global."""
        return x * STATIC["scale"]

    @classmethod
    def of_class(cls, x):
        """Scale by another one."""
        return x * SETTINGS["scale"]

    @property
    def by_property(self):
        """Return the scale."""
        return PROPERTY["scale"]

    @functools.cached_property
    def by_cached_property(self):
        """Return the scale; for a new object, that of now."""
        return CACHED["scale"]

    def forward(self, x):
        """Scale, until a test replaces this."""
        return x * 1.0

    def __call__(self, x):
        return self.forward(x)


STATIC, SETTINGS, PROPERTY, CACHED = ({"scale": 1.0} for _ in range(4))
scales = Scales()


@pytest.mark.parametrize(
    "settings, step",
    [
        (STATIC, lambda x: Scales.of_static(x)),
        (STATIC, lambda x: scales.of_static(x)),
        (SETTINGS, lambda x: Scales.of_class(x)),
        (PROPERTY, lambda x: x * scales.by_property),
        (CACHED, lambda x: x * Scales().by_cached_property),
    ],
)
def test_what_methods_of_all_kinds_read_is_that_of_now(settings, step):
    follows(step, lambda i: settings.update(scale=1.0 + i))


@pytest.mark.parametrize("name", ["forward", "of_static", "of_class", "by_property"])
def test_a_method_that_is_replaced_is_the_one_of_now(name):
    """One expects: the class of the notebook's cell that has run again."""

    class Again(Scales):
        """A class of its own, which changes."""

    kinds = {
        "forward": (lambda f: lambda self, x: f(x), lambda x: again.forward(x)),
        "of_static": (lambda f: staticmethod(f), lambda x: again.of_static(x)),
        "of_class": (lambda f: classmethod(lambda cls, x: f(x)), lambda x: again.of_class(x)),
        "by_property": (lambda f: property(lambda self: f(1.0)), lambda x: x * again.by_property),
    }
    make, step = kinds[name]
    again = Again()
    follows(step, lambda i: setattr(Again, name, make((lambda x: x * 3.0) if i else (lambda x: x * 2.0))))


def test_a_function_whose_code_is_replaced_is_that_of_now():
    """One expects: what a reloaded file says; reloading puts new code into the old function."""

    def scaled(x):
        return x * 1.0

    def doubled(x):
        return x * 2.0

    codes = scaled.__code__, doubled.__code__
    follows(lambda x: scaled(x), lambda i: setattr(scaled, "__code__", codes[i]))


def test_a_default_that_is_replaced_is_that_of_now():
    def scaled(x, scale=1.0):
        return x * scale

    follows(lambda x: scaled(x), lambda i: setattr(scaled, "__defaults__", (1.0 + i,)))


def test_a_class_that_is_defined_again_is_that_of_now():
    def change(i):
        global Net
        Net = type("Net", (), {"scale": 1.0 + i})

    follows(lambda x: x * Net.scale, change)


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Make a library of files in a folder, and return a function that imports one of them."""
    folder = tmp_path / "of_mine"
    folder.mkdir()
    (folder / "__init__.py").write_text("", encoding="utf-8")
    text = "SCALE = 1.0\nclass Scales:\n    scale = 1.0\n    def by(self, x): return x * self.scale\n"
    (folder / "settings.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module
    for name in [name for name in sys.modules if name.split(".")[0] == "of_mine"]:
        del sys.modules[name]


def by_path(x):
    """Read a number of a file in a folder."""
    return x * of_mine.settings.SCALE


def by_name(x):
    """Read a number of a file by its name."""
    return x * getattr(of_mine.settings, "SC" + "ALE")


def imported_inside(x):
    """Import a file in the step."""
    import of_mine.settings as settings

    return x * settings.SCALE


def imported_name(x):
    """Import a number in the step."""
    from of_mine.settings import SCALE

    return x * SCALE


@pytest.mark.parametrize("step", [by_path, by_name, imported_inside, imported_name])
def test_a_number_of_a_file_is_that_of_now(library, step):
    global of_mine
    settings, of_mine = library("of_mine.settings"), library("of_mine")
    follows(step, lambda i: setattr(settings, "SCALE", 1.0 + i))


def test_a_number_of_a_class_in_an_installed_library_is_that_of_now(library, tmp_path, monkeypatch):
    """One expects: no difference between a file and a library with pip."""
    monkeypatch.setattr(sources, "INSTALLED", str(tmp_path))
    monkeypatch.setattr(sources, "LIBRARIES", (*sources.LIBRARIES, str(tmp_path)))
    kind = library("of_mine.settings").Scales
    made = kind()
    follows(lambda x: made.by(x), lambda i: setattr(kind, "scale", 1.0 + i))
    follows(lambda x: made.by(x), lambda i: setattr(kind, "by", lambda self, x: x * (2.0 + i)))


class Kind(type):
    """A class of classes, with a number."""

    scale = 1.0


class Made(metaclass=Kind):
    """A class that finds a number in its class."""


class Asking:
    """An object that finds its attributes elsewhere, and says so for each in a way of its own."""

    def __getattr__(self, name):
        return SETTINGS[name]


masked = np.ma.masked_array(np.arange(20.0), mask=[False] * 19 + [True])
held, asking = Scales(), Asking()
weakly = weakref.ref(held)
FOUND = {
    "a class of classes": (lambda x: x * Made.scale, lambda i: setattr(Kind, "scale", 1.0 + i)),
    "a weak reference": (lambda x: x * weakly().scale, lambda i: setattr(held, "scale", 1.0 + i)),
    "a mask": (lambda x: x * float(masked.sum()), lambda i: masked.mask.__setitem__(7, bool(i))),
    "asked elsewhere": (lambda x: x * asking.scale, lambda i: SETTINGS.update(scale=1.0 + i)),
}


@pytest.mark.parametrize("kind", FOUND)
def test_what_is_found_in_other_ways_is_that_of_now(kind):
    follows(*FOUND[kind])


def test_a_number_of_numpy_s_that_is_set_again_is_the_same():
    """One expects: a replay; the number is another object in each call, and equal."""
    scales = {"now": np.float32(0.5)}
    run = capture(lambda x: x * scales["now"])
    for x in inputs():
        scales["now"] = np.float32(0.5)
        assert np.array_equal(run(x).data, x.data * np.float32(0.5))
    assert any(run.tapes.values())


# Ops of the user's.


def test_what_an_op_of_the_user_s_closes_over_is_that_of_now():
    settings = {"scale": 1.0}
    scaled = Op(lambda a: a * settings["scale"])
    follows(lambda x: scaled(x), lambda i: settings.update(scale=1.0 + i))


def test_what_a_gradient_rule_closes_over_is_that_of_now():
    settings = {"scale": 1.0}
    scaled, weight = Op(lambda a: a * 2), Tensor([1.0, 2.0, 3.0], requires_grad=True)
    scaled.register_vjp(lambda grad, out, a: grad * settings["scale"])

    def step(x):
        weight.grad = None
        scaled(weight * x).sum().backward()
        return weight.grad * 1

    follows(step, lambda i: settings.update(scale=1.0 + i))


def test_a_counter_in_an_op_is_refused():
    """One expects: it counts the runs of the op."""
    counts = [0]

    def forward(a):
        counts[0] += 1
        return a * 2

    counted = Op(forward)
    refused(lambda x: counted(x), "changes counts")


@pytest.mark.parametrize("name", ["time", "print on stderr", "environ", "open"])
def test_a_call_in_an_op_that_a_replay_would_not_make_is_refused(name, monkeypatch):
    monkeypatch.setenv("SCALE", "1.5")
    call, match = CALLS[name]

    def forward(a):
        call(1.0)
        return a * 2

    called = Op(forward)
    refused(lambda x: called(x), match)


def test_an_array_in_an_optimizer_is_that_of_now():
    """One expects: a step that reads the optimizer's arrays itself reads those of now; others need not look at them."""
    weight = Tensor(np.ones(40, np.float32), requires_grad=True)
    optimizer = SGD([weight], lr=0.1, momentum=0.9)
    (weight * 1).sum().backward()
    optimizer.step()
    (state,) = optimizer.state.values()
    mean = state["momentum_buffer"]
    follows(lambda x: x * float(optimizer.state[weight]["momentum_buffer"][0]), lambda i: mean.fill(1 + i))


# Arrays that the step makes and fills.


def filled_in_rows(x):
    """Fill a tensor row by row."""
    out = tt.zeros(2, 3)
    for t in range(2):
        out[t] = x[t] * t
    return out


def added_up(x):
    """Add to a tensor that is also read before."""
    total = tt.zeros(3)
    shifted = x + total
    for t in range(2):
        total += x[t]
    return shifted + total


def filled_with_noise(x):
    """Draw numbers into a tensor."""
    return x + tt.zeros_like(x).uniform_()


def filled_array(x):
    """Fill an array."""
    out = np.ones((2, 3), np.float32)
    out[0] = 5
    out += x.data
    out *= x.data
    return Tensor(out)


MAKERS = {
    "rows": filled_in_rows,
    "added up": added_up,
    "noise": filled_with_noise,
    "an array": filled_array,
    "copy_": lambda x: tt.zeros(2, 3).copy_(x) * 2,
    "empty": lambda x: Tensor(np.empty((2, 3), np.float32)).copy_(x) * 2,
    "full": lambda x: tt.full((2,), x[0, 1]),
    "a result and its sum": lambda x: (lambda out: out + out.sum())(filled_in_rows(x)),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_an_array_that_the_step_makes_and_fills_is_made_in_each_replay(kind):
    """One expects: new memory in each step, filled with the numbers of now."""
    outs = []
    for use in (lambda step: step, capture):
        tt.manual_seed(0)
        run = use(MAKERS[kind])
        outs.append([run(x).data.copy() for x in inputs()])
    assert any(run.tapes.values()), "nothing was replayed"
    assert all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in zip(*outs))


def test_a_new_array_with_other_numbers_in_each_step_is_refused():
    """One expects: other noise in each step; a replay would not draw it."""
    rng = np.random.default_rng(0)

    def step(x):
        noise = Tensor(rng.standard_normal((2, 3)).astype(np.float32))
        noise += x
        return noise * 1

    refused(step, "no op of the step made|takes something")


def test_a_new_array_that_outlives_the_step_is_refused():
    """One expects: it adds up over the steps. It is in a cache, which capture cannot look into."""

    @functools.lru_cache
    def total():
        return tt.zeros(2, 3)

    def step(x):
        kept = total()
        kept += x * 0
        return x * 2

    refused(step, "outlives the step")


def test_an_array_whose_shape_depends_on_numbers_is_refused_with_what_to_write():
    """One expects: the sum over what is chosen now."""
    step = lambda x: x[x % 4 > i_of(x)].sum()
    i_of = lambda x: 1.5 - x[0, 0] / 8
    assert "where(mask, x, 0)" in refused(step, "shape depends on numbers")


def test_a_layer_that_reads_numbers_is_named():
    """One expects: to see which layer it is."""
    layer = tt.nn.BatchNorm1d(3, momentum=None)
    refused(lambda x: layer(x).detach(), r"item, in BatchNorm1d")
