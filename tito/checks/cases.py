"""What checks.py says about an exercise: what to draw, what to observe, what to expect."""
import copy
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from tito.checks import wire
from tito.checks.compare import ATOL, RTOL

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
        """What the oracle returns."""
        try:
            value = self.answer(self.check.oracle)
        except Exception as error:
            raise CheckBroken(f"oracle_{self.check.name} raised {type(error).__name__}: {error}") from error
        return data_only(f"oracle_{self.check.name}", value)

    def guess(self, misconception):
        """Return what a misconception makes of the inputs; an exception is an answer too."""
        try:
            return self.answer(misconception)
        except Exception as error:
            return ("raises", type(error).__name__)

    def answer(self, function):
        """Return what a function makes of copies of the inputs, in the form in which a worker returns it."""
        return wire.decode(wire.encode(function(**copy.deepcopy(self.inputs))))

    @cached_property
    def encoded(self):
        """The inputs as a worker receives them."""
        data_only(f"draw_{self.check.name}", wire.decode(wire.encode(self.inputs)))
        return {name: wire.encode(value) for name, value in self.inputs.items()}


def data_only(source, value):
    """Return a value unless something in it is not data, such as a function."""
    encoded = json.dumps(wire.encode(value))
    if '{"other": ' in encoded:
        found = encoded.partition('{"other": ')[2].split('"')[1]
        raise CheckBroken(f"{source} gives a value of type {found}: only arrays, numbers, strings, bytes, bools, None, "
                          "lists, tuples and dicts can be compared")
    return value


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
        missing = [f"{part}_{name}" for part in ("draw", "oracle", "misconceptions") if f"{part}_{name}" not in parts]
        if missing:
            raise CheckBroken(f"{self.module.__file__} lacks {', '.join(missing)}")
        fields = ("draw", "oracle", "misconceptions", "observe", "rtol", "atol", "describe")
        return Check(name, **{part: parts[f"{part}_{name}"] for part in fields if f"{part}_{name}" in parts})


def load(path) -> Checks:
    """Load a checks.py.

    Args:
        path: `pathlib.Path` of the file.

    Returns:
        Its `Checks`.
    """
    module = ModuleType("checks")
    module.__file__ = str(path)
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
            count = "no" if not some else f"more than {MOST_CASES}"
            raise CheckBroken(f"draw_{check.name} yields {count} cases: 1 to {MOST_CASES} are needed")
        drawn += [Case(check, inputs) for inputs in some]
    return drawn
