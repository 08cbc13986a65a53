"""What a tape could get silently wrong: each case gives the numbers of the step without capture, bit for bit, or is refused.

The comment at each test says what one would expect without thinking about tapes.
"""

import re

import numpy as np
import pytest

import tinytorch
from tinytorch.cnn import BatchNorm2d, Conv2d
from tinytorch.given import op as ops_module
from tinytorch.given.capture import capture
from tinytorch.given.capture.recording import CaptureError
from tinytorch.layers import Dropout, Flatten, Linear, Module, ReLU, Sequential
from tinytorch.losses import cross_entropy
from tinytorch.optim import SGD, Adam, AdamW, CosineAnnealingLR, clip_grad_norm_
from tinytorch.tensor import Tensor, tensor

FEATURES, CLASSES, BATCH = 12, 4, 8


def network(seed=0, middle=ReLU):
    """Make a small network."""
    rng = np.random.default_rng(seed)
    return Sequential(Linear(FEATURES, 10, rng=rng), middle(), Linear(10, CLASSES, rng=rng))


def batches(count, seed=1, size=BATCH):
    """Yield batches of random numbers and labels."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield Tensor(rng.standard_normal((size, FEATURES)).astype(np.float32)), Tensor(rng.integers(0, CLASSES, size))


def trained(make, use, steps=10, between=lambda i, parts: None, data=None):
    """Train for some steps and return all that came out: results, parameters, gradients, and the numbers of the optimizer.

    Args:
        make: Function that returns the step, its model and its optimizer.
        use: `capture`, or a function that leaves the step as it is.
        between: What happens between two steps.
    """
    tinytorch.manual_seed(0)
    step, model, optimizer = make()
    run, results = use(step), []
    for i, batch in enumerate(data or batches(steps)):
        out = run(*batch)
        results.append(out if isinstance(out, (float, tuple)) else out)
        between(i, (model, optimizer))
    values = [*model.parameters(), *model.buffers(), *(p.grad for p in model.parameters() if p.grad is not None)]
    kept = [x for state in optimizer.state.values() for x in state.values()]
    numbers = [x.data if isinstance(x, Tensor) else x for x in [*values, *kept]]
    outs = [
        part.data if isinstance(part, Tensor) else part for out in results for part in (out if isinstance(out, tuple) else [out])
    ]
    return run, [np.array(x) for x in [*outs, *numbers]]


def assert_same(make, **options):
    """Check that a step gives the same numbers captured as plain, and that it was replayed at all."""
    _, plain = trained(make, lambda step: step, **options)
    run, ours = trained(make, capture, **options)
    assert any(run.tapes.values()), "nothing was recorded"
    assert len(plain) == len(ours)
    for a, b in zip(plain, ours):
        assert a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
    return run


def refused(make, match, **options):
    """Check that a step is refused with the line, and what to write."""
    with pytest.raises(CaptureError, match=match) as caught:
        trained(make, capture, **options)
    assert re.search(r"test_traps\.py:\d+", str(caught.value)), f"the message names no line of this file: {caught.value}"


def plain_step(model, optimizer, after_backward=lambda: None):
    """Return an ordinary step."""

    def step(x, y):
        optimizer.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()
        after_backward()
        optimizer.step()
        return loss

    return step


def of(make_optimizer, middle=ReLU):
    """Return a function that makes an ordinary step with an optimizer."""

    def make():
        model = network(middle=middle)
        optimizer = make_optimizer(model)
        return plain_step(model, optimizer), model, optimizer

    return make


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize(
    "optimizer",
    [
        lambda m: SGD(m.parameters(), lr=0.1),
        lambda m: SGD(m.parameters(), lr=0.1, weight_decay=0.01),  # the decay is NumPy in the optimizer's own code
        lambda m: SGD(m.parameters(), lr=0.1, momentum=0.9, nesterov=True),
        lambda m: SGD(m.parameters(), lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.1),  # the first step is special
        lambda m: Adam(m.parameters(), lr=0.01, weight_decay=0.1),  # its step count goes on
        lambda m: AdamW(m.parameters(), lr=0.01),
        lambda m: AdamW([{"params": list(m.parameters())[:2], "lr": 0.1}, {"params": list(m.parameters())[2:]}], lr=0.01),
        lambda m: tinytorch.optim.RMSprop(m.parameters(), lr=0.01, momentum=0.5, centered=True),
        lambda m: tinytorch.optim.Adagrad(m.parameters(), lr=0.01, lr_decay=0.1),
    ],
)
def test_every_optimizer_goes_on(optimizer, kernels):
    """One expects: the same training."""
    with tinytorch.use(kernels):
        assert_same(of(optimizer))


def test_a_schedule_is_followed():
    """One expects: each step uses the learning rate of now."""

    def make():
        step, model, optimizer = of(lambda m: SGD(m.parameters(), lr=0.5))()
        make.schedule = CosineAnnealingLR(optimizer, T_max=10)
        return step, model, optimizer

    assert_same(make, between=lambda i, parts: make.schedule.step())


def test_a_schedule_inside_the_step_is_refused():
    """One expects: the schedule steps, too. A replay would not do it."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.5)
        schedule = CosineAnnealingLR(optimizer, T_max=10)

        def step(x, y):
            loss = plain_step(model, optimizer)(x, y)
            schedule.step()
            return loss

        return step, model, optimizer

    refused(make, r"schedule.*outside.*schedule.step\(\) after it")


