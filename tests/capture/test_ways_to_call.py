"""Captured steps as PyTorch's users call them: methods, containers, odd layouts, several threads, errors in the middle."""

import collections
import copy
import io
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tinytorch as tt
from tinytorch.given.capture.recording import Recorder

Pair = collections.namedtuple("Pair", "x y")


class Trainer:
    """Trains one weight; its step is captured for each trainer."""

    def __init__(self, scale=1.0):
        self.scale = scale
        self.weight = tt.ones(3, requires_grad=True)
        self.optimizer = tt.optim.SGD([self.weight], lr=0.01)

    def plain(self, x):
        self.optimizer.zero_grad()
        loss = (self.weight * self.weight * x).sum() * self.scale
        loss.backward()
        self.optimizer.step()
        return loss

    @tt.capture
    def step(self, x):
        return self.plain(x)


@tt.capture
def module_level(x):
    return x * 2


def trained(trainer, step, calls=6):
    return [step(tt.arange(3.0) + i).item() for i in range(calls)], trainer.weight.tolist()


def test_a_method_is_captured_for_each_object():
    for scale in (1.0, 2.0):
        captured, plain = Trainer(scale), Trainer(scale)
        assert trained(captured, captured.step) == trained(plain, plain.plain)
        assert captured.step is captured.step and captured.step.tape() is not None
    assert Trainer.step is vars(Trainer)["step"]


def test_the_decorator_of_a_method_knows_its_name():
    class Own:
        @tt.capture
        def step(self, x):
            return x + 1

    one = Own()
    assert [one.step(tt.tensor(float(i))).item() for i in range(5)] == [1, 2, 3, 4, 5]
    assert one.step is vars(one)["step"]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_copies_of_an_object_have_a_step_of_their_own(duplicate):
    first = Trainer()
    trained(first, first.step)
    second = duplicate(first)
    before = first.weight.tolist()
    trained(second, second.step)
    assert first.weight.tolist() == before != second.weight.tolist()
    assert second.step is not first.step and second.step.step.__self__ is second
    assert duplicate(module_level) is module_level


def test_what_cannot_be_called_is_refused_at_once():
    for wrong in (None, 3):
        with pytest.raises(TypeError, match="without parentheses"):
            tt.capture(wrong)
    with pytest.raises(TypeError, match="without parentheses"):
        tt.capture()


def test_a_named_tuple_may_be_an_argument():
    weight = tt.ones(3, requires_grad=True)

    @tt.capture
    def step(pair):
        weight.grad = None
        loss = (pair.x * weight + pair.y).sum()
        loss.backward()
        return loss

    assert [step(Pair(tt.ones(3) * i, tt.ones(3))).item() for i in range(5)] == [3, 6, 9, 12, 15]


