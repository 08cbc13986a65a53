"""Judge what learner code returned: the trusted side of every check, in the notebook, the terminal and the judge.

`checks.py` of a module says for each exercise what to draw, what to observe and what to expect. Learner code runs in
`worker.py` and returns values; here they are compared, and the wrong turn behind them is named.
"""
import re
from dataclasses import dataclass, field

import numpy as np

from tito.checks.cases import SEEDS, Case, Check, CheckBroken, Checks, cases, load
from tito.checks.compare import Mismatch, compare, float32_only, is_raised, needed
from tito.checks.observation import Observation, Observations, Raised
from tito.checks.wording import call_rows

__all__ = ["SEEDS", "Case", "Check", "CheckBroken", "Checks", "Failure", "Observation", "Observations", "Raised",
           "Verdict", "blind_spots", "cases", "load", "pretend", "verdict"]

STUB = re.compile(r"(\d\d\.\d+) (\w+)")
UNUSABLE = "the check could not use what your code takes or returns"
SIGNS = {
    "'function' object has no attribute 'forward'": "the line `@op` above a function is missing",
    "operand 'Tensor' does not support ufuncs": "an op that is called by its name gives a Tensor; its `.forward` gives the array",
}


@dataclass(frozen=True)
class Failure:
    """Why an exercise did not pass, as rows of a label and a text, and the misconception that explains it."""

    rows: tuple[tuple[str, str], ...]
    case: int | None = None  # from 1
    looks_like: str | None = None
    shared: bool = False  # the whole module fails like this


@dataclass(frozen=True)
class Verdict:
    """The outcome of one exercise. `status`: passed, failed, unwritten, error, timeout or missing."""

    id: str
    name: str
    status: str
    passed: int = 0
    total: int = 0
    failure: Failure | None = None
    printed: str = field(default="", compare=False)


def verdict(exercise, check: Check, cases: list[Case], observations: Observations | None) -> Verdict:
    """Judge an exercise by what it returned.

    Args:
        exercise: Anything with an `id` ("01.4") and a `name` ("matmul").
        check: The exercise's check.
        cases: Its cases, in the order in which they were observed.
        observations: What came back; None if nothing did, which is a failure.

    Returns:
        The `Verdict`. An exercise passes only if every one of at least one case does.
    """
    seen = observations or Observations(problem="missing", text="no result came back, so nothing was checked")
    judged = _Judged(exercise, check, cases, seen)
    status, failure = judged.problem() or judged.outcome()
    return Verdict(exercise.id, exercise.name, status, judged.passed, len(cases), failure, seen.printed)


class _Judged:
    """One exercise on trial: its cases, what they gave, and where the two differ."""

    def __init__(self, exercise, check, cases, seen):
        self.exercise, self.check, self.cases, self.seen = exercise, check, cases, seen
        complete = not seen.problem and len(cases) == len(seen.cases)
        self.mismatches = [self.mismatch(case, got) for case, got in zip(cases, seen.cases)] if complete else []
        self.passed = self.mismatches.count(None)

    def compare(self, expected, index, inputs=None):
        return compare(expected, self.seen.cases[index].outcome, inputs, self.check.rtol, self.check.atol)

    def mismatch(self, case, got) -> Mismatch | None:
        found = compare(case.expected, got.outcome, case.inputs, self.check.rtol, self.check.atol)
        if found or not got.changed:
            return found
        return Mismatch("changed", _changed(got))

    def problem(self):
        """Return the status and failure of an exercise whose cases could not run, else None."""
        errors = (self.seen.error, *(got.error for got in self.seen.cases))
        stubs = [found for error in errors if (found := stub(error))]
        if stubs:
            return "unwritten", self.unwritten(*stubs[0])
        if self.seen.problem:
            status = self.seen.problem if self.seen.problem in ("missing", "timeout") else "error"
            return status, self.stopped()
        if not self.cases or not self.mismatches:
            ran = f"{len(self.seen.cases)} of {len(self.cases)} cases came back"
            return "missing", Failure((("", f"{ran}, so this exercise counts as not checked"),))
        return None

    def unwritten(self, needed, name):
        """Return why the exercise cannot run yet: None if it is itself what is to be written."""
        if needed == self.exercise.id:
            return None
        return Failure((("", f"needs {needed} {name}, which is not written yet"),))

    def stopped(self):
        """Return the failure of an exercise that gave no result."""
        seen, rows = self.seen, ()
        if seen.case is not None and seen.case < len(self.cases):
            rows = self.call(self.cases[seen.case])
        label = "got nothing" if seen.problem in ("timeout", "ended") else ""
        return Failure((*rows, (label, seen.text), *_raised(seen.error, None)), shared=seen.shared)

    def call(self, case):
        return call_rows(self.check.name, case.inputs, self.check.describe)

    def outcome(self):
        """Return the status and failure of an exercise whose cases all ran."""
        failing = [index for index, mismatch in enumerate(self.mismatches) if mismatch]
        if not failing:
            return "passed", None
        first = failing[0]
        case, got, mismatch = self.cases[first], self.seen.cases[first], self.mismatches[first]
        status = "error" if got.error and not is_raised(case.expected) else "failed"
        rows = (*self.call(case), *_difference(case, got, mismatch))
        return status, Failure(rows, first + 1, self.looks_like(failing))

    def looks_like(self, failing):
        """Return the misconception that gives the learner's outcome in every failing case, None if none does."""
        if any(self.mismatches[index].kind in ("changed", "dtype") for index in failing):
            return None
        fits = [sentence for sentence, function in self.check.misconceptions.items()
                if all(self.explains(function, index) for index in failing)]
        return max(fits, key=self.agreement, default=None)

    def explains(self, function, index):
        """Say whether a misconception gives what the learner's code gave."""
        return self.compare(self.cases[index].guess(function), index) is None

    def agreement(self, sentence):
        """Return in how many of all cases a misconception gives the learner's outcome: the best one explains most."""
        function = self.check.misconceptions[sentence]
        return sum(self.explains(function, index) for index in range(len(self.cases)))


