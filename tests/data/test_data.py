"""Datasets, loaders and transforms: every example once, the same with a thread, bytes until the batch."""

import threading

import numpy as np
import pytest

from tinytorch import data
from tinytorch.tensor import Tensor


def numbers(count=10):
    return data.TensorDataset(np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1), np.arange(count) % 3)


def seen(loader):
    return [[int(x) for x in images.data.ravel()] for images, _ in loader]


@pytest.mark.parametrize("prefetch", [0, 1, 3])
def test_an_epoch_shows_every_example_once_in_a_new_order(prefetch):
    loader = data.DataLoader(numbers(), batch_size=4, shuffle=True, generator=np.random.default_rng(0), prefetch=prefetch)
    first, second = seen(loader), seen(loader)
    assert [len(batch) for batch in first] == [4, 4, 2]
    assert sorted(sum(first, [])) == sorted(sum(second, [])) == list(range(10))
    assert first != second
    assert len(loader) == 3


def test_a_thread_changes_nothing_but_the_time():
    def epoch(prefetch):
        dataset = data.TensorDataset(
            np.arange(48, dtype=np.uint8).reshape(6, 1, 2, 4),
            np.arange(6),
            rng=np.random.default_rng(5),
            transform=data.Compose([data.RandomHorizontalFlip(), data.RandomShift(1), data.Normalize([0.5], [0.2])]),
        )
        loader = data.DataLoader(dataset, batch_size=2, shuffle=True, generator=np.random.default_rng(3), prefetch=prefetch)
        return [images.tolist() for images, _ in loader]

    assert epoch(0) == epoch(2)


def test_an_error_in_a_prefetched_batch_reaches_the_loop():
    def broken(images, rng):
        raise ValueError("no such picture")

    loader = data.DataLoader(data.TensorDataset(np.zeros((4, 1, 1, 1), np.uint8), transform=broken), prefetch=2)
    with pytest.raises(ValueError, match="no such picture"):
        list(loader)


def test_leaving_a_prefetching_loader_early_ends_its_thread():
    before = threading.active_count()
    for _ in data.DataLoader(numbers(100), batch_size=1, prefetch=4):
        break
    assert threading.active_count() == before


def test_drop_last():
    loader = data.DataLoader(numbers(), batch_size=4, drop_last=True)
    assert seen(loader) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len(loader) == 2


def test_a_learners_own_dataset_needs_two_methods():
    class Squares(data.Dataset):
        def __len__(self):
            return 5

        def __getitem__(self, index):
            return np.float32(index), index**2

    batches = list(data.DataLoader(Squares(), batch_size=2))
    assert [(x.tolist(), y.tolist()) for x, y in batches] == [([0, 1], [0, 1]), ([2, 3], [4, 9]), ([4], [16])]
    assert all(isinstance(part, Tensor) for batch in batches for part in batch)


def test_random_split_takes_lengths_or_fractions_and_never_mixes():
    whole = numbers(11)
    for lengths, expected in (([8, 3], [8, 3]), ([0.8, 0.2], [9, 2])):
        parts = data.random_split(whole, lengths, rng=np.random.default_rng(0))
        assert [len(part) for part in parts] == expected
        assert sorted(int(part[i][0].item()) for part in parts for i in range(len(part))) == list(range(11))


def test_arrays_of_different_length_are_refused():
    with pytest.raises(ValueError, match=r"arrays need one length, got \[3, 4\]"):
        data.TensorDataset(np.zeros(3), np.zeros(4))


def test_a_batch_size_below_one_is_refused():
    with pytest.raises(ValueError, match="batch_size needs a whole number above 0, got 0"):
        data.DataLoader(numbers(), batch_size=0)


def test_bytes_stay_bytes_until_the_batch():
    dataset = data.TensorDataset(np.zeros((3, 1, 2, 2), np.uint8), transform=data.Normalize([0.5], [0.5]))
    assert dataset.arrays[0].dtype == np.uint8
    (images,) = next(iter(data.DataLoader(dataset, batch_size=3)))
    assert images.dtype == np.float32
    assert np.all(images.data == -1)


def test_random_transforms_draw_what_they_say():
    images = np.random.default_rng(0).integers(0, 256, (2000, 1, 5, 5), np.uint8)
    rng = np.random.default_rng(1)
    flipped = (data.RandomHorizontalFlip(0.25)(images, rng) != images).any(axis=(1, 2, 3)).mean()
    assert 0.2 < flipped < 0.3
    float_images = images.astype(np.float32)
    change = (data.RandomBrightness(0.3)(float_images, rng) - float_images)[:, 0, 0, 0]
    assert change.min() > -0.31 and change.max() < 0.31 and np.unique(change.round(3)).size > 100
    assert data.RandomBrightness(0.3)(float_images, rng).dtype == np.float32
    marked = np.zeros((3000, 1, 9, 9), np.uint8)
    marked[:, 0, 4, 4] = 1
    places = np.argwhere(data.RandomShift(2)(marked, rng)[:, 0])[:, 1:]
    assert {tuple(place) for place in places.tolist()} == {(y, x) for y in range(2, 7) for x in range(2, 7)}


def test_the_files_of_mnist_give_what_the_given_reader_gives(tmp_path):
    import os

    from tinytorch import datasets

    if not os.environ.get("TINYTORCH_DATA"):
        pytest.skip("TINYTORCH_DATA names no folder with MNIST")
    import gzip
    from pathlib import Path

    folder = Path(os.environ["TINYTORCH_DATA"]) / "mnist"
    name = "t10k-images-idx3-ubyte.gz"
    read = data.parse_idx(gzip.decompress((folder / name).read_bytes()), name)
    assert np.array_equal(read, datasets.mnist().test_images)