LAYOUTS = {
    "transposed": lambda x: x.T,
    "Fortran": np.asfortranarray,
    "every second row": lambda x: x[::2],
    "every second column": lambda x: x[:, ::2],
    "backwards": lambda x: x[::-1, ::-1],
    "stretched": lambda x: np.broadcast_to(x[:1], x.shape),
    "swapped": lambda x: np.ascontiguousarray(x).reshape(4, 3, 5).swapaxes(0, 2),
    "none": lambda x: x[:0].T,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kernels", ["numpy", "numba"])
def test_an_input_of_any_layout_gives_what_it_gives_without_capture(layout, kernels):
    if kernels == "numba":
        pytest.importorskip("numba", reason="the kernel set needs numba")
    rng, outcomes = np.random.default_rng(0), []
    drawn = [rng.standard_normal((12, 5)).astype(np.float32) for _ in range(5)]
    for use in (lambda step: step, tt.capture):
        with tt.use(kernels):
            width = LAYOUTS[layout](drawn[0]).shape[-1]
            weight = tt.tensor(np.random.default_rng(1).standard_normal((4, width)).astype(np.float32), requires_grad=True)

            def step(x):
                weight.grad = None
                out = x @ weight.T
                (out * out).sum().backward()
                return out.detach()

            run = use(step)
            outs = [run(tt.from_numpy(LAYOUTS[layout](each))).numpy().tobytes() for each in drawn]
            outcomes.append((outs, weight.grad.numpy().tobytes()))
    assert outcomes[0] == outcomes[1]


def test_arrays_of_several_layouts_are_recorded_one_by_one():
    step, total = tt.capture(lambda x: (x * 3).sum(0)), np.arange(12, dtype=np.float32).reshape(3, 4)
    for _ in range(4):
        for each in (total, np.asfortranarray(total)):
            assert step(tt.from_numpy(each)).tolist() == (total * 3).sum(0).tolist()


@pytest.mark.parametrize(
    "change",
    [
        lambda x, logs, seen: logs.__setitem__("loss", x * 1),
        lambda x, logs, seen: seen.append(x * 1),
        lambda x, logs, seen: seen.clear(),
        lambda x, logs, seen: logs.pop("old"),
        lambda x, logs, seen: logs["deep"].append(1),
        lambda x, logs, seen: setattr(x, "data", x.data * 2),
    ],
    ids=["a new key", "append", "clear", "pop", "a list in a dict", "another array"],
)
def test_what_is_put_into_an_argument_would_be_lost_and_is_refused(change):
    """One would expect that the caller's list gets the entry in each call; a replay does not run the line."""

    @tt.capture
    def step(x, logs, seen):
        out = x * 2
        change(x, logs, seen)
        return out

    arguments = lambda: (tt.ones(3), {"old": 1, "deep": []}, [1])
    step(*arguments())
    with pytest.raises(tt.CaptureError, match="among its arguments"):
        step(*arguments())


def test_an_argument_that_shares_memory_with_what_the_step_writes_is_refused():
    """One would expect that the argument shows the new weight after the optimizer's step; a replay has a copy of the old one."""
    weight = tt.ones(3, requires_grad=True)
    optimizer = tt.optim.SGD([weight], lr=0.1)

    @tt.capture
    def step(x, now):
        optimizer.zero_grad()
        before = now * 1
        (weight * x).sum().backward()
        optimizer.step()
        return (now - before).detach()

    step(tt.ones(3), weight.detach())
    held = weight.tolist()
    with pytest.raises(tt.CaptureError, match="shares its memory"):
        step(tt.ones(3), weight.detach())
    assert weight.tolist() == held, "a refusal leaves everything as it was"


def test_a_batch_out_of_a_data_set_that_the_step_can_reach_is_no_such_case():
    data = tt.arange(40.0)
    step = tt.capture(lambda x: x.sum() + data[0])
    assert [step(data[4 * i : 4 * i + 4]).item() for i in range(5)] == [6, 22, 38, 54, 70]


def test_an_error_in_a_replay_leaves_no_gradient_half_done():
    first, second = tt.ones(3, requires_grad=True), tt.ones(4, requires_grad=True)

    @tt.capture
    def step(x, mask):
        first.grad = second.grad = None
        (first * x).sum().backward()
        chosen = second[mask].sum()
        chosen.backward()
        return chosen

    for i in range(4):
        step(tt.ones(3) * i, tt.tensor([True] * 4))
    with pytest.raises(tt.CaptureError, match="shape depends on numbers"):
        step(tt.ones(3), tt.tensor([True, False, True, True]))
    assert first.grad is None and second.grad is None
    step(tt.ones(3) * 7, tt.tensor([True] * 4))
    assert first.grad.tolist() == [7, 7, 7] and second.grad.tolist() == [1, 1, 1, 1]


def test_an_error_in_a_replay_keeps_the_gradient_that_the_step_adds_to():
    weight = tt.ones(3, requires_grad=True)

    @tt.capture
    def step(x, mask):
        (weight * x).sum().backward()
        return x[mask] * 1

    full = tt.tensor([True] * 3)
    for i in range(4):
        weight.grad = tt.ones(3)
        step(tt.ones(3) * i, full)
    weight.grad = tt.ones(3) * 5
    with pytest.raises(tt.CaptureError, match="shape depends on numbers"):
        step(tt.ones(3), tt.tensor([True, False, True]))
    assert weight.grad.tolist() == [5, 5, 5]


def test_a_stream_that_the_step_can_reach_stays_open(tmp_path):
    """Asking an object how it would be pickled, in the oldest form, makes another one of it, which closes the file at its end."""

    class Stream(io.TextIOWrapper):
        pass

    with Stream(open(tmp_path / "log.txt", "wb"), encoding="utf-8") as stream:
        step = tt.capture(lambda x: x * 2 if stream.writable() else x)
        assert [step(tt.tensor(float(i))).item() for i in range(4)] == [0, 2, 4, 6]
        stream.write("open")


def test_threads_may_each_capture_a_step():
    errors, outcomes, output, slot = [], {}, sys.stdout, vars(tt.Tensor)["data"]

    def work(number):
        trainer = Trainer(1.0 + number)
        try:
            outcomes[number] = trained(trainer, trainer.step, calls=12)
        except Exception as error:
            errors.append(error)

    for _ in range(5):
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert not errors and sys.stdout is output and vars(tt.Tensor)["data"] is slot
    for number, outcome in outcomes.items():
        plain = Trainer(1.0 + number)
        assert outcome == trained(plain, plain.plain, calls=12)


def test_a_gradient_of_negative_zeros_has_the_sign_that_it_has_without_capture():
    pytest.importorskip("numba", reason="the sum of rows is a loop of numba's there")
    with tt.use("numba"):
        outcomes = []
        for use in (lambda step: step, tt.capture):
            weight, bias = tt.ones(4, 5, requires_grad=True), tt.zeros(4, requires_grad=True)

            def step(x, slopes):
                weight.grad = bias.grad = None
                tt.nn.functional.linear(x, weight, bias).backward(slopes)

            run = use(step)
            for slope in (1.0, 2.0, 3.0, 4.0, -0.0):  # a difference in a recording would be noticed there
                run(tt.ones(3, 5), tt.from_numpy(np.full((3, 4), slope, np.float32)))
            outcomes.append((weight.grad.numpy().tobytes(), bias.grad.numpy().tobytes()))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("kind", [tt.optim.SGD, tt.optim.Adam, tt.optim.AdamW])
def test_what_is_asked_before_each_replay_stays_little(kind):
    """The arrays of the package's optimizers are read by ops: comparing them before each replay took twice as long as the step."""
    model = tt.nn.Sequential(tt.nn.Linear(20, 30), tt.nn.ReLU(), tt.nn.Linear(30, 10))
    optimizer = kind(model.parameters(), lr=0.01)

    @tt.capture
    def step(x, y):
        optimizer.zero_grad()
        loss = tt.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(5):
        step(tt.ones(4, 20), tt.tensor([0, 1, 2, 3]))
    ((tape,),) = step.tapes.values()
    asked = [*tape.world.questions(lambda thing: "x")]
    assert sum(len(held) if isinstance(held, bytes) else 1000 for _, held in tape.frozen) <= 200
    assert len(asked) < 100


def test_a_question_in_another_thread_is_its_own_affair():
    """One expects: while a kernel is taken apart here, others may ask about their numbers."""
    recorder = Recorder([], [], keep=None)
    recorder.inside = []
    with ThreadPoolExecutor() as pool:
        assert pool.submit(recorder.question, abs).result() is abs
