"""Judge what learner code returned: the trusted side of every check, in the notebook, the terminal and the judge.

A module's `checks.py` defines for each exercise what to draw, what to observe and what to expect. Learner code runs in
`learner_process.py` and returns values. Here they are compared, and the likely mistake behind them is named.
"""

import re
from dataclasses import dataclass, field

import numpy as np

from tito.checks import wording
from tito.checks.cases import SEEDS, Check, CheckBroken, Checks, DrawnCase, all_cases, always_the_same_form, cases, load
from tito.checks.compare import Mismatch, precision
from tito.checks.examples import ExampleCase
from tito.checks.observation import Observation, Observations, Raised
from tito.checks.wording import is_raised

__all__ = [
    "SEEDS",
    "Check",
    "CheckBroken",
    "Checks",
    "DrawnCase",
    "ExampleCase",
    "Failure",
    "Observation",
    "Observations",
    "Raised",
    "Verdict",
    "all_cases",
    "always_the_same_form",
    "blind_spots",
    "cases",
    "load",
    "pretend",
    "verdict",
]

STUB = re.compile(r"(\d\d\.\d+) (\w+)")
NOT_THERE_YET = "NameError"  # an example may use a name that a later cell of the notebook defines


@dataclass(frozen=True)
class Failure:
    """Why an exercise did not pass: rows of a label and a text, and the misconception that explains it."""

    rows: tuple[tuple[str, str], ...]
    case: int | None = None  # from 1
    looks_like: str | None = None
    shared: bool = False  # the whole module fails this way
    culprit: str | None = None  # the earlier module or exercise that causes it, such as "01" or "01.3"


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
    prepared: float = field(default=0.0, compare=False)  # seconds that compiling took
    disguised: bool = False  # it returned a value that looks like an exception
    replaced: tuple[str, ...] = ()  # functions of NumPy and Python that are others after it ran


def verdict(exercise, check: Check, cases: list, observations: Observations | None) -> Verdict:
    """Judge an exercise by what it returned.

    Args:
        exercise: Anything with an `id` ("01.4") and a `name` ("matmul").
        check: The exercise's check.
        cases: Its cases, drawn and from its docstring, in the order in which they were observed.
        observations: What came back; None if nothing did, which is a failure.

    Returns:
        The `Verdict`. An exercise passes only if it has at least one case and all of them pass.
    """
    seen = observations or Observations(problem="missing", text=wording.NOTHING_CAME)
    judged = _Judged(exercise, check, cases, seen)
    status, failure = judged.problem() or judged.outcome()
    disguised = any(got.is_disguised for got in seen.cases)
    about = {"printed": seen.printed, "prepared": seen.prepared, "disguised": disguised, "replaced": seen.replaced}
    return Verdict(exercise.id, exercise.name, status, judged.passed, len(cases), failure, **about)


