"""Values pass the wire unchanged, and nothing but values passes it."""

import base64
import json
import os

import numpy as np
import pytest

from tito.checks import wire
from tito.checks.wire import Other, WireError


def through(value):
    return wire.decode(json.loads(json.dumps(wire.encode(value))))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -7,
        2**63 - 1,
        0.5,
        -0.0,
        1e300,
        "text",
        "",
        b"\x00\xff",
        [],
        (),
        {},
        [1, (2, [None])],
        {"a": 1, ("b", 2): [3]},
        ("raises", "ValueError"),
        '{"other": 1}',
    ],
    ids=repr,
)
def test_plain_values_return_with_their_types(value):
    assert repr(through(value)) == repr(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")], ids=repr)
def test_floats_that_json_lacks(value):
    assert repr(through(value)) == repr(value)


@pytest.mark.parametrize("dtype", sorted(wire.DTYPES))
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)], ids=str)
def test_arrays_return_with_shape_and_dtype(dtype, shape):
    value = np.arange(1, np.prod(shape, dtype=int) + 1).reshape(shape).astype(dtype)
    back = through(value)
    assert type(back) is np.ndarray and back.dtype == value.dtype and back.shape == shape
    assert np.array_equal(back, value)
    back[...] = 0  # writable, and no view of anything


@pytest.mark.parametrize(
    "value", [np.arange(6).reshape(2, 3).T, np.arange(6, dtype=">i4"), np.asfortranarray(np.ones((2, 3))), np.arange(10)[::-2]]
)
def test_layout_and_byte_order_do_not_matter(value):
    assert np.array_equal(through(value), value)


def test_numpy_strings_become_strings_and_arrays_of_them_are_no_data():
    assert type(through(np.str_("axis"))) is str and through(np.str_("axis")) == "axis"
    assert through(np.array(["axis"])) == Other("array of dtype str128")


def test_numpy_scalars_stay_numpy_scalars():
    back = through(np.float32(0.1))
    assert type(back) is np.float32 and back == np.float32(0.1)


@pytest.mark.parametrize(
    "value, name",
    [
        (object(), "object"),
        (len, "builtin_function_or_method"),
        ({1}, "set"),
        (1j, "complex"),
        (np.array([1j]), "array of dtype complex128"),
        (np.array([None]), "array of dtype object"),
        (2**63, "int of more than 64 bits"),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)  # an object's repr is its address
def test_what_is_no_data_becomes_the_name_of_its_type(value, name):
    assert through(value) == Other(name)
    assert through([value]) == [Other(name)]


def test_what_is_too_large_or_too_deep_is_not_sent():
    assert through(np.zeros(wire.LIMIT + 1, np.int8)) == Other(f"array of shape ({wire.LIMIT + 1},), too large to compare")
    deep = []
    for _ in range(wire.DEPTH + 5):
        deep = [deep]
    text = json.dumps(wire.encode(deep))
    assert "nested too deeply" in text and wire.decode(json.loads(text))


DATA = base64.b64encode(np.zeros(2, np.float32).tobytes()).decode("ascii")


@pytest.mark.parametrize(
    "data",
    [
        [1],
        {},
        {"list": [], "tuple": []},
        {"list": 3},
        {"set": []},
        {"items": []},
        {"decode": 1},
        {"dict": [1]},
        {"dict": [[1, 2, 3]]},
        {"dict": [[{"list": []}, 1]]},
        {"float": "1"},
        {"float": []},
        {"other": 3},
        {"bytes": 3},
        {"bytes": "é"},
        {"array": 3},
        {"array": ["float32", [2]]},
        {"array": ["object", [2], DATA]},
        {"array": [["float32"], [2], DATA]},
        {"array": ["float32", [3], DATA]},
        {"array": ["float32", [-2], DATA]},
        {"array": ["float32", [True, 2], DATA]},
        {"array": ["float32", 2, DATA]},
        {"array": ["float32", [2], DATA + "!"]},
        {"array": ["float32", [0, 2**62, 2**62], ""]},
        {"array": ["float32", [1] * 70 + [2], DATA]},
        {"scalar": ["float32", [2], DATA]},
        2**63,
        {"tuple": [2**80]},
    ],
    ids=repr,
)
def test_other_forms_are_refused(data):
    with pytest.raises(WireError):
        wire.decode(data)


def test_arrays_that_are_large_together_are_refused():
    array = {"array": ["int8", [wire.LIMIT // 2], base64.b64encode(bytes(wire.LIMIT // 2)).decode("ascii")]}
    assert len(wire.decode({"list": [array]})) == 1
    with pytest.raises(WireError, match="larger than"):
        wire.decode({"list": [array, array, array]})


def test_data_that_is_too_deep_is_refused():
    data = None
    for _ in range(wire.DEPTH + 2):
        data = {"list": [data]}
    with pytest.raises(WireError, match="too deeply"):
        wire.decode(data)


def test_files_are_written_whole(tmp_path):
    path = tmp_path / "result.json"
    wire.write(path, {"a": "é"})
    wire.write(path, {"a": "b"})
    assert wire.read(path) == {"a": "b"}
    assert [file.name for file in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[NaN]", b"[" * 100_000, b"9" * 5000])
def test_files_that_are_no_json_are_refused(tmp_path, content):
    path = tmp_path / "result.json"
    path.write_bytes(content)
    with pytest.raises(WireError):
        wire.read(path)


def test_files_that_are_too_large_are_refused(tmp_path):
    path = tmp_path / "result.json"
    path.write_bytes(b'"' + b" " * wire.LIMIT + b'"')
    with pytest.raises(WireError, match="larger than"):
        wire.read(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(WireError, match="cannot be read|ordinary"):
            wire.read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WireError, match="not a regular file"):
        wire.read(tmp_path / "pipe")


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="this system cannot refuse to follow links")
def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "secret.json").write_text("1", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "secret.json")
    with pytest.raises(WireError):
        wire.read(tmp_path / "link")


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 4), (4, 1, 1), (2, 3, 4), (2, 0)])
def test_arrays_that_are_not_contiguous_arrive_so(shape):
    value = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    encoded = wire.encode(wire.strided(value))
    decoded = wire.decode(encoded)
    assert np.array_equal(decoded, value) and decoded.flags.writeable and not decoded.flags.owndata
    assert decoded.flags.c_contiguous == (value.size == 0) and wire.encode(decoded) == encoded
    assert wire.decode(wire.encode(value)).flags.c_contiguous


def test_an_array_without_axes_cannot_be_strided():
    (body,) = wire.encode(np.array(1.0)).values()
    with pytest.raises(wire.WireError, match="contiguous"):
        wire.decode({"strided": body})
