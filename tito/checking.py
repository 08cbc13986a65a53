"""Judge what learner code returned: the trusted side of every check, in the notebook, the terminal and the judge.

`checks.py` of a module says for each exercise what to draw, what to observe and what to expect. Learner code runs in
`worker.py` and returns values; here they are compared, and the wrong turn behind them is named.
"""
import re
from dataclasses import dataclass, field

from tito.cases import Case, Check, CheckBroken, Checks, call_rows, cases, load
from tito.compare import Mismatch, compare, describe, is_raised
from tito.observation import Observation, Observations, Raised

__all__ = ["Case", "Check", "CheckBroken", "Checks", "Failure", "Observation", "Observations", "Raised", "Verdict",
           "cases", "load", "verdict"]
STUB = re.compile(r"(\d\d\.\d+) (\w+)")


@dataclass(frozen=True)
class Failure:
    """Why an exercise did not pass, as rows of a label and a text, and the misconception that explains it."""

    rows: tuple[tuple[str, str], ...]
    case: int | None = None  # 1-based
    looks_like: str | None = None


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

    def mismatch(self, case, got) -> Mismatch | None:
        found = compare(case.expected, got.outcome, case.inputs, self.check.rtol, self.check.atol)
        if found or not got.changed:
            return found
        return Mismatch("changed", _changed(got))

    def problem(self):
        """Return the status and failure of an exercise whose cases could not run, else None."""
        stubs = [got.error for got in self.seen.cases if stub(got.error)]
        if stubs or stub(self.seen.error):
            return "unwritten", self.unwritten((stubs or [self.seen.error])[0])
        if self.seen.problem:
            status = self.seen.problem if self.seen.problem in ("missing", "timeout") else "error"
            text = [("problem", self.seen.text)] if self.seen.text else []
            return status, Failure((*text, *_raised(self.seen.error)))
        if not self.cases or len(self.mismatches) != len(self.cases):
            ran = f"{len(self.seen.cases)} of {len(self.cases)} cases came back"
            return "missing", Failure((("problem", f"{ran}, so this exercise counts as not checked"),))
        return None

    def unwritten(self, error):
        """Return why the exercise cannot run yet: None if it is itself what is to be written."""
        needed, name = stub(error)
        if needed == self.exercise.id:
            return None
        return Failure((("needs", f"{needed} {name}, which is not written yet"),))

    def outcome(self):
        """Return the status and failure of an exercise whose cases all ran."""
        failing = [index for index, mismatch in enumerate(self.mismatches) if mismatch]
        if not failing:
            return "passed", None
        first = failing[0]
        case, got, mismatch = self.cases[first], self.seen.cases[first], self.mismatches[first]
        rows = (*call_rows(case), *self.difference(case, got, mismatch))
        status = "error" if got.error and not is_raised(case.expected) else "failed"
        return status, Failure(rows, first + 1, self.looks_like(failing))

    def difference(self, case, got, mismatch):
        """Return the rows that say how a case went wrong."""
        if not got.error:
            return mismatch.rows + (_changed(got) if mismatch.kind != "changed" else ())
        expected = case.expected[1] if is_raised(case.expected) else describe(case.expected)
        return (("expected", expected), *_raised(got.error))

    def looks_like(self, failing):
        """Return the misconception that gives the learner's outcome in every failing case, None if none does."""
        if any(self.mismatches[index].kind == "changed" for index in failing):
            return None
        fits = [(self.agreement(function), sentence) for sentence, function in self.check.misconceptions.items()
                if all(self.explains(function, index) for index in failing)]
        return max(fits, key=lambda fit: fit[0])[1] if fits else None

    def explains(self, function, index):
        answer = self.cases[index].answer(function)
        return compare(answer, self.seen.cases[index].outcome, None, self.check.rtol, self.check.atol) is None

    def agreement(self, function):
        """Return in how many of all cases a misconception gives the learner's outcome: the best one explains most."""
        return sum(self.explains(function, index) for index in range(len(self.cases)))


def stub(error):
    """Return the id and name of the exercise that an exception says is not written, None for any other exception."""
    found = STUB.match(error.message) if error and error.type == "NotImplementedError" else None
    return found.groups() if found else None


def _raised(error):
    if error is None:
        return ()
    rows = (("raised", f"{error.type}: {error.message}" if error.message else error.type),)
    return rows + ((("at", error.where),) if error.where else ())


def _changed(got):
    names = ", ".join(got.changed)
    return (("changed", f"the input {names}, in place: the caller still needs it, so work on a copy"),) if names else ()
