"""An exercise's part of checks.py: what to draw, what to observe, what to expect."""

import copy
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tito.checks import files, wire, wording
from tito.checks.compare import ATOL, RTOL, arrays_in, compare, precision
from tito.checks.draws import Draws
from tito.checks.examples import PYTHON_NUMBER, ExampleCase, documented, examples, is_op
from tito.checks.wording import is_raised

SEEDS = (0, 1)
TWINS = 2  # cases per seed that are repeated in float64, and with arrays that are not contiguous
MORE_DIGITS = 1 + 2.0**-26
MOST_CASES = 200  # per seed: an endless `draw` is a mistake in the course, and is reported as one


class CheckBroken(Exception):
    """A checks.py is broken: the course's mistake, never the learner's."""


@dataclass(frozen=True)
class Check:
    """The check of one exercise, from checks.py."""

    name: str
    draw: Callable
    oracle: Callable
    misconceptions: dict[str, Callable | tuple[Callable, ...]]
    observe: Callable | None = None
    rtol: float = RTOL
    atol: float = ATOL
    describe: str | Callable | None = None
    float64: bool = True  # float64 inputs must give float64 results, which some cases test
    strided: bool = True  # arrays that are not contiguous are inputs too, which some cases test
    plain: bool = False  # the docstring promises a number of Python's
    instead: str = wording.WORK_ON_A_COPY  # what to do instead of changing an input in place
    lines: tuple[str, ...] = field(default=(), repr=False, compare=False)  # of checks.py
    examples: tuple[ExampleCase, ...] = field(default=(), repr=False, compare=False)
    is_op: bool = False

    @property
    def turns(self):
        """Pairs of a misconception's sentence and a wrong oracle; one that takes several forms is there once for each."""
        forms = {sentence: form if isinstance(form, tuple) else (form,) for sentence, form in self.misconceptions.items()}
        return [(sentence, oracle) for sentence, oracles in forms.items() for oracle in oracles]

    @property
    def called(self):
        """The text of what is called: for an op its forward function."""
        return f"{self.name}.forward" if self.is_op and not self.describe else self.name


class Uncaught(tuple):
    """An exception that a misconception ran into: ("raises", type)."""


@dataclass
class DrawnCase:
    """One call of an exercise: its inputs, and the expected result, computed on first use."""

    check: Check
    inputs: dict[str, Any]

    @cached_property
    def expected(self):
        """What the oracle returns."""
        try:
            value = self.answer(self.check.oracle)
        except Exception as error:
            raise CheckBroken(f"oracle_{self.check.name} raised {type(error).__name__}: {error}") from error
        return data_only(f"oracle_{self.check.name}", value)

    def mismatch(self, got, dtypes=True):
        """Return the `Mismatch` between an observation and the expected value, or None.

        Args:
            got: `Observation`.
            dtypes: Compare dtypes too.
        """
        return self.compare(self.expected, got.outcome, dtypes)

    def explained_by(self, misconception, got):
        """Return whether a misconception gives the observed result, apart from its dtype."""
        guess = self.guess(misconception)
        return self.compare(guess, told_of(got.outcome, guess, misconception), dtypes=False) is None

    def touched_by(self, misconception):
        """Return whether a misconception gives something other than the expected value."""
        guess = self.guess(misconception)
        expected = told_of(self.expected, guess, misconception)
        return compare(expected, guess, None, self.check.rtol, self.check.atol) is not None

    def compare(self, value, outcome, dtypes):
        free, check = precision(self.kinds) == "float64" and not self.check.float64, self.check
        inputs = None if free else self.kinds
        return compare(value, outcome, inputs, check.rtol, check.atol, dtypes, check.plain and dtypes)

    @cached_property
    def kinds(self):
        """One array of the inputs for each dtype: all that a comparison asks of the inputs, which may be many."""
        return list({array.dtype: array for array in arrays_in(self.inputs)}.values())

    def guess(self, misconception):
        """Return the result of a misconception for these inputs; an exception counts as a result.

        Only its type does: it is NumPy's here, and the learner's own functions say the same in other words.
        """
        if misconception not in self.guesses:
            try:
                self.guesses[misconception] = self.answer(misconception)
            except Exception as error:
                self.guesses[misconception] = Uncaught(("raises", type(error).__name__))
        return self.guesses[misconception]

    def raises(self, misconception):
        """Return whether a misconception runs into an exception for these inputs, and does not return one."""
        return isinstance(self.guess(misconception), Uncaught)

    @cached_property
    def guesses(self):
        """The results of misconceptions so far."""
        return {}

    def pretended(self, function):
        """Return what an observer would see of code that has a misconception, or is right."""
        guess = self.guess(function)
        return {**self.expected, **guess} if is_partial(function) and isinstance(guess, dict) else guess

    def answer(self, function):
        """Call a function with copies of the inputs, and return its result as a worker would."""
        return wire.decode(wire.encode(function(**copy.deepcopy(self.inputs))))

    @cached_property
    def encoded(self):
        """The inputs as a worker receives them."""
        data_only(f"draw_{self.check.name}", wire.decode(wire.encode(self.inputs)))
        return {name: wire.encode(value) for name, value in self.inputs.items()}