def test_gradients_are_clipped_by_their_length():
    """One expects: each step measures the length of its own gradients."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.5)
        return plain_step(model, optimizer, lambda: clip_grad_norm_(model.parameters(), 0.3)), model, optimizer

    assert_same(make)


def test_the_length_may_be_returned():
    """One expects: the length of each step's gradients, a number."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.5)

        def step(x, y):
            optimizer.zero_grad()
            loss = cross_entropy(model(x), y)
            loss.backward()
            norm = clip_grad_norm_(model.parameters(), 0.3)
            optimizer.step()
            return loss, norm

        return step, model, optimizer

    run = assert_same(make)
    assert isinstance(run(*next(batches(1)))[1], float)


def test_a_choice_by_the_length_is_refused():
    """One expects: the step is skipped if the gradients are too long."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.5)

        def step(x, y):
            optimizer.zero_grad()
            loss = cross_entropy(model(x), y)
            loss.backward()
            if clip_grad_norm_(model.parameters(), 0.3) < 100:
                optimizer.step()
            return loss

        return step, model, optimizer

    refused(make, "where")


def test_a_number_that_changes_is_refused():
    """One expects: the loss is scaled by the number of now."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.5)
        scales = np.random.default_rng(0)

        def step(x, y):
            optimizer.zero_grad()
            loss = cross_entropy(model(x), y) * scales.random()
            loss.backward()
            optimizer.step()
            return loss

        return step, model, optimizer

    refused(make, "number.*tensor")


def test_a_number_that_changes_later_is_noticed():
    """One expects: the loss is scaled by the number of now, although it was the same for a while."""
    scale = {"now": 1.0}

    def make():
        scale["now"] = 1.0
        model = network()
        optimizer = SGD(model.parameters(), lr=0.1)

        def step(x, y):
            optimizer.zero_grad()
            loss = cross_entropy(model(x), y) * scale["now"]
            loss.backward()
            optimizer.step()
            return loss

        return step, model, optimizer

    def between(i, parts):
        scale["now"] = 1.0 if i < 6 else 0.25

    assert_same(make, between=between, steps=14)


@pytest.mark.parametrize("own", [True, False])
def test_dropout_draws_anew(own):
    """One expects: other entries are dropped in each step, the same as without capture; and the generator is as far."""
    rngs = []

    def make():
        rngs.append(np.random.default_rng(5) if own else None)
        model = network(middle=lambda: Sequential(ReLU(), Dropout(0.4, rng=rngs[-1])))
        optimizer = SGD(model.parameters(), lr=0.5)
        return plain_step(model, optimizer), model, optimizer

    assert_same(make)
    if own:
        assert rngs[0].random() == rngs[1].random()


