"""A variant is one way to do a case's work: a package, a kernel set, a memory format."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import NamedTuple


class Variant(NamedTuple):
    """One way to do the work of a case.

    Args:
        step: Function of a number, the same for all variants in a round, that does the work once.
        check: Function without arguments that does the work on inputs shared by all variants, and returns the resulting
            numbers. It is called once, before any step.
        context: Context manager that the work runs in, such as a kernel set.
    """

    step: Callable[[int], object]
    check: Callable[[], list[float]]
    context: Callable = nullcontext


class Candidate(NamedTuple):
    """A variant that may not be available.

    Args:
        name: What the table calls it.
        make: Function without arguments that returns the `Variant`.
        needs: Packages that it imports.
    """

    name: str
    make: Callable[[], Variant]
    needs: tuple[str, ...] = ()


class Case(NamedTuple):
    """A piece of work to measure.

    Args:
        name: What `tito bench NAME` calls it.
        title: What is measured.
        sizes: The sizes to measure, as the table names them.
        candidates: Function of size, threads and kernel sets that yields the `Candidate`s.
        requires: Numbers of the modules that the learner's package needs for it.
        rounds: Turns of each variant, unless time runs out first.
        given_kernels: Whether the given numba kernels are enough, without those of module 10.
        flop: Number of floating-point operations at each size, to show the rate.
        memory: Whether to measure peak memory at the last size too.
        profiled: Whether to profile our own step on one thread, to show what limits it.
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
