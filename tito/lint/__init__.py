"""The authors' lint: rules that every module must follow, checked on the sources that exist."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from tito.checks.checking import CheckBroken
from tito.lint import (
    checks,
    docstrings,
    doctests,
    encoding,
    exercises,
    exports,
    floors,
    handout,
    sizes,
    staircase,
    style,
    survivors,
    trials,
)
from tito.lint.problem import Problem
from tito.notebooks.problems import SourceError

__all__ = ["RULES", "Problem", "Rule", "named"]


@dataclass(frozen=True)
class Rule:
    """A rule of the course: a function that yields problems, for one module or for the whole course."""

    name: str
    find: Callable
    by_module: bool = True

    @property
    def purpose(self):
        """What the rule requires."""
        return inspect.getdoc(self.find).split("\n")[0]

    def problems(self, course):
        """List what is wrong; a source or checks.py that cannot be read is a problem too.

        Args:
            course: The `Course`.
        """
        if not self.by_module:
            return self.listed(course, None, lambda: self.find(course))
        return [
            problem for module in course.modules for problem in self.listed(course, module, lambda: self.find(course, module))
        ]

    def listed(self, course, module, find):
        """List the problems from one call of the rule's function."""
        try:
            return list(find())
        except SourceError as error:
            return [unreadable(course, problem) for problem in error.problems]
        except CheckBroken as error:
            return [course.in_checks(module or course.modules[0], str(error))]


RULES = (
    Rule("exports", exports.in_sync),
    Rule("lists", exports.listed, by_module=False),
    Rule("measurements", exports.measured, by_module=False),
    Rule("unwritten", trials.unwritten),
    Rule("solved", trials.solved),
    Rule("checks", checks.whole),
    Rule("misconceptions", checks.misconceptions),
    Rule("draws", checks.draws),
    Rule("survivors", survivors.known),
    Rule("staircase", staircase.imports),
    Rule("forward-names", staircase.forward_names),
    Rule("floors", floors.kept, by_module=False),
    Rule("sizes", sizes.notebooks),
    Rule("width", sizes.width),
    Rule("minutes", sizes.minutes),
    Rule("export-sizes", sizes.exported),
    Rule("code-sizes", sizes.code, by_module=False),
    Rule("check-cells", exercises.checked),
    Rule("hints", exercises.hinted),
    Rule("spoilers", exercises.unspoiled),
    Rule("answers", handout.answers_kept, by_module=False),
    Rule("docstrings", docstrings.exercises),
    Rule("sources", docstrings.sources),
    Rule("given-docstrings", docstrings.given, by_module=False),
    Rule("doctests", doctests.run, by_module=False),
    Rule("prose", style.prose),
    Rule("comments", style.comments, by_module=False),
    Rule("plain-english", style.plain_english, by_module=False),
    Rule("habits", style.habits, by_module=False),
    Rule("encoding", encoding.explicit, by_module=False),
)


def unreadable(course, error):
    """Turn an error of reading or exporting a source into a problem; within a cell, lines count from its top."""
    if error.cell is None:
        return Problem(course.label(error.path), error.reason, error.line)
    line = f"line {error.line}: " if error.line else ""
    return Problem(course.label(error.path), line + error.reason, cell=error.cell)


def named(name):
    """Return the rule with this name, or None."""
    return next((rule for rule in RULES if rule.name == name), None)
