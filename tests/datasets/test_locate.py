"""Where data is looked for: the argument alone if given, then $TINYTORCH_DATA, then the user's cache."""

import sys
from pathlib import Path

import numpy as np
import pytest

from tinytorch.datasets import MissingData, cache_dir, cifar10, load_mnist, mnist, mnist_or_5k, published
from tinytorch.datasets.errors import DownloadFailed


@pytest.fixture
def no_mirrors(monkeypatch):
    monkeypatch.setattr(load_mnist, "MIRRORS", ())


@pytest.mark.parametrize(
    "platform, variable, expected",
    [
        ("linux", "XDG_CACHE_HOME", "{value}/tinytorch"),
        ("linux", None, "{home}/.cache/tinytorch"),
        ("darwin", "XDG_CACHE_HOME", "{home}/Library/Caches/tinytorch"),
        ("win32", "LOCALAPPDATA", "{value}/tinytorch"),
        ("win32", None, "{home}/AppData/Local/tinytorch"),
    ],
)
def test_the_cache_is_where_each_system_keeps_caches(monkeypatch, tmp_path, platform, variable, expected):
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "value"))
    monkeypatch.setattr(sys, "platform", platform)
    assert cache_dir() == Path(expected.format(value=tmp_path / "value", home=Path.home()))


def test_a_relative_cache_variable_is_ignored(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_dir() == Path.home() / ".cache" / "tinytorch"


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("layout", ["mnist", ".", "MNIST/raw"])
def test_every_layout_is_found(tmp_path, small_mnist, fill, layout, compressed):
    fill(tmp_path / "data" / layout, small_mnist, compressed)
    assert mnist(tmp_path / "data").train_images.shape == (60, 28, 28)


def test_dotted_names_are_found(tmp_path, small_mnist, fill):
    fill(tmp_path / "data", {name.replace("-idx", ".idx"): body for name, body in small_mnist.items()})
    assert mnist(tmp_path / "data").test_labels.shape == (10,)


def test_the_home_folder_may_be_abbreviated(small_mnist, fill):
    fill(Path.home() / "data", small_mnist)
    assert mnist("~/data").test_labels.shape == (10,)


@pytest.mark.parametrize("load", [mnist, cifar10])
def test_without_a_home_folder_there_is_no_cache_and_the_variable_is_named(monkeypatch, load):
    def home():
        raise RuntimeError("Could not determine home directory.")

    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "TINYTORCH_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", home)
    with pytest.raises(DownloadFailed, match="no home folder to keep downloads in: set HOME"):
        load()
    assert len(mnist_or_5k().train_labels) == 4000


def test_a_home_folder_that_nobody_has_is_a_folder_without_data():
    with pytest.raises(MissingData, match="~nobody-has-this-name"):
        mnist("~nobody-has-this-name/data")


def spoil(folder: Path):
    """Make a folder's files fail, so that an answer shows that they were not read."""
    for path in folder.iterdir():
        path.write_bytes(b"spoilt")


def test_the_argument_comes_first(monkeypatch, tmp_path, small_mnist, fill):
    fill(tmp_path / "given", small_mnist)
    spoil(fill(tmp_path / "variable", small_mnist))
    spoil(fill(cache_dir() / "mnist", small_mnist))
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path / "variable"))
    assert len(mnist(tmp_path / "given").train_labels) == 60


def test_the_variable_comes_before_the_cache(monkeypatch, tmp_path, small_mnist, fill):
    fill(tmp_path / "variable", small_mnist)
    spoil(fill(cache_dir() / "mnist", small_mnist))
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path / "variable"))
    assert len(mnist().train_labels) == 60


@pytest.mark.parametrize("variable", [None, "", "folder"])
def test_the_cache_is_used_when_the_variable_has_none(monkeypatch, tmp_path, small_mnist, fill, no_mirrors, variable):
    fill(cache_dir() / "mnist", small_mnist)
    if variable is not None:
        (tmp_path / "folder").mkdir()
        monkeypatch.setenv("TINYTORCH_DATA", variable and str(tmp_path / variable))
    np.testing.assert_array_equal(
        mnist().test_labels, published.read(cache_dir() / "mnist" / "t10k-labels-idx1-ubyte.gz", load_mnist.FILES[3])
    )


def test_a_given_folder_without_data_is_an_error_even_if_the_cache_has_it(tmp_path, small_mnist, fill):
    fill(cache_dir() / "mnist", small_mnist)
    (tmp_path / "MNIST").mkdir()
    with pytest.raises(MissingData) as caught:
        mnist(tmp_path)
    text = str(caught.value)
    for line in (
        "MNIST needs train-images-idx3-ubyte,",
        f"{tmp_path}: none of these files",
        f"{tmp_path / 'MNIST' / 'raw'}: no such folder",
        "Not downloaded",
        "--data mnist-5k",
    ):
        assert line in text


def test_a_given_folder_is_never_completed_from_elsewhere(tmp_path, small_mnist, fill):
    fill(cache_dir() / "mnist", small_mnist)
    fill(tmp_path / "data", small_mnist)
    (tmp_path / "data" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(MissingData, match="data: lacks t10k-labels-idx1-ubyte\n"):
        mnist(tmp_path / "data")


def test_an_empty_argument_is_a_folder_not_an_omission(monkeypatch, tmp_path, small_mnist, fill):
    fill(cache_dir() / "mnist", small_mnist)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingData, match="no other place is tried"):
        mnist("")


def test_a_variable_that_names_no_folder_is_an_error(monkeypatch, tmp_path, small_mnist, fill):
    fill(cache_dir() / "mnist", small_mnist)
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path / "typo"))
    with pytest.raises(MissingData, match="TINYTORCH_DATA names .*typo, which is not a folder"):
        mnist()


def test_offline_without_data_one_error_says_what_to_do(small_mnist, no_mirrors):
    with pytest.raises(MissingData) as caught:
        mnist()
    text = str(caught.value)
    for line in (
        "$TINYTORCH_DATA: not set",
        f"{cache_dir() / 'mnist' / 'train-images-idx3-ubyte.gz'}: no such file",
        "Tried to download train-images-idx3-ubyte.gz",
        "--data-dir DIR",
        "--data mnist-5k",
        "5,000 MNIST images",
    ):
        assert line in text
    assert caught.value.__suppress_context__  # one error, not a chain of them


def test_a_download_can_be_forbidden(small_mnist, mirror, monkeypatch):
    monkeypatch.setattr(load_mnist, "MIRRORS", (f"{mirror.url}/",))
    with pytest.raises(MissingData, match="Not downloaded: download=False"):
        mnist(download=False)
    assert mirror.ranges == []
