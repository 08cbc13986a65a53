"""The trusted side: what is drawn, what is expected, which verdict follows, and which misconception is named."""

from collections import namedtuple
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tito.checks import checking, wording
from tito.checks.checking import Check, CheckBroken, Checks, DrawnCase, Observation, Observations, Raised
from tito.checks.observation import MOST_PLACES, Place, chain, place_in, read_error
from tito.checks.wire import Other

Exercise = namedtuple("Exercise", "id name")
CHECKS = checking.load(Path(__file__).parent / "fixtures_checking" / "checks.py")
MATMUL, DIVIDE = CHECKS.check("right"), CHECKS.check("divide")
ENTRY = "a and b were multiplied entry by entry, not row by column"
BATCH = "the batch dimensions were not broadcast: only the first matrix of b was used"


def outcome(function, check=MATMUL):
    """Judge a learner whose code computes `function`."""
    drawn = checking.cases(check)
    return checking.verdict(Exercise("01.4", check.name), check, drawn, checking.pretend(drawn, function))


def seen(check, *observations):
    drawn = checking.cases(check)[: len(observations)]
    return checking.verdict(Exercise("01.4", check.name), check, drawn, Observations(tuple(observations)))


def raised(type, message="", where=None):
    return Observation(error=Raised(type, message, where))


def test_the_oracle_passes():
    assert outcome(MATMUL.oracle) == checking.Verdict("01.4", "right", "passed", 8, 8, None)


def test_cases_come_from_both_seeds_and_differ():
    drawn = checking.cases(MATMUL)
    assert len(drawn) == 8 and not np.array_equal(drawn[0].inputs["a"], drawn[2].inputs["a"])
    assert np.array_equal(drawn[0].inputs["a"], checking.cases(MATMUL)[0].inputs["a"])
    assert len(checking.cases(MATMUL, seeds=(7, 8, 9))) == 12


def test_a_wrong_answer_shows_call_and_difference_and_counts_the_cases_passed():
    found = outcome(MATMUL.misconceptions[BATCH])
    assert (found.status, found.passed, found.total, found.failure.case) == ("failed", 4, 8, 2)
    assert found.failure.rows == (
        ("called", "right(a, b)"),
        ("with", "a (4, 1, 2, 3) float32; b (6, 3, 5) float32"),
        ("expected", "shape (4, 6, 2, 5)"),
        ("got", "shape (4, 1, 2, 5)"),
    )


@pytest.mark.parametrize("check", [MATMUL, DIVIDE], ids=lambda check: check.name)
def test_every_misconception_is_caught_and_named(check):
    assert checking.blind_spots(check, checking.cases(check)) == {}
    for sentence, function in check.misconceptions.items():
        assert outcome(function, check).failure.looks_like == sentence


def test_a_mistake_of_ones_own_is_not_named():
    assert outcome(lambda a, b: MATMUL.oracle(a, b) + 1).failure.looks_like is None


def test_a_fault_of_its_own_hides_no_misconception_that_nothing_contradicts():
    def half(a, b):
        return MATMUL.misconceptions[BATCH](a, b) if a.ndim > 2 else MATMUL.oracle(a, b) * 2

    found = outcome(half).failure
    assert found.looks_like == BATCH and found.rows[0] == ("called", "right(a, b)") and found.case == 2
    label, words = found.rows[-1]
    assert label == "besides" and words.startswith("4 more cases fail and look different, the first: right(a, b): expected ")


def test_a_misconception_that_a_case_contradicts_and_that_does_not_explain_all_is_not_named():
    def half(a, b):
        return MATMUL.misconceptions[ENTRY](a, b) if a.ndim == 2 else MATMUL.oracle(a, b) * 2

    assert outcome(half).failure.looks_like is None


def test_a_result_of_another_dtype_is_told_apart_from_a_wrong_one():
    found = cast(lambda a, b: MATMUL.oracle(a, b), np.float32)
    assert (found.status, found.passed) == ("failed", 4)
    assert found.failure.rows[2:] == (("expected", "float64, like the inputs"), ("got", "float32"))
    assert found.failure.looks_like == wording.DTYPE_CAUSES["float64", "float32"]


