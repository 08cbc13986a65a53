"""Iterators and sources of random numbers: what in them changes when they go on. Given."""

import random
import types
import warnings

import numpy as np

MOST = 1000  # entries of a list inside an iterator that are compared


def state_of(x):
    """Return what changes in an iterator when it goes on, or in a random generator when it is drawn from, as a list.

    Returns:
        List of numbers and objects; None if the object is neither.
    """
    if isinstance(x, random.Random):
        return [x.getstate()]
    if isinstance(x, np.random.RandomState):
        return list(x.get_state()[2:])  # the position among the numbers that are ready
    if isinstance(x, np.random.BitGenerator):
        return [repr(x.state)]
    if isinstance(x, np.random.SeedSequence):
        return [x.n_children_spawned]
    if getattr(type(x), "__next__", None) is None:
        return None
    if isinstance(x, types.GeneratorType):
        return [x.gi_frame.f_lasti, *x.gi_frame.f_locals.values()] if x.gi_frame else [None]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python 3.14 takes this from some iterators
            parts = list(flattened(x.__reduce_ex__(2)))  # the form before 2 makes another object of some, which closes files
    except Exception:  # it has none; a count shows its number
        parts = []
    return [repr(x), *parts]


def flattened(x):
    """Yield what tuples and lists hold, and the state of iterators among that."""
    if isinstance(x, (tuple, list)):
        for item in x[:MOST]:
            yield from flattened(item)
    else:
        yield from state_of(x) or [x]
