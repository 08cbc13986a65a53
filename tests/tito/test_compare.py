"""Which values agree, and what is said of those that do not."""

import numpy as np
import pytest

from tito.checks import wording
from tito.checks.compare import compare, scale
from tito.checks.wire import Other

F32 = np.float32
A = np.array([[0.1, -2.0, 3.0], [4.0, 5.5, -6.0]])
INPUTS = {"a": A.astype(F32)}


def rows(expected, got, inputs=None, **tolerance):
    found = compare(expected, got, inputs, **tolerance)
    return found and dict(found.rows)


@pytest.mark.parametrize(
    "expected, got",
    [
        (A, A.astype(F32)),
        (A, A * (1 + 5e-5)),
        (0.0, 9e-6),
        (A, A + 5e-6),
        (np.nan, np.nan),
        (np.array([np.inf, 1]), np.array([np.inf, 1])),
        (3, 3),
        (3, np.int64(3)),
        (3.0, 3),
        (3, 3.0),
        (3.0001, 3),
        (3, 3.0001),
        (np.array(2.5), 2.5),
        (2.5, np.array(2.5)),
        (True, np.True_),
        (True, np.array(True)),
        (np.array([True, False]), np.array([1, 0])),
        ("view", "view"),
        (None, None),
        (b"ab", b"ab"),
        ((1, 2), (1, 2)),
        ([1, (A, "x")], [1, (A, "x")]),
        ({"a": 1, "b": A}, {"b": A, "a": 1}),
        ([], []),
        (("raises", "ValueError"), ("raises", "ValueError", "any message")),
        (("raises", "ValueError", "(2, 3)", "(4,)"), ("raises", "ValueError", "not (4,) and (2, 3)")),
        (("raises", "ValueError", "(2, 3)"), ("raises", "ValueError", "(2,3)")),
        (np.zeros((0, 3)), np.zeros((0, 3), F32)),
    ],
    ids=repr,
)
def test_agree(expected, got):
    assert compare(expected, got) is None


@pytest.mark.parametrize(
    "expected, got",
    [
        (A, A * (1 + 2e-4)),
        (0.0, 2e-5),
        (np.nan, 1.0),
        (1.0, np.nan),
        (np.inf, -np.inf),
        (np.inf, 1e300),
        (3, 4),
        (10_000_000, 10_000_001),
        (np.array([10_000_000]), np.array([10_000_001])),
        (True, 1),
        (True, False),
        (False, 0.0),
        ("view", "copy"),
        ("1", 1),
        (None, 0),
        (0, None),
        ("", None),
        (b"ab", "ab"),
        ((1, 2), (1, 2, 3)),
        ((1, 2), [1, 2]),
        ([], ()),
        (np.arange(2), np.arange(2.0)),
        ((1, 2), np.array([1, 2])),
        (A, A.tolist()),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, [("a", 1)]),
        (1.0, np.array([1.0])),
        (np.array([1.0]), 1.0),
        (A, A.T),
        (A, A.ravel()),
        (("raises", "ValueError"), ("raises", "TypeError", "")),
        (("raises", "ValueError"), A),
        (A, ("raises", "ValueError", "")),
        (np.zeros((0, 3)), np.zeros((3, 0))),
        (A, Other("Tensor")),
        (np.array([1e-5, -2e-5]), np.array([1e-5, -2.1e-5])),
    ],
    ids=repr,
)
def test_differ(expected, got):
    assert compare(expected, got) is not None


def test_shape_is_reported_before_dtype_and_values():
    assert rows(A, (A * 2).T, INPUTS) == {"expected": "shape (2, 3)", "got": "shape (3, 2)"}
    assert rows(A, A * 2, INPUTS) == {"expected": "float32, like the inputs", "got": "float64"}


def test_results_are_as_precise_as_the_inputs_where_those_agree():
    integers = np.arange(3)
    for got in (A.astype(F32), np.round(A).astype(int)):
        assert compare(np.round(A), np.round(got), {"a": A}).kind == "dtype"
    assert compare(A, A.astype(F32), {"a": A}, dtypes=False) is None
    assert compare(1.5, F32(1.5), {"a": A}).cause == wording.DTYPE_CAUSES["float64", "float32"]
    assert compare(A, A, {"a": A.astype(F32), "labels": integers}).kind == "dtype"
    assert compare(A, np.float64(1) * A, {"nested": [{"a": A.astype(F32)}]}).kind == "dtype"
    assert compare(1.5, np.float64(1.5), INPUTS).kind == "dtype"
    for inputs in ({"a": A}, {"a": A.astype(F32), "b": A}, {"a": integers}, {}, None):
        assert compare(A, A, inputs) is None


