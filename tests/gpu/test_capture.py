"""A captured step on the device: the simulator makes the launches of the tape, and the numbers are those of the step itself.

What needs a GPU, the graph that its driver makes of the launches, is tested with a driver that only writes down what it is asked.
"""

import sys
import types

import numpy as np
import pytest

import tinytorch as tt
import tinytorch.nn.functional as F
from tinytorch.given.capture.recording import CaptureError
from tinytorch.given.gpu import graphs, pool, simulator
from tinytorch.layers import Dropout, Linear, ReLU, Sequential
from tinytorch.losses import cross_entropy
from tinytorch.optim import SGD, Adam, AdamW, CosineAnnealingLR, clip_grad_norm_
from tinytorch.tensor import Tensor

pytestmark = pytest.mark.usefixtures("cuda")
SLOW = pytest.mark.slow
STEPS, BATCH, FEATURES, CLASSES = 5, 2, 4, 3


def batches(count=STEPS, size=BATCH, device="cuda"):
    """Yield batches of random numbers and labels."""
    rng = np.random.default_rng(1)
    for _ in range(count):
        x, y = rng.standard_normal((size, FEATURES)).astype(np.float32), rng.integers(0, CLASSES, size)
        yield Tensor(x).to(device), Tensor(y).to(device)


def trained(optimizer_of, use, step_of=None, between=lambda i, model, optimizer: None, device="cuda", data=None):
    """Train for some steps; return the step, and all numbers that came out: results, parameters, gradients."""
    tt.manual_seed(0)
    rng = np.random.default_rng(0)
    model = Sequential(Linear(FEATURES, 3, rng=rng), ReLU(), Dropout(0.3), Linear(3, CLASSES, rng=rng)).to(device)
    optimizer = optimizer_of(model.parameters())
    step, results = use((step_of or plain_step)(model, optimizer)), []
    for i, batch in enumerate(data or batches(device=device)):
        results.append(step(*batch))
        between(i, model, optimizer)
    values = [x for p in model.parameters() for x in (p.detach(), p.grad)]
    return step, [np.array(x.cpu().data) if isinstance(x, Tensor) else x for x in [*results, *values] if x is not None]


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


def assert_same(optimizer_of, **options):
    """Check that the captured step gives the numbers of the plain one, bit for bit, and that it was replayed."""
    _, plain = trained(optimizer_of, lambda step: step, **options)
    step, ours = trained(optimizer_of, tt.capture, **options)
    assert any(step.tapes.values()), "nothing was recorded"
    assert len(plain) == len(ours) and all(map(np.array_equal, plain, ours))
    return step


def tape_of(step):
    """Return the one tape of a captured step."""
    (tape,) = [tape for kept in step.tapes.values() for tape in kept]
    return tape


OPTIMIZERS = {
    "SGD": lambda p: SGD(p, lr=0.1),
    "momentum and decay": lambda p: SGD(p, lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.1),
    "Adam": lambda p: Adam(p, lr=0.01, weight_decay=0.1),
    "AdamW": lambda p: AdamW(p, lr=0.01),
}


@pytest.mark.parametrize("name", ["Adam", pytest.param("momentum and decay", marks=SLOW), pytest.param("AdamW", marks=SLOW)])
def test_a_replay_gives_the_numbers_of_the_step(name):
    """Batches, dropout's draws and the optimizer's count change from step to step."""
    assert_same(OPTIMIZERS[name])


@SLOW
def test_it_gives_those_of_the_cpu():
    _, there = trained(OPTIMIZERS["Adam"], tt.capture)
    _, here = trained(OPTIMIZERS["Adam"], lambda step: step, device="cpu")
    for one, other in zip(there, here, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@SLOW
def test_a_schedule_is_followed():
    schedules = {}

    def between(i, model, optimizer):
        schedules.setdefault(optimizer, CosineAnnealingLR(optimizer, T_max=10)).step()

    assert_same(OPTIMIZERS["SGD"], between=between)


def test_gradients_are_clipped_by_their_length():
    def step_of(model, optimizer):
        return plain_step(model, optimizer, lambda: clip_grad_norm_(model.parameters(), 0.3))

    assert_same(OPTIMIZERS["SGD"], step_of=step_of)


@SLOW
def test_pytorchs_loss_asks_about_labels_on_the_device():
    """Whether one is ignored; the answer is asked again before a replay, and in the middle of it if the step picks the labels."""

    def step_of(model, optimizer):
        labels = Tensor(np.array([0, 1, 2, 1])).to("cuda")

        def step(x, y):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y) + F.cross_entropy(model(x), labels[y])
            loss.backward()
            optimizer.step()
            return loss

        return step

    assert_same(OPTIMIZERS["SGD"], step_of=step_of)


@SLOW
def test_gradients_add_up_between_steps():
    def step_of(model, optimizer):
        def step(x, y):
            loss = cross_entropy(model(x), y)
            loss.backward()
            return loss

        return step

    def between(i, model, optimizer):
        if i % 2:
            optimizer.step()
            optimizer.zero_grad()

    assert_same(OPTIMIZERS["SGD"], step_of=step_of, between=between, data=list(batches(10)))


def test_gradients_kept_in_a_list_keep_their_numbers():
    def run(use):
        kept, arrays = [], []

        def between(i, model, optimizer):
            kept.append(next(iter(model.parameters())).grad)
            arrays.append(list(model.parameters())[1].grad.data)

        trained(OPTIMIZERS["SGD"], use, between=between)
        return [grad.cpu().data for grad in kept] + [Tensor(array).cpu().data for array in arrays]

    assert all(map(np.array_equal, run(lambda step: step), run(tt.capture)))