def test_noise_from_the_package_is_drawn_anew():
    """One expects: other noise in each step."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.5)

        def step(x, y):
            return plain_step(model, optimizer)(x + tinytorch.randn(BATCH, FEATURES) * 0.1, y)

        return step, model, optimizer

    assert_same(make)


def test_noise_drawn_outside_of_the_package_is_refused():
    """One expects: other noise in each step."""

    def make():
        rng, model = np.random.default_rng(7), network()
        optimizer = SGD(model.parameters(), lr=0.5)

        def step(x, y):
            noise = Tensor(rng.standard_normal((BATCH, FEATURES)).astype(np.float32))
            return plain_step(model, optimizer)(x + noise, y)

        return step, model, optimizer

    refused(make, "argument")


def test_noise_from_a_variable_that_is_set_anew_is_noticed():
    """One expects: the noise of now."""
    noise = {}

    def make():
        model = network()
        noise["now"] = tinytorch.zeros(BATCH, FEATURES)
        optimizer = SGD(model.parameters(), lr=0.5)
        return lambda x, y: plain_step(model, optimizer)(x + noise["now"], y), model, optimizer

    def between(i, parts):
        if i % 5 == 4:
            noise["now"] = tinytorch.ones(BATCH, FEATURES) * i

    assert_same(make, between=between, steps=16)


def test_running_statistics_go_on():
    """One expects: the running mean and variance, and the count of batches, move with each batch."""

    def make():
        rng = np.random.default_rng(0)
        model = Sequential(Conv2d(1, 3, 2, rng=rng), BatchNorm2d(3), ReLU(), Flatten(), Linear(18, CLASSES, rng=rng))
        optimizer = SGD(model.parameters(), lr=0.1)
        return lambda x, y: plain_step(model, optimizer)(x.reshape(BATCH, 1, 3, 4), y), model, optimizer

    assert_same(make)


def test_evaluation_mode_is_another_tape():
    """One expects: dropout is off after eval(), and on again after train()."""

    def make():
        model = network(middle=lambda: Dropout(0.5, rng=np.random.default_rng(3)))
        optimizer = SGD(model.parameters(), lr=0.1)
        return plain_step(model, optimizer), model, optimizer

    run = assert_same(make, steps=24, between=lambda i, parts: parts[0].train(i // 4 % 2 == 1))
    assert max(map(len, run.tapes.values())) == 2


PLAIN_ARRAYS = {
    "asarray": lambda p, y: np.asarray(p.data),
    "array": lambda p, y: np.array(p.data),
    "another dtype": lambda p, y: np.asarray(p.data, np.float64),
    "contiguous": lambda p, y: np.ascontiguousarray(p.data.T),
    "of the tensor": lambda p, y: np.asarray(p.detach()),
    "numpy": lambda p, y: np.array(p.detach().numpy()),
    "a list of arrays": lambda p, y: np.array([p.data, p.data]),
    "an index": lambda p, y: np.arange(CLASSES)[y.data],
    "an assignment": lambda p, y: np.zeros(p.shape).__setitem__(..., p.data),
    "a method of a plain array": lambda p, y: np.zeros(p.shape[0]).dot(p.data),
    "a scalar": lambda p, y: np.float32(p.data.sum()),
    "a buffer": lambda p, y: memoryview(p.data.data),
    "an iterator": lambda p, y: list(p.data.flat),
}


@pytest.mark.parametrize("way", PLAIN_ARRAYS)
def test_a_plain_array_of_a_tensors_numbers_is_refused(way):
    """One expects: what is read from it, or written to it, is that of each step. Nobody would see it."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.1)
        weight = next(iter(model.parameters()))

        def step(x, y):
            PLAIN_ARRAYS[way](weight, y)
            return plain_step(model, optimizer)(x, y)

        return step, model, optimizer

    refused(make, "plain array|reads numbers")


