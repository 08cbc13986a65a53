"""The check of 09.5 bytes_moved."""

import math

import numpy as np

from .shared import python_int, whole

AGAIN = "the first input once more"
RESULTS = {  # how the result lies in memory -> how a learner would write it
    "its own": "out = {out}, an array of its own",
    "transposed": "out = {x}.T",
    "slice": "out = {x}[1:]",
    "same": "out = {x}, changed in place",
    "of a view": "{x} = larger[1:]; out = {x}.T",
    "of another": "out = temporary.T, where temporary is no input",
}


def draw_bytes_moved(rng):
    """Dtypes, numbers, inputs stretched; results that are views of the first, of the last, of a view; and of what is no input."""

    def array(*size, dtype=np.float32):
        return (10 * rng.standard_normal(size)).astype(dtype)

    n, m = int(rng.integers(2, 6)), int(rng.integers(6, 9))
    plain = dict(result="its own", of=0, stretch=None)
    yield dict(inputs=[array(n, m), array(m, 3)], out=array(n, 3), **plain)
    yield dict(inputs=[array(n, m), 2.5], out=array(n, m), **plain)
    yield dict(inputs=[3, array(n, m, dtype=bool), array(n, m), 0], out=array(n, m), **plain)
    yield dict(inputs=[array(n, m, dtype=np.float64), array(n, dtype=np.int64)], out=array(dtype=np.float64), **plain)
    yield dict(inputs=[array(n, m)], out=array(n, m, dtype=bool), **plain)
    yield dict(inputs=[array(n, m)], out=None, result="transposed", of=0, stretch=None)
    yield dict(inputs=[array(n, m), array(m)], out=None, result="slice", of=1, stretch=None)
    yield dict(inputs=[2.0, array(n, m), array(1)], out=None, result="same", of=1, stretch=None)
    yield dict(inputs=[array(n, m)], out=None, result="of a view", of=0, stretch=None)
    yield dict(inputs=[array(n, m), array(n, m)], out=array(m, n), result="of another", of=0, stretch=None)
    yield dict(inputs=[array(n, m), array(n, 1)], out=array(n, m), result="its own", of=0, stretch=(1, (n, m)))
    yield dict(inputs=[array(n, m), 2, AGAIN], out=array(n, m), **plain)


@whole
def describe_bytes_moved(inputs, out, result, of, stretch):
    """Write the call as a learner would, with what the arrays are."""
    names = [chr(ord("a") + i) if isinstance(x, np.ndarray) else "a" if x == AGAIN else repr(x) for i, x in enumerate(inputs)]
    known = [f"{name} {x.shape} {x.dtype}" for name, x in zip(names, inputs) if isinstance(x, np.ndarray)]
    if stretch:
        known[stretch[0]] += f" stretched to {stretch[1]}"
    words = RESULTS[result].format(x=names[of], out=f"{out.shape} {out.dtype}" if out is not None else "")
    return f"bytes_moved(out, {', '.join(names)})\n{'; '.join(known)}\n{words}"


def observe_bytes_moved(module, inputs, out, result, of, stretch):
    """Call it with arrays that lie in memory as no wire can carry them."""
    given = [np.array(x) if isinstance(x, np.ndarray) else x for x in inputs]  # with memory of its own, so that base is None
    given = [given[0] if isinstance(x, str) else x for x in given]
    if stretch:
        given[stretch[0]] = np.broadcast_to(given[stretch[0]], stretch[1])
    if result == "of a view":
        given[of] = np.concatenate([given[of][:1], given[of]])[1:]
    source = given[of]
    out = np.array(out) if out is not None else source
    out = {
        "transposed": lambda: source.T,
        "slice": lambda: source[1:],
        "of a view": lambda: source.T,
        "of another": lambda: np.array(out.T).T,
    }.get(result, lambda: out)()
    return python_int(module.bytes_moved(out, *given))


