"""IDX: what is well formed is read exactly; each way to be malformed is named, with the file."""

import gzip
import zlib

import numpy as np
import pytest

from tinytorch.datasets import CorruptFile, read_idx

CODES = {"u1": 8, "i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}


def idx(array, code=8, shape=None):
    shape = array.shape if shape is None else shape
    return bytes([0, 0, code, len(shape)]) + np.array(shape, ">u4").tobytes() + array.tobytes()


PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
GOOD = idx(PIXELS)


@pytest.mark.parametrize("dtype", CODES)
def test_every_type_is_read_in_native_order(tmp_path, dtype):
    values = np.array([[1, -2 if "u" not in dtype else 2, 3], [100, 5, 0]]).astype(dtype)
    (tmp_path / "file").write_bytes(idx(values, CODES[dtype]))
    read = read_idx(tmp_path / "file")
    np.testing.assert_array_equal(read, values)
    assert read.dtype.isnative and read.dtype.itemsize == values.dtype.itemsize and read.dtype.kind == values.dtype.kind


@pytest.mark.parametrize("packed", [GOOD, gzip.compress(GOOD)], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_compression_is_seen_from_the_contents(tmp_path, packed, name):
    (tmp_path / name).write_bytes(packed)
    np.testing.assert_array_equal(read_idx(tmp_path / name), PIXELS)


def test_the_array_may_be_written_to(tmp_path):
    (tmp_path / "file").write_bytes(GOOD)
    read = read_idx(tmp_path / "file")
    read[0, 0, 0] = 200
    assert read[0, 0, 0] == 200


def test_no_images_is_an_array_too(tmp_path):
    (tmp_path / "file").write_bytes(idx(np.empty((0, 28, 28), np.uint8)))
    assert read_idx(tmp_path / "file").shape == (0, 28, 28)


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


PACKED = gzip.compress(GOOD)
FAULTS = {
    "empty": (b"", "the file is empty"),
    "three bytes": (b"\0\0\x08", "not an IDX file"),
    "wrong magic": (b"\1\0" + GOOD[2:], "not an IDX file"),
    "unknown type": (b"\0\0\x0a" + GOOD[3:], "not an IDX file"),
    "no dimensions": (b"\0\0\x08\0" + GOOD[4:], "not an IDX file"),
    "web page": (b"\n<html><body>Log in</body></html>", "a web page"),
    "header cut": (GOOD[:9], "truncated: a header of 3 dimensions takes 16 bytes, 9 are there"),
    "data cut": (GOOD[:-1], "truncated: its header promises (2, 3, 4) uint8, 24 bytes; 23 are there"),
    "count too high": (idx(PIXELS, shape=(3, 3, 4)), "truncated: its header promises (3, 3, 4) uint8, 36 bytes; 24"),
    "count too low": (idx(PIXELS, shape=(1, 3, 4)), "bytes after the end: its header promises (1, 3, 4) uint8, 12"),
    "huge count": (idx(PIXELS, shape=(2**32 - 1,) * 4), "truncated: its header promises"),
    "byte after the end": (GOOD + b"\0", "bytes after the end"),
    "gzip cut": (PACKED[:-12], "truncated: the file ends after"),
    "gzip header only": (PACKED[:5], "truncated: the file ends after"),
    "gzip checksum": (flipped(PACKED, len(PACKED) - 7), "damaged: gzip says CRC check failed"),
    "gzip damaged": (flipped(PACKED, 10), "damaged: gzip says"),
    "gzip, then more": (PACKED + b"more", "damaged: gzip says"),
    "gzip of cut data": (gzip.compress(GOOD[:-1]), "truncated: its header promises"),
    "gzip of a page": (gzip.compress(b"<html>"), "a web page"),
    "zlib, not gzip": (zlib.compress(GOOD), "not an IDX file"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_malformed_file_is_named_with_the_reason(tmp_path, fault):
    data, reason = FAULTS[fault]
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(data)
    with pytest.raises(CorruptFile) as caught:
        read_idx(path)
    assert caught.value.path == path and str(caught.value).startswith(f"{path}: ")
    assert reason in caught.value.reason


def test_a_folder_in_the_file_s_place_is_named(tmp_path):
    with pytest.raises(CorruptFile, match="cannot be read"):
        read_idx(tmp_path)


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "none")