def test_a_misconception_is_named_also_where_the_dtype_is_wrong():
    found = cast(MATMUL.misconceptions[BATCH], np.float64).failure
    assert found.looks_like == BATCH and "the first: right(a, b): " in found.rows[-1][1]
    assert wording.DTYPE_CAUSES["float32", "float64"] in found.rows[-1][1]


def cast(function, dtype):
    """Judge a learner whose code computes `function`, and casts what it returns."""
    drawn = checking.cases(MATMUL)
    values = [Observation(function(**case.inputs).astype(dtype)) for case in drawn]
    return checking.verdict(Exercise("01.4", "right"), MATMUL, drawn, Observations(tuple(values)))


def test_of_two_that_explain_the_failures_the_one_that_explains_the_other_cases_too_is_named():
    def oracle(x):
        return abs(x)

    check = Check(
        "f", lambda rng: iter([{"x": -2}, {"x": 3}]), oracle, {"too much": lambda x: x - 5 * (x > 0), "kept": lambda x: x}
    )
    assert outcome(lambda x: x, check).failure.looks_like == "kept"


def test_a_misconception_may_take_several_forms_and_each_is_caught_and_named():
    forms = lambda x: 2 * x, lambda x: 3 * x
    check = Check("f", lambda rng: iter([{"x": 2.0}]), lambda x: x * x * x, {"a multiple": forms, "negated": lambda x: -x})
    assert [outcome(form, check).failure.looks_like for form in (*forms, lambda x: 5 * x)] == ["a multiple", "a multiple", None]
    assert checking.blind_spots(check, checking.cases(check)) == {}
    check = Check("f", lambda rng: iter([{"x": 2.0}]), lambda x: x * x, {"a multiple": forms})
    assert checking.blind_spots(check, checking.cases(check)) == {"a multiple": "is not caught"}


def test_an_exception_that_a_misconception_raises_counts_by_its_type():
    check = Check("f", lambda rng: iter([{"x": 2.0}]), lambda x: x, {"split": lambda x: int("two"), "asked": lambda x: {}[x]})
    assert seen(check, raised("ValueError", "in words of the learner's own functions")).failure.looks_like == "split"
    assert seen(check, raised("KeyError", "2")).failure.looks_like == "asked"
    assert seen(check, raised("TypeError", "two")).failure.looks_like is None


def test_an_exception_that_a_misconception_runs_into_names_it_only_if_no_case_contradicts_it():
    def judged(turn, *observations):
        check = Check("f", lambda rng: iter([{"x": 2.0}, {"x": 3.0}]), lambda x: x, {"turn": turn})
        return seen(check, *observations).failure.looks_like

    bad, good = raised("ZeroDivisionError", "anything"), Observation(3.0)
    assert judged(lambda x: x / 0, bad, good) is None
    assert judged(lambda x: x / 0, bad, bad) == "turn"
    assert judged(lambda x: ("raises", "ZeroDivisionError"), bad, good) == "turn"


def test_inputs_that_were_changed_are_told_first_and_the_rest_besides():
    check = Check("f", lambda rng: iter([{"x": 2.0}, {"x": 3.0}]), lambda x: 2 * x, {"negated": lambda x: -x})
    found = seen(check, raised("ValueError", "no room"), Observation(6.0, changed=("x",))).failure
    assert [label for label, _ in found.rows] == ["called", "changed", "besides"] and found.case == 2
    assert found.rows[-1][1] == "one more case fails and looks different: f(x=2): expected 4, got ValueError: no room"


def test_blind_spots_are_misconceptions_that_pass_or_pass_for_another():
    check = Check(
        "f",
        lambda rng: iter([{"x": 2.0}]),
        lambda x: x * x,
        {"doubled": lambda x: 2 * x, "negated": lambda x: -x, "subtracted": lambda x: x - 2 * x},
    )
    assert checking.blind_spots(check, checking.cases(check)) == {
        "doubled": "is not caught",
        "subtracted": "is named as: negated",
    }