class _Judged:
    """One exercise being judged: its cases, their observations, and the mismatches."""

    def __init__(self, exercise, check, cases, seen):
        self.exercise, self.check, self.cases, self.seen = exercise, check, cases, seen
        complete = not seen.problem and len(cases) == len(seen.cases)
        self.mismatches = [self.mismatch(case, got) for case, got in zip(cases, seen.cases)] if complete else []
        self.passed = self.mismatches.count(None)

    def mismatch(self, case, got) -> Mismatch | None:
        if isinstance(case, ExampleCase) and self.cannot_run_yet(got.error):
            return None
        mismatch = case.mismatch(got)
        if mismatch or not got.changed:
            return mismatch
        return Mismatch("changed", wording.changed_rows(got.changed))

    def cannot_run_yet(self, error):
        """Return whether an example needs another exercise that is not written yet, or a name defined further down."""
        needed = stub(error)
        return needed[0] != self.exercise.id if needed else bool(error and error.type == NOT_THERE_YET and not error.where)

    def problem(self):
        """Return the status and failure of an exercise whose cases could not run, or None."""
        errors = [
            self.seen.error,
            *(got.error for case, got in zip(self.cases, self.seen.cases) if not self.is_spared(case, got)),
        ]
        stubs = [needed for error in errors if (needed := stub(error))]
        if stubs:
            return "unwritten", self.unwritten(*stubs[0])
        if self.seen.problem:
            status = self.seen.problem if self.seen.problem in ("missing", "timeout") else "error"
            return status, self.stopped()
        if not self.cases or not self.mismatches:
            return "missing", Failure((("", wording.too_few(len(self.seen.cases), len(self.cases))),))
        return None

    def is_spared(self, case, got):
        return isinstance(case, ExampleCase) and self.cannot_run_yet(got.error)

    def unwritten(self, needed, name):
        """Return the failure that names the exercise still to be written, or None if it is this one."""
        return None if needed == self.exercise.id else Failure((("", wording.not_written(needed, name)),), culprit=needed)

    def stopped(self):
        """Return the failure of an exercise that gave no result."""
        seen, rows = self.seen, ()
        if seen.case is not None and seen.case < len(self.cases):
            rows = self.call(self.cases[seen.case])
        label = "got nothing" if seen.problem in ("timeout", "ended") else ""
        at = (("at", seen.where),) if seen.where else ()
        return Failure((*rows, (label, seen.text), *at, *wording.raised_rows(seen.error)), shared=seen.shared)

    def call(self, case):
        if isinstance(case, ExampleCase):
            return (("called", "".join(step.source for step in case.steps).rstrip()),)
        return wording.call_rows(self.check.called, case.inputs, self.check.describe)

    def outcome(self):
        """Return the status and failure of an exercise whose cases all ran."""
        failing = [index for index, mismatch in enumerate(self.mismatches) if mismatch]
        if not failing:
            return "passed", None
        wrong = [index for index in failing if self.is_wrong(index)]
        sentence, explained = self.looks_like(wrong)
        shown = explained[0] if explained else self.most_telling(failing, wrong)
        rows = self.rows(shown, dtypes=sentence is None)
        rest = [index for index in failing if index not in explained and not isinstance(self.cases[index], ExampleCase)]
        rest = rest if sentence else wrong if self.mismatches[shown].kind == "changed" else []
        if rest:
            rows += (("besides", self.of_its_own(rest)),)
        causes = (self.mismatches[index].cause for index in [shown, *failing])
        return self.status(shown), Failure(rows, shown + 1, sentence or next(filter(None, causes), None))

    def is_wrong(self, index):
        """Return whether a drawn case has wrong values, and not only a wrong dtype."""
        case, got = self.cases[index], self.seen.cases[index]
        return isinstance(case, DrawnCase) and case.mismatch(got, dtypes=False) is not None

    def looks_like(self, wrong):
        """Return the best misconception and the indices of the cases that it explains, or (None, []).

        First choice is a misconception that gives the learner's outcome in every wrong case; if several do, the one that also
        agrees on the passing cases. If it runs into exceptions alone, no case may contradict it. Second choice is one that
        explains some wrong cases and is contradicted by no case: the others then fail for another reason. Last choice is one
        that explains every wrong case, but is contradicted by most of those that it would change.
        """
        guesses = [_Guess(sentence, function, self.cases, self.seen.cases, wrong) for sentence, function in self.check.turns]
        fitting = [guess for guess in guesses if guess.explained and (guess.is_whole and guess.is_telling or guess.is_consistent)]
        best = max(fitting, key=lambda guess: guess.rank, default=None)
        return (best.sentence, best.explained) if best else (None, [])

    def most_telling(self, failing, wrong):
        """Return the index of the case to show without a misconception.

        First of all one whose inputs were changed, which can cause any of the others; then a failed example that ran.
        """
        changed = [index for index in failing if self.mismatches[index].kind == "changed"]
        ran = [index for index in failing if isinstance(self.cases[index], ExampleCase) and not self.seen.cases[index].error]
        more = [index for index in wrong if not refuses_too(self.cases[index], self.seen.cases[index])]
        return [*changed, *ran, *more, *wrong, *failing][0]

    def of_its_own(self, rest):
        """Return what is wrong with the first of the cases that no misconception explains."""
        case, mismatch = self.cases[rest[0]], self.mismatches[rest[0]]
        call = wording.call_text(self.check.called, case.inputs, self.check.describe)
        return wording.others(len(rest), f"{call}: {mismatch.cause or wording.in_brief(mismatch.rows)}")

    def status(self, index):
        case, error = self.cases[index], self.seen.cases[index].error
        if isinstance(case, ExampleCase):
            return "error" if "raised" in dict(self.mismatches[index].rows) else "failed"
        return "error" if error and not is_raised(case.expected) else "failed"

    def rows(self, index, dtypes=True):
        """Return the rows that show a case and its mismatch; without dtypes if a misconception explains it."""
        case, got, mismatch = self.cases[index], self.seen.cases[index], self.mismatches[index]
        if not dtypes:
            mismatch = case.mismatch(got, dtypes=False)
        if mismatch.kind == "example":
            return mismatch.rows
        return (*self.call(case), *self.difference(case, got, mismatch))

    def difference(self, case, got, mismatch):
        """Return the rows that show the mismatch of a drawn case."""
        if mismatch.kind == "changed":
            return mismatch.rows
        if not got.error:
            return mismatch.rows + wording.changed_rows(got.changed)
        made_up = isinstance(case.expected, dict)  # made by an observer: the learner never saw it
        expected = () if made_up else (("expected", wording.needed(case.expected)),)
        line = got.error.check_line
        in_check = self.check.lines[line - 1].strip() if line and line <= len(self.check.lines) else None
        return (
            *expected,
            *wording.raised_rows(got.error, wording.in_the_check(in_check)),
            *wording.perhaps_rows(got.error, case.expected),
        )


