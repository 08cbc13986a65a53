"""The check of 03.5 Linear."""

import math
from functools import partial

import numpy as np

from .linear_op import oracle_linear
from .shared import drawn_by_default, numbers, remembers


def draw_Linear(rng):
    """With and without a bias, more inputs than neurons and fewer, batches of no to three axes, many neurons."""
    k, n, b, c = rng.sizes(4)
    for inputs, neurons, bias, batch in [
        (k, n, True, (b,)),
        (n, k, True, (b, c)),
        (c, c, True, ()),
        (b, n, False, (k,)),
        (rng.size(2, 9), rng.size(2, 9), rng.pick(True, False), rng.sizes(rng.size(0, 3))),
        (rng.size(30, 50), rng.size(300, 400), True, (1,)),
    ]:
        yield dict(
            in_features=inputs,
            out_features=neurons,
            bias=bias,
            x=rng.normal32(*batch, inputs),
            new_weight=rng.normal32(neurons, inputs),
            new_bias=rng.normal32(neurons) if bias else None,
        )


float64_Linear = False  # its parameters are float32


def describe_Linear(in_features, out_features, bias, x, **_):
    new = "new_weight and new_bias" if bias else "new_weight"
    return (
        f"net = Linear({in_features}, {out_features}{'' if bias else ', bias=False'})\nnet(x), after {new} were written into it"
    )


def observe_Linear(module, in_features, out_features, bias, x, new_weight, new_bias):
    """The parameters that a new layer has and how they are spread, and what it computes after others were written in."""
    make = [
        module.Linear(in_features, out_features, **({} if bias else {"bias": False}), rng=np.random.default_rng(seed))
        for seed in (5, 5, 6)
    ]
    plain = module.Linear(in_features, out_features, bias=False, rng=np.random.default_rng(5))
    layer, *others = [{path: parameter.data for path, parameter in one.named_parameters()} for one in make]
    seen = {
        "parameters": "; ".join(f"{path} {array.shape} {array.dtype}" for path, array in layer.items()),
        "bias is None": make[0].bias is None,
        "the same rng gives the same": all((array == others[0][path]).all() for path, array in layer.items()),
        "another rng gives others": not any((array == others[1][path]).any() for path, array in layer.items()),
        "the weight is drawn": "first" if np.array_equal(plain.weight.data, make[0].weight.data) else "after the bias",
        "without rng the default generator draws": drawn_by_default(
            module, lambda: module.Linear(in_features, out_features, bias).weight.data
        ),
    }
    if out_features > 100:
        for path, array in layer.items():
            ends = [round(float(end) * math.sqrt(in_features), 1) for end in (array.max(), array.min())]
            seen |= dict(zip([f"{end} {path} times sqrt(in_features)" for end in ("largest", "smallest")], ends))
    if make[0].weight.shape != new_weight.shape:
        return seen  # its shape has been told
    make[0].weight.data[...] = new_weight
    if make[0].bias is not None:
        make[0].bias.data[...] = 0 if new_bias is None else new_bias
    out = make[0](module.Tensor(x))
    kept = [make[0].weight] if make[0].bias is None else [make[0].weight, make[0].bias]
    seen |= {"output": numbers(module, out), REMEMBERED: remembers(out, *kept)}
    make[0].weight = module.Parameter(new_weight * 2)
    if bias:
        make[0].bias = module.Parameter(new_bias * 2)
    return seen | {ANOTHER: numbers(module, make[0](module.Tensor(x)))}


ANOTHER = "output with other parameters assigned, of twice the size"
REMEMBERED = "the output remembers the layer's parameters"


def oracle_Linear(in_features, out_features, bias, x, new_weight, new_bias, of_weight=1.0, of_bias=1.0, **others):
    shapes = {"weight": (out_features, in_features)} | ({"bias": (out_features,)} if bias else {})
    seen = {
        "parameters": with_dtypes(shapes),
        "bias is None": not bias,
        "the same rng gives the same": True,
        "another rng gives others": True,
        "the weight is drawn": "first",
        "without rng the default generator draws": True,
    }
    if out_features > 100:
        for path, bound in {"weight": round(of_weight, 1), "bias": round(of_bias, 1)}.items():
            seen |= {f"largest {path} times sqrt(in_features)": bound, f"smallest {path} times sqrt(in_features)": -bound}
    outputs = {"output": oracle_linear(x, new_weight, new_bias), REMEMBERED: True}
    return seen | outputs | {ANOTHER: outputs["output"] * 2} | others


def with_dtypes(shapes):
    """List parameters as the observer does."""
    return "; ".join(f"{path} {shape} float32" for path, shape in shapes.items())


def linear_turned(**inputs):
    """The weight's shape is (in_features, out_features)."""
    expected, shape = oracle_Linear(**inputs), (inputs["in_features"], inputs["out_features"])
    if shape[0] == shape[1]:
        return expected | not_turned(**inputs)
    parameters = expected["parameters"].replace(str(shape[::-1]), str(shape))
    return {
        key: value
        for key, value in (expected | {"parameters": parameters}).items()
        if not key.startswith("output") and key != REMEMBERED
    }


