"""What is not there when a step is recorded, and is later: a captured step gives what the plain step gives."""

import builtins
import types

import numpy as np
import pytest

import tinytorch as tt


class Base:
    scale = 1.0

    def by(self, x):
        return x * self.scale


class Derived(Base):
    pass


class Twice(Base):
    def by(self, x):
        return x * 2


class Bare:
    pass


def first_attribute():
    """An attribute of an object without any, which hides that of its class."""
    thing = Base()
    return lambda x: x * thing.scale, lambda: setattr(thing, "scale", 3.0)


def attribute_of_a_namespace():
    thing = types.SimpleNamespace()
    return lambda x: x * getattr(thing, "scale", 1.0), lambda: setattr(thing, "scale", 3.0)


def attribute_of_a_class():
    """One that hides the attribute of a base class."""
    thing = Derived()

    def change():
        Derived.scale = 3.0

    return thing.by, change


def attribute_of_a_bare_class():
    return lambda x: x * getattr(Bare, "scale", 1.0), lambda: setattr(Bare, "scale", 3.0)


def method_of_a_class():
    thing = Derived()
    return lambda x: thing.more(x) if hasattr(thing, "more") else x, lambda: setattr(Derived, "more", lambda self, x: x * 3)


def class_of_an_object():
    thing = Base()
    return lambda x: thing.by(x), lambda: setattr(thing, "__class__", Twice)


def global_of_the_file():
    def step(x):
        try:
            return x * later
        except NameError:
            return x

    return step, lambda: globals().update(later=3.0)


def global_that_hides_a_builtin():
    return lambda x: x * len(x.shape), lambda: globals().update(len=lambda shape: 3.0)


def variable_of_a_closure():
    def step(x):
        try:
            return x * scale
        except NameError:
            return x

    def change():
        nonlocal scale
        scale = 3.0

    if not step:
        scale = 1.0
    return step, change


WAYS = [
    first_attribute, attribute_of_a_namespace, attribute_of_a_class, attribute_of_a_bare_class, method_of_a_class,
    class_of_an_object, global_of_the_file, global_that_hides_a_builtin, variable_of_a_closure,
]  # fmt: skip


@pytest.fixture
def put_back():
    yield
    for kind, name in ((Derived, "scale"), (Derived, "more"), (Bare, "scale")):
        if name in vars(kind):
            delattr(kind, name)
    for name in ("later", "len"):
        globals().pop(name, None)
    assert len is builtins.len


@pytest.mark.parametrize("way", WAYS)
def test_what_is_there_later_counts(way, put_back):
    """One expects: nothing is different because a name is new."""
    step, change = way()
    run = tt.capture(step)
    inputs = [tt.tensor(np.arange(6, dtype=np.float32).reshape(2, 3) + i) for i in range(8)]
    for x in inputs[:5]:
        assert np.array_equal(run(x).numpy(), step(x).numpy())
    assert any(run.tapes.values()), "nothing was replayed"
    before = step(inputs[5]).numpy()
    change()
    assert not np.array_equal(step(inputs[5]).numpy(), before), "the case shows nothing"
    for x in inputs[5:]:
        assert np.array_equal(run(x).numpy(), step(x).numpy())
