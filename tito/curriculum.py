"""The course as a graph: modules, what they require, and the milestones between them."""

import difflib
import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path


class CurriculumError(Exception):
    """The manifest is not a valid graph of modules."""


class UnknownName(LookupError):
    """No module or milestone has this name; `nearest` is the one that was probably meant."""

    def __init__(self, given, names, kind="module"):
        """`names` maps each accepted name to its label in the list of all."""
        self.given = given
        self.nearest = next(iter(difflib.get_close_matches(given.lower(), names, n=1, cutoff=0.5)), None)
        hint = f"did you mean {self.nearest}?" if self.nearest else f"there are {', '.join(map(str, names.values()))}"
        super().__init__(f"there is no {kind} {given!r}: {hint}")

    def __str__(self):
        return self.args[0]


class ExerciseOfModule(UnknownName):
    """An exercise is named where a module is needed; `nearest` is the number of its module."""

    def __init__(self, given, module):
        self.given, self.nearest = given, module.number
        LookupError.__init__(self, f"{given} names an exercise of module {module}, and this command takes a whole module")


class UnknownExercise(LookupError):
    """The module has no exercise with this number; `remedy` is the command that lists those that there are."""

    def __init__(self, message, remedy="tito"):
        self.remedy = remedy
        super().__init__(message)


@dataclass(frozen=True)
class Module:
    """One notebook of the course, the file of the package that it fills, and in a few words what it leaves behind."""

    number: str
    name: str
    title: str
    exports: str
    requires: tuple[str, ...] = ()
    leaves: str = ""

    @property
    def folder(self):
        return f"{self.number}_{self.name}"

    @property
    def package_name(self):
        return Path(self.exports).stem

    def __str__(self):
        return f"{self.number} {self.name}"


@dataclass(frozen=True)
class Milestone:
    """One script that trains a network on what the learner has built.

    `floor` is the test accuracy that it must reach, in %; `frozen` is the accuracy with random, frozen filters. A run with other
    `choices` can have a `variant`, with its own data and figures.
    """

    name: str
    script: str
    title: str
    requires: tuple[str, ...] = ()
    data: str | None = None
    floor: float | None = None
    frozen: float | None = None
    variant: tuple[dict, ...] = ()

    def chosen(self, choices):
        """Return the milestone for a run with these choices (a dict): the first variant whose choices are among them."""
        for row in self.variant:
            if row["choices"].items() <= choices.items():
                figures = {"frozen": None, "variant": (), **row}
                return replace(self, **{name: value for name, value in figures.items() if name != "choices"})
        return self


@dataclass(frozen=True)
class Curriculum:
    """All modules in the order of the manifest, and the milestones."""

    modules: tuple[Module, ...]
    milestones: tuple[Milestone, ...] = ()

    @classmethod
    def load(cls, path):
        """Read the manifest at `path`; raise CurriculumError if it is not a valid graph of modules."""
        try:
            table = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
            modules = tuple(_entry(Module, row) for row in table.get("module", ()))
            milestones = tuple(_entry(Milestone, row) for row in table.get("milestone", ()))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError) as error:
            raise CurriculumError(f"{path} cannot be read: {error}") from error
        _check_names(path, modules)
        _check_graph(path, modules, milestones)
        return cls(modules, milestones)

    def module(self, text):
        """Find a module by `03`, `3`, `layers` or `03_layers`; raise `UnknownName` if there is none."""
        key = _padded(text.strip().lower())
        name, dot, exercise = key.rpartition(".")
        for module in self.modules:
            if key in (module.number, module.name, module.folder):
                return module
            if dot and exercise.isdecimal() and name in (module.number, module.name, module.folder):
                raise ExerciseOfModule(text, module)
        raise UnknownName(text, {module.name: module for module in self.modules})

    def target(self, text):
        """Find the module and the exercise's id (or None) that `03`, `layers` or `03.2` names."""
        name, dot, exercise = text.strip().rpartition(".")
        if dot and exercise.isdecimal():
            module = self.module(name)
            return module, f"{module.number}.{int(exercise)}"
        return self.module(text), None

    def milestone(self, text):
        """Find a milestone by its name; underscores count as hyphens."""
        key = text.strip().lower().replace("_", "-")
        for milestone in self.milestones:
            if key == milestone.name:
                return milestone
        raise UnknownName(text, {milestone.name: milestone.name for milestone in self.milestones}, "milestone")

    def prerequisites(self, item):
        """List every module that a module or milestone builds on, directly or indirectly, in the manifest's order."""
        needed, waiting = set(), list(item.requires)
        while waiting:
            number = waiting.pop()
            if number not in needed:
                needed.add(number)
                waiting += self.module(number).requires
        return [module for module in self.modules if module.number in needed]


def load(path):
    """Read the manifest at `path`."""
    return Curriculum.load(path)


def _entry(kind, row):
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in row.items()})


def _padded(text):
    """Return `03` for `3`, and `03_layers` for `3_layers`."""
    return re.sub(r"^(\d)(?!\d)", r"0\1", text)


def _check_graph(path, modules, milestones):
    """Check that every module comes after its prerequisites, so that the manifest's order can be followed."""
    seen = []
    for module in modules:
        late = [number for number in module.requires if number not in seen]
        if late:
            raise CurriculumError(f"{path}: module {module} requires {', '.join(late)}, which must come before it")
        seen.append(module.number)
    for milestone in milestones:
        if not set(seen).issuperset(milestone.requires):
            raise CurriculumError(f"{path}: milestone {milestone.name} requires a module that is not listed")


def _check_names(path, modules):
    """Check that numbers, names and files are unique."""
    for module in modules:
        if not re.fullmatch(r"\d\d", module.number):
            raise CurriculumError(f"{path}: a module's number must be two digits, not {module.number!r}")
    for key in ("number", "name", "exports"):
        values = [getattr(module, key) for module in modules]
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice:
            raise CurriculumError(f"{path}: {key} {twice} occurs twice")