def test_an_index_from_an_argument_is_that_of_now():
    """One expects: the rows are picked by the labels of now; the array itself and a copy of it are seen."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.1)

        def step(x, y):
            optimizer.zero_grad()
            out, rows = model(x), np.arange(BATCH)
            loss = -(out[rows, y] + out[rows, y.data] + out[rows, y.data.copy()]).mean()
            loss.backward()
            optimizer.step()
            return loss

        return step, model, optimizer

    assert_same(make)


def test_a_kernel_that_copies_its_input_is_replayed_as_a_whole():
    """One expects: the op of now's numbers, although the learner's kernel works on a plain copy of them."""
    doubled = ops_module.Op(lambda a, index: a[np.array(index)] * np.asarray(a).max())
    run = capture(lambda x, index: doubled(x, index))
    rng = np.random.default_rng(6)
    for _ in range(6):
        x, index = rng.standard_normal((4, 3)).astype(np.float32), rng.integers(0, 4, 5)
        assert np.array_equal(run(Tensor(x), Tensor(index)).data, doubled.forward(x, index))
    assert any(run.tapes.values())


def test_operators_of_arrays_round_as_without_capture():
    """One expects: the same numbers; NumPy makes a square of ``x ** 2``, and so on."""

    def compute(x):
        a = x.data
        b = a**2 + a**0.5 - a**-1 + a**3 + 2**a + abs(-a) // 0.3 % 0.7 + (a @ a.T) @ a
        b *= 0.5
        b **= 2
        b += a.mean(axis=0) + a.var(axis=1, keepdims=True) + a.std() + a.clip(0.2, 0.7) + a.max() - a.T.min() + a.prod()
        return Tensor(b), Tensor((a > 0.5) & ~(a < 0.1) | (a == 0.3)), Tensor(a.sum(0)), Tensor(a.mT)

    run, rng = capture(compute), np.random.default_rng(8)
    for _ in range(6):
        x = Tensor(rng.random((3, 3), np.float32) + 0.1)
        for ours, plain in zip(run(x), compute(x)):
            assert ours.dtype == plain.dtype and np.array_equal(ours.data, plain.data)


def test_gradients_that_add_up_over_two_steps():
    """One expects: the gradients of two steps add up before they are forgotten."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.1)

        def step(x, y):
            loss = cross_entropy(model(x), y)
            loss.backward()
            return loss

        return step, model, optimizer

    def between(i, parts):
        if i % 2:
            parts[1].step()
            parts[1].zero_grad()

    run = assert_same(make, between=between, steps=16)
    assert max(map(len, run.tapes.values())) == 2


