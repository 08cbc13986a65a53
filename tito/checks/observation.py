"""What learner code returned or raised: read from what a worker wrote, and checked, because learner code could have."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tito.checks import learner_process, wire, wording

MOST_PLACES = 4  # of one exception


@dataclass(frozen=True)
class Raised:
    """An exception out of learner code, and the place in the learner's notebook or package."""

    type: str
    message: str
    where: str | None = None
    check_line: int | None = None  # the line of checks.py that called


@dataclass(frozen=True)
class Observation:
    """What one call returned or raised, and which inputs it changed."""

    value: Any = None
    error: Raised | None = None
    changed: tuple[str, ...] = ()

    @property
    def outcome(self):
        """The value to compare; an exception stands as ("raises", its type, its message)."""
        return ("raises", self.error.type, self.error.message) if self.error else self.value


@dataclass(frozen=True)
class Observations:
    """What the cases of one exercise gave, or the problem that kept them from giving anything."""

    cases: tuple[Observation, ...] = ()
    problem: str | None = None  # missing, import, timeout or ended
    text: str = ""  # more on the problem
    error: Raised | None = None  # the exception of an import
    case: int | None = None  # the case, from 0, that a worker was at when it ended or was ended
    where: str | None = None  # the place in the learner's code where it was ended
    shared: bool = False  # the problem is the module's, not this exercise's
    prepared: float = 0.0  # seconds that compiling took
    printed: str = field(default="", compare=False)


def read_result(answer, place):
    """Return the observations that a worker's answer about one exercise holds.

    Args:
        answer: JSON data, as `learner_process.observe_exercise` returns it.
        place: Function of a file and a line that gives a `Place`.
    """
    try:
        if answer.get("missing"):
            return Observations(problem="missing")
        printed = str(answer.get("printed", ""))[: learner_process.PRINTED]
        prepared = float(answer.get("prepared", 0.0))
        return Observations(tuple(_read_case(record, place) for record in answer["cases"]), printed=printed, prepared=prepared)
    except (KeyError, TypeError, ValueError, AttributeError):  # WireError is a ValueError
        return Observations(problem="ended", text=wording.unreadable())


def _read_case(record, place):
    changed = tuple(str(name)[:50] for name in record["changed"])
    return Observation(wire.decode(record["value"]), read_error(record["error"], place), changed)


def read_error(data, place):
    """Return an exception, with the places in notebooks that it passed."""
    if data is None:
        return None
    line = data.get("check_line")
    where = read_places(data["frames"], place)
    return Raised(str(data["type"])[:100], str(data["message"])[:2000], where, None if line is None else int(line))


def read_places(frames, place):
    """Return the chain of places in notebooks that frames stand for, the innermost first; None if there is none."""
    places = [place(str(file)[:200], int(line)) for file, line in frames[-learner_process.FRAMES :]]
    own = [one for one in places if one.own] or places[-1:]
    return chain([one.text for one in reversed(own)])


def chain(texts):
    """Join places into one text: a recursion's repetitions are left out, and a notebook's name is said once in a row.

    Example:
        >>> chain(["a.ipynb, cell 2, line 3", "a.ipynb, cell 5, line 1"])
        'a.ipynb, cell 2, line 3, called from cell 5, line 1'
    """
    said = []
    for text in texts:
        if text not in said:
            said.append(text)
    short = [text.removeprefix(before.partition(", ")[0] + ", ") for before, text in zip(said, said[1:])]
    shown = [*said[:1], *short]
    if len(shown) > MOST_PLACES:
        shown = [*shown[: MOST_PLACES - 1], said[-1]]
    return ", called from ".join(shown) or None


class Place(NamedTuple):
    """A line of code: how messages name it, and whether a notebook has it."""

    text: str
    own: bool


def place_in(package_parent):
    """Return the function of a file and a line that names a place of the package by the notebook's cell it came from.

    Args:
        package_parent: Folder that holds `tinytorch`.
    """

    def place(file, line):
        from tito.notebooks.export import origin_of

        path = (package_parent / file).resolve()
        inside = path.is_relative_to(package_parent / "tinytorch") and path.is_file()
        origin = origin_of(path, line) if inside else None
        return Place(origin or f"{file}, line {line}", bool(origin))

    return place
