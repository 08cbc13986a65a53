"""Every case does the same work on both sides: same weights, same inputs, and the same numbers come out."""

import sys

import numpy as np
import pytest

from tito.bench import case_process, cases, training
from tito.bench.cases import adam, cifar10_cnn, cifar10_mlp, cross_entropy, lenet5, mnist_mlp, tutorial
from tito.bench.peers import ours, pytorch
from tito.bench.variants import Candidate, Variant

SIZES = [(case, size) for case in cases.CASES for size in range(len(case.sizes))]
NAMES = [f"{case.name}-{size}" for case, size in SIZES]


def candidates(case, size, kernels=("numpy",)):
    """Return a case's candidates but for tinygrad, which compiles for seconds."""
    return {one.name: one for one in case.candidates(size, 1, list(kernels)) if one.name != "tinygrad"}


@pytest.mark.parametrize("case, size", SIZES, ids=NAMES)
def test_ours_and_pytorch_compute_the_same(case, size):
    pytest.importorskip("torch", reason="the extra `bench` is not installed")
    variants, checks, absent = case_process.ready(candidates(case, size))
    assert absent == {} and {"tinytorch numpy", "PyTorch"} <= set(variants)
    assert [case_process.disagreement(name, checks) for name in checks] == [None] * len(checks)
    reference = np.array(checks["PyTorch"]["check"])
    assert np.isfinite(reference).all() and np.abs(reference).max() > 0.01
    for name in checks:
        np.testing.assert_allclose(checks[name]["check"][0], reference[0], rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("case, size", SIZES, ids=NAMES)
def test_the_numba_kernels_compute_the_same(case, size):
    pytest.importorskip("numba", reason="the extra `kernels` is not installed")
    ours_alone = {name: one for name, one in candidates(case, size, ["numpy", "numba"]).items() if not name.startswith("PyTorch")}
    _, checks, absent = case_process.ready(ours_alone)
    assert absent == {} and [case_process.disagreement(name, checks) for name in checks] == [None] * len(checks)


@pytest.mark.slow
@pytest.mark.parametrize("case, size", SIZES, ids=NAMES)
def test_tinygrad_computes_the_same(case, size):
    pytest.importorskip("tinygrad", reason="the extra `bench` is not installed")
    found = {one.name: one for one in case.candidates(size, 1, ["numpy"]) if one.name in ("tinytorch numpy", "tinygrad")}
    _, checks, absent = case_process.ready(found)
    assert absent == {} and [case_process.disagreement(name, checks) for name in checks] == [None] * len(checks)


@pytest.mark.parametrize("case", [one for one in cases.CASES if one.name != "matmul"], ids=lambda case: case.name)
def test_a_step_that_leaves_out_a_part_of_the_work_is_not_timed(case, monkeypatch):
    """Autograd that forgets one gradient, or halves all: the numbers of the check tell."""
    from tinytorch import optim

    whole = ours.by_walk

    def halved(model, images, labels):
        loss = whole(model, images, labels)
        for leaf in getattr(model, "parameters", lambda: [images])():
            leaf.grad = leaf.grad * 0.5
        return loss

    def lazy(self):
        pass

    reference = candidates(case, 0)["tinytorch numpy"]
    _, checks, _ = case_process.ready({"tinytorch numpy": reference})
    if case.name == "cross-entropy":
        monkeypatch.setattr(ours, "by_walk", halved)
    else:
        monkeypatch.setattr(optim.Adam, "step", lazy)
        monkeypatch.setattr(optim.SGD, "step", lazy)
    _, wrong, absent = case_process.ready({"wrong": reference})
    assert absent == {}
    both = {"PyTorch": checks["tinytorch numpy"], "wrong": wrong["wrong"]}
    assert case_process.disagreement("wrong", both).startswith("computes something else: ")


@pytest.mark.parametrize(
    "network, parameters",
    [
        (mnist_mlp.network, 203_530),
        (cifar10_mlp.network, 3_837_066),
        (lenet5.network, 61_706),
        (cifar10_cnn.network, 113_962),
        (tutorial.network, 34_826),
    ],
)
def test_networks_have_their_size_and_the_same_weights(network, parameters):
    torch = pytest.importorskip("torch", reason="the extra `bench` is not installed")
    from tinytorch import nn

    both = []
    for package, layers in ((ours.package("numpy"), nn), (pytorch.package(1), torch.nn)):
        model = network(layers)
        training.fill(model.parameters(), package.tensor)
        both.append([np.asarray(parameter.detach()).copy() for parameter in model.parameters()])
    assert sum(array.size for array in both[0]) == parameters
    for mine, theirs in zip(*both, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_gradients_by_hand_are_those_of_module_04():
    from tinytorch.losses import mlp, mlp_gradients
    from tinytorch.tensor import Tensor

    rng = np.random.default_rng(0)
    model, images, labels = mlp(6, 5, 3), Tensor(rng.standard_normal((4, 6), np.float32)), Tensor(rng.integers(3, size=4))
    loss = ours.by_hand(model, images, labels).item()
    found = [parameter.grad.data.copy() for parameter in model.parameters()]
    assert loss == mlp_gradients(model, images, labels).item()
    for mine, parameter in zip(found, model.parameters()):
        np.testing.assert_array_equal(mine, parameter.grad.data)


def test_dropout_begins_after_the_losses_were_compared():
    made = training.variant(ours.package("numpy"), tutorial.TASK._replace(lr=0.0), batch_size=16)
    assert len(set(made.check())) == 1, "no chance, and no progress without a learning rate"
    assert len({made.step(0) for _ in range(3)}) == 3


def test_what_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    variants, _, absent = case_process.ready(candidates(cases.find("cross-entropy"), 0))
    assert absent == {"PyTorch": "torch is not installed"} and "tinytorch numpy" in variants


def failing(error):
    """Return a candidate that raises."""

    def make():
        raise error

    return Candidate("tinytorch numpy", make)


def test_an_error_is_told_in_one_line_with_its_place():
    error = ValueError("shapes do\nnot fit")
    error.add_note("layers.ipynb, cell 9, line 3")
    _, _, absent = case_process.ready({"tinytorch numpy": failing(error)})
    assert absent == {"tinytorch numpy": "ValueError: shapes do not fit; layers.ipynb, cell 9, line 3"}


def test_a_variant_that_disagrees_gets_no_time(monkeypatch):
    def variant(*numbers):
        return lambda: Variant(lambda number: None, lambda: list(numbers))

    given = {
        "a": Candidate("a", variant(2.0, 1.0)),
        "b": Candidate("b", variant(2.0, 1.0)),
        "c": Candidate("c", variant(2.0, 1.1)),
    }
    monkeypatch.setattr(case_process, "candidates", lambda job: given)
    answer = case_process.times({"threads": 1, "rounds": 1, "seconds": 1})
    assert set(answer["variants"]) == {"a", "b"} and answer["absent"] == {"c": "computes something else: 2, 1.1, not 2, 1"}
    given["PyTorch"] = Candidate("PyTorch", variant(2.0, 1.1))
    assert set(case_process.times({"threads": 1, "rounds": 1, "seconds": 1})["variants"]) == {"c", "PyTorch"}, (
        "PyTorch decides where it is there"
    )


def test_kernels_that_fell_back_are_named():
    import tinytorch

    def step():
        tinytorch.fallbacks["conv2d"] += 1
        return [1.0]

    found = case_process.first(Variant(lambda number: None, step))
    assert found["fallbacks"] == ["conv2d"] and found["check"] == [1.0]


def test_inputs_are_drawn_once_for_all():
    scores, labels = cross_entropy.inputs((128, 10))
    again, _ = cross_entropy.inputs((128, 10))
    np.testing.assert_array_equal(scores, again)
    assert labels.shape == (128,) and adam.CASE.sizes == ("float32",)
