"""What a captured step is called with and what it returns: containers of all kinds, the same tensor twice, memory that lasts."""

import collections
import dataclasses
import warnings

import numpy as np
import pytest

import tinytorch as tt
from tinytorch.given import capture as capturing
from tinytorch.nn import functional as F
from tinytorch.optim import SGD, Adam


@dataclasses.dataclass
class Batch:
    x: tt.Tensor
    y: tt.Tensor
    scale: float = 2.0


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: tt.Tensor
    scale: float


@dataclasses.dataclass
class State:
    """A dataclass with other objects in it is an object: the step may write to its tensors."""

    weights: list
    optimizer: object
    total: tt.Tensor


class Settings(dict):
    def scaled(self):
        return self["x"] * self["scale"]


def tensors(i):
    return tt.arange(3.0) + i, tt.arange(3.0) * i


def same(a, b):
    """Say whether two results are equal: of the same kinds, with the same numbers."""
    if type(a) is not type(b):
        return False
    if isinstance(a, tt.Tensor):
        return same(a.data, b.data)
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    return same(vars(a), vars(b)) if dataclasses.is_dataclass(a) else a == b


ARGUMENTS = {
    "dataclass": (lambda batch: (batch.x * batch.y).sum() * batch.scale, lambda i: (Batch(*tensors(i)),)),
    "frozen dataclass": (lambda batch: batch.x * batch.scale, lambda i: (Frozen(tensors(i)[0], scale=1.0 + (i > 5)),)),
    "dataclasses in a list": (lambda batches: sum(b.x for b in batches), lambda i: ([Batch(*tensors(i))] * 2,)),
    "subclass of dict": (lambda batch: batch.scaled(), lambda i: (Settings(x=tensors(i)[0], scale=2.0),)),
    "ordered dict": (
        lambda batch: batch["x"] * 2 if batch.move_to_end else 0,
        lambda i: (collections.OrderedDict(x=tensors(i)[0]),),
    ),
    "the same tensor twice": (lambda q, k: q * k if q is k else q - k, lambda i: (tensors(i)[0],) * 2),
    "another tensor": (lambda q, k: q * k if q is k else q - k, lambda i: (tensors(i)[0], tensors(i)[0])),
    "two tensors of one array": (lambda q, k: q * k if q is k else q - k, lambda i: (q := tensors(i)[0], q.detach())),
    "slice": (lambda x, rows: x[rows], lambda i: (tensors(i)[0], slice(0, 1 + i // 6))),
    "NumPy's number": (lambda x, k: x * float(k), lambda i: (tensors(i)[0], np.float32(1 + i // 6))),
}


@pytest.mark.parametrize("kind", ARGUMENTS)
def test_arguments_of_all_kinds(kind):
    """One expects: how a batch is packed makes no difference."""
    step, arguments = ARGUMENTS[kind]
    run = tt.capture(step)
    for i in range(12):
        given = arguments(i)
        assert same(run(*given), step(*given))
    assert any(run.tapes.values()), "nothing was replayed"


def test_the_same_tensor_twice_is_another_kind_than_two():
    """One expects: `is` means in the step what it means outside."""
    step = tt.capture(lambda q, k: q * k if q is k else q - k)
    for i in range(12):
        x = tt.arange(3.0) + i
        assert np.array_equal(step(x, x).numpy(), (x * x).numpy())
        assert not step(x, x.clone()).numpy().any()
        assert not step(x, x.detach()).numpy().any(), "two tensors of one array are two tensors"


def test_the_tensors_of_an_object_are_written_to():
    """One expects: the dataclass with the model in it is passed on as it is."""
    weight = tt.ones(3, requires_grad=True)
    state = State([weight], SGD([weight], lr=0.1), tt.zeros(()))

    @tt.capture
    def step(state, x):
        state.optimizer.zero_grad()
        loss = (state.weights[0] * x).sum()
        loss.backward()
        state.optimizer.step()
        state.total.add_(loss.detach())
        return loss

    total = sum(step(state, tt.arange(3.0) + i).item() for i in range(8))
    assert any(step.tapes.values()) and state.total.item() == pytest.approx(total)


WEIGHT = tt.ones(3)
RESULTS = {
    "dataclass": lambda x: Batch(x * 2, x + 1),
    "dicts": lambda x: (collections.OrderedDict(x=x * 2), collections.defaultdict(list, {"x": x + 1})),
    "NumPy's numbers": lambda x: (x.data.sum(), x.data.max(), x.data[0], x.data * 2),
    "what no op made": lambda x: (tt.zeros(3), tt.arange(3), tt.tensor([1, 2])),
}


@pytest.mark.parametrize("kind", RESULTS)
def test_results_of_all_kinds(kind):
    """One expects: what comes back is of the kind that the step returns, and may be changed."""
    step = RESULTS[kind]
    run = tt.capture(step)
    for i in range(8):
        x = tt.arange(3.0) + i
        results = run(x)
        assert same(results, step(x))
        for tensor in results if isinstance(results, tuple) else ():
            if isinstance(tensor, tt.Tensor):
                tensor.fill_(7)
    assert any(run.tapes.values()), "nothing was replayed"


def test_what_outlives_the_step_is_returned_itself():
    """One expects: ``step(x) is weight``, and a running total that goes on in what was returned before."""
    weight, total = tt.ones(3), tt.zeros(())

    @tt.capture
    def step(x):
        total.add_(x.sum())
        return weight, total, weight.detach(), weight.data

    for i in range(8):
        found, sums, view, array = step(tt.arange(3.0) + i)
        assert found is weight and sums is total
        view[0] = 5.0 + i
        assert weight[0].item() == 5.0 + i and array is weight.data


def test_a_rate_that_the_step_reads_beside_the_optimizer():
    """One expects: the rate in the loss is that of now, as the optimizer's is."""

    def readers(optimizer):
        groups = optimizer.param_groups
        return (
            lambda: optimizer.param_groups[0]["lr"],
            lambda: groups[0]["lr"],
            lambda: dict(**optimizer.param_groups[0])["lr"],
            lambda: sum(value for name, value in groups[0].items() if name == "l" + "r"),
            lambda: optimizer.state_dict()["param_groups"][0]["lr"],
        )

    def losses(use, way):
        weight = tt.ones(3, requires_grad=True)
        optimizer = Adam([weight], lr=0.1)
        read = readers(optimizer)[way]

        @use
        def step(x):
            optimizer.zero_grad()
            loss = (weight * x).sum() * read()
            loss.backward()
            optimizer.step()
            return loss

        outs = []
        for i in range(12):
            if i in (6, 9):
                optimizer.param_groups[0]["lr"] *= 0.5
            outs.append(step(tt.arange(3.0) + i).item())
        return outs, step

    for way in range(5):
        (plain, _), (ours, step) = losses(lambda step: step, way), losses(tt.capture, way)
        assert plain == ours and any(step.tapes.values())


def test_a_count_that_the_step_reads_beside_the_optimizer_is_refused():
    """One expects: the count goes on. A replay would keep it."""
    weight = tt.ones(3, requires_grad=True)
    optimizer = Adam([weight], lr=0.1)

    @tt.capture
    def step(x):
        optimizer.zero_grad()
        loss = (weight * x).sum()
        loss.backward()
        optimizer.step()
        return loss.detach() * optimizer.state[weight]["step"]

    with pytest.raises(tt.CaptureError, match=r"test_batches_and_results\.py:\d+ makes a plain number of 'step'"):
        for i in range(4):
            step(tt.arange(3.0) + i)


def test_keys_that_are_read_elsewhere_do_not_matter():
    """One expects: a loop over a batch's or a model's entries has nothing to do with the optimizer's numbers."""
    model = tt.nn.Linear(3, 2)
    mean = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = Adam(model.parameters(), lr=0.1)

    @tt.capture
    def step(batch):
        optimizer.zero_grad()
        loss = sum(F.mse_loss(model(x), tt.zeros(2)) for _, x in batch.items())
        loss.backward()
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad.clamp_(-0.1, 0.1)
        optimizer.step()
        with tt.no_grad():
            for name, value in model.state_dict().items():
                mean[name].mul_(0.9).add_(value * 0.1)
        return loss

    for i in range(8):
        step({"a": tt.arange(3.0) + i, "b": tt.arange(3.0) - i})
        optimizer.param_groups[0]["lr"] *= 0.9
    (tape,) = step.tapes.values()
    assert len(tape) == 1, "it was recorded again"


def test_a_step_that_is_recorded_again_and_again_says_why():
    """One expects to hear of it when capture makes a step slower."""
    found = {}

    @tt.capture
    def step():
        return found["x"] * 2

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for i in range(2 * capturing.UNLIKE):
            found["x"] = tt.arange(3.0) + i
            assert np.array_equal(step().numpy(), found["x"].numpy() * 2)
    assert [str(each.message) for each in caught if "found[x] is another one" in str(each.message)] == [str(caught[0].message)]
    assert caught[0].filename == __file__


def test_a_gradient_of_another_dtype_than_now():
    """One expects: the gradient from before, which the step drops, is nobody's business."""
    weight = tt.ones(3, requires_grad=True)

    @tt.capture
    def step(x):
        weight.grad = None
        loss = (weight * x).sum()
        loss.backward()
        return loss

    for i in range(10):
        if i == 5:
            weight.data = weight.data.astype(np.float64)
        assert step(tt.arange(3.0) + i).item() == 3.0 + 3 * i
        assert weight.grad.dtype == weight.dtype
