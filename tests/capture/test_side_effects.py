"""What a step does to objects that no op sees: it is refused with its line, because replays would not do it."""

import ctypes
import functools
import queue
import sqlite3
import threading

import numpy as np
import pytest

import tinytorch as tt


class Kept(list):
    count = 0


class Named(dict):
    count = 0


class Private:
    __slots__ = ("__count",)

    def __init__(self):
        self.__count = 0

    def tell(self):
        self.__count += 1


def collecting(numbers):
    while True:
        numbers.append((yield))


def effects():
    """Return functions that each do something that outlives the step."""
    objects = {"list": Kept(), "dict": Named(), "partial": functools.partial(int), "memory": ctypes.c_int(0)}
    objects["partial"].count = 0
    waiting, private, database, collector = queue.SimpleQueue(), Private(), sqlite3.connect(":memory:"), collecting([])
    bits, seeds = np.random.PCG64(0), np.random.SeedSequence(0)
    next(collector)
    database.execute("create table losses (loss)")

    def attribute_of_a_list():
        objects["list"].count += 1

    def attribute_of_a_dict():
        objects["dict"].count += 1

    def attribute_of_a_partial():
        objects["partial"].count += 1

    def memory():
        objects["memory"].value += 1

    return {
        "attribute of a list": attribute_of_a_list,
        "attribute of a dict": attribute_of_a_dict,
        "attribute of a partial function": attribute_of_a_partial,
        "memory of ctypes": memory,
        "queue": lambda: waiting.put(1),
        "private slot": lambda: private.tell(),
        "database": lambda: database.execute("insert into losses values (1)"),
        "generator that takes values": lambda: collector.send(1),
        "bit generator": lambda: bits.random_raw(),
        "seeds": lambda: seeds.spawn(1),
        "error settings": lambda: np.seterr(all="warn" if np.geterr()["over"] == "ignore" else "ignore"),
        "gradients": lambda: tt.set_grad_enabled(not tt.is_grad_enabled()),
    }


@pytest.fixture
def put_back():
    errors = np.geterr()
    yield
    np.seterr(**errors)
    tt.set_grad_enabled(True)


@pytest.mark.parametrize("kind", effects())
def test_what_outlives_the_step_is_refused(kind, put_back):
    """One expects: it happens in each step, as without capture."""
    effect = effects()[kind]

    @tt.capture
    def step(x):
        effect()
        return x * 2

    with pytest.raises(tt.CaptureError, match=r"test_side_effects\.py:\d+ ") as caught:
        for i in range(5):
            step(tt.arange(3.0) + i)
    assert "a replay would" in str(caught.value)


def test_a_method_of_a_list_of_ones_own_reads_what_is_there_now():
    """One expects: a list with methods is an object with methods."""
    scale = [1.0]

    class Total(list):
        def total(self):
            return sum(self) * scale[0]

    parts = Total([1.0, 2.0])

    @tt.capture
    def step(x):
        return x * parts.total()

    for i in range(10):
        scale[0] = 1.0 + (i > 5)
        assert step(tt.tensor(1.0)).item() == 3.0 * scale[0]
    assert any(step.tapes.values())


def test_a_lock_may_be_held():
    """One expects: it is free again afterwards, so that nothing is lost."""
    lock = threading.Lock()

    @tt.capture
    def step(x):
        with lock:
            return x * 2

    assert [step(tt.tensor(float(i))).item() for i in range(6)] == [0, 2, 4, 6, 8, 10]
    assert any(step.tapes.values())