def test_float64_inputs_give_nine_digits_unless_the_check_has_a_tolerance_of_its_own():
    lost = A.astype(F32).astype(np.float64)
    assert not np.array_equal(lost, A)
    assert compare(A, lost, {"a": A}).cause == wording.FEW_DIGITS
    for settings in (
        dict(inputs=INPUTS),
        dict(inputs=None),
        dict(inputs={"a": A}, rtol=1e-5),
        dict(inputs={"a": A}, dtypes=False),
    ):
        assert compare(A, lost.astype(F32) if settings["inputs"] is INPUTS else lost, **settings) is None


def test_a_number_of_numpys_is_none_of_pythons_where_one_is_promised():
    assert compare(3, np.int64(3)) is None and compare(1.5, 1.5, plain=True) is None
    assert rows(3, np.int64(3), plain=True) == {"expected": "a Python int", "got": "np.int64(3)"}
    assert compare([1.5], [np.float64(1.5)], plain=True).cause == wording.NUMPY_NUMBER
    assert compare(np.float64(1.5), np.float64(1.5), plain=True) is None
    assert compare(1.5, 1.5, INPUTS) is None  # a Python number has no dtype


def test_small_arrays_are_shown_whole():
    assert rows(np.array([[0.5, 1.25], [-3.0, 2.0]]), np.array([[0.5, 1.25], [-3.0, 2.5]])) == {
        "differs": "1 of 4 values",
        "expected": "[[0.5, 1.25], [-3, 2]]",
        "got": "[[0.5, 1.25], [-3, 2.5]]",
    }


def test_of_large_arrays_the_worst_place_is_shown():
    expected = np.arange(16.0).reshape(4, 4)
    got = expected.copy()
    got[1, 2], got[2, 1] = 6.5, -40.0
    assert rows(expected, got) == {"differs": "2 of 16 values, most at [2, 1]", "expected": "9", "got": "-40"}


def test_nan_is_the_worst_difference_and_a_shared_infinity_is_none():
    expected, got = np.array([1.0, 2.0, np.inf]), np.array([50.0, np.nan, np.inf])
    assert wording.worst(expected, got, np.array([True, True, False])) == (1,)


def test_digits_are_added_until_two_numbers_look_different():
    assert rows(1.0, 1.001) == {"expected": "1", "got": "1.001"}
    assert rows(1.0, 1.0001234) == {"expected": "1", "got": "1.00012"}
    assert rows(1.0, 1 + 1e-12, rtol=0, atol=0) == {"expected": "1", "got": "1.0000000000010001"}


def test_every_wrong_entry_looks_different():
    assert rows(np.array([1.0, 2.0, 3.0]), np.array([1.5, 2.000346, 3.0])) == {
        "differs": "2 of 3 values",
        "expected": "[1, 2, 3]",
        "got": "[1.5, 2.00035, 3]",
    }


def test_small_results_that_lost_their_digits_say_so():
    a = np.float32([1.4e-5, 2.3e-3, 0.5])
    lost = (a + np.float32(1)) - np.float32(1)
    inputs = {"a": a}
    assert compare(a.astype(float), lost, inputs, atol=0.0).cause == wording.CANCELLED
    assert compare(a.astype(float), a * np.float32(1.01), inputs, atol=0.0).cause is None  # more than rounding
    assert compare(a.astype(float), lost * np.float32([0, 1, 1]), inputs, atol=0.0).cause is None  # 0 has no digits


@pytest.mark.parametrize(
    "got, words",
    [
        (None, "None: is the `return` missing?"),
        (Other("Tensor"), "a Tensor, as an op gives it; its `.forward` gives the bare array"),
        (Other("array of dtype object"), "an array of dtype object where an array was needed"),
        ([[1.0]], "a list of 1 where an array was needed"),
        (1.5, "1.5 where an array was needed"),
        ("view", "'view'"),
        ({}, "a dict of 0 where an array was needed"),
        (("raises", "KeyError", "'x'"), "KeyError: 'x'"),
    ],
)
def test_what_is_no_array_is_named(got, words):
    assert rows(A, got) == {"expected": "an array (2, 3)", "got": words}


def test_a_missing_return_is_guessed_whatever_was_expected():
    for expected in (1.5, (4, 6), "text", A):
        assert rows(expected, None)["got"] == "None: is the `return` missing?"
    assert rows({"weight": 1}, {"weight": None})["got"] == rows(("raises", "ValueError"), None)["got"] == "None"


