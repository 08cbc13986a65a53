"""The check of 05.12 gradcheck."""

import numpy as np

from .shared import normal, sizes


RIGHT, LARGE, SMALL, SECOND = "a * b", "1e9 * a * b", "1e-7 * a * b, wrong for a", "a * b, wrong for b"
TINY, HIDDEN, UNDEFINED = "a * b, wrong by 0.001 %", "a * b, right for ones", "a * b, nan for a"
LATE, FAINT, ENTRY = "a * b, wrong in one entry", "a * b, wrong by 0.0005 % in one entry", "a * b, wrong in a small entry"
NEAR = "a * b, wrong by 0.00015 %"
UNUSED, CUBE = "a + 0 * b, without a rule for b", "a * a * a * b"
ALONE, ALONE_WRONG = "a * a", "a * a, wrong for a"  # of one input
NOISY, WEAK = "10 + 1e-8 * a * b", "1e-5 * a * b, wrong by 0.03 % for a"
HALF, DOUBLE, BOTH = "a * b, half of it for a", "a * b, twice as much for a", "a * b, wrong for a and b"
WRONG_AT = {
    RIGHT: None,
    LARGE: None,
    UNUSED: None,
    CUBE: None,
    NOISY: None,
    ALONE: None,
    ALONE_WRONG: 0,
    WEAK: 0,
    SECOND: 1,
    SMALL: 0,
    TINY: 0,
    HIDDEN: 0,
    UNDEFINED: 0,
    LATE: 0,
    ENTRY: 0,
    FAINT: 0,
    NEAR: 0,
    HALF: 0,
    DOUBLE: 0,
    BOTH: 0,
}


def describe_gradcheck(function, a, b, settings):
    words = "".join(f", {name}={value:g}" for name, value in settings.items())
    if function in (ALONE, ALONE_WRONG):
        return f"gradcheck(function, a{words}), where the function is {function}", f"a {a.shape}"
    return f"gradcheck(function, (a, b, labels, 2){words}), where the function is {function}", f"a {a.shape}; b {b.shape}"


def draw_gradcheck(rng):
    """Right functions and wrong ones: in either argument, by little, where values are tiny or huge, where ones would hide it."""
    n, m = sizes(rng, 2)
    for function in WRONG_AT:
        b = normal(rng, m)
        if function == ENTRY:
            b[:2] = 3e3, 1e-3
        if function in (FAINT, NEAR):
            b[-1] = 1.5  # not near 0, where no relative error is taken
        if function == WEAK:
            b = np.sign(b)  # so that the errors are those that count below 0.001
        yield dict(function=function, a=normal(rng, n, m), b=b, settings={})
    yield dict(function=RIGHT, a=rng.standard_normal((m, n)), b=rng.standard_normal(1), settings={})
    yield dict(function=HIDDEN, a=rng.standard_normal((2, m)), b=rng.standard_normal((2, 1)), settings={})
    yield dict(function=TINY, a=normal(rng, n, m), b=normal(rng, m), settings={"tolerance": 1e-3})
    yield dict(function=CUBE, a=normal(rng, n, m), b=normal(rng, m), settings={"eps": 0.1})
    for function in (HALF, DOUBLE):
        yield dict(function=function, a=normal(rng, n, m), b=normal(rng, m), settings={"tolerance": 0.6})


float64_gradcheck = False  # gradcheck itself goes to float64


def planted(module, function):
    """Make an op of two tensors, and of two inputs without a gradient, or of one; the mistake that its name tells is in its rules."""
    if function in (ALONE, ALONE_WRONG):
        op = type(module.add)(lambda a: a * a)
        op.name = op.__name__ = function
        op.register_vjp(lambda grad, out, a: grad * a * (2.0 if function == ALONE else 3.0))
        return op
    scale = {LARGE: 1e9, SMALL: 1e-7, NOISY: 1e-8, WEAK: 1e-5}.get(function, 1.0)
    forward = {
        UNUSED: lambda a, b, c, d: a + 0 * b,
        CUBE: lambda a, b, c, d: a * a * a * b,
        NOISY: lambda a, b, c, d: 10 + scale * (a * b),
    }
    op = type(module.add)(forward.get(function, lambda a, b, c, d: scale * (a * b)))
    op.name = op.__name__ = function
    first = {
        SMALL: lambda grad, out, a, b, c, d: grad * b * (2 * scale),
        TINY: lambda grad, out, a, b, c, d: grad * b * 1.00001,
        NEAR: lambda grad, out, a, b, c, d: grad * b * 1.0000015,
        WEAK: lambda grad, out, a, b, c, d: grad * b * (scale * 1.00032),
        HIDDEN: lambda grad, out, a, b, c, d: grad * b + (grad - grad.mean()),
        UNUSED: lambda grad, out, a, b, c, d: grad,
        UNDEFINED: lambda grad, out, a, b, c, d: grad * float("nan"),
        HALF: lambda grad, out, a, b, c, d: grad * b * 0.5,
        DOUBLE: lambda grad, out, a, b, c, d: grad * b * 2.0,
        BOTH: lambda grad, out, a, b, c, d: grad * a * b,
        CUBE: lambda grad, out, a, b, c, d: grad * a * a * b * 3.0,
        LATE: lambda grad, out, a, b, c, d: grad * b * module.Tensor(but_for_the_last(a.shape, 1.5)),
        FAINT: lambda grad, out, a, b, c, d: grad * b * module.Tensor(but_for_the_last(a.shape, 1.000005)),
        ENTRY: lambda grad, out, a, b, c, d: grad * b * module.Tensor(np.where(np.arange(len(b.data)) == 1, 1.5, 1.0)),
    }
    second = {
        SECOND: lambda grad, out, a, b, c, d: grad * a * a,
        BOTH: lambda grad, out, a, b, c, d: grad * a * a,
        UNUSED: None,
        CUBE: lambda grad, out, a, b, c, d: grad * a * a * a,
    }
    op.register_vjp(
        first.get(function, lambda grad, out, a, b, c, d: grad * b * scale),
        second.get(function, lambda grad, out, a, b, c, d: grad * a * scale),
        None,
        None,
    )
    return op