def test_gradients_filled_with_zeros():
    """One expects: the same as forgetting them."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.1)

        def step(x, y):
            optimizer.zero_grad(set_to_none=False)
            loss = cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        return step, model, optimizer

    assert_same(make)


def test_zero_grad_at_every_second_step_by_a_counter_is_refused():
    """One expects: the counter counts."""

    def make():
        model, count = network(), 0
        optimizer = SGD(model.parameters(), lr=0.1)

        def step(x, y):
            nonlocal count
            count += 1
            if count % 2:
                optimizer.zero_grad()
            loss = cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        return step, model, optimizer

    refused(make, "count")


class Counting(Module):
    """A module with a counter in an attribute."""

    def __init__(self):
        self.calls = 0

    def forward(self, x):
        """Count the call."""
        self.calls += 1
        return x


def test_a_counter_of_a_module_is_refused():
    """One expects: the attribute counts the calls."""
    refused(of(lambda m: SGD(m.parameters(), lr=0.1), middle=Counting), "calls")


def test_a_list_that_grows_is_refused():
    """One expects: the list holds the loss of every step."""

    def make():
        model, losses = network(), []
        optimizer = SGD(model.parameters(), lr=0.1)

        def step(x, y):
            loss = plain_step(model, optimizer)(x, y)
            losses.append(loss)
            return loss

        return step, model, optimizer

    with pytest.raises(CaptureError, match="losses"):
        trained(make, capture)


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize("wrong", [CLASSES, -1])
def test_a_label_out_of_range_is_refused_in_a_replay(kernels, wrong):
    """One expects: the error of cross_entropy, and parameters that have not changed."""
    step, model, optimizer = of(lambda m: SGD(m.parameters(), lr=0.1))()
    run = capture(step)
    with tinytorch.use(kernels):
        for batch in batches(5):
            run(*batch)
        before = [p.data.copy() for p in model.parameters()]
        x, y = next(batches(1))
        y.data[3] = wrong
        with pytest.raises(ValueError, match="labels name classes 0 to 3"):
            run(x, y)
        assert all(np.array_equal(a, p.data) for a, p in zip(before, model.parameters()))
        x, y = next(batches(1))
        run(x, y)


def test_load_state_dict_between_replays():
    """One expects: training goes on from the loaded state."""
    saved = {}

    def between(i, parts):
        model, optimizer = parts
        if i == 4:
            saved["model"] = {name: x.clone() for name, x in model.state_dict().items()}
            saved["optimizer"] = optimizer.state_dict()
        if i == 8:
            model.load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])

    assert_same(of(lambda m: Adam(m.parameters(), lr=0.05)), steps=16, between=between)


def test_another_number_of_threads_is_another_tape():
    """One expects: the kernels for that number of threads."""
    numba = pytest.importorskip("numba")
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("this machine has one thread")
    threads = numba.get_num_threads()

    def between(i, parts):
        numba.set_num_threads(1 + i // 5 % 2)

    try:
        with tinytorch.use("numba"):
            numba.set_num_threads(1)
            run = assert_same(of(lambda m: SGD(m.parameters(), lr=0.1)), steps=15, between=between)
        assert len(run.tapes) == 2
    finally:
        numba.set_num_threads(threads)


def test_another_kernel_set_is_another_tape():
    """One expects: the kernels of the set in use."""
    step, _, _ = of(lambda m: SGD(m.parameters(), lr=0.1))()
    run = capture(step)
    for kernels in ("numpy", "numba", "numpy"):
        with tinytorch.use(kernels):
            for batch in batches(4):
                run(*batch)
    assert len(run.tapes) == 2


def test_results_kept_in_a_list():
    """One expects: each loss, and each output, keeps its own numbers."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.5)

        def step(x, y):
            optimizer.zero_grad()
            out = model(x)
            loss = cross_entropy(out, y)
            loss.backward()
            optimizer.step()
            return loss, out.detach()

        return step, model, optimizer

    assert_same(make)


def test_gradients_kept_in_a_list():
    """One expects: each gradient keeps its own numbers."""

    def run(use):
        step, model, _ = of(lambda m: SGD(m.parameters(), lr=0.5))()
        step, kept, arrays = use(step), [], []
        for batch in batches(9):
            step(*batch)
            kept.append(next(iter(model.parameters())).grad)
            arrays.append(kept[-1].data)
        return [g.data.copy() for g in kept], arrays

    for plain, ours in zip(run(lambda step: step), run(capture)):
        assert all(map(np.array_equal, plain, ours))


@pytest.mark.parametrize(
    "read",
    [
        lambda loss: loss.item(),
        lambda loss: float(loss),
        lambda loss: bool(loss > 0),
        lambda loss: print(loss),
        lambda loss: f"{loss}",
        lambda loss: loss.tolist(),
        lambda loss: float(loss.data),
        lambda loss: loss.data.item(),
        lambda loss: 1 if loss.data > 0 else 0,
        lambda loss: np.isnan(loss.data).any() and 1,
        lambda loss: loss.detach().numpy().max() > 3 and 1,
        lambda loss: int(loss * 0),
        lambda loss: np.allclose(loss.data, 0),
        lambda loss: loss.isnan().any().item(),
        lambda loss: str(loss.data),
    ],
)
def test_reading_numbers_is_refused(read):
    """One expects: the number of each step."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.5)

        def step(x, y):
            loss = plain_step(model, optimizer)(x, y)
            read(loss)
            return loss

        return step, model, optimizer

    refused(make, "return the tensor")


def test_a_choice_by_the_data_is_refused():
    """One expects: the branch that fits the batch, although both recordings take the same."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.5)

        def step(x, y):
            scale = 0.5 if x.data.max() > 1e6 else 1.0
            return plain_step(model, optimizer)(x * scale, y)

        return step, model, optimizer

    refused(make, "where")