def test_the_place_within_a_container_is_named():
    assert rows([1, (A, "view")], [1, (A, "copy")])["in"] == "result[1][1]"
    assert rows({"gradient of w": [A, A]}, {"gradient of w": [A, A + 1]})["in"] == "gradient of w[1]"
    assert "in" not in rows(A, A + 1)


def test_short_lists_are_shown_whole():
    assert rows([4, 6, 2], [4, 1, 2]) == {"expected": "[4, 6, 2]", "got": "[4, 1, 2]"}
    assert rows([4, 6, 2], [4, 6]) == {"expected": "[4, 6, 2]", "got": "[4, 6]"}


def test_keys_are_named():
    assert rows({"weight": 1}, [1]) == {"expected": "a dict of 1", "got": "[1]"}
    assert rows({"weight": 1, "bias": 2}, {"weight": 1}) == {
        "expected": "a dict with the keys 'weight', 'bias'",
        "got": "a dict with the key 'weight'",
    }
    assert rows({"weight": 1, "bias": 2}, {"weight": 3}) == {"in": "weight", "expected": "1", "got": "3"}
    assert rows({"how": "as it was"}, {"how": "changed"}) == {"in": "how", "expected": "as it was", "got": "changed"}
    assert rows({"weight": 1}, "it yields a str") == {"got": "it yields a str"}
    assert rows({"weight": 1}, {})["got"] == "an empty dict"
    assert rows({}, {f"k{i}": 1 for i in range(13)})["got"].endswith("'k11', ...")


def test_an_exception_is_described_by_what_its_message_should_hold():
    found = rows(("raises", "ValueError", "(2, 3)", "(4, 5)"), np.zeros((4, 5)))
    assert found == {"expected": "ValueError whose message holds (2, 3) and (4, 5)", "got": "an array (4, 5) float64"}


def test_a_list_in_a_tuples_place_is_said_to_be_one():
    assert rows((1, 2), [1, 2]) == {"expected": "(1, 2)", "got": "a list: [1, 2]"}


def test_the_absolute_tolerance_follows_small_values():
    assert [scale(np.array(values)) for values in ([0.0, 1e-12], [5.0, -100.0], [0.0, -0.25], [2e-5], [np.inf], [])] == [
        1.0,
        1.0,
        0.25,
        1e-3,
        1.0,
        1.0,
    ]


def test_a_call_shows_settings_by_value_and_arrays_by_name():
    inputs = {"x": A.astype(F32), "dim": -1, "names": ["a", "b"], "eps": 0.1 + 0.2}
    assert wording.call_rows("softmax", inputs) == (
        ("called", "softmax(x, dim=-1, names=['a', 'b'], eps=0.3)"),
        ("with", "x = [[0.1, -2, 3], [4, 5.5, -6]] float32"),
    )
    assert wording.call_rows("softmax", inputs, "x.softmax({dim})")[0] == ("called", "x.softmax(-1)")
    assert wording.call_rows("seed", {"n": 3}) == (("called", "seed(n=3)"),)


def test_tiny_arrays_in_a_call_are_shown_whole():
    inputs = {
        "a": np.array([[0.5], [-1.25]], F32),
        "b": np.zeros((0, 2)),
        "c": [np.zeros(3), np.ones((2, 1), int)],
        "t": "x" * 50,
    }
    with_row = dict(wording.call_rows("f", inputs))["with"]
    assert dict(wording.call_rows("f", {"c": [np.zeros(1)]}))["with"] == "c = [(1,) float64]"
    assert with_row.startswith("a = [[0.5], [-1.25]] float32; b (0, 2) float64; c = [(3,) float64, (2, 1) int64]; t 'xxx")


def test_a_large_array_in_a_call_tells_where_it_is_not_finite():
    a = np.ones((4, 5), np.float32)
    assert wording.inventory("a", a) == "a (4, 5) float32"
    a[1, 2], a[2, 0], a[3, 3] = -np.inf, -np.inf, np.nan
    assert wording.inventory("a", a) == "a (4, 5) float32, nan at [3, 3], -inf at [1, 2] and elsewhere"
    assert wording.inventory("a", a[:0]) == "a (0, 5) float32"


def test_long_values_are_cut():
    assert len(wording.describe("x" * 5000)) <= wording.LONGEST
    assert wording.describe(list(range(5000))) == "a list of 5000"
