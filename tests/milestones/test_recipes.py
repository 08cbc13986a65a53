"""What the CIFAR-10 recipes are made of: networks, changes to pictures, schedules, and epochs of fewer batches."""

import importlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tinytorch.data import TensorDataset
from tinytorch.datasets import CIFAR10

IMAGES = np.random.default_rng(0).integers(0, 256, (300, 3, 32, 32), dtype=np.uint8)
LABELS = (np.arange(300) % 10).astype(np.uint8)
DATA = CIFAR10(IMAGES, LABELS, IMAGES[:50], LABELS[:50])


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2] / "milestones")
    return importlib.import_module("cifar10_mlp")


@pytest.fixture
def pictures(script):
    return importlib.import_module("common.recipe")


@pytest.mark.parametrize(
    ("recipe", "count", "gain"), [("baseline", 803_786, None), ("seed", 3_837_066, 0.5), ("best", 3_837_066, 0.7)]
)
def test_networks_have_the_published_sizes_and_initial_weights(script, recipe, count, gain):
    model = script.network(np.random.default_rng(0), script.RECIPES[recipe])
    weights = list(model.state_dict().values())
    assert sum(one.numel() for one in weights) == count
    first, bias = weights[0].data, weights[1].data
    assert first.std() == pytest.approx((gain or 1 / 6**0.5) * (2 / 3072) ** 0.5, rel=0.01), (
        "PyTorch's own is uniform, up to 1 / sqrt(n)"
    )
    assert bias.any() == (gain is None)
    assert all(one.data.dtype == np.float32 for one in weights)


def test_pixels_are_scaled_as_the_recipe_says(script):
    scales = {name: script.scale(recipe) for name, recipe in script.RECIPES.items()}
    assert [float(scales["best"](value, None).ravel()[0]) for value in (IMAGES[:1] * 0, IMAGES[:1] * 0 + 255)] == [-2, 2]
    assert scales["baseline"](IMAGES, None).max() <= 1


@pytest.mark.parametrize("recipe", ["seed", "best"])
def test_pictures_to_train_on_are_flipped_and_shifted(script, pictures, recipe):
    recipe, scale = script.RECIPES[recipe], script.scale(script.RECIPES[recipe])
    plain, changed = scale(IMAGES, None), pictures.changes(recipe, scale)(IMAGES, np.random.default_rng(0))
    assert changed.shape == plain.shape and changed.dtype == np.float32
    inner = slice(6, 26)
    found = 0
    for before, after in zip(plain[:60], changed[:60]):
        candidates = (
            np.roll(way, (down, right), axis=(1, 2))
            for way in (before, before[..., ::-1])
            for down in range(-3, 4)
            for right in range(-3, 4)
        )
        found += any(np.ptp((after - one)[:, inner, inner]) < 1e-5 for one in candidates)  # but for brightness
    assert found == 60
    assert sum(np.array_equal(before, after) for before, after in zip(plain, changed)) < 30


@pytest.mark.parametrize(("recipe", "low", "high"), [("seed", 0.3, 0.4), ("best", 0.0, 1e-6)])
def test_brightness_changes_where_the_recipe_says(script, pictures, recipe, low, high):
    recipe, scale = script.RECIPES[recipe], script.scale(script.RECIPES[recipe])
    grey = np.full((200, 3, 32, 32), 100, np.uint8)
    change = pictures.changes(recipe, scale)(grey, np.random.default_rng(0)) - scale(grey, None)
    assert low <= np.abs(change).max() <= high + 1e-6
    assert np.ptp(change.reshape(200, -1), axis=1).max() < 1e-5, "each picture as a whole"


def test_the_baseline_changes_no_picture(script, pictures):
    scale = script.scale(script.RECIPES["baseline"])
    change = pictures.changes(script.RECIPES["baseline"], scale)
    assert np.array_equal(change(IMAGES, np.random.default_rng(0)), scale(IMAGES, None))


@pytest.fixture
def descended(script, pictures):
    """Return a function of a recipe and the steps of an epoch: its optimizer's class and weight decay, and the rate of each step."""

    def run(name, epoch):
        recipe = script.RECIPES[name]
        optimizer, schedule = pictures.descent(
            recipe, script.network(np.random.default_rng(0), script.RECIPES["baseline"]), recipe, epoch
        )
        rates = []
        for _ in range(recipe.epochs * epoch):
            rates.append(optimizer.param_groups[0]["lr"])
            schedule.step()
        return type(optimizer).__name__, optimizer.param_groups[0]["weight_decay"], rates

    return run


def test_the_baselines_learning_rate_stays(descended):
    assert descended("baseline", 10) == ("SGD", 0, [0.01] * 50)


def test_the_seeds_learning_rate_falls_twice(descended):
    optimizer, decay, rates = descended("seed", 10)
    assert (optimizer, decay) == ("Adam", 0)
    assert rates == pytest.approx([3e-4] * 120 + [2.4e-4] * 80 + [1.92e-4] * 60)


def test_the_bests_learning_rate_warms_up_and_ends_at_nothing(descended):
    optimizer, decay, rates = descended("best", 188)
    assert (optimizer, decay) == ("AdamW", 0.05)
    assert np.argmax(rates) in (299, 300) and max(rates) == pytest.approx(1.5e-3)
    assert rates[0] < 1e-5 and rates[-1] < 1e-6


def test_an_epoch_has_as_many_batches_as_the_recipe_says(script, pictures):
    options = SimpleNamespace(batch_size=10, threads=1, device="cpu")
    training, _, _ = pictures.loaders(DATA, replace(script.RECIPES["seed"], batches=7), None, options, np.random.default_rng(0))
    assert len(training) == 7 and script.RECIPES["seed"].batches == 500


def test_a_loader_of_so_many_batches_draws_anew_for_every_epoch(pictures):
    dataset, order = TensorDataset(np.arange(1000)), np.random.default_rng(0)
    for prefetch in (0, 2):
        loader = pictures.FirstBatches(dataset, 10, shuffle=True, generator=order, count=7, prefetch=prefetch)
        first, second = (np.concatenate([batch.data for (batch,) in loader]) for _ in range(2))
        assert len(loader) == 7 and len(first) == 70 == len(set(first))
        assert set(first) != set(second), "another part of the examples in every epoch"
    assert len(pictures.FirstBatches(dataset, 300)) == 4


def test_validation_and_training_examples_are_apart(script):
    options, recipe = SimpleNamespace(batch_size=50, threads=1, device="cpu"), script.RECIPES["baseline"]
    training, validation, tests = script.loaders(DATA, recipe, script.scale(recipe), options, np.random.default_rng(0))
    seen, held = ({image.tobytes() for batch in loader for image in batch[0].data} for loader in (training, validation))
    assert (len(seen), len(held)) == (270, 30) and not seen & held
    assert sum(len(labels) for _, labels in tests) == 50