def bias_first(drawn, in_features, out_features, bias, **inputs):
    """The bias is the first attribute; where the weight is drawn does not follow from that."""
    expected = oracle_Linear(in_features=in_features, out_features=out_features, bias=bias, **inputs)
    shapes = {"bias": (out_features,), "weight": (out_features, in_features)}
    return expected | {"parameters": with_dtypes(shapes), "the weight is drawn": drawn} if bias else expected


def not_turned(x, new_weight, new_bias, **_):
    """The outputs of a square weight that is not transposed."""
    output = x.astype(np.float64) @ new_weight + new_bias
    return {"output": output, ANOTHER: 2 * output}


def with_the_old(x, new_weight, new_bias, **_):
    """What was read from the attributes when the layer was made goes on."""
    return {ANOTHER: oracle_linear(x, new_weight, new_bias)}


def linear_of_tensors(**inputs):
    expected = oracle_Linear(**inputs) | {"parameters": "", REMEMBERED: False}
    return {key: value for key, value in expected.items() if not key.startswith(("largest", "smallest"))}


misconceptions_Linear = {
    "the weight has shape (in_features, out_features): its rows must be the neurons": linear_turned,
    "the bias is drawn before the weight: a seed then gives another layer than it should": (
        lambda **inputs: oracle_Linear(**inputs, **{"the weight is drawn": "after the bias" if inputs["bias"] else "first"}),
        partial(bias_first, "after the bias"),
    ),
    "without a bias there is no attribute bias: it is None then": lambda **inputs: (
        oracle_Linear(**inputs) if inputs["bias"] else ("raises", "AttributeError", "bias")
    ),
    "the bound is 1 / in_features: the root is missing": lambda **inputs: oracle_Linear(
        **inputs, of_weight=1 / math.sqrt(inputs["in_features"]), of_bias=1 / math.sqrt(inputs["in_features"])
    ),
    "every layer draws from a generator of its own, always the same: the one given is to be used": lambda **inputs: oracle_Linear(
        **inputs, **{"another rng gives others": False}
    ),
    "forward multiplies by the weight as it is, not transposed": lambda **inputs: (
        oracle_Linear(**inputs, **not_turned(**inputs))
        if inputs["in_features"] == inputs["out_features"]
        else ("raises", "ValueError")
    ),
    "the bias is added also where there is none": lambda **inputs: (
        oracle_Linear(**inputs) if inputs["bias"] else ("raises", "TypeError", "NoneType")
    ),
    "weight and bias were also kept in another place, which goes on with the old ones: read self.weight and self.bias in forward": (
        lambda **inputs: oracle_Linear(**inputs, **with_the_old(**inputs))
    ),
    "bias=False is ignored": lambda **inputs: oracle_Linear(
        **inputs,
        **{
            "bias is None": False,
            "parameters": with_dtypes({"weight": inputs["new_weight"].shape, "bias": (inputs["out_features"],)}),
        },
    ),
    "weight and bias are plain tensors: the tree finds parameters only": linear_of_tensors,
    "the bias begins at 0": lambda **inputs: oracle_Linear(
        **inputs, of_bias=0.0, **{"another rng gives others": not inputs["bias"]}
    ),
    "the rng given is not handed on to the bias's draw": lambda **inputs: oracle_Linear(
        **inputs, **{"the same rng gives the same": not inputs["bias"]}
    ),
    "the rng given is not handed on": lambda **inputs: oracle_Linear(**inputs, **{"the same rng gives the same": False}),
    "the weight's bound is that of kaiming_uniform_ with a=0, not with a=sqrt(5)": lambda **inputs: oracle_Linear(
        **inputs, of_weight=math.sqrt(6)
    ),
    "the weight was drawn with a=5: it is the square root of 5": lambda **inputs: oracle_Linear(
        **inputs, of_weight=math.sqrt(6 / 26)
    ),
    "the weight's bound is computed from the number of neurons, not of inputs": lambda **inputs: oracle_Linear(
        **inputs, of_weight=math.sqrt(inputs["in_features"] / inputs["out_features"])
    ),
    "the bias's bound is computed from the number of neurons, not of inputs": lambda **inputs: oracle_Linear(
        **inputs, of_bias=math.sqrt(inputs["in_features"] / inputs["out_features"])
    ),
    "the bias is not added": lambda **inputs: oracle_Linear(
        **inputs,
        **{key: factor * oracle_linear(inputs["x"], inputs["new_weight"]) for key, factor in (("output", 1), (ANOTHER, 2))},
    ),
    "the result does not remember its weight: compute with the parameters, not with their arrays": lambda **inputs: oracle_Linear(
        **inputs, **{REMEMBERED: False}
    ),
    "the bias was assigned before the weight: parameters are listed in that order, and the weight comes first": partial(
        bias_first, "first"
    ),
    "without rng a new generator drew: rng=None asks for the default one": lambda **inputs: oracle_Linear(
        **inputs, **{"without rng the default generator draws": False}
    ),
}