def test_a_misconception_may_raise():
    check = Check("f", lambda rng: iter([{"x": 2}]), lambda x: x, {"divided": lambda x: x / 0, "looked up": lambda x: {}[x]})
    assert seen(check, raised("KeyError", "2")).failure.looks_like == "looked up"


def test_an_exception_out_of_learner_code_is_an_error_with_its_place():
    found = seen(MATMUL, raised("IndexError", "tuple index out of range", "tensor.ipynb, cell 4, line 3"))
    assert found.status == "error"
    assert found.failure.rows[2:] == (
        ("expected", "an array (2, 5)"),
        ("raised", "IndexError: tuple index out of range"),
        ("at", "tensor.ipynb, cell 4, line 3"),
    )


def test_an_exception_out_of_the_check_itself_says_so():
    found = seen(MATMUL, raised("AttributeError", "'NoneType' object has no attribute 'shape'"))
    assert dict(found.failure.rows)["at"] == wording.in_the_check(None)
    assert found.failure.rows[-1] == ("perhaps", "a `return` is missing")
    assert "perhaps" not in dict(seen(MATMUL, raised("AttributeError", "'NoneType'", "tensor.ipynb, cell 4")).failure.rows)
    assert "perhaps" not in dict(seen(MATMUL, raised("TypeError", "unexpected keyword argument 'a'")).failure.rows)


def test_exceptions_that_say_little_are_translated():
    for message, words in wording.SIGNS.items():
        assert seen(MATMUL, raised("TypeError", f"{message} here", "tensor.ipynb, cell 4")).failure.rows[-1] == ("perhaps", words)


def test_what_only_an_observer_makes_is_not_said_to_be_expected():
    assert "expected" not in dict(seen(DIVIDE, raised("KeyError", "x")).failure.rows)


def test_an_expected_exception_passes_and_its_message_is_held_to_what_it_must_hold():
    good = Observation({"quotient": checking.cases(DIVIDE)[0].expected["quotient"], "kind of result": "float"})
    assert seen(DIVIDE, good, raised("ValueError", "3 cannot be divided by 0")).status == "passed"
    found = seen(DIVIDE, good, raised("ValueError", "cannot divide by 0", "tensor.ipynb, cell 37, line 3"))
    assert found.status == "failed" and found.passed == 1
    assert found.failure.rows == (
        ("called", "divide(3, 0)"),
        ("expected", "ValueError whose message holds 3"),
        ("raised", "ValueError: cannot divide by 0"),
        ("at", "tensor.ipynb, cell 37, line 3"),
    )
    assert found.failure.looks_like == "the error does not show the number that was to be divided"
    assert seen(DIVIDE, good, raised("ZeroDivisionError", "3")).status == "failed"


def test_a_value_where_an_exception_was_expected():
    good = Observation(checking.cases(DIVIDE)[0].expected)
    found = seen(DIVIDE, good, Observation({"quotient": np.inf, "kind of result": "float"}))
    assert dict(found.failure.rows)["expected"] == "ValueError whose message holds 3"
    assert dict(found.failure.rows)["got"] == "no exception"


def test_a_part_of_an_observation_is_named_by_its_key():
    value = {**checking.cases(DIVIDE)[0].expected, "kind of result": "Tensor"}
    assert ("in", "kind of result") in seen(DIVIDE, Observation(value)).failure.rows


def test_an_input_changed_in_place_fails_even_with_the_right_values():
    right = checking.cases(MATMUL)[0].expected.astype(np.float32)
    found = seen(MATMUL, Observation(right, changed=("a",)))
    assert found.status == "failed" and found.passed == 0
    assert [label for label, _ in found.failure.rows] == ["called", "with", "changed"]
    assert "the input a:" in found.failure.rows[-1][1]
    assert found.failure.looks_like is None  # though `BATCH` gives the right values here, too
    wrong = seen(MATMUL, Observation(right + 1, changed=("a", "b")))
    assert [label for label, _ in wrong.failure.rows[2:]] == ["differs", "expected", "got", "changed"]


