"""What checks.py says about an exercise: what to draw, what to observe, what to expect."""
import copy
import importlib.util
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from tito.compare import ATOL, RTOL, describe, format_array

SEEDS = (0, 1)
MOST_CASES = 200  # for one seed: a `draw` that never ends is a mistake of ours, and is reported as one


class CheckBroken(Exception):
    """A checks.py does not do its part: the course's mistake, never the learner's."""


@dataclass(frozen=True)
class Check:
    """What checks.py says about one exercise."""

    name: str
    draw: Callable
    oracle: Callable
    misconceptions: dict[str, Callable]
    observe: Callable | None = None
    rtol: float = RTOL
    atol: float = ATOL
    describe: str | None = None


@dataclass
class Case:
    """One call of an exercise: its inputs, and what it should return, computed when first asked for."""

    check: Check
    inputs: dict[str, Any]

    @cached_property
    def expected(self):
        return self.answer(self.check.oracle)

    def answer(self, function):
        """Return what a function makes of copies of the inputs; an exception is an answer too."""
        try:
            return function(**copy.deepcopy(self.inputs))
        except Exception as error:
            if function is self.check.oracle:
                raise CheckBroken(f"oracle_{self.check.name} raised {type(error).__name__}: {error}") from error
            return ("raises", type(error).__name__)


class Checks:
    """The checks of one module, by exercise."""

    def __init__(self, module: ModuleType):
        self.module = module

    def check(self, name) -> Check:
        """Return the check of an exercise.

        Args:
            name: The exercise's name, such as "matmul".

        Raises:
            CheckBroken: checks.py lacks one of its parts.
        """
        parts = vars(self.module)
        missing = [part for part in ("draw", "oracle", "misconceptions") if f"{part}_{name}" not in parts]
        if missing:
            raise CheckBroken(f"{self.module.__file__} lacks {', '.join(f'{part}_{name}' for part in missing)}")
        fields = ("draw", "oracle", "misconceptions", "observe", "rtol", "atol", "describe")
        return Check(name, **{part: parts[f"{part}_{name}"] for part in fields if f"{part}_{name}" in parts})


def load(path) -> Checks:
    """Load a checks.py.

    Args:
        path: `pathlib.Path` of the file.

    Returns:
        Its `Checks`.
    """
    spec = importlib.util.spec_from_file_location(f"checks_of_{path.parent.name}", path)
    module = importlib.util.module_from_spec(spec)
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), vars(module))
    return Checks(module)


def cases(check: Check, seeds=SEEDS) -> list[Case]:
    """Draw the cases of an exercise.

    Args:
        check: The exercise's check.
        seeds: Seeds of the generators that `draw` receives, one after the other.

    Raises:
        CheckBroken: `draw` yields nothing, or no end of cases.
    """
    drawn = []
    for seed in seeds:
        some = list(itertools.islice(check.draw(np.random.default_rng(seed)), MOST_CASES + 1))
        if not 0 < len(some) <= MOST_CASES:
            raise CheckBroken(f"draw_{check.name} yields {len(some) or 'no'} cases: 1 to {MOST_CASES} are needed")
        drawn += [Case(check, inputs) for inputs in some]
    return drawn


def call_rows(case: Case):
    """Return the rows that show a call: its text, and the shapes, dtypes or values of the arrays in it."""
    words = {name: name if _is_large(value) else short(value) for name, value in case.inputs.items()}
    if case.check.describe:
        call = case.check.describe.format(**words)
    else:
        call = f"{case.check.name}({', '.join(_argument(name, word) for name, word in words.items())})"
    arrays = [inventory(name, value) for name, value in case.inputs.items() if _is_large(value)]
    return (("called", call), *([("with", ", ".join(arrays))] if arrays else []))


def _argument(name, word):
    return name if name == word else f"{name}={word}"


def _is_large(value):
    """Arrays, and what holds arrays, appear in a call by name."""
    return isinstance(value, np.ndarray) or (isinstance(value, (list, tuple, dict, bytes)) and len(repr(value)) > 40)


def short(value):
    """Return a value for a call's text."""
    return format_array(value, 4) if isinstance(value, (float, np.generic)) else repr(value)


def inventory(name, value):
    """Return a name with what it stands for: shape and dtype of an array, and the values of a tiny one."""
    if not isinstance(value, np.ndarray):
        return f"{name} {describe(value)}"
    if 0 < value.size <= 4:
        return f"{name} = {format_array(value, 4)} {value.dtype}"
    return f"{name} {value.shape} {value.dtype}"
