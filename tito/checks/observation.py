"""What learner code returned or raised: read from what a worker wrote, and checked, because learner code could have."""
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tito.checks import wire, worker


@dataclass(frozen=True)
class Raised:
    """An exception out of learner code, and the place in the learner's notebook or package."""

    type: str
    message: str
    where: str | None = None


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
    problem: str | None = None   # missing, import, timeout or ended
    text: str = ""               # more on the problem
    error: Raised | None = None  # the exception of an import
    case: int | None = None      # the case, from 0, that a worker was at when it ended or was ended
    shared: bool = False         # the problem is the module's, not this exercise's
    printed: str = field(default="", compare=False)


def read_result(answer, place):
    """Return the observations that a worker's answer about one exercise holds.

    Args:
        answer: JSON data, as `worker.observe_exercise` returns it.
        place: Function of a file and a line that gives a `Place`.
    """
    try:
        if answer.get("missing"):
            return Observations(problem="missing")
        printed = str(answer.get("printed", ""))[:worker.PRINTED]
        return Observations(tuple(_read_case(record, place) for record in answer["cases"]), printed=printed)
    except (KeyError, TypeError, ValueError, AttributeError):  # WireError is a ValueError
        return Observations(problem="ended", text="its answer cannot be read")


def _read_case(record, place):
    changed = tuple(str(name)[:50] for name in record["changed"])
    return Observation(wire.decode(record["value"]), read_error(record["error"], place), changed)


def read_error(data, place):
    """Return an exception, with the innermost place in a notebook that it passed, and how this module came there."""
    if data is None:
        return None
    places = [place(str(file)[:200], int(line)) for file, line in data["frames"][-worker.FRAMES:]]
    own = [one for one in places if one.own] or places
    where = own[-1].text if own else None
    home = [one for one in own if one.home]
    if home and not own[-1].home:
        where += f", called from {home[-1].text}"
    return Raised(str(data["type"])[:100], str(data["message"])[:2000], where)


class Place(NamedTuple):
    """A line of code: how messages name it, whether a notebook has it, and whether it is the one that is checked."""

    text: str
    own: bool
    home: bool


def place_in(package_parent, module):
    """Return the function of a file and a line that names a place of the package by the notebook's cell it came from.

    Args:
        package_parent: Folder that holds `tinytorch`.
        module: Name of the module that is checked, such as "tinytorch.tensor".
    """
    def place(file, line):
        from tito.notebooks.export import origin_of

        path = (package_parent / file).resolve()
        inside = path.is_relative_to(package_parent / "tinytorch") and path.is_file()
        origin = origin_of(path, line) if inside else None
        return Place(origin or f"{file}, line {line}", bool(origin), file == f"{module.replace('.', '/')}.py")

    return place