def test_a_kernel_chooses_by_the_numbers_of_now():
    """One expects: each call of a kernel chooses anew, although both recordings saw the same choice."""

    def shrink(a):
        out = a * 2
        if out.max() > 10:
            out = out / out.max()
        return out + a

    run = capture(lambda x: shrunk(shrunk(x)))
    shrunk, inputs = ops_module.Op(shrink), [1.0, 2.0, 3.0, 50.0, 1.5, 4.0, 0.5]
    for size in inputs:
        x = np.arange(6, dtype=np.float32).reshape(2, 3) * np.float32(size / 8)
        assert np.array_equal(run(Tensor(x)).data, shrink(shrink(x)))
    (tape,) = [tape for kept in run.tapes.values() for tape in kept]
    assert "choice" in [line.form for line in tape.player.lines], "the kernel was not taken apart"


def test_numpy_on_a_tensors_array_is_replayed():
    """One expects: what NumPy does happens in each step."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.5)

        def after():
            for p in model.parameters():
                p.grad.data *= 0.5
                p.grad.data += np.sign(p.data) * 0.01
                p.data -= 0.001 * p.data
                np.clip(p.data, -1, 1, out=p.data)
                p.grad.data[...] = np.where(p.grad.data > 0.5, 0.5, p.grad.data)

        def step(x, y):
            x = Tensor((x.data - x.data.mean(axis=0)) / (x.data.std(axis=0) + 1))
            return plain_step(model, optimizer, after)(x, y)

        return step, model, optimizer

    assert_same(make)


def test_a_step_by_hand_is_replayed():
    """One expects: plain gradient descent, written with arrays."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.5)

        def step(x, y):
            optimizer.zero_grad()
            loss = cross_entropy(model(x), y)
            loss.backward()
            for p in model.parameters():
                p.data -= 0.1 * p.grad.data
            return loss

        return step, model, optimizer

    assert_same(make)


def test_another_array_for_a_parameter_is_refused():
    """One expects: the parameter becomes smaller in each step."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.5)

        def step(x, y):
            loss = plain_step(model, optimizer)(x, y)
            for p in model.parameters():
                p.data = p.data * 0.9
            return loss

        return step, model, optimizer

    with pytest.raises(CaptureError, match="write into"):
        trained(make, capture)


def test_another_parameter_is_noticed():
    """One expects: the new layer is trained."""

    def between(i, parts):
        if i == 6:
            parts[0].get_submodule("2").weight.data = np.ones((CLASSES, 10), np.float32)

    assert_same(of(lambda m: SGD(m.parameters(), lr=0.1)), steps=14, between=between)


def test_a_frozen_layer_is_noticed():
    """One expects: the layer no longer changes."""

    def between(i, parts):
        if i == 6:
            parts[0].get_submodule("0").requires_grad_(False)
            parts[1].zero_grad()

    assert_same(of(lambda m: SGD(m.parameters(), lr=0.1)), steps=14, between=between)


def test_another_gradient_rule_is_noticed():
    """One expects: the rule of now."""
    relu = ops_module.ops["relu"]
    rules = relu.rules

    def between(i, parts):
        if i == 6:
            relu.register_vjp(lambda grad, out, a: grad * 2)

    def run(use):
        try:
            return trained(of(lambda m: SGD(m.parameters(), lr=0.1)), use, steps=14, between=between)[1]
        finally:
            relu.register_vjp(*rules)

    assert all(map(np.array_equal, run(lambda step: step), run(capture)))


def test_batches_of_two_sizes_have_two_tapes():
    """One expects: the last, smaller batch of an epoch works like the others."""
    data = [batch for seed in range(4) for batch in [*batches(3, seed), *batches(1, seed + 10, size=5)]]
    run = assert_same(of(lambda m: Adam(m.parameters(), lr=0.01)), data=data)
    assert len(run.tapes) == 2


def test_writing_to_an_argument_is_refused():
    """One expects: the caller's tensor is changed."""

    def make():
        model = network()
        optimizer = SGD(model.parameters(), lr=0.5)

        def step(x, y):
            x *= 2
            return plain_step(model, optimizer)(x, y)

        return step, model, optimizer

    refused(make, "argument")