def test_a_batch_may_come_from_the_host():
    """The step itself moves its batch; then the copy is a part of the tape."""

    def step_of(model, optimizer):
        plain = plain_step(model, optimizer)
        return lambda x, y: plain(x.to("cuda"), y.to("cuda"))

    step = assert_same(OPTIMIZERS["SGD"], step_of=step_of, data=list(batches(device="cpu")))
    forms = [line.form for line in tape_of(step).player.lines]
    assert (
        forms.count("upload") == 4
    )  # the pictures, the labels, the mask of dropout, and the gradient that backward() starts with
    assert forms.index("launches") > max(i for i, form in enumerate(forms) if form == "upload"), "an upload cuts a graph in two"


@pytest.mark.parametrize(
    "read", [lambda x: x.item(), lambda x: x.cpu(), lambda x: float(x), lambda x: print(x), lambda x: x.tolist()]
)
def test_reading_numbers_is_refused_with_the_line(read):
    def step_of(model, optimizer):
        def step(x, y):
            loss = plain_step(model, optimizer)(x, y)
            read(loss)
            return loss

        return step

    with pytest.raises(CaptureError, match=r"test_capture.py:\d+ reads numbers"):
        trained(OPTIMIZERS["SGD"], tt.capture, step_of=step_of)


def test_a_refusal_leaves_everything_as_it_was():
    def step_of(model, optimizer):
        step_of.model = model
        plain = plain_step(model, optimizer)

        def step(x, y):
            loss = plain(x, y)
            if step_of.refuse:
                loss.item()
            return loss

        return step

    step_of.refuse, before = False, []

    def between(i, model, optimizer):
        before[:] = [p.detach().cpu().data.copy() for p in model.parameters()]
        step_of.refuse = i == 0

    with pytest.raises(CaptureError):
        trained(OPTIMIZERS["Adam"], tt.capture, step_of=step_of, between=between)
    assert all(np.array_equal(a, p.detach().cpu().data) for a, p in zip(before, step_of.model.parameters()))


def test_a_replay_makes_the_launches_of_the_tape_and_runs_no_op(monkeypatch):
    """Only what takes a number that changes runs its Python again: the optimizer's kernels."""
    step, _ = trained(OPTIMIZERS["SGD"], tt.capture)
    made, start = [], simulator.Run.start
    monkeypatch.setattr(simulator.Run, "start", lambda run, *arrays: made.append(run.kernel.__name__) or start(run, *arrays))
    x, y = next(batches())
    made.clear()
    step(x, y)
    first = list(made)
    made.clear()
    step(x, y)
    assert made == first and made.count("sgd") == 4 and 12 < len(made) < 40
    lines = tape_of(step).player.lines
    assert {line.entry.op.name for line in lines if line.form == "in place" and line.entry.op} == {"sgd_update"}
    assert "launched" in repr(step.tape()) and "copied to the device" in repr(step.tape())


def test_a_tape_has_memory_of_its_own_and_reuses_it():
    """Arrays that others make meanwhile never lie in a tape's memory; a tape takes less than all its arrays together."""
    step, _ = trained(OPTIMIZERS["SGD"], tt.capture)
    player = tape_of(step).player
    others = [Tensor(np.zeros((3, 5), np.float32)).to("cuda") for _ in range(50)]
    own = {id(block) for block in player.pool.blocks}
    assert own and not own & {id(tensor.data.block) for tensor in others}
    made = [line for line in player.lines if line.form == "launches" and line.entry.out is not None]
    assert len(own) < len(made)


class Driver(types.ModuleType):
    """A driver that writes down what it is asked to do, and does nothing."""

    def __init__(self, refuse=None):
        super().__init__("cuda.bindings.driver")
        self.asked, self.refuse = [], refuse
        self.CUstreamCaptureMode = types.SimpleNamespace(CU_STREAM_CAPTURE_MODE_RELAXED=2)

    def __getattr__(self, name):
        def answer(*arguments):
            self.asked.append(name)
            return (1 if name == self.refuse else 0, "graph")

        return answer


class Stream:
    """A stream of numba's, as far as it is used."""

    def __int__(self):
        return 77


@pytest.fixture
def driver(monkeypatch):
    driver = Driver()
    monkeypatch.setitem(sys.modules, "cuda.bindings.driver", driver)
    monkeypatch.setattr(type(simulator.cuda), "stream", lambda self: Stream(), raising=False)
    return driver


def test_on_a_gpu_the_launches_become_one_graph(driver):
    """They go to the stream that is captured, and later ones to the default one again."""
    streams = []
    launch, *others = pool.CudaMemory().captured([lambda: streams.append(int(graphs.stream()))] * 3)
    assert streams == [77, 77, 77] and graphs.stream() == 0 and others == [[], []]
    launch[0]()
    assert driver.asked == ["cuStreamBeginCapture", "cuStreamEndCapture", "cuGraphInstantiate", "cuGraphDestroy", "cuGraphLaunch"]


def test_an_error_while_capturing_ends_the_capture(driver):
    def fails():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        graphs.captured([fails])
    assert driver.asked == ["cuStreamBeginCapture", "cuStreamEndCapture"] and graphs.stream() == 0
    driver.refuse = "cuStreamBeginCapture"
    with pytest.raises(RuntimeError, match="the driver cannot capture"):
        graphs.captured([fails])
