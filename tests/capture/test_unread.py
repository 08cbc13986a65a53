"""What a step can reach and does not read: it may change between the calls; what is read in any way counts."""

import copy
import dataclasses
import operator
import string
import types

import numpy as np
import pytest

import tinytorch as tt
import tinytorch.nn.functional as F
from tinytorch.given.capture import unread
from tinytorch.nn import Linear
from tinytorch.optim import Adam

scale_of = operator.attrgetter("scale")
read = getattr


class Thing:
    def __init__(self):
        self.scale = 2.0
        self.unused = 0


class Trainer:
    """The loop that many users write: what is counted and collected belongs to the object whose method is captured."""

    def __init__(self):
        self.model = Linear(6, 3, rng=np.random.default_rng(0))
        self.optimizer = Adam(self.model.parameters(), lr=0.01)
        self.losses, self.log, self.count, self.best, self.scale = [], {"loss": []}, 0, None, 1.0

    @tt.capture
    def step(self, x, y):
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.model(x), y) * self.scale
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def fit(self, step):
        rng = np.random.default_rng(0)
        for i in range(14):
            x, y = tt.tensor(rng.standard_normal((4, 6), np.float32)), tt.tensor(rng.integers(0, 3, 4))
            self.scale = 2.0 if i > 8 else 1.0
            loss = step(x, y)
            self.losses.append(loss.item())
            self.log["loss"].append(loss)
            self.count += 1
            self.best = min(self.losses)
        return [*self.losses, *self.model.weight.detach().numpy().ravel()]


def test_a_trainer_counts_and_collects_beside_its_step():
    """One expects: a replay each time, because the step reads none of it; only the scale makes it record again."""
    captured, plain = Trainer(), Trainer()
    assert captured.fit(captured.step) == plain.fit(types.MethodType(Trainer.step.step, plain))
    (tapes,) = captured.step.tapes.values()
    assert len(tapes) == 2, "one for each scale"
    assert not captured.step.unlike


def by_name(thing, x):
    return x * thing.scale


def by_getattr(thing, x):
    return x * getattr(thing, "".join(["sc", "ale"]))


def by_another_name(thing, x):
    return x * read(thing, "sc" + "ale"[:3])


def by_attrgetter(thing, x):
    return x * scale_of(thing)


def by_vars(thing, x):
    return x * vars(thing)["".join(["sc", "ale"])]


def by_dict(thing, x):
    return x * max(thing.__dict__.values())


def by_copy(thing, x):
    (first, *_) = copy.copy(thing).__reduce__()[2].values()
    return x * first


def by_format(thing, x):
    return x * float("{.scale}".format(thing))  # noqa: UP032


def by_formatter(thing, x):
    return x * float(string.Formatter().vformat("{0.scale}", (thing,), {}))


def by_pattern(thing, x):
    match thing:
        case Thing(scale=number):
            return x * number


def by_method(thing, x):
    return thing.by(x)


def by_property(thing, x):
    return x * thing.half


def by_comparison(thing, x):
    return x if thing == Other(2.0) else x * 3


def by_sorting(thing, x):
    return x * sorted([thing, thing], key=lambda each: each.scale)[0].scale


def by_call(thing, x):
    return thing(x)


def by_number(thing, x):
    return x * float(thing)


def by_asdict(thing, x):
    return x * max(dataclasses.asdict(thing).values())


@dataclasses.dataclass
class Other:
    scale: float
    unused: float = 0.0

    @property
    def half(self):
        return self.scale / 2

    def by(self, x):
        return x * self.scale

    def __call__(self, x):
        return x * self.scale

    def __float__(self):
        return self.scale


READ = [
    *(
        by_name,
        by_getattr,
        by_another_name,
        by_attrgetter,
        by_vars,
        by_dict,
        by_copy,
        by_format,
        by_formatter,
        by_pattern,
        by_method,
    ),
    *(by_property, by_comparison, by_sorting, by_call, by_number, by_asdict),
]
BY_METHODS = by_method, by_property, by_comparison, by_call, by_number, by_asdict


@pytest.mark.parametrize("way", READ)
def test_what_is_read_in_any_way_counts(way):
    """One expects: a replay is right, however the step reads the number that has changed."""
    thing = Other(2.0) if way in BY_METHODS else Thing()
    run = tt.capture(lambda x: way(thing, x))
    inputs = [tt.tensor(np.arange(6, dtype=np.float32).reshape(2, 3) + i) for i in range(12)]
    for i, x in enumerate(inputs):
        if i == 6:
            before, thing.scale = way(thing, x).numpy(), 5.0
            assert not np.array_equal(way(thing, x).numpy(), before), "the case shows nothing"
        assert np.array_equal(run(x).numpy(), way(thing, x).numpy())


@pytest.mark.parametrize("way", [by_name, by_sorting])
def test_what_is_not_read_does_not_count(way):
    thing = Thing()
    run = tt.capture(lambda x: way(thing, x))
    for i in range(8):
        thing.unused = [i] * i
        assert run(tt.tensor([1.0, float(i)])).tolist() == [2.0, 2.0 * i]
    (tapes,) = run.tapes.values()
    assert len(tapes) == 1 and not run.unlike


def test_what_other_objects_lead_to_counts():
    """Two ways to the same list: what only one of them does not read still counts."""
    thing, other, numbers = Thing(), Thing(), [2.0]
    thing.unused = other.scale = numbers
    run = tt.capture(lambda x: x * thing.scale * other.scale[0])
    for i in range(10):
        numbers[0] = float(i // 5 + 2)
        assert run(tt.tensor([1.0])).tolist() == [2.0 * numbers[0]]
    thing.unused = None
    numbers[0] = 7.0
    assert run(tt.tensor([1.0])).tolist() == [14.0]


def test_an_attribute_that_package_code_reads_counts():
    """Modules list their attributes, without a name in the code."""

    class Net(tt.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = Linear(3, 3, rng=np.random.default_rng(0))

        def forward(self, x):
            for layer in self.children():
                x = layer(x)
            return x

    net = Net()
    run = tt.capture(lambda x: net(x).detach())
    for i in range(10):
        if i == 5:
            net.second = Linear(3, 3, rng=np.random.default_rng(1))
        if i == 7:
            net.second = Linear(3, 3, rng=np.random.default_rng(2))
        x = tt.tensor(np.full((1, 3), i, np.float32))
        assert np.array_equal(run(x).numpy(), net(x).detach().numpy())


def test_only_what_names_an_attribute_reads_it():
    def user(thing):
        return thing.scale + np.log(thing.count)

    named = unread.attributes_in(user.__code__)
    assert {"scale", "count"} <= named and "unused" not in named
    assert "log" not in unread.attributes_in(F.cross_entropy.__code__)
