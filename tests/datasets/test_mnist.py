"""MNIST from end to end: a small stand-in through every path, and the real one where it lies."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from tinytorch.datasets import MNIST, CorruptFile, DownloadFailed, MissingData, cache_dir, load_mnist, mnist

LABELS = "train-labels-idx1-ubyte"


@pytest.fixture
def mirrors(mirror, small_mnist, monkeypatch):
    """Two mirrors, a and b, that have the small set."""
    for folder in "ab":
        for name, body in small_mnist.items():
            mirror.serve(f"/{folder}/{name}.gz", mirror.whole(body))
    monkeypatch.setattr(load_mnist, "MIRRORS", (f"{mirror.url}/a/", f"{mirror.url}/b/"))
    return mirror


def test_it_is_downloaded_once(mirrors):
    first, second = mnist(), mnist()
    assert len(mirrors.ranges) == 4
    assert isinstance(first, MNIST) and first.name == "MNIST"
    assert [array.shape for array in first] == [(60, 28, 28), (60,), (10, 28, 28), (10,)]
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert sorted(path.name for path in (cache_dir() / "mnist").iterdir()) == sorted(
        [f"{file.name}.gz" for file in load_mnist.FILES] + [".lock"]
    )


def test_only_what_is_missing_is_downloaded(mirrors):
    mnist()
    (cache_dir() / "mnist" / f"{LABELS}.gz").unlink()
    mnist()
    assert len(mirrors.ranges) == 5


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-20], lambda data: data[:30] + b"?" + data[31:], lambda data: b""],
    ids=["truncated", "changed", "empty"],
)
def test_a_file_damaged_in_the_cache_is_named_and_replaced(mirrors, capsys, damage):
    mnist()
    path = cache_dir() / "mnist" / f"{LABELS}.gz"
    good = path.read_bytes()
    path.write_bytes(damage(good))
    capsys.readouterr()
    assert len(mnist().train_labels) == 60
    assert path.read_bytes() == good and len(mirrors.ranges) == 5
    assert f"not used: {path}: " in capsys.readouterr().err


def test_a_file_damaged_in_the_cache_is_named_when_there_is_no_network(mirrors, monkeypatch):
    mnist()
    path = cache_dir() / "mnist" / f"{LABELS}.gz"
    path.write_bytes(b"<html>")
    monkeypatch.setattr(load_mnist, "MIRRORS", (f"{mirrors.url}/gone/",))
    with pytest.raises(DownloadFailed) as caught:
        mnist()
    assert f"{path}: not an IDX file" in str(caught.value) and "HTTP 404" in str(caught.value)


def test_mirrors_that_compress_differently_are_the_same_file(mirrors, small_mnist):
    name = load_mnist.FILES[0].name
    again = gzip.compress(gzip.decompress(small_mnist[name]), 1, mtime=1)
    assert again != small_mnist[name]
    mirrors.serve(f"/a/{name}.gz", mirrors.whole(again))
    assert len(mnist().train_images) == 60 and len(mirrors.ranges) == 4


@pytest.mark.parametrize(
    "fault, reason",
    [
        ("page", "a web page"),
        ("other", "wrong contents in the right shape"),
        ("cut", "truncated"),
        ("swapped", r"the wrong file: it holds \(10,\) uint8"),
    ],
)
def test_a_wrong_file_from_every_mirror_is_named_and_not_kept(mirrors, small_mnist, fault, reason):
    raw = bytearray(gzip.decompress(small_mnist[LABELS]))
    raw[-1] ^= 1
    bodies = {
        "page": b"<html>",
        "other": gzip.compress(bytes(raw)),
        "cut": small_mnist[LABELS][:-9],
        "swapped": small_mnist["t10k-labels-idx1-ubyte"],
    }
    for folder in "ab":
        mirrors.serve(f"/{folder}/{LABELS}.gz", mirrors.ignoring_range(bodies[fault]))
    with pytest.raises(DownloadFailed, match=rf"/b/{LABELS}.gz: sent a wrong file: .*{reason}"):
        mnist()
    assert not [path for path in (cache_dir() / "mnist").iterdir() if LABELS in path.name]
    with pytest.raises(MissingData):
        mnist(download=False)


@pytest.mark.parametrize(
    "fault, reason",
    [
        (lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]), "wrong contents in the right shape"),
        (lambda raw: raw[:-5], "truncated"),
        (lambda raw: raw + b"\n", "bytes after the end"),
    ],
    ids=["wrong", "truncated", "too long"],
)
@pytest.mark.parametrize("given", ["argument", "variable"])
def test_a_user_s_file_that_is_not_mnist_is_named_and_left_alone(
    tmp_path, small_mnist, fill, monkeypatch, mirrors, fault, reason, given
):
    path = fill(tmp_path / "data", small_mnist) / f"{LABELS}.gz"
    path.write_bytes(gzip.compress(fault(gzip.decompress(path.read_bytes()))))
    before = path.read_bytes()
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path / "data"))
    with pytest.raises(CorruptFile) as caught:
        mnist(tmp_path / "data" if given == "argument" else None)
    assert caught.value.path == path and reason in caught.value.reason and "left as it is" in caught.value.reason
    assert path.read_bytes() == before and mirrors.ranges == []


def test_there_are_two_mirrors_and_four_files():
    assert len(set(load_mnist.MIRRORS)) >= 2
    assert all(url.startswith("https://") and url.endswith("/") for url in load_mnist.MIRRORS)
    assert [file.name for file in load_mnist.FILES] == list(load_mnist.WANTED.names)
    assert len({file.sha256 for file in load_mnist.FILES}) == 4


def test_the_real_mnist(users_data, monkeypatch):
    if not users_data or not any(
        (Path(users_data) / folder / f"{LABELS}{ending}").exists()
        for folder in load_mnist.WANTED.layouts
        for ending in ("", ".gz")
    ):
        pytest.skip("$TINYTORCH_DATA does not name a folder with MNIST")
    monkeypatch.setenv("TINYTORCH_DATA", users_data)
    train_images, train_labels, test_images, test_labels = mnist(download=False)
    assert train_images.shape == (60_000, 28, 28) and test_images.shape == (10_000, 28, 28)
    assert {array.dtype for array in (train_images, train_labels, test_images, test_labels)} == {np.dtype(np.uint8)}
    assert train_labels[:5].tolist() == [5, 0, 4, 1, 9] and test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    share, value = np.bincount(train_images.ravel(), minlength=256) / train_images.size, np.arange(256) / 255
    mean = share @ value
    measured = [[mean], [np.sqrt(share @ (value - mean) ** 2)]]
    np.testing.assert_allclose(measured, MNIST.pixels, atol=1e-4)
