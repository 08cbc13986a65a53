"""Files from anywhere: whatever is damaged in them, our own error says so, and memory stays within the size of the file.

`-m fuzz` tries 10,000 damaged files of each format, the plain run 300.
"""

import gzip
import json
import struct
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tinytorch.datasets import CorruptFile, read_idx
from tinytorch.given import gguf, safetensors
from tinytorch.given.files import BadFile

sys.path.insert(0, str(Path(__file__).parent))
from damaging import damaged

RNG = np.random.default_rng(0)
ARRAYS = {
    "weight": RNG.standard_normal((5, 7)).astype(np.float32),
    "half": RNG.standard_normal((3, 1, 2)).astype(np.float16),
    "none": np.zeros((0, 4), np.float32),
    "scalar": np.array(3, np.int64),
    "flags": np.array([True, False, True]),
}
PEER = {name: RNG.standard_normal(shape).astype(np.float32) for name, shape in gguf.PEERS["mnist-cnn"].items()}


def without_checksum(data):
    """Return a safetensors file as other programs write it."""
    length = int.from_bytes(data[:8], "little")
    entries = json.loads(data[8 : 8 + length])
    del entries["__metadata__"]
    header = json.dumps(entries).encode()
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


FILES = {
    "safetensors": (safetensors.parse, safetensors.dump(ARRAYS, {"epoch": "3"})),
    "foreign": (safetensors.parse, without_checksum(safetensors.dump(ARRAYS))),
    "gguf": (gguf.parse, gguf.dump(PEER, "mnist-cnn")),
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.fuzz)])
def test_a_damaged_file_gives_our_own_error_and_takes_little_memory(kind, count):
    parse, whole = FILES[kind]
    rng, refused, parsed = np.random.default_rng(count), 0, 0
    parse(whole)
    tracemalloc.start()
    try:
        for _ in range(count):
            data = damaged(whole, rng)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            try:
                parse(data, "the file")
                parsed += 1
            except BadFile as error:
                refused += 1
                assert str(error).startswith("the file is not a whole ")
            assert tracemalloc.get_traced_memory()[1] - before < 2**19 + 8 * len(whole)
    finally:
        tracemalloc.stop()
    assert refused > count / 3, "the damage is not noticed"
    assert parsed < (count / 50 if kind == "safetensors" else count), "a checksum lets damage through"


def test_every_flipped_bit_of_the_arrays_is_noticed():
    parse, whole = FILES["safetensors"]
    start = 8 + int.from_bytes(whole[:8], "little")
    for place in range(start, len(whole), 7):
        changed = whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :]
        with pytest.raises(BadFile, match="checksum"):
            parse(changed)


def header(entries, body=b"", length=None):
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


