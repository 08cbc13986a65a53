"""The check of 03.4 kaiming_uniform_."""

import math

import numpy as np

from .shared import drawn_by_default


def draw_kaiming_uniform_(rng):
    """Wide and tall weights, one input, a convolution's weight, every setting, a mode that there is not; over 10,000 numbers each."""
    few, many = rng.size(35, 45), rng.size(300, 400)
    yield dict(shape=(many, few))
    yield dict(shape=(few, many), a=math.sqrt(5))
    yield dict(shape=(many, few), mode="fan_out")
    yield dict(shape=(rng.size(10_000, 11_000), 1), nonlinearity=rng.pick("tanh", "relu"))
    yield dict(shape=(few, 20, *rng.pick((3, 5), (2, 4), (5, 3))), nonlinearity="relu")
    yield dict(shape=(many, few), a=rng.pick(1, 2, 3), mode="fan_in", nonlinearity=rng.pick("tanh", "sigmoid"))
    yield dict(shape=(many, few), a=rng.pick(1, 2, 3), nonlinearity="leaky_relu")
    yield dict(shape=(many, 8, *rng.pick((2, 3), (3, 2))), mode="fan_out", nonlinearity="linear")
    yield dict(shape=(many, few), mode=rng.pick("fan_both", "fan", "in"))


def observe_kaiming_uniform_(module, shape, **options):
    """How far the numbers reach and how they are spread, and whether the tensor itself was filled, by the rng given."""
    tensor = module.Parameter(np.full(shape, 7, np.float32))
    memory = tensor.data
    out = module.kaiming_uniform_(tensor, rng=np.random.default_rng(3), **options)
    again, other = (filled(module, shape, rng=np.random.default_rng(seed), **options) for seed in (3, 4))
    default = filled(module, shape, **options)
    mode = {"mode": options.get("mode", "fan_in")}
    no_slope, of_relu = (
        filled(module, shape, rng=np.random.default_rng(3), **mode, **kind) for kind in ({"a": 0}, {"nonlinearity": "relu"})
    )
    return {
        "the tensor itself is returned": out is tensor,
        "the tensor's own memory is filled": tensor.data is memory and not (memory == 7).any(),
        "largest": float(memory.max()),
        "smallest": float(memory.min()),
        "standard deviation": float(memory.std()),
        "dtype": str(tensor.data.dtype),
        "every number is drawn for itself": len(np.unique(memory)) > 0.9 * memory.size or len(np.unique(memory)) == 1,
        "without rng the default generator draws": drawn_by_default(module, lambda: filled(module, shape, **options)),
        "the same rng gives the same": bool((again == memory).all()),
        "another rng gives others": bool((other == memory).mean() < 0.01 and (default == memory).mean() < 0.01),
        "a=0 gives what ReLU gives": bool(np.allclose(no_slope, of_relu, rtol=1e-6, atol=0) or (again != memory).any()),
    }


def filled(module, shape, **options):
    """Fill new memory, and return it."""
    memory = np.zeros(shape, np.float32)
    module.kaiming_uniform_(module.Tensor(memory), **options)
    return memory


GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2)}


def oracle_kaiming_uniform_(shape, a=0, mode="fan_in", nonlinearity="leaky_relu", three=3.0, low=-1.0, **others):
    """Spread evenly between -b and b; out of some 10,000 draws the largest is b to a fraction of a percent."""
    area = shape[2] * shape[3] if len(shape) == 4 else 1
    fan = {"fan_in": shape[1] * area, "fan_out": shape[0] * area}.get(mode)
    if fan is None:
        return ("raises", "ValueError", mode)
    gain = GAINS.get(nonlinearity) or math.sqrt(2 / (1 + a * a))
    bound = gain * math.sqrt(three / fan)
    spread = {"largest": bound, "smallest": low * bound, "standard deviation": (1 - low) * bound / math.sqrt(12)}
    return (
        {
            "the tensor itself is returned": True,
            "the tensor's own memory is filled": True,
            "dtype": "float32",
            "every number is drawn for itself": True,
            "a=0 gives what ReLU gives": True,
            "without rng the default generator draws": True,
            "the same rng gives the same": True,
            "another rng gives others": True,
        }
        | spread
        | others
    )


def kaiming_or(shape, settings, **others):
    """The right answer with some entries changed; where the right answer is an error, that error."""
    expected = oracle_kaiming_uniform_(shape, **settings)
    return expected | others if isinstance(expected, dict) else expected


