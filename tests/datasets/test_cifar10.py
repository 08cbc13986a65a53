"""CIFAR-10's binary version: the folder, the archive, and their faults."""

import hashlib
import io
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tinytorch.datasets import CorruptFile, DownloadFailed, MissingData, cache_dir, cifar10, load_cifar10

RECORD = 3073


@pytest.fixture
def records(monkeypatch):
    """Six files of 20 records each, in the place of those of 10,000."""
    monkeypatch.setattr(load_cifar10, "RECORDS", 20)
    rng = np.random.default_rng(2)
    files = {name: rng.integers(0, 256, (20, RECORD), dtype=np.uint8) for name in load_cifar10.NAMES}
    for array in files.values():
        array[:, 0] = rng.integers(0, 10, 20)
    return files


@pytest.fixture
def folder(records, tmp_path):
    """A folder that someone unpacked by hand."""
    path = tmp_path / "data" / "cifar-10-batches-bin"
    path.mkdir(parents=True)
    for name, array in records.items():
        (path / name).write_bytes(array.tobytes())
    return path


@pytest.fixture
def archive(records, monkeypatch, mirror):
    """The archive on a mirror, with a stranger in it that must not be unpacked."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        members = {f"cifar-10-batches-bin/{name}": array.tobytes() for name, array in records.items()}
        for name, data in {**members, "../evil": b"!"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    monkeypatch.setattr(load_cifar10, "ARCHIVE_SHA256", hashlib.sha256(buffer.getvalue()).hexdigest())
    monkeypatch.setattr(load_cifar10, "URLS", (f"{mirror.url}/cifar-10-binary.tar.gz",))
    mirror.serve("/cifar-10-binary.tar.gz", mirror.whole(buffer.getvalue()))
    return buffer.getvalue()


def test_records_become_images_and_labels(folder, records):
    data = cifar10(folder.parent)
    assert [array.shape for array in data] == [(100, 3, 32, 32), (100,), (20, 3, 32, 32), (20,)]
    third = records["data_batch_3.bin"][7]
    assert data.train_labels[47] == third[0]
    assert data.train_images[47, 1, 2, 5] == third[1 + 1024 + 2 * 32 + 5]  # plane, row, column
    np.testing.assert_array_equal(data.test_images[3].ravel(), records["test_batch.bin"][3, 1:])
    assert data.name == "CIFAR-10" and data.classes[9] == "truck"


def test_the_folder_itself_may_be_given(folder):
    assert len(cifar10(folder).test_labels) == 20


@pytest.mark.parametrize(
    "fault, reason",
    [
        (lambda raw: raw[:-1], "truncated: 20 records of 3073 bytes are 61460; 61459 are there"),
        (lambda raw: raw + b"\0", "bytes after the end"),
        (lambda raw: b"", "empty"),
        (lambda raw: raw[: 2 * RECORD] + bytes([11]) + raw[2 * RECORD + 1 :], "record 2 has label 11; labels are 0 to 9"),
    ],
    ids=["truncated", "too long", "empty", "label 11"],
)
def test_a_malformed_file_is_named_and_left_alone(folder, fault, reason):
    path = folder / "data_batch_4.bin"
    path.write_bytes(fault(path.read_bytes()))
    with pytest.raises(CorruptFile) as caught:
        cifar10(folder.parent)
    assert caught.value.path == path and reason in caught.value.reason and "left as it is" in caught.value.reason
    assert path.exists()


def test_a_given_folder_without_it_is_an_error(tmp_path):
    with pytest.raises(MissingData, match="CIFAR-10 needs data_batch_1.bin"):
        cifar10(tmp_path)


def test_the_archive_is_downloaded_and_unpacked_once(archive, mirror, records):
    first, second = cifar10(), cifar10()
    np.testing.assert_array_equal(first.test_images[3].ravel(), records["test_batch.bin"][3, 1:])
    np.testing.assert_array_equal(first.train_images, second.train_images)
    assert len(mirror.ranges) == 1
    assert sorted(path.name for path in cache_dir().iterdir()) == [".lock", "cifar-10-batches-bin"]
    assert {path.name for path in (cache_dir() / "cifar-10-batches-bin").iterdir()} == {*load_cifar10.NAMES, ".lock"}


def test_two_at_once_download_once(archive, mirror, monkeypatch):
    waiting = threading.Event()
    monkeypatch.setattr("tinytorch.datasets.download.note", lambda text: "another process" in text and waiting.set())
    mirror.serve("/cifar-10-binary.tar.gz", mirror.pausing(archive, 1000))
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(cifar10) for _ in range(2)]
        assert waiting.wait(10)
        mirror.released.set()
        first, second = (data.result() for data in both)
    np.testing.assert_array_equal(first.test_images, second.test_images)
    assert mirror.ranges == [None]


def test_an_unpacking_that_was_killed_is_done_again(archive, mirror):
    cifar10()
    (cache_dir() / "cifar-10-batches-bin" / "data_batch_5.bin").unlink()
    assert len(cifar10().train_labels) == 100 and len(mirror.ranges) == 2


def test_a_wrong_archive_is_named_and_not_kept(archive, mirror):
    mirror.serve("/cifar-10-binary.tar.gz", mirror.whole(archive[:-1]))
    with pytest.raises(DownloadFailed, match="not the published archive"):
        cifar10()
    assert not list(cache_dir().glob("*.gz*"))


def test_a_download_can_be_forbidden(archive, mirror):
    with pytest.raises(MissingData, match="Not downloaded: download=False"):
        cifar10(download=False)
    assert mirror.ranges == []


def test_the_real_cifar10(users_data):
    if not users_data or not (Path(users_data) / "cifar-10-batches-bin" / "test_batch.bin").exists():
        pytest.skip("$TINYTORCH_DATA does not name a folder with cifar-10-batches-bin")
    data = cifar10(users_data)
    assert data.train_images.shape == (50_000, 3, 32, 32) and data.test_images.shape == (10_000, 3, 32, 32)
    assert np.bincount(data.train_labels).tolist() == [5000] * 10
    assert np.bincount(data.test_labels).tolist() == [1000] * 10
