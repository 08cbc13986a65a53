"""The steps of a kernel: run at once, or kept as calls for a replay. Given.

A kernel of several steps is written once, as a function of the work it adds its steps to. `Now` runs each step when it comes up.
`Later` keeps them, with arrays that stay where they are: `tinytorch.capture` makes these calls again and again.
"""

from functools import partial

import numpy as np

from tinytorch.given.numba_kernels.threads import prepared, spread


class Now:
    """Work whose steps run when they come up."""

    scratch = staticmethod(np.empty)

    def run(self, function, *inputs):
        """Run a function on arrays that are known already; it writes to some of them."""
        function(*inputs)

    def loop(self, loop, count, *inputs, numbers, products=0):
        """Run a compiled ``loop(first, last, *inputs)`` over a range, on as many threads as `spread` finds worth it."""
        spread(lambda first, last: loop(first, last, *inputs), count, numbers, products)

    def choose(self, question, yes, no):
        """Go on with one of two functions of the work, by the answer to a question about numbers."""
        (yes if question() else no)(self)


class Later:
    """Work whose steps are kept in a list of calls.

    Args:
        scratch: Function ``scratch(shape, dtype)`` that gives memory for the numbers between two steps.
    """

    def __init__(self, scratch):
        self.scratch, self.calls = scratch, []

    def run(self, function, *inputs):
        """Keep a call of a function."""
        self.calls.append(partial(function, *inputs))

    def loop(self, loop, count, *inputs, numbers, products=0):
        """Keep a call that runs a loop over a range."""
        self.calls.append(prepared(loop, count, *inputs, numbers=numbers, products=products))

    def choose(self, question, yes, no):
        """Keep the steps of both functions, and a call that asks which of them to make."""
        ways = [Later(self.scratch), Later(self.scratch)]
        for way, add_steps in zip(ways, (no, yes)):
            add_steps(way)

        def call():
            for each in ways[bool(question())].calls:
                each()

        self.calls.append(call)


def prepare(add_steps, out, scratch, *arrays, **settings):
    """Return the calls of a kernel's prepared form: see `Op.register_prepared`.

    Args:
        add_steps: Function ``add_steps(work, out, *arrays, **settings)``, which adds the kernel's steps to its work.
        out, scratch, arrays, settings: What the prepared form was asked for.
    """
    work = Later(scratch)
    add_steps(work, out, *arrays, **settings)
    return work.calls