def test_a_stub_is_not_written_yet_rather_than_wrong():
    found = seen(MATMUL, raised("NotImplementedError", "01.4 right"))
    assert (found.status, found.failure) == ("unwritten", None)


def test_the_stub_of_another_exercise_is_named():
    found = seen(MATMUL, Observation(checking.cases(MATMUL)[0].expected), raised("NotImplementedError", "01.2 mul"))
    assert (found.status, found.failure.rows) == ("unwritten", (("", "needs 01.2 mul, which is not written yet"),))


def test_a_stub_met_during_the_import_leaves_the_module_unwritten():
    found = checking.verdict(
        Exercise("01.4", "right"),
        MATMUL,
        checking.cases(MATMUL),
        Observations(problem="import", text="importing failed", error=Raised("NotImplementedError", "01.2 mul"), shared=True),
    )
    assert found.status == "unwritten"


@pytest.mark.parametrize(
    "error",
    [raised("NotImplementedError", "op 'mul' has no rule"), raised("NotImplementedError"), raised("ValueError", "01.4 right")],
    ids=repr,
)
def test_other_exceptions_are_no_stub(error):
    assert seen(MATMUL, error).status == "error"


def test_nothing_observed_is_a_failure():
    drawn = checking.cases(MATMUL)
    for observations in (None, Observations(), Observations((Observation(drawn[0].expected),))):
        found = checking.verdict(Exercise("01.4", "right"), MATMUL, drawn, observations)
        assert (found.status, found.passed) == ("missing", 0)
    assert checking.verdict(Exercise("01.4", "right"), MATMUL, [], Observations()).status == "missing"


@pytest.mark.parametrize(
    "problem, status", [("missing", "missing"), ("timeout", "timeout"), ("ended", "error"), ("import", "error")]
)
def test_a_problem_of_the_process_becomes_a_status(problem, status):
    found = checking.verdict(
        Exercise("01.4", "right"), MATMUL, checking.cases(MATMUL), Observations(problem=problem, text="what happened", case=1)
    )
    assert found.status == status and not found.passed
    assert found.failure.rows[0] == ("called", "right(a, b)") and found.failure.rows[-1][1] == "what happened"


@pytest.mark.parametrize("case", [8, 99, None])
def test_a_case_number_that_does_not_exist_is_ignored(case):
    found = checking.verdict(
        Exercise("01.4", "right"),
        MATMUL,
        checking.cases(MATMUL),
        Observations(problem="timeout", text="what happened", case=case),
    )
    assert found.failure.rows == (("got nothing", "what happened"),)


def test_a_check_that_lacks_a_part_says_which():
    with pytest.raises(CheckBroken, match="lacks draw_gelu, oracle_gelu, misconceptions_gelu"):
        CHECKS.check("gelu")


def test_a_check_takes_its_own_tolerance():
    module = ModuleType("checks")
    vars(module).update(draw_f=lambda rng: iter([{"x": 1.0}]), oracle_f=lambda x: x, misconceptions_f={}, rtol_f=0.5)
    check = Checks(module).check("f")
    assert outcome(lambda x: 1.4 * x, check).status == "passed" and outcome(lambda x: 1.6 * x, check).status == "failed"


def test_a_draw_without_cases_or_without_end_is_broken():
    def forever(rng):
        while True:
            yield {}

    for draw, words in ((lambda rng: iter([]), "yields no cases"), (forever, "more than 200")):
        with pytest.raises(CheckBroken, match=words):
            checking.cases(Check("f", draw, None, {}))


def test_an_oracle_that_raises_or_returns_no_data_is_broken():
    for oracle, words in ((lambda x: 1 / 0, "oracle_f raised ZeroDivisionError"), (lambda x: {x: len}, "type builtin_function")):
        with pytest.raises(CheckBroken, match=words):
            DrawnCase(Check("f", None, oracle, {}), {"x": 1}).expected


def test_inputs_that_are_no_data_are_broken():
    with pytest.raises(CheckBroken, match="draw_f returns a value of type function"):
        DrawnCase(Check("f", None, None, {}), {"x": [lambda: 0]}).encoded
    assert DrawnCase(Check("f", None, None, {}), {"x": '{"other": "text"}'}).encoded == {"x": '{"other": "text"}'}


