"""A variant is one way to do a case's work: a package, a kernel set, a memory format."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import NamedTuple


class Variant(NamedTuple):
    """One way to do the work of a case.

    Args:
        step: Function of a number, the same for all variants in a round, that does the work once.
        check: Function without arguments that does the work on inputs which all variants share, and returns the numbers
            that come out. It is called once, before any step.
        context: What the work is done in, such as a kernel set.
    """

    step: Callable[[int], object]
    check: Callable[[], list[float]]
    context: Callable = nullcontext


class Candidate(NamedTuple):
    """A variant that may turn out not to be there.

    Args:
        name: What the table calls it.
        make: Function without arguments that returns the `Variant`.
        needs: Packages that it imports.
    """

    name: str
    make: Callable[[], Variant]
    needs: tuple[str, ...] = ()


class Case(NamedTuple):
    """A piece of work to be measured.

    Args:
        name: What `tito bench NAME` calls it.
        title: What is done.
        sizes: The sizes that it is done in, as the table names them.
        candidates: Function of size, threads and kernel sets that yields the `Candidate`s.
        requires: Numbers of the modules that the learner's package needs for it.
        rounds: How often each variant has its turn, unless time runs out before.
        given_kernels: Whether the given numba kernels do without those of module 10.
        flop: How many floating-point operations it takes in each size, if that is of interest.
        memory: Whether peak memory is of interest, too, in the last of the sizes.
        profiled: Whether our own step is profiled on one thread, to show what bounds it.
    """

    name: str
    title: str
    sizes: tuple[str, ...]
    candidates: Callable[..., Iterator[Candidate]]
    requires: tuple[str, ...]
    rounds: int
    given_kernels: bool = False
    flop: tuple[float, ...] = ()
    memory: bool = False
    profiled: bool = False
