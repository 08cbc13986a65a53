"""Op by op, function by function: every name that both frameworks have gives the same, or stands in the table of differences."""

import functools
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with (extra `bench`)")
sys.path.insert(0, str(Path(__file__).parent))

import calling  # noqa: E402
import grid  # noqa: E402
import structured  # noqa: E402
import table  # noqa: E402
from comparing import Array, difference  # noqa: E402

import tinytorch  # noqa: E402
from tinytorch.given import imports  # noqa: E402

pytestmark = pytest.mark.pytorch
torch.set_num_threads(1)
for stem in imports.curriculum():
    if imports.why_absent(stem) is None and stem != "kernels_cpu":
        __import__(f"tinytorch.{stem}")
for package in (tinytorch.nn, tinytorch.nn.functional):
    for name in dir(package):
        getattr(package, name)

SETS = ("numpy", "numba")
EVERY = [*calling.public_names(), *calling.registry()]
CALLED = {(place, name): (ours, theirs) for place, name, ours, theirs in EVERY if place == "op" or name not in calling.OMITTED}


@functools.cache
def compared(place, name, kernels):
    """Return what a function differs in, over the whole grid."""
    (ours, theirs), found = CALLED[place, name], []
    for dtype, shape, content, memory in grid.places():
        if kernels == "numba" and (
            dtype not in grid.FLOATS or shape not in ((5,), (2, 3), (2, 5), (0, 3), (2, 3, 4)) or memory not in grid.MEMORIES[:2]
        ):
            continue
        in_place = place != "op" and name.endswith("_")
        if in_place and memory == "one for all":  # nobody writes into one number that stands for many
            continue
        seed = f"{name} {dtype} {shape} {content}"
        array = grid.draw(shape, dtype, content, seed)
        for options in calling.variants(name, ours):
            given = {key: calling.argument(value, array, content, seed, not in_place) for key, value in options.items()}
            needed = [p.name for p in calling.parameters(ours) if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
            args = (Array(array, not in_place, memory), *(given.pop(key) for key in needed))
            with tinytorch.use(kernels):
                seen = difference(ours, theirs, args, given)
            if seen:
                call = ", ".join(f"{key}={value}" for key, value in options.items())
                found.append(table.Seen(place, name, seen[0], dtype, shape, content, memory, kernels, f"({call})", seen[1]))
    return found


@functools.cache
def compared_structured(name, kernels):
    """Return what a function of arguments that fit each other differs in."""
    found, (ours, theirs) = [], structured.both(name)
    only_floats = name not in structured.ANY
    for dtype in grid.DTYPES:
        if (only_floats or kernels == "numba") and dtype not in grid.FLOATS:
            continue
        for memory in grid.MEMORIES if dtype == "float32" else grid.MEMORIES[:1]:
            make = structured.Maker(dtype, memory, name)
            calls = [(args, {}) for args in structured.ANY.get(name, structured.OF_FLOATS.get(name, lambda m: []))(make)]
            calls += structured.BY_NAME.get(name, lambda m: [])(make)
            for position, (args, options) in enumerate(calls):
                with tinytorch.use(kernels):
                    seen = difference(ours, theirs, args, options)
                if seen:
                    found.append(
                        table.Seen("call", name, seen[0], dtype, (), "usual", memory, kernels, f"number {position}", seen[1])
                    )
    return found


STRUCTURED = sorted({*structured.ANY, *structured.OF_FLOATS, *structured.BY_NAME})


def shown(found):
    """Fail with all that no row of the table explains."""
    left = table.unexplained(found)
    assert not left, "\n" + "\n".join(left)


@pytest.mark.parametrize("kernels", SETS)
@pytest.mark.parametrize(("place", "name"), sorted(CALLED), ids=str)
def test_a_function_gives_what_pytorch_gives(place, name, kernels):
    if CALLED[place, name][1] is None:
        pytest.fail(f"op {name} has no counterpart: say in calling.py which it is, or what compares the op instead")
    shown(compared(place, name, kernels))


@pytest.mark.parametrize("kernels", SETS)
@pytest.mark.parametrize("name", STRUCTURED)
def test_a_call_whose_arguments_fit_gives_what_pytorch_gives(name, kernels):
    shown(compared_structured(name, kernels))


def test_every_row_of_the_table_is_needed():
    used = set()
    for place, name in CALLED:
        for kernels in SETS:
            table.unexplained(compared(place, name, kernels), used)
    for name in STRUCTURED:
        for kernels in SETS:
            table.unexplained(compared_structured(name, kernels), used)
    idle = [row["names"] for position, row in enumerate(table.rows()) if position not in used and row["kinds"] != ["argument"]]
    assert not idle, f"nothing shows these differences any more: {idle}"


def test_what_is_left_out_is_there_and_compared_elsewhere():
    structured_names = {name.removeprefix("F.").removeprefix(".") for name in STRUCTURED}
    missing = set(calling.LEFT_OUT["compared in STRUCTURED"].split()) - structured_names
    assert not {name for name in missing if name.rstrip("_") not in structured_names}, missing


def test_a_planted_fault_is_found(monkeypatch):
    from tinytorch.activations import relu

    assert not table.unexplained(compared.__wrapped__("op", "relu", "numpy"))
    monkeypatch.setattr(relu, "forward", lambda a: np.maximum(a, np.asarray(0.001).astype(a.dtype)))
    found = compared.__wrapped__("op", "relu", "numpy")
    assert found and table.unexplained(found)