def stub(error):
    """Return the id and name of the exercise that an exception says is not written, None for any other exception."""
    found = STUB.match(error.message) if error and error.type == "NotImplementedError" else None
    return found.groups() if found else None


def _difference(case, got, mismatch):
    """Return the rows that say how a case went wrong."""
    if mismatch.kind == "changed":
        return mismatch.rows
    if not got.error:
        return mismatch.rows + _changed(got)
    expected = () if isinstance(case.expected, dict) else (("expected", needed(case.expected)),)  # a dict is an observer's own
    return (*expected, *_raised(got.error, UNUSABLE), *_perhaps(got.error))


def _perhaps(error):
    """Return the row that translates an exception which says little to whoever meets it first."""
    if not error.where and "NoneType" in error.message:
        return (("perhaps", "a `return` is missing"),)
    return tuple(("perhaps", words) for sign, words in SIGNS.items() if sign in error.message)


def _raised(error, elsewhere):
    if error is None:
        return ()
    text = f"{error.type}: {error.message}" if error.message else error.type
    where = error.where or elsewhere
    return (("raised", text), *([("at", where)] if where else []))


def _changed(got):
    if not got.changed:
        return ()
    return (("changed", f"the input {', '.join(got.changed)}: work on a copy, the caller still needs it as it was"),)


def pretend(cases: list[Case], function) -> Observations:
    """Return the observations of a learner whose code computes what a function of checks.py does.

    Args:
        cases: Cases of one exercise.
        function: Oracle or misconception. Its float64 arrays become float32 where the inputs are float32.
    """
    answers = [(case, case.guess(function)) for case in cases]
    return Observations(tuple(Observation(_like_inputs(answer, case.inputs)) for case, answer in answers))


def _like_inputs(value, inputs):
    if isinstance(value, (list, tuple)):
        return type(value)(_like_inputs(item, inputs) for item in value)
    if isinstance(value, dict):
        return {key: _like_inputs(item, inputs) for key, item in value.items()}
    narrow = isinstance(value, (np.ndarray, np.generic)) and value.dtype == np.float64 and float32_only(inputs)
    return value.astype(np.float32) if narrow else value


def blind_spots(check: Check, cases: list[Case]) -> dict[str, str]:
    """Return the misconceptions that an exercise's cases do not catch, or do not name, and what happens instead.

    Args:
        check: The exercise's check.
        cases: Its cases.

    Returns:
        Dict from the misconception's sentence to "is not caught" or "is named as: ...".
    """
    found = {}
    for sentence, function in check.misconceptions.items():
        judged = _Judged(None, check, cases, pretend(cases, function))
        failing = [index for index, mismatch in enumerate(judged.mismatches) if mismatch]
        named = judged.looks_like(failing) if failing else None
        if named != sentence:
            found[sentence] = f"is named as: {named}" if failing else "is not caught"
    return found
