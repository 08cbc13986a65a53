"""The table of what differs from PyTorch on purpose, and what a run found."""

import fnmatch
import functools
import tomllib
from collections import namedtuple
from pathlib import Path

TABLE = Path(__file__).with_name("differences.toml")
Seen = namedtuple("Seen", "place name kind dtype shape content memory kernels call what")


@functools.cache
def rows():
    """Return the rows of the table: dicts with ``names``, ``kinds``, ``why`` and, where a row is narrower, more conditions."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))["difference"]


def explains(row, seen):
    """Say whether a row of the table is about what was seen."""
    named = any(fnmatch.fnmatchcase(seen.name, pattern) for pattern in row["names"])
    return (
        named
        and seen.kind in row["kinds"]
        and seen.dtype in row.get("dtypes", [seen.dtype])
        and seen.content in row.get("contents", [seen.content])
        and (seen.shape in map(tuple, row["shapes"]) if "shapes" in row else True)
        and row.get("says", "") in seen.what
        and row.get("call", "") in seen.call
    )


def unexplained(found, used=None):
    """Return what no row explains, one of each kind, as text.

    Args:
        found: List of `Seen`.
        used: Set that receives the positions of the rows that explained something.
    """
    left, table = {}, rows()
    for seen in found:
        for position, row in enumerate(table):
            if explains(row, seen):
                if used is not None:
                    used.add(position)
                break
        else:
            left.setdefault((seen.place, seen.name, seen.kind), []).append(seen)
    return [line(cases) for cases in left.values()]


def line(cases):
    """Return a line about several cases of one kind."""
    first = cases[0]
    return (
        f"{first.place}.{first.name} {first.call} {first.kind} ({first.dtype}, {first.content}, shape {first.shape}, {first.memory}, "
        f"{first.kernels}; {len(cases)} cases of {', '.join(sorted({case.dtype for case in cases}))}): {first.what}"
    )
