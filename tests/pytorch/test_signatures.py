"""Every argument of PyTorch's functions and classes is an argument here, too, or stands in the table of differences."""

import fnmatch
import inspect
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with (extra `bench`)")
sys.path.insert(0, str(Path(__file__).parent))

import table  # noqa: E402

import tinytorch  # noqa: E402
import tinytorch.nn.utils  # noqa: E402
import tinytorch.optim.lr_scheduler  # noqa: E402
import tinytorch.utils.data  # noqa: E402
from tinytorch.given import constructing, names  # noqa: E402
from tinytorch.given.op import Op  # noqa: E402

pytestmark = pytest.mark.pytorch
PLACES = ("", "nn", "nn.functional", "nn.init", "nn.utils", "optim", "optim.lr_scheduler", "utils.data", "Tensor")


def inside(package, place):
    """Return what is at a path in a package, such as ``"nn.utils"``; the package itself for no path."""
    for part in place.split(".") if place else ():
        package = getattr(package, part)
    return package


def accepted(ours):
    """Return the names of the arguments that a function or class of ours takes; None if it takes any."""
    signature = inspect.signature(ours.forward if isinstance(ours, Op) else ours)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values()):
        return None
    taken = set(signature.parameters)
    if isinstance(ours, Op) or hasattr(ours, "__wrapped__"):
        taken.add("input")
    if isinstance(ours, constructing.PyTorchArguments):
        taken |= constructing.further_arguments(ours)
    return taken | set(constructing.MOVED) if isinstance(ours, constructing.Layer) else taken


def lacking():
    """Yield (place, name, argument) for each argument of PyTorch's that we do not take."""
    for place in PLACES:
        package, twin = inside(tinytorch, place), inside(torch, place)
        for name in sorted(set(dir(package)) & set(dir(twin))):
            ours, theirs = getattr(package, name), getattr(twin, name)
            if name.startswith("_") or not callable(ours) or not callable(theirs):
                continue
            try:
                parameters = inspect.signature(theirs).parameters.values()
            except ValueError:  # written in C++: calling.py compares what it takes
                continue
            taken = accepted(ours)
            for parameter in parameters if taken is not None else ():
                if parameter.name not in taken and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                    yield place, name, parameter.name


def rows():
    return [row for row in table.rows() if "argument" in row["kinds"]]


def explains(row, name, argument):
    return argument in row["arguments"] and any(fnmatch.fnmatchcase(name, pattern) for pattern in row["names"])


def test_every_argument_of_pytorchs_is_taken_or_in_the_table():
    left = [f"{place}.{name}({argument}=)" for place, name, argument in lacking() if not any(explains(row, name, argument) for row in rows())]  # fmt: skip
    assert not left, "\n" + "\n".join(left)


def test_every_row_about_arguments_is_needed():
    every = [(name, argument) for _, name, argument in lacking()]
    assert rows() and all(any(explains(row, *one) for one in every) for row in rows())


def test_there_is_enough_to_compare():
    both = [name for place in PLACES for name in set(dir(inside(tinytorch, place))) & set(dir(inside(torch, place)))]
    assert len(both) > 300 and names.as_function("sum") is tinytorch.sum


def test_an_argument_that_is_lost_is_found(monkeypatch):
    monkeypatch.delitem(constructing.ALLOWED, "inplace")
    assert ("nn", "Dropout", "inplace") in lacking()
