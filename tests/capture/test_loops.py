"""Training loops as people write them: captured, they give the numbers of the plain step, or are refused with a line.

What is refused would be silently wrong: a replay runs none of the step's Python.
"""

import itertools
import random
import sys
import types
import warnings
from collections import deque

import numpy as np
import pytest

import tinytorch
import tinytorch.nn.functional as F
from tinytorch.given import capture as capturing
from tinytorch.given.capture import capture
from tinytorch.given.capture.recording import CaptureError
from tinytorch.layers import Linear, Module, ReLU, Sequential
from tinytorch.optim import SGD, Adam
from tinytorch.tensor import Tensor

FEATURES, CLASSES, BATCH = 6, 4, 5


def network(seed=0):
    """Make a small network."""
    rng = np.random.default_rng(seed)
    return Sequential(Linear(FEATURES, 4, rng=rng), ReLU(), Linear(4, CLASSES, rng=rng))


def batches(count, seed=1, size=BATCH):
    """Return batches of random numbers and labels."""
    rng = np.random.default_rng(seed)
    draw = lambda: (Tensor(rng.standard_normal((size, FEATURES)).astype(np.float32)), Tensor(rng.integers(0, CLASSES, size)))
    return [draw() for _ in range(count)]


def train_on(model, optimizer, x, y, scale=1.0):
    """Take one ordinary step."""
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y) * scale
    loss.backward()
    optimizer.step()
    return loss


def assert_same(loop):
    """Check that a loop gives the same numbers captured as plain, and that its steps were replayed."""
    steps = []

    def captured(step):
        steps.append(capture(step))
        return steps[-1]

    outcomes = []
    for use in (lambda step: step, captured):
        tinytorch.manual_seed(0)
        random.seed(0)
        model = network()
        numbers = loop(use, model)
        outcomes.append([*map(np.asarray, numbers), *(p.data.copy() for p in model.parameters())])
    assert all(any(step.tapes.values()) for step in steps), "nothing was replayed"
    for plain, ours in zip(*outcomes, strict=True):
        assert np.array_equal(plain, ours, equal_nan=True)
    return steps


def test_an_optimizer_of_ones_own_may_pair_its_numbers():
    """Two numbers that may change come in a tuple to a kernel that has a prepared form."""
    from tinytorch.optim import Optimizer, adam_update

    class Own(Optimizer):
        """Adam, with each beta as a setting of its own."""

        kept = ("mean", "square")

        def __init__(self, params):
            super().__init__(params, dict(lr=0.1, beta1=0.9, beta2=0.99))

        def update(self, param, grad, state, group):
            """Take one step."""
            betas = group["beta1"], group["beta2"]
            adam_update(
                param, grad, state["mean"], state["square"], state["scratch"], step=state["step"], lr=group["lr"], betas=betas
            )

    def loop(use, model):
        optimizer, losses = Own(model.parameters()), []
        step = use(lambda x, y: train_on(model, optimizer, x, y))
        for i, batch in enumerate(batches(10)):
            optimizer.param_groups[0]["beta1"] = 0.9 - i / 50
            losses.append(step(*batch).item())
        return losses

    for kernels in ("numpy", "numba"):
        with tinytorch.use(kernels):
            assert_same(loop)


# What is made when it is first needed, and is there from then on, changes nothing later.


def test_gradients_of_two_batches_add_up_before_a_step():
    def loop(use, model):
        optimizer = Adam(model.parameters(), lr=0.1)

        @use
        def step(x, y, last):
            loss = F.cross_entropy(model(x), y) / 2
            loss.backward()
            if last:
                optimizer.step()
                optimizer.zero_grad()
            return loss.detach()

        return [step(*batch, i % 2 == 1).item() for i, batch in enumerate(batches(14))]

    assert_same(loop)


def test_parameters_are_added_midway():
    def loop(use, model):
        more = Linear(CLASSES, CLASSES, rng=np.random.default_rng(3))
        optimizer, losses = SGD(model.parameters(), lr=0.1), []
        step = use(lambda x, y: train_on(Sequential(model, more), optimizer, x, y))
        for i, batch in enumerate(batches(12)):
            if i == 5:
                optimizer.add_param_group({"params": list(more.parameters()), "lr": 0.3})
            losses.append(step(*batch).item())
        return [*losses, more.weight.data]

    assert_same(loop)


