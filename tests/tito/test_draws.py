"""What a `draw` receives, and what tells a draw that varies from one that does not."""

import numpy as np

from tito.checks import checking
from tito.checks.checking import Check
from tito.checks.draws import Draws


def test_a_seed_draws_the_same_again_and_what_numpys_own_generator_draws():
    assert Draws(3).normal32(4).tolist() == np.random.default_rng(3).standard_normal(4, np.float32).tolist()
    assert Draws(3).sizes(3) == Draws(3).sizes(3)


def test_sizes_differ_and_axes_count_from_both_ends():
    for seed in range(20):
        rng = Draws(seed)
        assert len(set(rng.sizes(4, 2, 5))) == 4 and 2 <= rng.size(2, 3) <= 3
    rng = Draws(0)
    assert {rng.axis(2) for _ in range(100)} == {-2, -1, 0, 1}
    assert {rng.pick("a", None, (1, 2)) for _ in range(50)} == {"a", None, (1, 2)}
    assert sorted(rng.mix([3, 1, 2])) == [1, 2, 3]


def check(draw, **more):
    return Check("f", draw, lambda x, dim=0: x, {}, **more)


def test_a_draw_of_one_form_is_told_from_one_that_varies():
    assert checking.always_the_same_form(check(lambda rng: iter([{"x": rng.normal32(2, 3)}])))
    for draw in (
        lambda rng: iter([{"x": rng.normal32(rng.size(2, 9))}]),
        lambda rng: iter([{"x": rng.normal32(2, 3), "dim": rng.axis(2)}]),
        lambda rng: iter([{"x": [rng.normal32(2)] * rng.size(1, 9)}]),
    ):
        assert not checking.always_the_same_form(check(draw))


def test_cases_are_repeated_in_float64_unless_they_are_drawn_so_or_the_check_says_no():
    def dtypes(draw, **more):
        return [case.inputs["x"].dtype.name for case in checking.cases(check(draw, strided=False, **more), (0,))]

    plain = [{"x": np.ones(2, np.float32)}, {"x": np.ones(3, np.int64)}]
    assert dtypes(lambda rng: iter(plain)) == ["float32", "int64", "float64"]
    assert dtypes(lambda rng: iter(plain), float64=False) == ["float32", "int64"]
    assert dtypes(lambda rng: iter([*plain, {"x": np.ones(2)}])) == ["float32", "int64", "float64"]
    nested = checking.cases(check(lambda rng: iter([{"x": [{"a": np.ones(2, np.float32)}]}]), strided=False), (0,))[-1]
    assert nested.inputs["x"][0]["a"].dtype == np.float64


def test_float64_cases_hold_digits_that_float32_lacks_and_whole_numbers_stay():
    drawn = [{"x": np.float32([0.1, 1, np.inf, np.nan]), "y": np.array(0.5, np.float32), "z": np.float32(0.5)}]
    wide = checking.cases(Check("f", lambda rng: iter(drawn), lambda x, y, z: x, {}, strided=False), (0,))[-1].inputs
    assert wide["x"][0] != np.float32(wide["x"][0]) and wide["x"][1:3].tolist() == [1, np.inf] and np.isnan(wide["x"][3])
    assert type(wide["y"]) is np.ndarray and type(wide["z"]) is np.float64


def test_cases_are_repeated_with_arrays_that_are_not_contiguous_unless_the_check_says_no():
    def contiguous(**more):
        drawn = [{"x": x} for x in (rng.normal32(2, 3), np.arange(4), np.ones((1, 3)), np.ones(1), np.array(2.0))]
        return [case.inputs["x"].flags.c_contiguous for case in checking.cases(check(lambda rng: iter(drawn), **more), (0,))]

    rng = Draws(0)
    assert contiguous(strided=False) == [True] * 5
    assert contiguous() == [True] * 5 + [False] * 2