def kaiming_elsewhere(shape, **settings):
    return kaiming_or(
        shape,
        settings,
        **{
            "the tensor itself is returned": False,
            "the tensor's own memory is filled": False,
            "largest": 7.0,
            "smallest": 7.0,
            "standard deviation": 0.0,
            "the same rng gives the same": False,
        },
    )


def kaiming_unchecked(shape, settings, mode):
    """An unknown mode is taken for one of the two."""
    return oracle_kaiming_uniform_(
        shape, **settings | ({"mode": mode} if settings.get("mode") not in (None, "fan_in", "fan_out") else {})
    )


misconceptions_kaiming_uniform_ = {
    "fan-in and fan-out are exchanged": lambda shape, **settings: oracle_kaiming_uniform_(
        shape,
        **settings
        | {
            "mode": {"fan_out": "fan_in"}.get(settings.get("mode"), settings.get("mode", "fan_out"))
            if settings.get("mode") != "fan_in"
            else "fan_out"
        },
    ),
    "mode is ignored: always the fan-in": lambda shape, mode="fan_in", **settings: oracle_kaiming_uniform_(shape, **settings),
    "nonlinearity is ignored": lambda shape, nonlinearity="", **settings: oracle_kaiming_uniform_(shape, **settings),
    "a is ignored": (
        lambda shape, a=0, **settings: oracle_kaiming_uniform_(shape, **settings),
        lambda shape, a=0, **settings: kaiming_or(shape, settings, **{"a=0 gives what ReLU gives": False}),
    ),
    "the bound is the standard deviation: a factor of the square root of 3 is missing": lambda shape, **settings: (
        oracle_kaiming_uniform_(shape, **settings, three=1.0)
    ),
    "the 2 of ReLU counts twice: it is in the gain already, so the bound is the gain times sqrt(3 / fan)": lambda shape, **settings: (
        oracle_kaiming_uniform_(shape, **settings, three=6.0)
    ),
    "the kernel's height and width are missing in the fan: fans(tensor) counts them": lambda shape, **settings: (
        oracle_kaiming_uniform_(shape[:2], **settings)
    ),
    "the gain is always that of ReLU: nonlinearity and a are ignored": lambda shape, mode="fan_in", **settings: (
        oracle_kaiming_uniform_(shape, mode=mode, nonlinearity="relu")
    ),
    "the gain is missing": lambda shape, mode="fan_in", **settings: oracle_kaiming_uniform_(
        shape, mode=mode, nonlinearity="linear"
    ),
    "only positive numbers: the range begins at minus the bound": lambda shape, **settings: oracle_kaiming_uniform_(
        shape, **settings, low=0.0
    ),
    "another tensor was filled and returned; the one given stayed as it was": kaiming_elsewhere,
    "the tensor is filled but not returned": lambda shape, **settings: kaiming_or(
        shape, settings, **{"the tensor itself is returned": False}
    ),
    "the rng given is not used": lambda shape, **settings: kaiming_or(shape, settings, **{"the same rng gives the same": False}),
    "every call draws the same numbers": lambda shape, **settings: kaiming_or(
        shape, settings, **{"another rng gives others": False}
    ),
    "a slope of 0 was taken for none, as `a or ...` does: 0 counts as False, and the gain has a default slope of 0.01": lambda shape, **settings: (
        kaiming_or(shape, settings, **{"a=0 gives what ReLU gives": False})
    ),
    "numbers were drawn for one row or one column, and stretched over the others: every entry has its own": lambda shape, **settings: (
        kaiming_or(shape, settings, **{"every number is drawn for itself": False})
    ),
    "without rng a new generator drew: rng=None asks for the default one, which generator(rng) gives": lambda shape, **settings: (
        kaiming_or(shape, settings, **{"without rng the default generator draws": False})
    ),
    "an unknown mode is taken for fan_in": lambda shape, **settings: kaiming_unchecked(shape, settings, "fan_in"),
    "an unknown mode is taken for fan_out": lambda shape, **settings: kaiming_unchecked(shape, settings, "fan_out"),
    "a KeyError is raised: ValueError is asked for": lambda shape, **settings: (
        ("raises", "KeyError")
        if settings.get("mode") not in (None, "fan_in", "fan_out")
        else oracle_kaiming_uniform_(shape, **settings)
    ),
    "the error does not show which mode was given": lambda shape, **settings: (
        ("raises", "ValueError")
        if settings.get("mode") not in (None, "fan_in", "fan_out")
        else oracle_kaiming_uniform_(shape, **settings)
    ),
}
rtol_kaiming_uniform_ = 0.02
atol_kaiming_uniform_ = 1e-3  # the smallest of 10,000 numbers from 0 on is nearly 0
