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
        return [case.inputs["x"].dtype.name for case in checking.cases(check(draw, **more), (0,))]

    plain = [{"x": np.ones(2, np.float32)}, {"x": np.ones(3, np.int64)}]
    assert dtypes(lambda rng: iter(plain)) == ["float32", "int64", "float64"]
    assert dtypes(lambda rng: iter(plain), float64=False) == ["float32", "int64"]
    assert dtypes(lambda rng: iter([*plain, {"x": np.ones(2)}])) == ["float32", "int64", "float64"]
    nested = checking.cases(check(lambda rng: iter([{"x": [{"a": np.ones(2, np.float32)}]}])), (0,))[-1]
    assert nested.inputs["x"][0]["a"].dtype == np.float64
