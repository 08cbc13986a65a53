"""The verdict on networks with convolutions: filters that were trained pass, filters left to chance are refused."""

import dataclasses
import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from tinytorch.losses import cross_entropy
from tinytorch.optim import AdamW
from tinytorch.tensor import Tensor
from tito.curriculum import Curriculum
from tito.evidence import verdict

ROOT = Path(__file__).resolve().parents[2]
COURSE = Curriculum.load(ROOT / "modules" / "curriculum.toml")
SHAPES, REACHED, SLOPES = (
    "weights of the milestone's network",
    "a gradient reaches every parameter",
    "gradients match finite differences",
)
MOVED, FILTERS, RUNNING = "training changed every parameter", "filters were trained", "running statistics moved"
ALONE, ACCURACY, CHANCE = "an image is classified on its own", "test accuracy", "better than with random filters"
CHOICES = {"cifar10-cnn": {"widths": [4, 6, 8]}, "lenet5": {"dataset": "mnist", "model": "lenet5"}}


def stand_in(shape):
    """Return ten pictures with noise; the test examples are as many as a second can train on."""
    rng = np.random.default_rng(0)
    pictures, labels = rng.integers(0, 200, (10, *shape)), rng.integers(0, 10, 364)
    images = (pictures[labels] + rng.integers(0, 56, (364, *shape))).astype(np.uint8)
    return {"test_images": images[64:], "test_labels": labels[64:], "images": images[:64], "labels": labels[:64]}


GIVEN = {"cifar10-cnn": stand_in((3, 32, 32)), "lenet5": stand_in((28, 28))}


@pytest.fixture(scope="module")
def script():
    """Return a function of a milestone's name that returns its script, as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "milestones")
        yield lambda name: importlib.import_module(name.replace("-", "_"))


@pytest.fixture(scope="module")
def trained(script):
    """Return a function that trains a milestone's network on the stand-in, and returns its state; `frozen` leaves its filters alone."""
    kept = {}

    def train(name, frozen=False):
        if (name, frozen) not in kept:
            kept[name, frozen] = fitted(*script(name).rebuild(np.random.default_rng(0), CHOICES[name]), GIVEN[name], frozen)
        return {path: array.copy() for path, array in kept[name, frozen].items()}

    return train


def fitted(model, transform, given, frozen):
    """Train a network on the test examples of a stand-in, and return its state."""
    parameters = [one for one in model.parameters() if not (frozen and one.ndim == 4)]
    optimizer = AdamW(parameters, lr=0.01)
    for _ in range(8):
        for start in range(0, 300, 50):
            optimizer.zero_grad()
            batch = slice(start, start + 50)
            cross_entropy(model(transform(given["test_images"][batch])), Tensor(given["test_labels"][batch])).backward()
            optimizer.step()
    return {path: np.copy(tensor.data) for path, tensor in model.state_dict().items()}


def judged(name, weights, package_parent=ROOT, choices=None, **figures):
    """Return the verdict on weights, by figures that the stand-in allows."""
    about = {"milestone": name, "seed": 0, "choices": choices or CHOICES[name], "gradients": "autograd"}
    milestone = dataclasses.replace(COURSE.milestone(name), **{"floor": 90.0, "frozen": 50.0, **figures})
    return verdict.judge(milestone, verdict.Saved(weights, about), GIVEN[name], package_parent)


def failed(*arguments, **named):
    """Return what did not pass, a dict from what was looked at to what was found."""
    return {row.what: row.found for row in judged(*arguments, **named) if not row.passed}


@pytest.mark.parametrize("name", CHOICES)
def test_what_was_learned_passes(trained, name):
    rows = judged(name, trained(name))
    assert [row for row in rows if not row.passed] == []
    running = [RUNNING] * (name == "cifar10-cnn")
    assert [row.what for row in rows] == [SHAPES, REACHED, SLOPES, MOVED, FILTERS, *running, ALONE, ACCURACY, CHANCE]
    assert rows[-1].found.startswith("random filters reach 50.0 %, measured; this is +")


@pytest.mark.parametrize("name", CHOICES)
def test_random_weights_are_refused(script, name):
    model, _ = script(name).rebuild(np.random.default_rng(1), CHOICES[name])
    found = failed(name, {path: np.copy(tensor.data) for path, tensor in model.state_dict().items()})
    assert {ACCURACY, CHANCE} <= found.keys() <= {ACCURACY, CHANCE, MOVED, RUNNING}, "BatchNorm begins alike for every seed"


@pytest.mark.parametrize("name", CHOICES)
def test_filters_that_were_left_to_chance_are_refused(trained, name):
    found = failed(name, trained(name, frozen=True))
    assert found.keys() == {MOVED, FILTERS}, "the stand-in is so easy that the other layers can learn it"
    assert "0.weight" in found[MOVED] and "hardly moved" in found[FILTERS]


def test_filters_that_were_only_shaken_are_refused(trained):
    weights, rng = trained("cifar10-cnn", frozen=True), np.random.default_rng(2)
    for array in weights.values():
        if array.ndim == 4:
            array += 0.01 * array.std() * rng.standard_normal(array.shape).astype(np.float32)
    assert list(failed("cifar10-cnn", weights)) == [FILTERS]


def test_one_layer_of_filters_left_to_chance_is_named(trained):
    weights, before = trained("lenet5"), trained("lenet5", frozen=True)
    weights["3.weight"] = before["3.weight"]
    assert failed("lenet5", weights, floor=0.0, frozen=0.0) == {
        MOVED: "3.weight did not",
        FILTERS: "those of 3.weight hardly moved",
    }