def test_an_oracle_that_changes_its_inputs_harms_nobody():
    def oracle(a):
        a += 1
        return a

    case = DrawnCase(Check("f", None, oracle, {}), {"a": np.zeros(2)})
    assert case.expected.tolist() == [1, 1] and case.inputs["a"].tolist() == [0, 0]


def test_pretending_keeps_the_precision_of_the_inputs():
    drawn = checking.cases(MATMUL)[:1]
    value = {"list": [np.ones(2), (np.float64(1), 1.0, np.arange(2))]}
    (got,) = checking.pretend(drawn, lambda a, b: value).cases
    array, (scalar, number, whole) = got.value["list"]
    assert (array.dtype, scalar.dtype, type(number), whole.dtype.kind) == (np.float32, np.float32, float, "i")
    assert checking.pretend(drawn, lambda a, b: {1}).cases[0].value == Other("set")


def test_places_of_an_exception():
    def place(file, line):
        return Place(f"{file}:{line}", own=file != "given")

    def where(*files):
        frames = [[file, number] for number, file in enumerate(files)]
        return read_error({"type": "E", "message": "", "frames": frames}, place).where

    assert where("home", "home", "given") == "home:1, called from home:0"
    assert where("home", "earlier", "given") == "earlier:1, called from home:0"
    assert where("given", "earlier") == "earlier:1" and where("given", "given") == "given:1" and where() is None


def test_a_chain_of_cells_names_its_notebook_once_and_a_recursion_once():
    cells = [f"a.ipynb, cell {cell}, line 3" for cell in (9, 7, 7, 7, 2)]
    assert chain(cells) == "a.ipynb, cell 9, line 3, called from cell 7, line 3, called from cell 2, line 3"
    assert chain(["b.ipynb, cell 1, line 2", "a.ipynb, cell 1, line 2"]).endswith("called from a.ipynb, cell 1, line 2")
    assert chain([f"a.ipynb, cell {cell}, line 3" for cell in range(9)]).count("called from") == MOST_PLACES - 1


def test_a_place_outside_the_package_is_not_looked_at(tmp_path):
    text = "# Made by tito from modules/01_x/x.ipynb: edit that file, then run `tito module complete 01`.\n# x.ipynb, cell 1\nx = 1\n"
    (tmp_path / "tinytorch").mkdir()
    for file in ("outside.py", "tinytorch/inside.py"):
        (tmp_path / file).write_text(text, encoding="utf-8")
    place = place_in(tmp_path)
    assert place("tinytorch/inside.py", 3) == ("x.ipynb, cell 1 (x = 1), line 2", True)
    assert place("tinytorch/../outside.py", 3) == ("tinytorch/../outside.py, line 3", False)
    assert place("tinytorch/none.py", 3) == ("tinytorch/none.py, line 3", False)


# Misconceptions about a part of what an observer sees.


def partial(function):
    function.partial = True
    return function


def about_the_value(**misconceptions):
    """Return a check that sees a value and a count, with misconceptions about the value alone."""
    some = {sentence: partial(function) for sentence, function in misconceptions.items()}
    return Check("f", lambda rng: iter([{"x": 2.0}, {"x": 3.0}]), lambda x: {"value": 2 * x, "count": 1}, some)


def test_a_partial_misconception_says_nothing_of_the_rest():
    check = about_the_value(added=lambda x: {"value": x + 1})
    assert outcome(lambda x: {"value": x + 1, "count": 7}, check).failure.looks_like == "added"
    assert outcome(lambda x: {"value": x + 2, "count": 7}, check).failure.looks_like is None
    assert checking.blind_spots(check, checking.cases(check)) == {}


def test_a_partial_misconception_explains_nothing_where_its_part_is_right():
    check = about_the_value(doubled=lambda x: {"value": 2 * x})
    assert outcome(lambda x: {"value": 2 * x, "count": 7}, check).failure.looks_like is None
    assert checking.blind_spots(check, checking.cases(check)) == {"doubled": "is not caught"}