def test_a_mask_is_kept_for_each_size():
    def loop(use, model):
        optimizer, masks = SGD(model.parameters(), lr=0.1), {}

        @use
        def step(x, y):
            if x.shape not in masks:
                masks[x.shape] = tinytorch.ones(*x.shape) * 0.5
            return train_on(model, optimizer, x * masks[x.shape], y)

        return [step(*batch).item() for _ in range(4) for batch in [*batches(2), *batches(1, size=3)]]

    assert_same(loop)


# What changes again and again is refused.


class Counter:
    """A counter whose attribute is in a slot, and in no dict."""

    __slots__ = ("count",)

    def __init__(self):
        self.count = 0

    def add(self, value):
        """Count."""
        self.count += 1


def generated():
    """Yield ever smaller numbers, the same ones for a while."""
    for number in itertools.count():
        yield 0.5 ** (number // 6)


KEPT = {
    "a list": (list, lambda kept, value: kept.append(value)),
    "a deque": (lambda: deque(maxlen=100), lambda kept, value: kept.append(value)),
    "a set": (set, lambda kept, value: kept.add(value)),
    "a dict": (dict, lambda kept, value: kept.update({len(kept): value})),
    "a slot": (Counter, lambda kept, value: kept.add(value)),
    "a count": (itertools.count, lambda kept, value: next(kept)),
    "an iterator": (lambda: iter(range(100)), lambda kept, value: next(kept)),
    "pairs of an iterator": (lambda: enumerate([0.1] * 100), lambda kept, value: next(kept)),
    "a generator": (generated, lambda kept, value: next(kept)),
    "Python's random numbers": (lambda: None, lambda kept, value: random.random()),
    "a generator of those": (random.Random, lambda kept, value: kept.random()),
    "NumPy's old random numbers": (lambda: None, lambda kept, value: np.random.rand()),
    "a generator of NumPy's": (np.random.default_rng, lambda kept, value: kept.random() < 0.01),
    "a print": (lambda: None, lambda kept, value: print("step")),
}


@pytest.mark.parametrize("kind", KEPT)
def test_what_a_replay_would_not_do_is_refused(kind):
    """One expects: it is done in each step."""
    make, use = KEPT[kind]

    def run(capture_it):
        model, kept = network(), make()
        optimizer = SGD(model.parameters(), lr=0.1)

        def step(x, y):
            loss = train_on(model, optimizer, x, y)
            use(kept, loss)
            return loss

        step = capture_it(step)
        for batch in batches(12):
            step(*batch)

    run(lambda step: step)
    words = r"test_loops\.py:\d+ (changes|takes something|prints)|a random generator differs"
    with pytest.raises(CaptureError, match=words):
        run(capture)


def test_a_counter_that_counts_every_second_step_is_refused():
    """Its every second recording changes nothing."""
    model, counts = network(), {"odd": 0}
    optimizer = SGD(model.parameters(), lr=0.1)

    @capture
    def step(x, y, odd):
        if odd:
            counts["odd"] += 1
        return train_on(model, optimizer, x, y)

    with pytest.raises(CaptureError, match=r"test_loops\.py:\d+ changes counts"):
        for i, batch in enumerate(batches(12)):
            step(*batch, i % 2 == 1)


def test_others_print_while_a_step_is_recorded(capsys):
    """Only the step itself may not."""
    from threading import Thread

    def step(x):
        other = Thread(target=print, args=("from another thread",))
        other.start()
        other.join()
        return x * 2

    run = capture(step)
    for x, _ in batches(4):
        run(x)
    assert capsys.readouterr().out.count("from another thread") == 3  # the plain call and two recordings


# What is changed between two steps is that of now.


class Settings:
    """Settings in a class, which nobody makes an object of."""

    scale = 1.0


class Scaled(Module):
    """A module whose scale is an attribute of its class."""

    scale = 1.0

    def forward(self, x):
        """Scale."""
        return x * self.scale


module = types.ModuleType("settings_of_mine")
module.scale = 1.0
sys.modules[module.__name__] = module
weights, scaled = np.ones(2), Scaled()


def with_default(x, *, settings={"scale": 1.0}):  # noqa: B006, that is what is tried
    """Scale by a default that can be changed."""
    return x * settings["scale"]


def with_attribute(x):
    """Scale by an attribute of the function."""
    return x * with_attribute.scale


HELD = {
    "a class": (lambda x: x * Settings.scale, lambda scale: setattr(Settings, "scale", scale)),
    "a module's class": (scaled, lambda scale: setattr(Scaled, "scale", scale)),
    "a file": (lambda x: x * module.scale, lambda scale: setattr(module, "scale", scale)),
    "an array": (lambda x: x * float(weights[1]), lambda scale: weights.__setitem__(1, scale)),
    "a default": (with_default, lambda scale: with_default.__kwdefaults__["settings"].update(scale=scale)),
    "an attribute of a function": (with_attribute, lambda scale: setattr(with_attribute, "scale", scale)),
}


@pytest.mark.parametrize("place", HELD)
def test_a_number_that_is_changed_between_two_steps_is_that_of_now(place):
    """One expects: each step reads it where it is kept."""
    scale_by, change = HELD[place]

    def loop(use, model):
        change(1.0)
        optimizer, losses = SGD(model.parameters(), lr=0.1), []
        step = use(lambda x, y: train_on(model, optimizer, scale_by(x), y))
        for i, batch in enumerate(batches(8)):
            if i == 5:
                change(0.25)
            losses.append(step(*batch).item())
        return losses

    assert_same(loop)


def test_an_attribute_of_the_captured_step_belongs_to_the_step():
    def loop(use, model):
        optimizer = SGD(model.parameters(), lr=0.1)

        @use
        def step(x, y):
            return train_on(model, optimizer, x * step.scale, y)

        losses = []
        for i, batch in enumerate(batches(9)):
            step.scale = 1.0 if i < 5 else 0.5
            losses.append(step(*batch).item())
        return losses

    assert_same(loop)


# What PyTorch's losses ask about their labels.


@pytest.mark.parametrize("settings", [{}, {"label_smoothing": 0.1}, {"reduction": "none"}, {"ignore_index": 0}], ids=str)
def test_labels_may_be_ignored_later(settings):
    """One expects: the loss of the labels of now, although none was ignored when the step was recorded."""

    def loop(use, model):
        optimizer, losses = SGD(model.parameters(), lr=0.1), []

        @use
        def step(x, y):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y, **settings).sum()
            loss.backward()
            optimizer.step()
            return loss

        for i, (x, y) in enumerate(batches(12)):
            y.data[: (0, 2, BATCH)[i % 3 if i > 6 else 0]] = settings.get("ignore_index", -100)
            losses.append(step(x, y).item())
        return losses

    assert_same(loop)


