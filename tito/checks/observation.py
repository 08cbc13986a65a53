"""Read what learner code returned or raised from a worker's answer, which is validated: learner code may have written it."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tito.checks import learner_process, wire, wording

MOST_PLACES = 4  # of one exception
MALFORMED = KeyError, TypeError, ValueError, AttributeError, ArithmeticError, OSError, RecursionError  # WireError is a ValueError


@dataclass(frozen=True)
class Raised:
    """An exception from learner code, and its place in the learner's notebook or package."""

    type: str
    message: str
    where: str | None = None
    check_line: int | None = None  # the calling line of checks.py


@dataclass(frozen=True)
class Observation:
    """What one call returned or raised, and which inputs it changed."""

    value: Any = None
    error: Raised | None = None
    changed: tuple[str, ...] = ()

    @property
    def outcome(self):
        """The value to compare; for an exception ("raises", type, message), which a value that looks like one is not."""
        if self.error:
            return ("raises", self.error.type, self.error.message)
        return wire.Other("tuple that says it raised") if self.is_disguised else self.value

    @property
    def is_disguised(self):
        """Whether the code returned a value that looks like an exception."""
        return self.error is None and wording.is_raised(self.value)


@dataclass(frozen=True)
class Observations:
    """The observations of one exercise's cases, or the problem that prevented them."""

    cases: tuple[Observation, ...] = ()
    problem: str | None = None  # missing, import, timeout or ended
    text: str = ""  # more on the problem
    error: Raised | None = None  # the exception of an import
    case: int | None = None  # the case, from 0, during which a worker ended or was killed
    where: str | None = None  # the place in the learner's code where it was killed
    shared: bool = False  # the problem is the module's, not this exercise's
    prepared: float = 0.0  # seconds that compiling took
    printed: str = field(default="", compare=False)
    replaced: tuple[str, ...] = ()  # functions of NumPy and Python that are others after the cases ran


def read_result(answer, place):
    """Return the observations in a worker's answer about one exercise.

    Args:
        answer: JSON data, as `learner_process.observe_exercise` returns it.
        place: Function of a file and a line that gives a `Place`.
    """
    try:
        if answer.get("missing"):
            return Observations(problem="missing")
        printed = str(answer.get("printed", ""))[: learner_process.PRINTED]
        prepared = float(answer.get("prepared", 0.0))
        names = answer.get("replaced", [])[: learner_process.MOST_REPLACED]
        replaced = tuple(str(name)[:50] for name in names)
        cases = tuple(_read_case(record, place) for record in answer["cases"])
        return Observations(cases, printed=printed, prepared=prepared, replaced=replaced)
    except MALFORMED:
        return Observations(problem="ended", text=wording.unreadable())


def _read_case(record, place):
    changed = tuple(str(name)[:50] for name in record["changed"])
    return Observation(wire.decode(record["value"]), read_error(record["error"], place), changed)


def read_error(data, place):
    """Return an exception, with the places in notebooks from its traceback."""
    if data is None:
        return None
    line = data.get("check_line")
    where = read_places(data["frames"], place)
    return Raised(str(data["type"])[:100], str(data["message"])[:2000], where, None if line is None else int(line))


def read_places(frames, place):
    """Return the chain of places in notebooks from stack frames, innermost first, or None if there is none."""
    places = [place(str(file)[:200], int(line)) for file, line in frames[-learner_process.FRAMES :]]
    own = [place for place in places if place.own] or places[-1:]
    return chain([place.text for place in reversed(own)])


def chain(texts):
    """Join places into one text, without repetitions of a recursion or of the same notebook's name.

    Example:
        >>> chain(["a.ipynb, cell 2, line 3", "a.ipynb, cell 5, line 1"])
        'a.ipynb, cell 2, line 3, called from cell 5, line 1'
    """
    unique = list(dict.fromkeys(texts))
    short = [text.removeprefix(before.partition(", ")[0] + ", ") for before, text in zip(unique, unique[1:])]
    shown = [*unique[:1], *short]
    if len(shown) > MOST_PLACES:
        shown = [*shown[: MOST_PLACES - 1], unique[-1]]
    return ", called from ".join(shown) or None


class Place(NamedTuple):
    """A line of code as messages show it, and whether it is in a notebook."""

    text: str
    own: bool


def place_in(package_parent):
    """Return the function of a file and a line that gives the `Place` in the notebook that the line came from.

    Args:
        package_parent: Folder that contains `tinytorch`.
    """

    def place(file, line):
        from tito.notebooks.export import origin_of

        path = (package_parent / file).resolve()
        inside = path.is_relative_to(package_parent / "tinytorch") and path.is_file()
        origin = origin_of(path, line) if inside else None
        return Place(origin or f"{file}, line {line}", bool(origin))

    return place