def is_partial(misconception):
    """Return whether a misconception says something of some observations only: ``function.partial = True`` in a checks.py."""
    return getattr(misconception, "partial", False)


def told_of(value, guess, misconception):
    """Return the part of what was observed that a misconception says something of."""
    if is_partial(misconception) and isinstance(value, dict) and isinstance(guess, dict):
        return {key: item for key, item in value.items() if key in guess}
    return value


def data_only(source, value):
    """Return a value; raise if something in it is not data, such as a function."""
    encoded = json.dumps(wire.encode(value))
    if '{"other": ' in encoded:
        kind = encoded.partition('{"other": ')[2].split('"')[1]
        raise CheckBroken(
            f"{source} returns a value of type {kind}: only arrays, numbers, strings, bytes, bools, None, "
            "lists, tuples and dicts can be compared"
        )
    return value


class Checks:
    """The checks of one module, by exercise.

    Args:
        module: The imported checks.py.
        lines: The lines of checks.py.
        cells: Dict from an exercise's name to the text of its cell in the course's source, for its examples.
    """

    def __init__(self, module: ModuleType, lines=(), cells=None):
        self.module, self.lines, self.cells = module, tuple(lines), cells or {}

    def check(self, name) -> Check:
        """Return the check of an exercise.

        Args:
            name: The exercise's name, such as "matmul".

        Raises:
            CheckBroken: A part is missing from checks.py.
        """
        parts = vars(self.module)
        missing = [f"{part}_{name}" for part in ("draw", "oracle", "misconceptions") if f"{part}_{name}" not in parts]
        if missing:
            raise CheckBroken(f"{self.module.__file__} lacks {', '.join(missing)}")
        fields = ("draw", "oracle", "misconceptions", "observe", "rtol", "atol", "describe", "float64", "strided")
        given = {part: parts[f"{part}_{name}"] for part in fields if f"{part}_{name}" in parts}
        given = {"float64": parts.get("FLOAT64", True), "strided": parts.get("STRIDED", True), **given}
        given["instead"] = parts.get("INSTEAD_OF_CHANGING_AN_INPUT", wording.WORK_ON_A_COPY)
        cell = self.cells.get(name, "")
        given["plain"] = PYTHON_NUMBER.search(cell) is not None
        ops = {node.name for node in documented(cell) if is_op(node)}
        return Check(name, **given, lines=self.lines, examples=tuple(examples(cell)), is_op=name in ops)


def load(path) -> Checks:
    """Load a module's checks, and the examples of the exercises in its source beside them.

    Args:
        path: `pathlib.Path` of checks.py, or of a folder of files.

    Returns:
        Its `Checks`.
    """
    path, module = Path(path), ModuleType("checks")
    module.__file__ = str(path)
    for file in files.of(path):
        exec(compile(files.text(file), str(file), "exec"), vars(module))
    return Checks(module, files.joined(path).split("\n"), cells_beside(path))