def test_a_label_out_of_range_is_the_loss_s_error():
    model = network()
    optimizer = SGD(model.parameters(), lr=0.1)
    step = capture(lambda x, y: train_on(model, optimizer, x, y))
    for batch in batches(5):
        step(*batch)
    before = [p.data.copy() for p in model.parameters()]
    (x, y), good = batches(2)
    y.data[2] = CLASSES
    with pytest.raises(ValueError, match=f"classes 0 to {CLASSES - 1} here, got {CLASSES}"):
        step(x, y)
    assert all(np.array_equal(a, p.data) for a, p in zip(before, model.parameters()))
    step(*good)


def test_what_is_asked_in_the_middle_of_a_step_has_to_stay_so():
    """Labels that the step itself picks are no argument: a replay that would need another way says so."""
    model, labels = network(), Tensor(np.array([0, 1, 2, 3, -100, 1]))
    optimizer = SGD(model.parameters(), lr=0.1)
    step = capture(lambda x, index: train_on(model, optimizer, x, labels[index]))
    for i, (x, _) in enumerate(batches(5)):
        step(x, np.array([0, 1, 2, 3, i % 3]))
    with pytest.raises(CaptureError, match=r"chooses by numbers.*pass what it looks at, such as labels"):
        step(x, np.array([0, 1, 2, 4, 5]))


# Numbers as arguments.


def test_a_number_that_is_another_in_each_call_is_an_argument_of_another_kind(monkeypatch):
    """Such a step is never replayed, so that it costs more than it gains: a warning says what to write."""
    monkeypatch.setattr(capturing, "KINDS", 3)
    step, plain = (use(lambda x, scale: (x * scale).sum()) for use in (capture, lambda step: step))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for i, (x, _) in enumerate(batches(6)):
            assert step(x, i / 7).item() == plain(x, i / 7).item()
    assert caught and "Pass numbers that change as tensors" in str(caught[0].message) and caught[0].filename == __file__
    assert len(step.buffers) == 3