FAULTS = {
    "empty": (b"", "cut short"),
    "seven bytes": (b"\0" * 7, "cut short"),
    "huge header": (header({}, length=2**63), "cut short"),
    "not JSON": (header(b"{"), "not JSON"),
    "deep": (header(b"[" * 100_000), "not JSON"),
    "not UTF-8": (header(b'{"\xff":1}'), "not JSON"),
    "a name twice": (header(b'{"a":1,"a":2}'), "twice"),
    "a list": (header([]), "not a JSON object"),
    "metadata": (header({"__metadata__": {"a": 1}}), "not texts"),
    "dtype": (header({"a": entry("Q4")}, bytes(8)), "dtype 'Q4'"),
    "dtype is a list": (header({"a": entry(["F32"])}, bytes(8)), "dtype"),
    "negative size": (header({"a": entry(shape=(-2,))}, bytes(8)), "at least 0"),
    "true as a size": (header({"a": entry(shape=(True,), offsets=(0, 4))}, bytes(4)), "at least 0"),
    "overlap": (header({"a": entry(), "b": entry(offsets=(4, 12))}, bytes(12)), "overlap"),
    "gap": (header({"a": entry(), "b": entry(offsets=(12, 20))}, bytes(20)), "gap"),
    "too long": (header({"a": entry(offsets=(0, 2**60))}, bytes(8)), "end after"),
    "too few": (header({"a": entry(shape=(3,))}, bytes(8)), "does not fill"),
    "left over": (header({"a": entry()}, bytes(9)), "belong to none"),
    "sizes that overflow": (header({"a": entry(shape=(2**32,) * 4, offsets=(0, 0))}), "more numbers"),
    "sizes that overflow, and 0": (header({"a": entry(shape=(0, 2**40, 2**40), offsets=(0, 0))}), "more numbers"),
    "65 axes": (header({"a": entry(shape=(1,) * 65, offsets=(0, 4))}, bytes(4)), "65 axes"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_a_safetensors_file_is_named(fault, tmp_path):
    data, reason = FAULTS[fault]
    (tmp_path / "weights.safetensors").write_bytes(data)
    with pytest.raises(BadFile) as caught:
        safetensors.load_file(tmp_path / "weights.safetensors")
    assert "weights.safetensors is not a whole" in str(caught.value) and reason in str(caught.value)


def gguf_file(shape=(2,), kind=0, offset=0, body=bytes(8), count=1, settings=(), version=3):
    table = gguf.text("a") + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
    start = b"GGUF" + struct.pack("<IQQ", version, count, len(settings)) + b"".join(settings) + table
    return gguf.padded(start) + body


GGUF_FAULTS = {
    "magic": (b"GGML" + bytes(40), "does not begin with GGUF"),
    "version": (gguf_file(version=9), "version 9"),
    "no such type": (gguf_file(kind=99), "type 99"),
    "quantised": (gguf_file(kind=8), "quantised"),
    "too many arrays": (gguf_file(count=2**60), "announces"),
    "offset beyond the end": (gguf_file(offset=2**40), "and the next array, or the end"),
    "size beyond the end": (gguf_file(shape=(3,)), "and the next array, or the end"),
    "sizes that overflow": (gguf_file(shape=(2**33, 2**33)), "more numbers"),
    "five axes": (gguf_file(shape=(1,) * 5), "5 axes"),
    "a long setting": (gguf_file(settings=[gguf.text("k") + struct.pack("<IIQ", 9, 0, 2**50)]), "announces"),
    "an alignment of 0": (gguf_file(settings=[gguf.text("general.alignment") + struct.pack("<II", 4, 0)]), "alignment"),
    "cut": (gguf_file()[:40], "cut short"),
}


@pytest.mark.parametrize("fault", GGUF_FAULTS)
def test_each_fault_of_a_gguf_file_is_named(fault, tmp_path):
    data, reason = GGUF_FAULTS[fault]
    (tmp_path / "model.gguf").write_bytes(data)
    with pytest.raises(BadFile) as caught:
        gguf.load_file(tmp_path / "model.gguf")
    assert "model.gguf is not a whole" in str(caught.value) and reason in str(caught.value)


def test_the_gguf_faults_are_faults():
    np.testing.assert_array_equal(gguf.parse(gguf_file())[0]["a"], np.zeros(2, np.float32))


IDX = {
    "65 dimensions": bytes([0, 0, 8, 65]) + (1).to_bytes(4, "big") * 65 + b"\7",
    "sizes that overflow, and 0": bytes([0, 0, 8, 5]) + bytes(4) + b"\xff" * 16,
    "sizes whose product is 0 in 64 bits": bytes([0, 0, 8, 4]) + (2**16).to_bytes(4, "big") * 4,
}


@pytest.mark.parametrize("name", IDX)
def test_an_idx_file_that_no_array_can_hold_is_named(name, tmp_path):
    (tmp_path / "images").write_bytes(IDX[name])
    with pytest.raises(CorruptFile, match="images"):
        read_idx(tmp_path / "images")


@pytest.mark.parametrize("name", IDX)
def test_module_07_names_it_too(name):
    from tinytorch.data import parse_idx

    with pytest.raises(ValueError, match="^images has .* in its header"):
        parse_idx(IDX[name], "images")


@pytest.mark.parametrize("packed", [gzip.compress, bytes])
def test_what_gzip_holds_beyond_its_size_is_not_unpacked(packed, tmp_path):
    bomb = bytes([0, 0, 8, 1, 0, 0, 1, 0]) + bytes(100 * 2**20)
    (tmp_path / "labels").write_bytes(packed(bomb))
    tracemalloc.start()
    try:
        with pytest.raises(CorruptFile, match="bytes after the end"):
            read_idx(tmp_path / "labels")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert packed is bytes or peak < 2**22
