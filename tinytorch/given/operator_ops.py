"""Ops that no module writes, each with its rule: what an operator such as `//` or `&` calls. Given."""

import numpy as np

from tinytorch.given.op import op, ops


@op
def floor_divide(a, b):
    """Divide entry by entry, and round down."""
    return divided(np.floor_divide, a, b)


@op
def remainder(a, b):
    """Return the remainder of ``a`` divided by ``b``; it has the sign of ``b``."""
    return divided(np.remainder, a, b)


def divided(divide, a, b):
    """Divide without warnings, because floats have inf and nan; integers have neither, so 0 is refused.

    Raises:
        ZeroDivisionError: A whole number is divided by 0.
    """
    if np.result_type(a, b).kind != "f" and not np.all(b):
        raise ZeroDivisionError("a whole number cannot be divided by 0: convert it first with x.float()")
    with np.errstate(divide="ignore", invalid="ignore"):
        return divide(a, b)


@op
def not_equal(a, b):
    """Compare entry by entry: True where the entries differ, or one is nan."""
    return np.not_equal(a, b)


@op
def bitwise_and(a, b):
    """Return where both are true; for integers, the bits set in both."""
    return np.bitwise_and(a, b)


@op
def bitwise_or(a, b):
    """Return where at least one is true; for integers, the bits set in at least one."""
    return np.bitwise_or(a, b)


@op
def bitwise_xor(a, b):
    """Return where exactly one is true; for integers, the bits set in exactly one."""
    return np.bitwise_xor(a, b)


@op
def bitwise_not(a):
    """Flip True and False; for integers, flip every bit."""
    return np.invert(a)


for each in (floor_divide, not_equal, bitwise_and, bitwise_or, bitwise_xor):
    each.register_vjp(None, None)  # the result moves in steps: its slope is 0 or does not exist
bitwise_not.register_vjp(None)
for each in (floor_divide, remainder, not_equal, bitwise_and, bitwise_or, bitwise_xor, bitwise_not):
    each.register_cost(lambda out, *inputs: out.size)
remainder.register_vjp(lambda grad, out, a, b: grad, lambda grad, out, a, b: -grad * ops["floor_divide"](a, b))