def refuses_too(case, got):
    """Return whether a case is refused as it has to be, and only the exception's type or text is wrong."""
    return is_raised(case.expected) and is_raised(got.outcome)


class _Guess:
    """A misconception compared with the observations: the wrong cases that it explains, and whether any contradict it."""

    def __init__(self, sentence, function, cases, seen, wrong):
        self.sentence = sentence
        self.explained = [
            index for index in wrong if cases[index].explained_by(function, seen[index]) and cases[index].touched_by(function)
        ]
        self.is_whole = self.explained == wrong
        drawn = [index for index, case in enumerate(cases) if isinstance(case, DrawnCase)] if self.explained else []
        agrees = {index for index in drawn if cases[index].explained_by(function, seen[index])}
        touched = [index for index in drawn if cases[index].touched_by(function)]
        self.is_consistent = agrees.issuperset(touched)
        self.is_telling = any(not cases[index].raises(function) for index in self.explained)
        is_likely = 2 * len(agrees.intersection(touched)) >= len(touched)
        of_values = any(not refuses_too(cases[index], seen[index]) for index in self.explained)
        self.rank = is_likely, self.is_whole, self.is_consistent, of_values, len(agrees)


def stub(error):
    """Return the id and name of the unwritten exercise that an exception names, or None."""
    match = STUB.match(error.message) if error and error.type == "NotImplementedError" else None
    return match.groups() if match else None


def pretend(cases: list[DrawnCase], function) -> Observations:
    """Return the observations of learner code that computes the same as a function of checks.py.

    Args:
        cases: Drawn cases of one exercise.
        function: Oracle or misconception. Its float64 arrays become float32 where the inputs are float32.
    """
    answers = [(case, case.pretended(function)) for case in cases]
    return Observations(tuple(_pretended(_like_inputs(answer, case.kinds)) for case, answer in answers))


def _pretended(answer):
    """Return the observation of an answer; ("raises", type, *parts) is an exception."""
    return Observation(error=Raised(answer[1], " ".join(answer[2:]))) if is_raised(answer) else Observation(answer)


def _like_inputs(value, inputs):
    if isinstance(value, (list, tuple)):
        return type(value)(_like_inputs(item, inputs) for item in value)
    if isinstance(value, dict):
        return {key: _like_inputs(item, inputs) for key, item in value.items()}
    wide = isinstance(value, (np.ndarray, np.generic)) and value.dtype == np.float64
    return value.astype(np.float32) if wide and precision(inputs) == "float32" else value


def blind_spots(check: Check, cases: list[DrawnCase]) -> dict[str, str]:
    """Return the misconceptions that an exercise's cases do not catch or name correctly, and what happens instead.

    Args:
        check: The exercise's check.
        cases: Its drawn cases.

    Returns:
        Dict from the misconception's sentence to "is not caught" or "is named as: ...".
    """
    spots = {}
    for sentence, function in check.turns:
        judged = _Judged(None, check, cases, pretend(cases, function))
        wrong = [index for index, mismatch in enumerate(judged.mismatches) if mismatch and judged.is_wrong(index)]
        named = judged.looks_like(wrong)[0]
        if named != sentence:
            spots[sentence] = f"is named as: {named}" if wrong else "is not caught"
    return spots