def test_a_graph_that_is_returned_is_refused():
    """One expects: loss.backward() works on what the step returned."""
    model = network()
    run = capture(lambda x, y: cross_entropy(model(x), y))
    with pytest.raises(CaptureError, match="backward"):
        for batch in batches(4):
            run(*batch)


def test_evaluation_without_gradients():
    """One expects: the outputs of each batch."""
    model, outputs = network(), []
    run = capture(lambda x: model(x))
    with tinytorch.no_grad():
        for x, _ in batches(6):
            outputs.append((run(x).data, model(x).data))
    assert all(np.array_equal(a, b) for a, b in outputs)
    assert any(run.tapes.values())


def test_whole_numbers_are_converted_in_each_replay():
    """One expects: the accuracy of each batch, as a tensor."""
    model, outputs = network(), []

    def measure(x, y):
        with tinytorch.no_grad():
            return (model(x).argmax(1) == y).float().mean(), (y * 0.5).sum(), tensor([1, 2]).to(np.float64).sum()

    run = capture(measure)
    for batch in batches(6):
        outputs.append(zip(run(*batch), measure(*batch)))
    assert all(a.data == b.data and a.dtype == b.dtype for pairs in outputs for a, b in pairs)


def test_the_version_of_a_parameter_counts_replays():
    """One expects: backward() through a graph from before a step says that a parameter has changed."""
    step, model, _ = of(lambda m: SGD(m.parameters(), lr=0.1))()
    run = capture(step)
    for batch in batches(5):
        run(*batch)
    x, y = next(batches(1))
    loss = cross_entropy(model(x), y)
    run(x, y)
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_an_error_in_the_step_leaves_nothing_behind():
    """One expects: the error, and then a step that works."""
    model, fail = network(), [False]
    optimizer = SGD(model.parameters(), lr=0.1)

    def step(x, y):
        if fail[0]:
            raise KeyError("mine")
        return plain_step(model, optimizer)(x, y)

    run = capture(step)
    data = batches(8)
    run(*next(data))
    run(*next(data))
    fail[0] = True
    with pytest.raises(KeyError, match="mine"):
        run(*next(data))
    fail[0] = False
    assert ops_module.watchers == [] and type(model.get_submodule("0").weight.data) is np.ndarray
    for batch in data:
        run(*batch)
    assert any(run.tapes.values())


def test_a_refusal_leaves_everything_as_it_was():
    """One expects: an error changes nothing."""

    def make():
        model = network(middle=lambda: Dropout(0.5, rng=np.random.default_rng(2)))
        optimizer = Adam(model.parameters(), lr=0.1)

        def step(x, y):
            loss = plain_step(model, optimizer)(x, y)
            loss.item()
            return loss

        return step, model, optimizer

    step, model, optimizer = make()
    run, data = capture(step), batches(2)
    run(*next(data))
    before = [p.data.copy() for p in model.parameters()], [s["step"] for s in optimizer.state.values()]
    with pytest.raises(CaptureError):
        run(*next(data))
    assert all(np.array_equal(a, p.data) for a, p in zip(before[0], model.parameters()))
    assert before[1] == [s["step"] for s in optimizer.state.values()]