def cells_beside(path):
    """Return the texts of the exercises' cells in the module's source beside its checks, by the exercise's name."""
    from tito.notebooks import source

    cells = {}
    for beside in sorted(set(path.parent.glob("*.py")) - {path}):
        notebook = source.read(beside)
        texts = {cell.index: cell.text for cell in notebook.cells}
        cells |= {exercise.name: texts[exercise.cell] for exercise in notebook.exercises()}
    return cells


def cases(check: Check, seeds=SEEDS) -> list[DrawnCase]:
    """Draw the cases of an exercise.

    Args:
        check: The exercise's check.
        seeds: Seeds of the generators passed to `draw`.

    Raises:
        CheckBroken: `draw` yields no cases, or too many.
    """
    by_seed = [drawn(check, seed) for seed in seeds]
    doubles = [double for seed, some in zip(seeds, by_seed) for double in twins(check, some, Draws(seed))]
    doubles += [double for seed, some in zip(seeds, by_seed) for double in strided_twins(check, some, Draws(seed))]
    return [case for some in by_seed for case in some] + doubles


def drawn(check: Check, seed) -> list[DrawnCase]:
    """Draw the cases of one seed.

    Raises:
        CheckBroken: `draw` yields no cases, or too many.
    """
    some = list(itertools.islice(check.draw(Draws(seed)), MOST_CASES + 1))
    if not 0 < len(some) <= MOST_CASES:
        count = "no" if not some else f"more than {MOST_CASES}"
        raise CheckBroken(f"draw_{check.name} yields {count} cases: 1 to {MOST_CASES} are needed")
    return [DrawnCase(check, inputs) for inputs in some]


def all_cases(check: Check, seeds=SEEDS) -> list:
    """Return the cases of an exercise, drawn and from its docstring."""
    return [*cases(check, seeds), *check.examples]


def twins(check, some, rng):
    """Return some cases repeated in float64, unless `draw` has such cases: float64 must stay float64."""
    if not check.float64 or any(precision(case.inputs) == "float64" for case in some):
        return []
    fit = [case for case in some if precision(case.inputs) == "float32" and not is_raised(case.expected)]
    fit = [case for case in fit if any(array.size > 1 for array in arrays_in(case.inputs))] or fit  # one number says little
    return [replace(case, inputs=in_float64(case.inputs)) for case in rng.mix(fit)[:TWINS]]


def strided_twins(check, some, rng):
    """Return some cases repeated with arrays that are not contiguous, such as a transposed array has."""
    fit = [case for case in some if any(has_layouts(array) for array in arrays_in(case.inputs))]
    return [replace(case, inputs=with_arrays(strided, case.inputs)) for case in rng.mix(fit)[:TWINS]] if check.strided else []


def has_layouts(array):
    """Return whether an array can be laid out in several ways."""
    return array.ndim > 0 and array.size > 1


def strided(array):
    return wire.strided(array) if has_layouts(array) else array


def in_float64(value):
    """Return a value with all its float32 arrays in float64, and digits in them that float32 does not hold."""
    return with_arrays(lambda array: widened(array) if array.dtype == np.float32 else array, value)


def widened(array):
    """Return an array in float64, with further digits; whole numbers, such as a probability of 1, stay what they are."""
    wide = array.astype(np.float64)
    with np.errstate(invalid="ignore"):
        wide = np.where(wide == np.rint(wide), wide, wide * MORE_DIGITS)
    return wide if isinstance(array, np.ndarray) else wide[()]


def with_arrays(function, value):
    """Return a value with a function of each of its arrays in the array's place."""
    if isinstance(value, dict):
        return {key: with_arrays(function, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(with_arrays(function, item) for item in value)
    return function(value) if isinstance(value, (np.ndarray, np.generic)) else value


def form(value):
    """Return inputs without the numbers in their arrays: shapes, dtypes and settings."""
    if isinstance(value, dict):
        return {key: form(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [form(item) for item in value]
    if isinstance(value, np.ndarray):
        return f"{value.dtype.name} {value.shape}"
    return "float" if isinstance(value, float) else repr(value)


def always_the_same_form(check: Check, seeds=range(4)) -> bool:
    """Return whether every seed draws the same shapes and settings, so that hard-coding them would pass."""
    return len({json.dumps([form(case.inputs) for case in drawn(check, seed)]) for seed in seeds}) == 1