def oracle_bytes_moved(
    inputs, out, result, of, stretch, written=True, size=None, number=0, views="all", stretched=False, read=True, twice=True
):
    """Count bytes.

    Args:
        written: Whether the result counts; ``read``: whether the inputs do.
        size: Bytes of an entry, if not as many as its dtype has.
        number: Bytes of a Python number.
        views: Which views count nothing: "all", "none", those of the "first" input, any with a "base" (as out.base says), what
            is the "same" array, and what has an input as its "bottom".
        stretched: Whether a stretched array counts as often as it is read.
        twice: Whether an array counts as often as it is given.
    """
    inputs = [x if not isinstance(x, str) else inputs[0] for x in inputs if twice or not isinstance(x, str)]
    arrays = [x for x in inputs if isinstance(x, np.ndarray)]
    shapes = [x.shape for x in arrays]
    if stretch and stretched:
        shapes[stretch[0]] = stretch[1]
    total = sum(math.prod(one) * (size or x.dtype.itemsize) for one, x in zip(shapes, arrays)) if read else 0
    total += number * (len(inputs) - len(arrays))
    nothing = {
        "all": ("transposed", "slice", "same", "of a view"),
        "none": (),
        "base": ("transposed", "slice", "of a view", "of another"),
        "first": ("transposed", "slice", "same", "of a view") if isinstance(inputs[0], np.ndarray) and of == 0 else (),
        "same": ("same",),
        "bottom": ("transposed", "slice"),
    }[views]
    if result in nothing:
        return 0
    if out is None:
        out = inputs[of][1:] if result == "slice" else inputs[of]
    return total + (out.size * (size or out.dtype.itemsize) if written else 0)


misconceptions_bytes_moved = {
    "the result was left out: it has to be written": lambda **inputs: oracle_bytes_moved(**inputs, written=False),
    "the inputs were left out: they have to be read": lambda **inputs: oracle_bytes_moved(**inputs, read=False),
    "these are entries, not bytes": lambda **inputs: oracle_bytes_moved(**inputs, size=1, stretched=True),
    "every entry counts 4 bytes, whatever its dtype: held knows the dtype": lambda **inputs: oracle_bytes_moved(
        **inputs, size=4, stretched=True
    ),
    "every entry counts 8 bytes, whatever its dtype: held knows the dtype": lambda **inputs: oracle_bytes_moved(
        **inputs, size=8, stretched=True
    ),
    "an array that is given twice, as in a * a, counts once: every input counts": lambda **inputs: oracle_bytes_moved(
        **inputs, twice=False
    ),
    "a Python number counts 8 bytes: it is not in memory": lambda **inputs: oracle_bytes_moved(**inputs, number=8),
    "a Python number counts 4 bytes: it is not in memory": lambda **inputs: oracle_bytes_moved(**inputs, number=4),
    "a Python number is no array, and has none of an array's attributes: leave it out first": lambda **inputs: (
        oracle_bytes_moved(**inputs)
        if all(isinstance(x, (np.ndarray, str)) for x in inputs["inputs"])
        else ("raises", "AttributeError")
    ),
    "views count as if their entries had been moved": lambda **inputs: oracle_bytes_moved(**inputs, views="none"),
    "only the first input was asked whether the result is a view of it": lambda **inputs: oracle_bytes_moved(
        **inputs, views="first"
    ),
    "out.base says only that out is a view of something, which may be no input: np.may_share_memory(out, x) asks about an input": lambda **inputs: (
        oracle_bytes_moved(**inputs, views="base")
    ),
    "a view is another object than its input: np.may_share_memory(out, x) asks about the memory": lambda **inputs: (
        oracle_bytes_moved(**inputs, views="same")
    ),
    "out.base is the array at the bottom, not the input that is a view itself: np.may_share_memory(out, x) asks about the memory": lambda **inputs: (
        oracle_bytes_moved(**inputs, views="bottom")
    ),
    "a view moves nothing, not even its input: 0 in all": lambda **inputs: oracle_bytes_moved(
        **inputs, views="none", written=(inputs["result"] in ("its own", "of another"))
    ),
    "a NumPy integer was returned, as np.sum gives it: a Python int is asked for": lambda **inputs: (
        f"{count}, of type int64: a Python int is asked for" if (count := oracle_bytes_moved(**inputs)) else 0
    ),
    "a stretched number counts as often as it is read (nbytes): held counts it once": lambda **inputs: oracle_bytes_moved(
        **inputs, stretched=True
    ),
}