def test_what_chance_reaches_is_no_achievement(trained):
    found = failed("lenet5", trained("lenet5"), frozen=100.0)
    assert list(found) == [CHANCE] and found[CHANCE].startswith("random filters reach 100.0 %, measured")


def test_running_statistics_that_never_moved_are_refused(trained):
    weights = trained("cifar10-cnn")
    for path, array in weights.items():
        if "running" in path or "num_batches" in path:
            array[...] = 1 if path.endswith("var") else 0
    found = failed("cifar10-cnn", weights, floor=0.0, frozen=0.0)
    assert list(found) == [RUNNING] and "running_mean" in found[RUNNING]


def test_another_networks_weights_are_refused(trained):
    found = failed("cifar10-cnn", trained("cifar10-cnn"), choices={"widths": [4, 6, 9]})
    assert list(found) == [SHAPES] and "(8, 6, 3, 3), not (9, 6, 3, 3)" in found[SHAPES]
    assert list(failed("lenet5", trained("lenet5"), choices={"dataset": "mnist", "model": "tutorial"})) == [SHAPES]


def test_a_file_without_the_running_statistics_is_refused(trained):
    weights = {path: array for path, array in trained("cifar10-cnn").items() if "running" not in path}
    assert list(failed("cifar10-cnn", weights)) == [SHAPES]


def test_dropout_does_not_disturb_the_measured_slopes(script):
    choices = {"dataset": "mnist", "model": "tutorial"}
    weights = fitted(*script("lenet5").rebuild(np.random.default_rng(0), choices), GIVEN["lenet5"], frozen=False)
    assert failed("lenet5", weights, choices=choices) == {}


@pytest.mark.parametrize(
    ("slopes", "passed"),
    [
        ([[6.0, -1.5], [6.0, -1.5]], True),
        ([[6.1, -1.5], [6.0, -1.4]], True),
        ([[6.1, -1.5], [6.1, -1.5]], False),
        ([[12.0, -3.0], [12.0, -3.0]], False),
        ([[np.nan, -1.5], [np.nan, -1.5]], False),
    ],
)
def test_a_bend_of_the_loss_is_forgiven_where_the_other_step_does_not_meet_it(slopes, passed):
    directions = {"weight": np.array([[1.0, 0.0], [0.0, 1.0]])}
    row = verdict.agreement({"weight": np.array([6.0, -1.5])}, {"weight": np.array(slopes)}, directions)
    assert row.passed == passed


DOUBLED = """
convolution.register_vjp(lambda grad, out, x, weight, *bias, **how: conv2d_input(weight, grad, input_size=x.shape, **how),
                         lambda grad, out, x, weight, *bias, **how: conv2d_weight(x, grad, weight_size=weight.shape, **how) * 2,
                         lambda grad, *_, **how: channel_sum(grad))
"""
DEAD = "\nmax_pooling.register_vjp(lambda grad, out, x, **how: x * 0)\n"
CROWD = """
BatchNorm2d.forward = lambda self, x: batch_norm(x, None, None, self.weight, self.bias, training=True)
"""


@pytest.mark.parametrize(
    ("name", "lines", "wrong"),
    [
        ("lenet5", DOUBLED, {SLOPES: "is 2 times the finite difference"}),
        ("cifar10-cnn", DOUBLED, {SLOPES: "is 2 times the finite difference"}),
        ("lenet5", DEAD, {REACHED: "none reaches 0.bias", SLOPES: "times the finite difference", FILTERS: "hardly moved"}),
        ("cifar10-cnn", CROWD, {ALONE: "% from those in a batch"}),
    ],
)
def test_a_package_that_goes_wrong_is_refused(trained, package, name, lines, wrong):
    parent = package("cnn.py", "", "")
    with (parent / "tinytorch" / "cnn.py").open("a", encoding="utf-8") as file:
        file.write(lines)
    found = failed(name, trained(name), parent, floor=0.0, frozen=0.0)
    assert found.keys() == wrong.keys()
    for what, said in wrong.items():
        assert said in found[what]


def test_a_run_is_judged_by_the_figures_of_its_own_choices():
    lenet5 = COURSE.milestone("lenet5")
    assert lenet5.chosen({"dataset": "mnist", "model": "lenet5", "examples": None}).data == "mnist"
    other = lenet5.chosen({"dataset": "cifar10", "model": "lenet5"})
    assert other.data == "cifar10" and other.name == "lenet5" and other.floor < lenet5.floor
    assert lenet5.chosen({}) == lenet5


def test_figures_of_frozen_filters_are_those_recorded_and_below_the_floors():
    recorded = json.loads((ROOT / "benchmarks" / "results" / "frozen_filters.json").read_text(encoding="utf-8"))["groups"]
    means = {}
    for group in recorded:
        assert group["frozen_filters"]
        one = COURSE.milestone(group["milestone"]).chosen(group)
        means[one.name, one.data, group.get("model")] = 100 * group["test_accuracy_mean"]
        assert one.frozen == pytest.approx(100 * group["test_accuracy_mean"], abs=0.05 + 1e-9), group["milestone"]
    for milestone in COURSE.milestones:
        for choices in ({}, *(row["choices"] for row in milestone.variant)):
            one = milestone.chosen(choices)
            if one.frozen is not None:
                assert any(key[:2] == (one.name, one.data) for key in means), "not recorded"
                assert one.floor > one.frozen + 0.5
