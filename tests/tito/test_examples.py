"""What a docstring shows is a case of its exercise: what agrees with it, and what is said of what does not."""

from collections import namedtuple

import numpy as np
import pytest

from tito.checks import checking, learner_process, wire, wording
from tito.checks.checking import Check, Observation, Observations, Raised
from tito.checks.examples import examples, same_text

Exercise = namedtuple("Exercise", "id name")
CELL = '''
@op
def double(a):
    """Double.

    Example:
        >>> a = np.array([1, 2])
        >>> double(a)
        array([2, 4])
        >>> double(None)
        Traceback (most recent call last):
        TypeError: unsupported
    """
'''


@pytest.mark.parametrize(
    "want, got",
    [
        ("array([0.25, 1.5])", "array([ 0.25,  1.5 ])"),
        ("0.6590", "0.6591"),
        ("array([0.12345678], dtype=float32)", "array([0.12345679], dtype=float32)"),
        ("1.5e-08", "1.49e-8"),
        ("(2, 3)", "(2,3)"),
        ("[0.1, ...]", "[0.1, 7]"),
        ("-0.0", "0.0"),
        ("a.b2 3", "a.b2 3"),
    ],
)
def test_texts_that_agree(want, got):
    assert same_text(want + "\n", got + "\n")


@pytest.mark.parametrize(
    "want, got",
    [
        ("array([1, 2])", "array([1., 2.])"),
        ("array([1.], dtype=float32)", "array([1.])"),
        ("0.659", "0.662"),
        ("3", "4"),
        ("[1, 2]", "[1, 2, 3]"),
        ("(2, 3)", "[2, 3]"),
        ("True", "False"),
        ("a2", "a3"),
        ("0.5", ""),
    ],
)
def test_texts_that_do_not(want, got):
    assert not same_text(want + "\n", got + "\n")


def verdict(double, cell=CELL, names=None, drawn=lambda a: a * 2):
    """Check `double` with one drawn case, which `drawn` answers, and the cell's examples."""
    check = Check("double", lambda rng: iter([{"a": 3}]), lambda a: a * 2, {}, examples=tuple(examples(cell)))
    cases = checking.all_cases(check)
    namespace = {"np": np, "double": double, **(names or {})}
    records = [
        learner_process.observe_example(case.encoded[learner_process.EXAMPLE], namespace, lambda file, names: None)
        for case in check.examples
    ]
    seen = [Observation(drawn(case.inputs["a"])) for case in cases if case.inputs]
    seen += [
        Observation(wire.decode(record["value"]), record["error"] and Raised(record["error"]["type"], record["error"]["message"]))
        for record in records
    ]
    return checking.verdict(Exercise("01.2", "double"), check, cases, Observations(tuple(seen)))


def test_a_right_answer_passes_its_examples_an_expected_exception_among_them():
    assert verdict(lambda a: a * 2).status == "passed"


def test_a_statement_without_an_output_returns_nothing():
    cell = '''
def double(a):
    """
    >>> a = np.ones(2)
    >>> double(a)
    >>> a
    array([2., 2.])
    """
'''

    def returning(a):
        if isinstance(a, int):
            return a * 2
        a *= 2
        return a

    found = verdict(returning, cell)
    assert dict(found.failure.rows)["expected"] == "None" and dict(found.failure.rows)["got"] == "array([2., 2.])"
    assert verdict(lambda a: a * 2 if isinstance(a, int) else np.multiply(a, 2, out=a) is None or None, cell).status == "passed"


def test_a_wrong_one_is_shown_as_the_docstring_shows_it():
    found = verdict(lambda a: a + a.astype(float) if a is not None else a * 2)
    assert (found.status, found.passed, found.total) == ("failed", 2, 3)
    assert found.failure.rows == (
        ("called", "a = np.array([1, 2])\ndouble(a)"),
        ("expected", "array([2, 4])"),
        ("got", "array([2., 4.])"),
    )


def test_a_number_of_numpys_has_the_value_that_the_docstring_shows_unless_it_promises_one_of_pythons():
    cell = CELL.replace("np.array([1, 2])", "1.5").replace("array([2, 4])", "3.0")
    twice = lambda a: np.float64(2 * a) if isinstance(a, float) else a * 2
    assert verdict(twice, cell).status == "passed"
    promised = verdict(twice, cell.replace("double(a):", "double(a):  # returns a Python float"))
    assert (promised.status, promised.failure.looks_like) == ("failed", wording.NUMPY_NUMBER)
    assert verdict(lambda a: np.float64(3 * a) if isinstance(a, float) else a * 2, cell).status == "failed"


def test_an_exception_that_is_not_expected_and_one_that_does_not_come():
    assert ("raised", "ZeroDivisionError: division by zero") in verdict(lambda a: 1 / 0).failure.rows
    assert verdict(lambda a: 0 if a is None else a * 2).failure.rows[-1] == ("got", "0")


def test_what_it_prints_and_changes_stays_apart():
    cell = CELL.replace("double(a)", "print(double(a))").replace("array([2, 4])", "[2 4]")
    names = {"kept": 1}
    assert verdict(lambda a: a * 2, cell, names).status == "passed" and names == {"kept": 1}


def test_what_the_learner_prints_on_the_way_does_not_count():
    def talking(a):
        print("here is", a)
        return a * 2

    for cell in (CELL, CELL.replace("double(a)", "print(double(a))").replace("array([2, 4])", "[2 4]")):
        assert verdict(talking, cell).status == "passed"


def test_an_example_that_needs_what_comes_later_does_not_count_against_it():
    def later(a):
        raise NotImplementedError("01.9 apply")

    assert verdict(later).status == "passed"
    assert verdict(lambda a: a * 2, CELL.replace("np.array", "Tensor")).status == "passed"


def test_its_own_stub_is_not_written_yet():
    def own(a):
        raise NotImplementedError("01.2 double")

    assert verdict(own).status == "unwritten"


@pytest.mark.parametrize(
    "signature, passes",
    [
        ("(a, *, dim=0)", True),
        ("(x, *, dim=0)", True),
        ("(x, *, dim)", False),
        ("(a, *, dim=1)", False),
        ("(a, *, dim=0, other=2)", True),
        ("(a, dim=0)", False),
        ("(a, *, axis=0)", False),
    ],
)
def test_the_settings_of_an_op_stay_behind_the_star(signature, passes):
    (case,) = examples("@op\ndef turn(a, *, dim=0):\n    pass")
    names = {"turn": namedtuple("Op", "forward")(eval(f"lambda {signature[1:-1]}: 0"))}
    record = learner_process.observe_example(case.encoded[learner_process.EXAMPLE], names, lambda file, names: None)
    found = case.mismatch(Observation(wire.decode(record["value"])))
    assert (found is None) is passes
    if found:
        assert dict(found.rows)["called"] == "inspect.signature(turn.forward)" and ("`*`" in found.cause or "dim" in found.cause)
    assert examples("def plain(a, *, dim=0):\n    pass") == []


def test_where_the_examples_fail_alone_the_docstring_is_what_is_shown():
    assert verdict(lambda a: a).failure.case == 3
    assert verdict(lambda a: a, drawn=lambda a: a).failure.rows[0] == ("called", "a = np.array([1, 2])\ndouble(a)")