def but_for_the_last(shape, last):
    """Return ones, and another number as the last entry."""
    array = np.ones(shape)
    array[tuple(-1 for _ in shape)] = last
    return array


def observe_gradcheck(module, function, a, b, settings):
    try:
        inputs = module.Tensor(a), module.Tensor(b), module.Tensor(np.arange(3)), 2
        inputs = inputs[0] if function in (ALONE, ALONE_WRONG) else inputs
        result = module.gradcheck(planted(module, function), inputs, **settings)
    except module.GradcheckError as error:
        entry = f", index {list(error.index)}" if function == LATE else ""
        return checked(f"GradcheckError: argument {error.argument}{entry}")
    return checked(
        f"returned {result!r}"
        if isinstance(result, (bool, int, float, str, type(None)))
        else f"returned a {type(result).__name__}"
    )


def checked(outcome):
    """Write down what came of a gradient check."""
    return {"gradcheck": outcome}


PASSES, FIRST, OTHER = "returned True", "GradcheckError: argument 0", "GradcheckError: argument 1"


def right_verdict(function, a, settings):
    """Say what becomes of a function: True, or the argument of which the gradient is wrong."""
    argument = WRONG_AT[function]
    if settings:
        return FIRST if function == CUBE else PASSES
    if argument is None:
        return PASSES
    return f"GradcheckError: argument {argument}" + (f", index {[n - 1 for n in a.shape]}" if function == LATE else "")


def oracle_gradcheck(function, a, b, settings):
    return checked(right_verdict(function, a, settings))


def verdicts(changes, others=None, settings=None):
    """Make a wrong turn that judges some functions differently, those that are right by ``others``, and ignores some settings."""

    def turn(function, a, b, settings):
        if ignored & settings.keys():
            settings = {}
        right = right_verdict(function, a, settings)
        instead = others if right == PASSES and others is not None else right
        changed = instead if settings else changes.get(function, instead)
        return changed if isinstance(changed, tuple) else checked(changed)

    ignored = {settings} if settings else set()
    return turn


def single_precision(function, a, b, settings):
    narrow = (
        a.dtype == np.float32
        and (right_verdict(function, a, settings) == PASSES or function == SECOND)
        and "tolerance" not in settings
    )
    return checked(FIRST if narrow else right_verdict(function, a, settings))


def in_words(outcome):
    """Make a turn that does this where an error is to be raised."""
    return lambda function, a, b, settings: checked(PASSES if right_verdict(function, a, settings) == PASSES else outcome)


FREED = ("raises", "RuntimeError", "freed")
misconceptions_gradcheck = {
    "it began with ones, and some mistakes give the right answer for ones: begin with random numbers": verdicts({HIDDEN: PASSES}),
    "the errors were not divided by the size of the gradient: a large one that is right fails, and a small one that is wrong passes": verdicts(
        {LARGE: FIRST, SMALL: PASSES, WEAK: PASSES}
    ),
    "the errors were not divided by the size of the gradient: a small one that is wrong passes": verdicts({SMALL: PASSES, WEAK: PASSES}),
    "small errors were divided by less than 0.001: where the gradient is tiny, rounding alone looks large": verdicts({NOISY: FIRST}),
    "small errors were divided by more than 0.001: a small gradient that is wrong passes": verdicts({WEAK: PASSES}),
    "errors were divided by the largest entry of all; each has its own size": verdicts({ENTRY: PASSES}),
    "errors were divided by the sum of both sizes: twice the tolerance passes; the larger of the two counts": verdicts({NEAR: PASSES}),
    "errors were averaged, or added up: every entry has to pass": verdicts({FAINT: PASSES}),
    "errors were divided by the gradient alone: where both numbers are 0, that is 0 / 0": verdicts({UNUSED: OTHER, NOISY: FIRST}),
    "errors were divided by the gradient alone, or by the slope alone: the larger of the two counts": verdicts({}, FIRST),
    "an error of the last argument was raised: it is to be the first that has one": verdicts({BOTH: OTHER}),
    "only the first argument was checked": verdicts({SECOND: PASSES}),
    "nan passed: no comparison with nan is true, so ask whether all errors are small": verdicts({UNDEFINED: PASSES}),
    "an error of 0.001 % passed: the tolerance is a tenth of that": verdicts({TINY: PASSES, WEAK: PASSES}),
    "tolerance was ignored": verdicts({}, settings="tolerance"),
    "eps was ignored": verdicts({}, settings="eps"),
    "measured in float32: nudging by 0.00001 leaves it two or three digits": single_precision,
    "grad and numeric_gradient were given different upstream gradients": verdicts({SECOND: FIRST}, FIRST),
    "the graph was freed by the walk for the first argument": verdicts({SECOND: FREED, ALONE: PASSES}, FREED),
    "an input that no gradient reaches has a gradient of zeros: materialize_grads=True": verdicts(
        {UNUSED: ("raises", "RuntimeError", "no output depends")}
    ),
    "nothing was returned: a function that passes gives True": lambda function, a, b, settings: checked(
        "returned None" if right_verdict(function, a, settings) == PASSES else right_verdict(function, a, settings)
    ),
    "False was returned; GradcheckError is to be raised": in_words("returned False"),
    "nothing was raised: GradcheckError is to be, for an entry that does not pass": in_words(PASSES),
}
