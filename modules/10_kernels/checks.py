"""Checks of module 10. NumPy only: nothing here runs the code that it judges, except `observe`.

A kernel is called as Python first: compiled code does not look at indices, and one that is wrong reads and writes what belongs
to others. Then it is compiled, as it will run, because Python is more than numba understands; and the types that numba has
inferred say where a float64 has crept in.
"""

import itertools
import linecache
import math
import re
import sys

import numpy as np

FLOAT64 = False  # a kernel is compiled for float32
STRIDED = False  # nor arrays that are not contiguous: `covers` keeps them away
COMPILE = True  # False while mutants are run
FILLED = 77.0  # what an array holds that is to be written on


def whole(describe):
    """Make a `describe_` function say all that is shown of a call: nothing is said of its arrays beside it."""
    return lambda **inputs: (describe(**inputs), "")


def floats(rng, *shape):
    """Draw float32 numbers of both signs."""
    return 2 * rng.standard_normal(shape, np.float32)


def wide(*values):
    return [np.asarray(value, np.float64) for value in values]


def shown(**arrays):
    """Return arrays as text, a line for each: small ones whole, of the others their shape."""

    def digits(value):
        return f"{value:.4g}" if np.ndim(value) == 0 else "[" + ", ".join(digits(one) for one in value) + "]"

    return "\n".join(
        f"{name} = {digits(array)}" if array.size <= 12 else f"{name} {array.shape} {array.dtype}"
        for name, array in arrays.items()
    )


def fresh(arrays):
    return [np.copy(one) if isinstance(one, np.ndarray) else one for one in arrays]


def ran(kernel, arguments, out, depth=None):
    """Run a kernel as Python, and compiled, on copies of its arguments.

    Args:
        kernel: What `jit` made.
        arguments: Dict of its arguments by name, in their order.
        out: Names of those that it writes to.
        depth: How many loops there are around the arithmetic on each entry; None if float64 may be anywhere.

    Returns:
        Dict: what it returned, what became of the arguments that it only reads, what it left in the others, run as Python and
        compiled, and the arithmetic that it was compiled to.
    """
    names, function = list(arguments), getattr(kernel, "py_func", kernel)
    copies = fresh(arguments.values())
    with np.errstate(all="ignore"):
        returned = function(*copies)
    after = dict(zip(names, copies))
    read = {name: after[name] for name in names if name not in out and isinstance(after[name], np.ndarray)}
    seen = left({name: after[name] for name in out}, **read)
    seen["returned"] = "nothing" if returned is None else "something: it only writes to its arguments"
    if COMPILE:
        again = fresh(arguments.values())
        problem = compile_and_run(kernel, again)
        if problem:
            return seen | {"compiled": problem}
        seen |= {COMPILED.format(name): again[names.index(name)] for name in out}
        line = depth and float64_line(kernel, arguments.values(), depth)
        if line:
            seen[ARITHMETIC] = f"float64, in `{line}`: {WIDENS}"
    return seen


RUN, ONLY_READ, COMPILED = "{}, run as Python", "{} afterwards, which is only to be read", "{}, compiled"
ARITHMETIC, WIDENS = "the arithmetic, compiled", "a number that is not made by np.float32(...) widens all that it meets"


def left(out, **kept):
    """Give results the form of what `ran` returns."""
    return {
        "returned": "nothing",
        **{ONLY_READ.format(name): array for name, array in kept.items()},
        **{RUN.format(name): array for name, array in out.items()},
        "compiled": "by numba, as it is",
        **{COMPILED.format(name): array for name, array in out.items()},
        ARITHMETIC: "float32 alone",
    }


def compile_and_run(kernel, arguments):
    """Run a kernel as machine code, compiled with the options that its own `@jit` has; return what is in the way of that."""
    if not hasattr(kernel, "py_func"):
        return "no: the line `@jit(...)` above the function is missing"
    try:
        kernel(*arguments)
    except Exception as error:
        return f"no: {numba_says(error)}"
    return None


def compile_for(kernel, arguments):
    """Compile a kernel for arguments like these, before the clock runs, and do not run it."""
    if COMPILE and hasattr(kernel, "py_func"):
        function, copies = kernel.py_func, fresh(arguments.values())
        kernel.compile(tuple(sys.modules["numba"].typeof(one) for one in arguments.values()))
        types_of(kernel, arguments.values())
        if any(hasattr(function.__globals__.get(name), "py_func") for name in function.__code__.co_names):
            function(*copies)  # run as Python, it calls another kernel, which is compiled for that


ADVICE = {"step size": "count the blocks, and multiply", "Invalid use of": "numba does not know this for what stands there"}


def numba_says(error):
    """Return what an error of numba's tells the author of the kernel: its first sentence, the line, and what to do."""
    lines = [line.strip() for line in str(error).splitlines()]
    words = " ".join(
        line
        for line in itertools.takewhile(lambda line: not line.startswith(("During", "File")), lines)
        if line and not line.startswith(("Failed in", "There are", ">>>"))
    )
    marked = next((before for before, line in zip(lines, lines[1:]) if line.startswith("^")), "")
    advice = "; ".join(text for sign, text in ADVICE.items() if sign in words)
    return (words[:90] or type(error).__name__) + (f", in `{marked[:60]}`" if marked else "") + (f": {advice}" if advice else "")


TYPED = {}  # Python function -> the same, compiled in this process


def types_of(kernel, arguments):
    """Return numba's notes on a compiled kernel; machine code that was kept from before has none, and is compiled again."""
    notes = kernel.overloads[kernel.signatures[-1]].type_annotation
    if hasattr(notes, "typemap"):
        return notes
    if kernel.py_func not in TYPED:
        options = {name: value for name, value in kernel.targetoptions.items() if name != "nopython"}
        TYPED[kernel.py_func] = sys.modules["numba"].njit(**options)(kernel.py_func)
        TYPED[kernel.py_func].compile(tuple(sys.modules["numba"].typeof(one) for one in arguments))
    again = TYPED[kernel.py_func]
    return again.overloads[again.signatures[-1]].type_annotation


def float64_line(kernel, arguments, depth):
    """Return the first line that computes in float64 for each entry, because of a number that is no float32; None if none does.

    What comes of a whole number in a formula, as in `x / 2`, is left alone; and a sum may be kept in float64.
    """
    analysis = sys.modules["numba"].core.analysis
    notes = types_of(kernel, arguments)
    loops = analysis.compute_cfg_from_blocks(notes.blocks).loops().values()
    steps = [
        (sum(label in loop.body for loop in loops), step)
        for label, block in sorted(notes.blocks.items())
        for step in block.body
        if type(step).__name__ == "Assign"
    ]
    kinds = {name: str(kind) for name, kind in notes.typemap.items()}
    wide_ones = {name for name, kind in kinds.items() if re.match(r"(array\(|UniTuple\(|Tuple\()?float64", kind)}
    whole = {name for name, kind in kinds.items() if re.match(r"u?int\d|Literal\[int", kind)}
    data = closure(steps, lambda value, known: type(value).__name__ == "Arg" or getattr(value, "op", None) != "getattr" and known)
    spoiled = closure(
        [step for step in steps if step[1].target.name in wide_ones],
        lambda value, known: known or widens(value, wide_ones, whole),
    )
    for around, step in steps:
        inner = around + ("array" in kinds.get(step.target.name, ""))  # an array's arithmetic is a loop of its own
        computes = getattr(step.value, "op", None) in ("binop", "inplace_binop", "unary", "call") and data & variables(step.value)
        if computes and step.target.name in spoiled and inner >= depth and not is_sum(step, steps):
            line = linecache.getline(step.loc.filename, step.loc.line).strip() or f"line {step.loc.line}"
            return line if len(line) <= 70 else f"{line[:67]}..."
    return None


def closure(steps, holds):
    """Return the targets for whose values something holds, given whether it holds for one of the variables in them."""
    names = set()
    while found := {step.target.name for _, step in steps if holds(step.value, bool(names & variables(step.value)))} - names:
        names |= found
    return names


def variables(value):
    """Return the names of the variables within a value of numba's."""
    if type(value).__name__ == "Var":
        return {value.name}
    return {one.name for one in value.list_vars()} if hasattr(value, "list_vars") else set()


def widens(value, wide_ones, whole):
    """Say whether a float64 is one that is written down, made by a call from what is none, or a variable that begins with 0."""
    if type(value).__name__ in ("Const", "Global", "FreeVar"):
        return isinstance(value.value, (int, float))
    if type(value).__name__ == "Var":
        return value.name in whole
    op = getattr(value, "op", None)
    return op == "getattr" or op == "call" and not wide_ones & variables(value) or op == "phi" and bool(whole & variables(value))


def is_sum(step, steps):
    """Say whether a step adds to a variable, and keeps the sum under its name: a sum may be kept in float64."""
    value = step.value
    if value.op not in ("binop", "inplace_binop") or value.fn.__name__ not in ("add", "iadd", "sub", "isub"):
        return False
    root = value.lhs.name.split(".")[0]
    kept = [other.target.name.split(".")[0] for _, other in steps if variables(other.value) == {step.target.name}]
    return root in [step.target.name.split(".")[0], *kept]


# 10.1 gelu_loop


def draw_gelu_loop(rng):
    """A few numbers, one, those near which the curve ends in a straight line, and those at which something ends."""
    for size in (int(rng.integers(3, 7)), 1, int(rng.integers(9, 20))):
        yield dict(a=np.maximum(floats(rng, size), np.float32(-2.5)))  # further below, an error of 6e-7 of erf32 is much
    yield dict(a=np.array([0, -0.5, 8, -8, 100, -100], np.float32)[rng.permutation(6)])
    near = np.array([-4, -3.5, -3, 3, 3.5, 4], np.float32)[rng.permutation(6)]
    yield dict(a=near + rng.uniform(-0.2, 0.2, 6).astype(np.float32))
    yield dict(a=np.array([np.nan, np.inf, 1], np.float32) + 0 * floats(rng, 3))


@whole
def describe_gelu_loop(a):
    return f"gelu_loop(a, out)\n{shown(a=a)}"


def arguments_gelu_loop(a):
    return dict(a=a, out=np.full_like(a, FILLED))


def prepare_gelu_loop(gelu_loop, cases):
    compile_for(gelu_loop, arguments_gelu_loop(**cases[0]))


def observe_gelu_loop(gelu_loop, **inputs):
    return ran(gelu_loop, arguments_gelu_loop(**inputs), out=["out"], depth=1)


def of_numbers(function):
    """Make an oracle of a function of one float."""

    def oracle(a):
        with np.errstate(all="ignore"):
            return left({"out": np.array([function(float(x)) for x in a.astype(np.float64)])}, a=a)

    return oracle


def gelu(x, half=0.5, scale=math.sqrt(0.5), sign=1):
    return x * half * (1 + sign * math.erf(scale * x))


def gelu_tanh(x):
    return x * 0.5 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def but_last(a):
    right = of_numbers(gelu)(a)
    out = np.append(right[RUN.format("out")][:-1], FILLED)
    return left({"out": out}, a=a)


def whole_steps(step):
    """Write only as many entries as whole steps have."""

    def oracle(a):
        out = of_numbers(gelu)(a)[RUN.format("out")]
        out[len(out) - len(out) % step :] = FILLED
        return left({"out": out}, a=a)

    return oracle


oracle_gelu_loop = of_numbers(gelu)
misconceptions_gelu_loop = {
    "the one half is missing": of_numbers(lambda x: gelu(x, half=1.0)),
    "the error function was taken of x itself, not of x over the root of 2": of_numbers(lambda x: gelu(x, scale=1.0)),
    "the root was multiplied by, not divided by": of_numbers(lambda x: gelu(x, scale=math.sqrt(2))),
    "x was divided by 2, not by the root of 2": of_numbers(lambda x: gelu(x, scale=0.5)),
    "this is the probability alone: multiply it by x": of_numbers(lambda x: 0.5 * (1 + math.erf(x / math.sqrt(2)))),
    "the 1 is missing: (1 + erf(...))": of_numbers(lambda x: 0.5 * x * math.erf(x / math.sqrt(2))),
    "the error function was subtracted from 1, not added": of_numbers(lambda x: gelu(x, sign=-1)),
    "this is the form by tanh, which is only near: the exact one is asked for": of_numbers(gelu_tanh),
    "the result was added to what `out` held: it may hold anything": of_numbers(lambda x: FILLED + gelu(x)),
    "the last entry was not written: range(n) ends at n - 1": but_last,
    "the entries that are left after the last whole step were not written": tuple(whole_steps(step) for step in (2, 4, 8)),
    "entries for which x is 0 were not written: `out` may hold anything": of_numbers(lambda x: gelu(x) if x else FILLED),
    "nothing was written to `out`: `out = ...` gives the name to something else, `out[i] = ...` writes": of_numbers(
        lambda x: FILLED
    ),
}


# 10.2 covers

CALLS = {  # kind of arrays -> how a learner would write the call
    "whole": "covers(a)",
    "some rows": "covers(a[1:])",
    "two": "covers(a, b)",
    "three": "covers(a, a, b)",
    "float64": "covers(a)",
    "float16": "covers(a)",
    "integers": "covers(a)",
    "truth values": "covers(a)",
    "the other byte order": "covers(a.astype(a.dtype.newbyteorder()))",
    "an odd address": "covers(a), where a begins at an odd address",
    "transposed": "covers(a.T)",
    "every second column": "covers(a[:, ::2])",
    "backwards": "covers(a[::-1])",
    "read-only": "covers(a), after a.flags.writeable = False",
    "empty": "covers(a)",
    "with a number": "covers(a, 2.5)",
    "with a list": "covers(a, [1.5, 2.0])",
    "number first": "covers(2.5, a)",
    "a NumPy number": "covers(a, np.float32(2.5))",
    "two, the second float64": "covers(a, b)",
    "two, the first float64": "covers(a, b)",
    "two, the second transposed": "covers(a, b.T)",
}
COVERED = {"whole", "some rows", "two", "three"}
NOT_ARRAYS = {"with a number": 2.5, "with a list": [1.5, 2.0], "number first": 2.5, "a NumPy number": 2.5}


def draw_covers(rng):
    """Arrays that are covered, of any rank, and one of each kind that is not, alone and beside one that is."""
    shape = tuple(int(n) for n in rng.permutation([3, 4, 5])[:2])
    a, b = floats(rng, *shape), floats(rng, int(rng.integers(3, 8)))
    for size in (shape, (int(rng.integers(2, 9)),), (), (2, 1, 3)):
        yield dict(kind="whole", arrays=[floats(rng, *size)])
    dtypes = {"float64": np.float64, "float16": np.float16, "integers": np.int32, "truth values": bool, "empty": np.float32}
    for kind in CALLS:
        if kind in dtypes:
            yield dict(kind=kind, arrays=[(a if kind != "empty" else floats(rng, 0, 3)).astype(dtypes[kind])])
        elif kind != "whole":
            arrays = {
                "two": [a, b],
                "three": [a, a, b],
                "two, the second float64": [a, a.astype(np.float64)],
                "two, the first float64": [a.astype(np.float64), a],
                "two, the second transposed": [a, a],
            }.get(kind, [a])
            yield dict(kind=kind, arrays=arrays)


@whole
def describe_covers(kind, arrays):
    return (
        CALLS[kind]
        + "\n"
        + "; ".join(
            f"{name} {array.shape} {array.dtype}"
            for name, array in zip("ab", ([arrays[0], arrays[-1]] if kind == "three" else arrays))
        )
    )


def as_named(kind, arrays):
    """Make of arrays what their name says: strides and flags do not survive the way to the process that runs learner code."""
    arrays = [np.array(one) for one in arrays]
    first = arrays[0]
    if kind in NOT_ARRAYS:
        other = np.float32(2.5) if kind == "a NumPy number" else NOT_ARRAYS[kind]
        return [other, first] if kind == "number first" else [first, other]
    if kind == "read-only":
        first.flags.writeable = False
    if kind == "an odd address":
        room = np.zeros(first.nbytes + 1, np.uint8)
        moved = room[1:].view(np.float32).reshape(first.shape)
        moved[...] = first
        return [moved]
    if kind == "two, the second transposed":
        return [first, arrays[1].T]
    changed = {
        "some rows": lambda: first[1:],
        "transposed": lambda: first.T,
        "every second column": lambda: first[:, ::2],
        "backwards": lambda: first[::-1],
        "the other byte order": lambda: first.astype(first.dtype.newbyteorder()),
    }
    return [changed[kind]()] if kind in changed else arrays


def observe_covers(covers, kind, arrays):
    answer = covers(*as_named(kind, arrays))
    return bool(answer) if isinstance(answer, (bool, np.bool_)) else answer


def oracle_covers(kind, arrays):
    return kind in COVERED


def covering(*more, less=(), fails=(), error="AttributeError"):
    """Make the oracle of a function for which other kinds count as covered, or do not, and which fails on some."""

    def oracle(kind, arrays):
        return ("raises", error) if kind in fails else (kind in COVERED or kind in more) and kind not in less

    return oracle


DTYPES, NUMBERS = (
    ("float64", "float16", "integers", "truth values"),
    ("with a number", "with a list", "number first", "a NumPy number"),
)
MIXED, LAYOUTS = ("two, the second float64", "two, the first float64"), ("transposed", "every second column", "backwards")
misconceptions_covers = {
    "the dtype was not looked at": covering(*DTYPES, *MIXED, "the other byte order"),
    "float64 counts as covered; the loops are for float32": covering("float64", "float16", *MIXED),
    "float64 counts as covered, too; the loops are for float32": covering("float64", *MIXED),
    "float32 in the other byte order counts as covered: compare the dtype itself, a.dtype == np.float32": covering(
        "the other byte order"
    ),
    "an array at an odd address counts as covered: flags.carray asks for that, too": covering("an odd address"),
    "how the array lies in memory was not looked at": covering(
        *LAYOUTS, "read-only", "an odd address", "two, the second transposed"
    ),
    "an array that may not be written to counts as covered": covering("read-only"),
    "an array that may not be written to, or lies at an odd address, counts as covered: flags.carray asks for both": covering(
        "read-only", "an odd address"
    ),
    "an array in one piece counts as covered in any order of its indices, as a transposed one has": covering(
        "transposed", "two, the second transposed"
    ),
    "an array without entries counts as covered": covering("empty"),
    "only the size of an entry was looked at, which int32 shares with float32: look at the dtype": covering(
        "integers", "the other byte order"
    ),
    "an array without axes has no len(): a.size is the number of entries": lambda kind, arrays: (
        ("raises", "TypeError") if any(array.ndim == 0 for array in arrays) else kind in COVERED
    ),
    "a view counts as not covered, though it lies in one piece": covering(less=("some rows",)),
    "only the first array was looked at": covering(
        "with a number", "with a list", "a NumPy number", "two, the second float64", "two, the second transposed"
    ),
    "only the last array was looked at": covering("number first", "two, the first float64"),
    "one array that fits was taken to be enough": covering(*NUMBERS, *MIXED, "two, the second transposed"),
    "a number or a list counts as covered, as long as the arrays beside it are": covering(*NUMBERS),
    "what is no array has no dtype: ask isinstance first": covering(
        fails=("with a number", "with a list", "number first", "a NumPy number")
    ),
    "a number and a list have no dtype, and a NumPy number is no array: ask isinstance first": covering(
        fails=("with a number", "with a list", "number first")
    ),
    "an array counts as covered only if it has two axes: any number of them will do": lambda kind, arrays: (
        kind in COVERED and all(array.ndim == 2 for array in arrays)
    ),
}


# 10.3 softmax_rows


def tables(rng):
    """Draw tables of scores: wide, high, of one column, of one row, of more than ten columns, large, far above 0, far below, and with infinite ones."""
    few, more = int(rng.integers(2, 4)), int(rng.integers(4, 8))
    for shape in ((2, 3), (3, 2), (few, more), (more, few), (4, 1), (1, more), (2, int(rng.integers(11, 14)))):
        yield floats(rng, *shape)
    for size in (-500, 500):
        a = floats(rng, 3, 4) * 100 + size
        yield a - 2 * np.float32(size) * (np.sign(a) == -np.sign(size))  # all of one sign
    a = floats(rng, 3, 4) * 40  # rows far apart: the exponentials of one vanish beside another's
    yield a + np.array([[-300], [0], [300]], np.float32)[rng.permutation(3)]
    a = floats(rng, 4, 3)
    a[1, 2], a[2, 0], a[3, 1] = -np.inf, np.nan, -300
    yield a


def draw_softmax_rows(rng):
    for a in tables(rng):
        yield dict(a=a)


@whole
def describe_softmax_rows(a):
    return f"softmax_rows(a, out)\n{shown(a=a)}"


def arguments_softmax_rows(a):
    return dict(a=a, out=np.full_like(a, FILLED))


def prepare_softmax_rows(softmax_rows, cases):
    compile_for(softmax_rows, arguments_softmax_rows(**cases[0]))


def observe_softmax_rows(softmax_rows, **inputs):
    return ran(softmax_rows, arguments_softmax_rows(**inputs), out=["out"], depth=2)


def exponentials(a, axis=1):
    return np.exp(a - np.max(a, axis=axis, keepdims=True))


def narrow_exp(a):
    """Take exponentials as float32 has them, and as `exp32` does: below -86 they are 0."""
    with np.errstate(all="ignore"):
        return np.where(np.asarray(a) < -86, 0.0, np.exp(np.asarray(a, np.float32)).astype(np.float64))


def shares(powers):
    return powers / powers.sum(axis=1, keepdims=True)


def from_zero(a):
    """Return the largest entry of every row, looked for from 0 on."""
    return np.maximum(a.max(axis=1, keepdims=True), 0)


def of_rows(function):
    """Make an oracle of a function of a float64 table."""

    def oracle(a):
        with np.errstate(all="ignore"):
            return left({"out": function(a.astype(np.float64))}, a=a)

    return oracle


def unless_square(oracle, **shape_of):
    """Make the oracle of a kernel that takes columns for rows, and then looks for some that are not there."""

    def answer(**inputs):
        table = next(iter(inputs.values()))
        return oracle(**inputs) if table.shape[0] == table.shape[1] else ("raises", "IndexError")

    return answer


def running(a):
    """Divide each row by a sum that began with the rows above."""
    powers = exponentials(a)
    return powers / np.cumsum(powers.sum(axis=1))[:, None]


def no_smaller_than(least):
    """Cut the differences off below a number."""
    return lambda a: shares(np.exp(np.maximum(a - a.max(axis=1, keepdims=True), least)))


atol_softmax_rows = 1e-30  # small probabilities are right, too, as far down as float32 holds them
oracle_softmax_rows = of_rows(lambda a: shares(exponentials(a)).astype(np.float32).astype(np.float64))
misconceptions_softmax_rows = {
    "the largest entry of the whole table was taken out: a row far below it vanishes": of_rows(
        lambda a: shares(narrow_exp(a - a.max()))
    ),
    "the largest entry of the first row was taken out of every row": of_rows(lambda a: shares(narrow_exp(a - a[0].max()))),
    "the first score of each row was taken out, not the largest: one far above it overflows": of_rows(
        lambda a: shares(narrow_exp(a - a[:, :1]))
    ),
    "the largest was looked for from 0 on: in a row of numbers below 0 it is not found": of_rows(
        lambda a: shares(narrow_exp(a - from_zero(a)))
    ),
    "nothing was taken out before the exponentials: they overflow, or all become 0": of_rows(lambda a: shares(narrow_exp(a))),
    "differences far below 0 were cut off: small probabilities are too large": tuple(
        of_rows(no_smaller_than(least)) for least in (-10, -20, -30, -50)
    ),
    "the exponentials were not divided by their sum": of_rows(exponentials),
    "the sum goes on from row to row: it begins at 0 in each": of_rows(running),
    "each entry was divided by the sum of those before it: the sum is complete only after the whole row": of_rows(
        lambda a: narrow_exp(a - a.max(axis=1, keepdims=True)) / np.cumsum(narrow_exp(a - a.max(axis=1, keepdims=True)), axis=1)
    ),
    "the columns sum to 1, not the rows": of_rows(lambda a: exponentials(a, 0) / exponentials(a, 0).sum(axis=0)),
    "divided by the mean, not by the sum": of_rows(lambda a: shares(exponentials(a)) * a.shape[1]),
    "what `out` held was added to, and is in the sum as well: it may hold anything": of_rows(
        lambda a: shares(FILLED + exponentials(a))
    ),
    "what `out` held was added to: it may hold anything": of_rows(
        lambda a: (FILLED + exponentials(a)) / exponentials(a).sum(axis=1, keepdims=True)
    ),
    "this is the logarithm of the softmax": of_rows(
        lambda a: a - a.max(axis=1, keepdims=True) - np.log(exponentials(a).sum(axis=1, keepdims=True))
    ),
    "rows and columns are exchanged: a.shape is (n, m), and a[i] is row i": unless_square(
        of_rows(lambda a: shares(exponentials(a)))
    ),
}


# 10.4 loss_rows


def some_labels(rng, logits, first_wrong=False):
    """Draw labels; one of them is not that of its row's largest score."""
    labels = rng.integers(logits.shape[1], size=len(logits))
    if first_wrong:
        labels[0] = np.argmin(logits[0])
    return labels


def draw_loss_rows(rng):
    for logits in tables(rng):
        finite = bool(np.isfinite(logits).all())
        labels = some_labels(rng, logits, first_wrong=True) if finite else np.array([2, 0, 1, 1])
        yield dict(logits=logits, labels=labels)


@whole
def describe_loss_rows(logits, labels):
    return f"loss_rows(logits, labels, losses)\n{shown(logits=logits, labels=labels)}"


def arguments_loss_rows(logits, labels):
    return dict(logits=logits, labels=labels, losses=np.full(len(labels), FILLED, np.float32))


def prepare_loss_rows(loss_rows, cases):
    compile_for(loss_rows, arguments_loss_rows(**cases[0]))


def observe_loss_rows(loss_rows, **inputs):
    return ran(loss_rows, arguments_loss_rows(**inputs), out=["losses"], depth=2)


def of_scores(function):
    """Make an oracle of a function of float64 scores and labels."""

    def oracle(logits, labels):
        with np.errstate(all="ignore"):
            losses = function(logits.astype(np.float64), labels)
            return losses if isinstance(losses, tuple) else left({"losses": losses}, logits=logits, labels=labels)

    return oracle


def right_ones(z, labels):
    return np.array([row[label] for row, label in zip(z, labels)])


def log_sum_exp(z, top=None):
    top = z.max(axis=1) if top is None else top
    return np.log(narrow_exp(z - top[:, None]).sum(axis=1)) + top


def losses_of(z, labels):
    return log_sum_exp(z) - right_ones(z, labels)


def domain_error(values):
    """Return what math.log makes of some numbers: an error, if one is 0."""
    return ("raises", "ValueError") if (values == 0).any() else np.log(values)


def log_of_share(z, labels, log=domain_error):
    logs = log(right_ones(shares(narrow_exp(z - z.max(axis=1, keepdims=True))), labels))
    return logs if isinstance(logs, tuple) else -logs


def found_from_zero(z, labels):
    top = from_zero(z)
    logs = domain_error(narrow_exp(z - top).sum(axis=1))
    return logs if isinstance(logs, tuple) else logs + top[:, 0] - right_ones(z, labels)


def overflowing(z, labels):
    """Add exponentials as they are: those of large scores are infinite, and those far below 0 are 0."""
    logs = domain_error(narrow_exp(z).sum(axis=1))
    return logs if isinstance(logs, tuple) else logs - right_ones(z, labels)


def of_other_row(z, labels):
    """Take row and column for each other where the right class is looked up."""
    if max(labels) >= len(z) or len(labels) > z.shape[1]:
        return ("raises", "IndexError")
    return log_sum_exp(z) - np.array([z[label, i] for i, label in enumerate(labels)])


atol_loss_rows = 1e-4  # a loss near 0 is the difference of scores of 500, which float32 has to 3e-5
oracle_loss_rows = of_scores(losses_of)
misconceptions_loss_rows = {
    "what was taken out of the exponentials was not added again": of_scores(
        lambda z, labels: np.log(exponentials(z).sum(axis=1)) - right_ones(z, labels)
    ),
    "what was taken out of the exponentials was taken off once more, not added": of_scores(
        lambda z, labels: np.log(exponentials(z).sum(axis=1)) - z.max(axis=1) - right_ones(z, labels)
    ),
    "the score of the right class was not subtracted": of_scores(lambda z, labels: log_sum_exp(z)),
    "the score of the right class was added, not subtracted": of_scores(lambda z, labels: log_sum_exp(z) + right_ones(z, labels)),
    "the sign is wrong: a loss is not negative": of_scores(lambda z, labels: -losses_of(z, labels)),
    "nothing was taken out before the exponentials: they overflow, or all are 0 and have no logarithm": of_scores(overflowing),
    "nothing was taken out before the exponentials: they overflow, or all become 0": of_scores(
        lambda z, labels: np.log(narrow_exp(z).sum(axis=1)) - right_ones(z, labels)
    ),
    "the largest was looked for from 0 on: in a row of numbers below 0 it is not found, and the sum is 0": of_scores(
        found_from_zero
    ),
    "the logarithm was taken of the share, which rounds to 0: take logarithms of the sum alone, and subtract": of_scores(
        log_of_share
    ),
    "the logarithm was taken of the share, which rounds to 0, and gives inf: take that of the sum alone, and subtract": of_scores(
        lambda z, labels: log_of_share(z, labels, np.log)
    ),
    "the first score of each row was taken out, not the largest: one far above it overflows": of_scores(
        lambda z, labels: log_sum_exp(z, z[:, 0]) - right_ones(z, labels)
    ),
    "the exponentials were averaged, not added up": of_scores(
        lambda z, labels: np.log(exponentials(z).mean(axis=1)) + z.max(axis=1) - right_ones(z, labels)
    ),
    "the largest entry of the whole table was taken out: a row far below it has a sum of 0, which has no logarithm": of_scores(
        lambda z, labels: (
            logs
            if isinstance(logs := domain_error(narrow_exp(z - z.max()).sum(axis=1)), tuple)
            else logs + z.max() - right_ones(z, labels)
        )
    ),
    "the logarithm has base 10, not e": of_scores(
        lambda z, labels: (log_sum_exp(z) - z.max(axis=1)) / math.log(10) + z.max(axis=1) - right_ones(z, labels)
    ),
    "the logarithm has base 2, not e": of_scores(
        lambda z, labels: (log_sum_exp(z) - z.max(axis=1)) / math.log(2) + z.max(axis=1) - right_ones(z, labels)
    ),
    "each loss was divided by the number of rows: the mean comes later": of_scores(
        lambda z, labels: losses_of(z, labels) / len(z)
    ),
    "every row got the mean: each has a loss of its own": of_scores(
        lambda z, labels: np.full(len(z), losses_of(z, labels).mean())
    ),
    "every row got the sum of all: each has a loss of its own": of_scores(
        lambda z, labels: np.full(len(z), losses_of(z, labels).sum())
    ),
    "each loss was added to what `losses` held: it may hold anything": of_scores(lambda z, labels: FILLED + losses_of(z, labels)),
    "the sum of the exponentials goes on from row to row: it begins at 0 in each": of_scores(
        lambda z, labels: np.log(np.cumsum(exponentials(z).sum(axis=1))) + z.max(axis=1) - right_ones(z, labels)
    ),
    "the score was looked up at [labels[i], i]: it is at [i, labels[i]]": of_scores(of_other_row),
    "rows and columns are exchanged: logits.shape is (n, m), and logits[i] is row i": unless_square(of_scores(losses_of)),
}


# 10.5 gradient_rows


def draw_gradient_rows(rng):
    """Some rows have the scale 0: their gradient is 0, too, and is written."""
    for logits in tables(rng):
        if np.isfinite(logits).all():
            scale = floats(rng, len(logits))
            scale[rng.integers(1, len(scale) + 1) :] *= 0  # of the last rows, of none of a single one
            yield dict(logits=logits, labels=some_labels(rng, logits), scale=scale)


@whole
def describe_gradient_rows(logits, labels, scale):
    return f"gradient_rows(logits, labels, scale, grad)\n{shown(logits=logits, labels=labels, scale=scale)}"


def arguments_gradient_rows(logits, labels, scale):
    return dict(logits=logits, labels=labels, scale=scale, grad=np.full_like(logits, FILLED))


def prepare_gradient_rows(gradient_rows, cases):
    compile_for(gradient_rows, arguments_gradient_rows(**cases[0]))


def observe_gradient_rows(gradient_rows, **inputs):
    return ran(gradient_rows, arguments_gradient_rows(**inputs), out=["grad"], depth=2)


def of_gradients(function):
    """Make an oracle of a function of float64 shares, the truth, the scale as a column, the scores and the labels."""

    def oracle(logits, labels, scale):
        with np.errstate(all="ignore"):
            z = logits.astype(np.float64)
            p, truth = shares(exponentials(z)), np.eye(z.shape[1])[labels]
            grad = function(p, truth, scale.astype(np.float64)[:, None], z, labels)
            return grad if isinstance(grad, tuple) else left({"grad": grad}, logits=logits, labels=labels, scale=scale)

    return oracle


def truth_elsewhere(p, truth, scale, z, labels):
    """Take the truth off at [labels[i], i], when row i is done; a row below is written later, and all of it."""
    grad = np.full(p.shape, FILLED)
    for i, label in enumerate(labels):
        if label >= p.shape[0] or i >= p.shape[1]:
            return ("raises", "IndexError")
        grad[i] = scale[i] * p[i]
        grad[label, i] -= scale[i, 0]
    return grad


def summed_rows(p, truth, scale, z, labels):
    powers = exponentials(z)
    return scale * (powers / np.cumsum(powers.sum(axis=1))[:, None] - truth)


oracle_gradient_rows = of_gradients(lambda p, truth, scale, z, labels: scale * (p - truth))
misconceptions_gradient_rows = {
    "what arrives at each row was ignored": of_gradients(lambda p, truth, scale, z, labels: p - truth),
    "what arrives at the first row was used for all of them": of_gradients(
        lambda p, truth, scale, z, labels: scale[0] * (p - truth)
    ),
    "1 was taken off, whatever arrives: it is scaled, too": of_gradients(lambda p, truth, scale, z, labels: scale * p - truth),
    "only the truth was scaled: the shares are, too": of_gradients(lambda p, truth, scale, z, labels: p - scale * truth),
    "the truth was not taken off: this is a softmax": of_gradients(lambda p, truth, scale, z, labels: scale * p),
    "1 was taken off at every class, not only at the right one": of_gradients(lambda p, truth, scale, z, labels: scale * (p - 1)),
    "divided by the number of rows as well: scale holds that already": of_gradients(
        lambda p, truth, scale, z, labels: scale * (p - truth) / len(p)
    ),
    "the truth was added, not taken off": of_gradients(lambda p, truth, scale, z, labels: scale * (p + truth)),
    "the sign is turned: probability minus truth, not truth minus probability": of_gradients(
        lambda p, truth, scale, z, labels: scale * (truth - p)
    ),
    "the exponentials were not divided by their sum": of_gradients(
        lambda p, truth, scale, z, labels: scale * (exponentials(z) - truth)
    ),
    "the sum of the exponentials goes on from row to row: it begins at 0 in each": of_gradients(summed_rows),
    "nothing was taken out before the exponentials: they overflow, or all become 0": of_gradients(
        lambda p, truth, scale, z, labels: scale * (shares(narrow_exp(z)) - truth)
    ),
    "the first score of each row was taken out, not the largest: one far above it overflows": of_gradients(
        lambda p, truth, scale, z, labels: scale * (shares(narrow_exp(z - z[:, :1])) - truth)
    ),
    "rows with a scale of 0 were not written: their gradient is 0, and `grad` may hold anything": of_gradients(
        lambda p, truth, scale, z, labels: np.where(scale, scale * (p - truth), FILLED)
    ),
    "the largest was looked for from 0 on: in a row of numbers below 0 it is not found": of_gradients(
        lambda p, truth, scale, z, labels: scale * (shares(narrow_exp(z - from_zero(z))) - truth)
    ),
    "the largest entry of the whole table was taken out: a row far below it vanishes": of_gradients(
        lambda p, truth, scale, z, labels: scale * (shares(narrow_exp(z - z.max())) - truth)
    ),
    "what `grad` held was added to: it may hold anything": of_gradients(
        lambda p, truth, scale, z, labels: FILLED + scale * (p - truth)
    ),
    "the truth was taken off at [labels[i], i]: it is at [i, labels[i]]": of_gradients(truth_elsewhere),
    "rows and columns are exchanged: logits.shape is (n, m), and logits[i] is row i": unless_square(
        of_gradients(lambda p, truth, scale, z, labels: scale * (p - truth))
    ),
}


# 10.6 adam_loop

rtol_adam_loop = 3e-6  # 1 minus a rounded beta is off by 1.3e-5
atol_adam_loop = 1e-6
SETTINGS = ("beta1", "beta2", "rest1", "rest2", "rate", "root", "eps", "shrink")


def draw_adam_loop(rng):
    """The first step and a later one, of Adam and of AdamW, with settings for which every term counts."""
    for number, (size, beta1, beta2, eps, shrink) in enumerate(
        (
            (int(rng.integers(2, 7)), 0.9, 0.999, 1e-8, 1.0),
            (1, 0.8, 0.99, 1e-2, 0.9),
            (int(rng.integers(7, 20)), 0.9, 0.999, 0.5, float(rng.uniform(0.5, 0.8))),
            (3, float(rng.uniform(0.5, 0.95)), 0.9, 0.1, 0.75),
        )
    ):
        settings = np.array([beta1, beta2, 1 - beta1, 1 - beta2, rng.uniform(0.1, 1), rng.uniform(1, 5), eps, shrink], np.float32)
        first = 0 if number == 0 else 1  # before the first step both means are 0
        grad = floats(rng, size)
        sign = np.sign(grad)
        grad[1:2] = 0  # an entry without a gradient moves on by its mean
        # no sum is the small difference of large numbers, which float32 does not have exactly
        yield dict(
            param=-sign * np.abs(floats(rng, size)),
            grad=grad,
            mean=first * sign * np.abs(floats(rng, size)),
            square=first * (np.abs(floats(rng, size)) + 1),
            settings=settings,
        )


@whole
def describe_adam_loop(param, grad, mean, square, settings):
    values = ", ".join(f"{name}={value:.4g}" for name, value in zip(SETTINGS, settings))
    return f"adam_loop(param, grad, mean, square, {values})\n{shown(param=param, grad=grad, mean=mean, square=square)}"


def arguments_adam_loop(param, grad, mean, square, settings):
    return dict(param=param, grad=grad, mean=mean, square=square, **dict(zip(SETTINGS, settings)))


def prepare_adam_loop(adam_loop, cases):
    compile_for(adam_loop, arguments_adam_loop(**cases[0]))


def observe_adam_loop(adam_loop, **inputs):
    return ran(adam_loop, arguments_adam_loop(**inputs), out=["mean", "square", "param"], depth=1)


def adam(
    step,
    stored=("mean", "square", "param"),
    rests=lambda settings: settings[2:4],
    gradient=lambda g, w, shrink: g,
    means=lambda m, s, g, b1, b2, r1, r2: (b1 * m + r1 * g, b2 * s + r2 * g * g),
):
    """Make an oracle of a function of old and new means, the parameter and the settings that gives the new parameter."""

    def oracle(param, grad, mean, square, settings):
        w, g, m, s = wide(param, grad, mean, square)
        beta1, beta2, _, _, rate, root, eps, shrink = settings.astype(np.float64)
        rest1, rest2 = (float(one) for one in rests(settings))
        new_m, new_s = means(m, s, gradient(g, w, shrink), beta1, beta2, rest1, rest2)
        with np.errstate(all="ignore"):
            new_w = step(w, m, s, new_m, new_s, rate, root, eps, shrink)
        old, new = dict(mean=m, square=s, param=w), dict(mean=new_m, square=new_s, param=new_w)
        return left({name: (new if name in stored else old)[name] for name in old}, grad=grad)

    return oracle


def plain_step(w, m, s, new_m, new_s, rate, root, eps, shrink):
    return shrink * w - rate * new_m / (root * np.sqrt(new_s) + eps)


def below(function):
    """Make a step of what the mean is divided by."""
    return lambda w, m, s, new_m, new_s, rate, root, eps, shrink: shrink * w - rate * new_m / function(new_s, root, eps)


oracle_adam_loop = adam(plain_step)


def without_zeros(param, grad, mean, square, settings):
    """Leave the entries alone whose gradient is 0."""
    seen = oracle_adam_loop(param, grad, mean, square, settings)
    for name, old in dict(param=param, mean=mean, square=square).items():
        for words in (RUN, COMPILED):
            seen[words.format(name)] = np.where(grad == 0, old, seen[words.format(name)])
    return seen


misconceptions_adam_loop = {
    "entries with a gradient of 0 were left out: their means shrink, and their parameters move on": without_zeros,
    "1 - beta was made up in the loop, of a beta that had been rounded: use rest1 and rest2": adam(
        plain_step, rests=lambda settings: (1 - np.float64(settings[0]), 1 - np.float64(settings[1]))
    ),
    "the step used the means of before; they are changed first": adam(
        lambda w, m, s, new_m, new_s, rate, root, eps, shrink: shrink * w - rate * m / (root * np.sqrt(s) + eps)
    ),
    "the step used the square of before; it is changed first": adam(
        lambda w, m, s, new_m, new_s, rate, root, eps, shrink: shrink * w - rate * new_m / (root * np.sqrt(s) + eps)
    ),
    "the step used the gradient, not its running mean": lambda param, grad, mean, square, settings: adam(
        lambda w, m, s, new_m, new_s, rate, root, eps, shrink: (
            shrink * w - rate * grad.astype(np.float64) / (root * np.sqrt(new_s) + eps)
        )
    )(param, grad, mean, square, settings),
    "the second mean took up the gradient, not its square": adam(
        plain_step, means=lambda m, s, g, b1, b2, r1, r2: (b1 * m + r1 * g, b2 * s + r2 * g)
    ),
    "the second mean took up the square of rest2 times the gradient: only the gradient is squared": adam(
        plain_step, means=lambda m, s, g, b1, b2, r1, r2: (b1 * m + r1 * g, b2 * s + (r2 * g) ** 2)
    ),
    "the second mean took up the square of the new mean, not that of the gradient": adam(
        plain_step, means=lambda m, s, g, b1, b2, r1, r2: (b1 * m + r1 * g, b2 * s + r2 * (b1 * m + r1 * g) ** 2)
    ),
    "beta and rest changed places: beta is the share of the old": adam(
        plain_step, means=lambda m, s, g, b1, b2, r1, r2: (r1 * m + b1 * g, r2 * s + b2 * g * g)
    ),
    "the new gradient was not weighed with rest1 and rest2": adam(
        plain_step, means=lambda m, s, g, b1, b2, r1, r2: (b1 * m + g, b2 * s + g * g)
    ),
    "the square root was left out": adam(below(lambda s, root, eps: root * s + eps)),
    "root stands outside of the square root: it was put inside": adam(below(lambda s, root, eps: np.sqrt(root * s) + eps)),
    "root was left out": adam(below(lambda s, root, eps: np.sqrt(s) + eps)),
    "the square root was divided by root: it is multiplied by it": adam(below(lambda s, root, eps: np.sqrt(s) / root + eps)),
    "eps was added before the root was taken; it is added afterwards": adam(below(lambda s, root, eps: root * np.sqrt(s + eps))),
    "eps was multiplied by root, too: it is added last": adam(below(lambda s, root, eps: root * (np.sqrt(s) + eps))),
    "eps is missing": adam(below(lambda s, root, eps: root * np.sqrt(s))),
    "the step was added, not subtracted": adam(
        lambda w, m, s, new_m, new_s, rate, root, eps, shrink: shrink * w + rate * new_m / (root * np.sqrt(new_s) + eps)
    ),
    "the parameter was not shrunk": adam(
        lambda w, m, s, new_m, new_s, rate, root, eps, shrink: w - rate * new_m / (root * np.sqrt(new_s) + eps)
    ),
    "the step was shrunk as well: only the parameter of before is": adam(
        lambda w, m, s, new_m, new_s, rate, root, eps, shrink: shrink * (w - rate * new_m / (root * np.sqrt(new_s) + eps))
    ),
    "the decay was put into the gradient (L2): it shrinks the parameter, apart from the gradient": adam(
        lambda w, m, s, new_m, new_s, rate, root, eps, shrink: w - rate * new_m / (root * np.sqrt(new_s) + eps),
        gradient=lambda g, w, shrink: g + (1 - shrink) * w,
    ),
    "rate was left out": adam(
        lambda w, m, s, new_m, new_s, rate, root, eps, shrink: shrink * w - new_m / (root * np.sqrt(new_s) + eps)
    ),
    "the new means were not written: the next step needs them": adam(plain_step, stored=("param",)),
    "the new mean was not written: the next step needs it": adam(plain_step, stored=("square", "param")),
    "the new square was not written: the next step needs it": adam(plain_step, stored=("mean", "param")),
    "the parameter was not written: `param[i] = ...` writes": adam(plain_step, stored=("mean", "square")),
}


# 10.7 matmul_blocked

RACE = "a race: two iterations of prange write to the same entry of {}"
ALONE = "not at all: no prange is running where `out` is written"
SEQUENTIAL = "not at all: the line above the function lacks parallel=True"
ROWS = "rows of `out` that each iteration of prange writes, the most first"
AT_ONCE = "products that one write to an entry of `out` adds"
ORDER = "order of the loops within a block"
STEPS_FIRST, ROWS_FIRST = "a step of p, with all rows; then the next step", "a row, with all steps of p; then the next row"
SHARED = "iterations of prange share the rows"
REVERSE = "out, if the iterations run in reverse order"


def draw_matmul_blocked(rng):
    """Less than a block, one, more; k of less than 4, of a multiple, with each remainder."""
    rest, columns = int(rng.integers(4)), int(rng.integers(1, 4))
    for n, k, m in (
        (3, 6, 2),
        (2, 4, 3),
        (64, 4, 1),
        (130, 3, 2),
        (2, 8, 5),
        (64 + int(rng.integers(2, 20)), 12 + rest, columns),
        (1, 1, 1),
        (5, 7, 3),
    ):
        yield dict(a=floats(rng, n, k), b=floats(rng, k, m))


@whole
def describe_matmul_blocked(a, b):
    return f"matmul_blocked(a, b, out)\n{shown(a=a, b=b)}"


class Rounds:
    """A `prange` that knows which of its rounds is running; they run in the order of their numbers, or in reverse."""

    def __init__(self, step):
        self.now, self.step, self.arrays, self.writes = None, step, [], []

    def __call__(self, *ends):
        for i in range(*ends)[:: self.step]:
            inner = self.now is not None  # within another prange this one is a range
            if not inner:
                self.now = i
            yield i
            if not inner:
                self.now = None

    def watch(self, array):
        """Return an array that tells these rounds what is written to it, if it is there before they begin."""
        if not isinstance(array, np.ndarray) or isinstance(array, Watched):
            return array
        watched = array.view(Watched)
        watched.rounds = self
        if self.now is None:
            self.arrays.append(array)  # kept, so that no other array gets its memory
        return watched

    def wrote(self, places):
        """Note who writes to some addresses of memory."""
        self.writes += [(self.now, place) for place in np.atleast_1d(places).ravel().tolist()]

    def raced(self):
        """Return the addresses in memory that was there before the rounds and that several of them have written to."""
        ends, writers = [memory(array) for array in self.arrays], {}
        for now, place in self.writes:
            if now is not None:
                writers.setdefault(place, set()).add(now)
        return [
            place for place, rounds in writers.items() if len(rounds) > 1 and any(start <= place < end for start, end in ends)
        ]


def memory(array):
    """Return where the memory of an array begins and ends."""
    start = array.__array_interface__["data"][0]
    return start, start + array.nbytes


def addresses(array):
    """Return the address of every entry of an array, in its shape."""
    places = np.full(array.shape, array.__array_interface__["data"][0])
    for axis, (size, stride) in enumerate(zip(array.shape, array.strides)):
        places = places + stride * np.arange(size).reshape([-1 if i == axis else 1 for i in range(array.ndim)])
    return places


class Watched(np.ndarray):
    """An array that tells the rounds of a prange which of its entries are written."""

    rounds = None

    def __array_finalize__(self, parent):
        self.rounds = getattr(parent, "rounds", None)

    def __setitem__(self, key, value):
        indices = key if type(key) is tuple else (key,)
        if self.rounds and len(indices) == self.ndim and all(type(i) is int for i in indices):  # one entry, as in most loops
            start = self.__array_interface__["data"][0]
            place = start + sum((i + n if i < 0 else i) * stride for i, n, stride in zip(indices, self.shape, self.strides))
            self.rounds.writes.append((self.rounds.now, place))
            np.ndarray.__setitem__(self, key, value)
            return
        target = np.ndarray.__getitem__(self, key)
        same = isinstance(value, Watched) and isinstance(target, np.ndarray) and memory(value) == memory(target)
        if self.rounds and not same:  # `out[i] += ...` has written already when it puts the row back
            self.rounds.wrote(addresses(self)[key])
        np.ndarray.__setitem__(self, key, value)

    def __array_ufunc__(self, ufunc, method, *inputs, out=(), **options):
        for target in out:
            if isinstance(target, Watched) and target.rounds:
                target.rounds.wrote(addresses(target))
        plain = [one.view(np.ndarray) if isinstance(one, Watched) else one for one in inputs]
        if out:
            options["out"] = tuple(one.view(np.ndarray) if isinstance(one, Watched) else one for one in out)
        result = getattr(ufunc, method)(*plain, **options)
        return out[0] if out else self.rounds.watch(result) if self.rounds else result


class WatchedNumpy:
    """NumPy, but what it makes is watched: an array that all rounds share may be another one than `out`."""

    def __init__(self, rounds):
        self.rounds = rounds

    def __getattr__(self, name):
        value = getattr(np, name)
        if not callable(value) or isinstance(value, type):
            return value
        return lambda *arrays, **options: self.rounds.watch(value(*arrays, **options))


def watched_run(kernel, a, b, shape, step=1):
    """Run a kernel as Python with eyes on all that it writes to.

    Returns:
        What it left in `out`, the rounds, and the addresses of the entries of `out`.
    """
    function, rounds = getattr(kernel, "py_func", kernel), Rounds(step)
    names, out = function.__globals__, np.full(shape, FILLED, np.float32)
    before = {name: names[name] for name in ("prange", "np") if name in names}
    names.update({"prange": rounds, "np": WatchedNumpy(rounds)} if "np" in names else {"prange": rounds})
    try:
        function(rounds.watch(a.copy()), rounds.watch(b.copy()), rounds.watch(out))
    finally:
        names.update(before)
    return out, rounds, addresses(out)


def structure(rounds, places, k):
    """Say how rounds share the work, how many rows each has, how many products come at once, and which loop is outside."""
    ours = {place: row for row, line in enumerate(places.tolist()) for place in line}
    raced = rounds.raced()
    rows = {}
    for now, place in rounds.writes:
        if place in ours and now is not None:
            rows.setdefault(now, set()).add(ours[place])
    covered = set().union(*rows.values()) == set(range(len(places))) if rows else False
    threads = (
        RACE.format("`out`" if raced[0] in ours else "an array that all iterations share")
        if raced
        else SHARED
        if covered
        else ALONE
    )
    return {
        "the work is shared": threads,
        ROWS: sorted((len(one) for one in rows.values()), reverse=True),
        AT_ONCE: products_at_once(rounds, ours, k),
        ORDER: order_of(rounds, places, k),
    }


def products_at_once(rounds, ours, k):
    """Return how many products a write to an entry adds, judged by the number of writes, which needs 12 or more."""
    writes = {}
    for _, place in rounds.writes:
        writes[place] = writes.get(place, 0) + (place in ours)
    most = max(writes.values(), default=0)
    if k < 12 or k // 4 <= most <= k // 4 + k % 4 + 1:
        return "4"
    return "1" if most >= k else f"all {k}" if most <= 2 else "neither 4 nor 1"


def order_of(rounds, places, k):
    """Say whether the steps of p are outside of the loop over rows, which is seen in a block of several rows and steps."""
    if k < 12 or len(places) < 64:
        return STEPS_FIRST
    rows = {place: row for row, place in enumerate(places[:, 0].tolist())}
    turns = [rows[place] for now, place in rounds.writes if place in rows and (now == 0 or now is None)]
    seen, later = set(), []
    for row in turns:  # the first write to a row may set it to 0
        later += [row] if row in seen else []
        seen.add(row)
    changes = sum(one != other for one, other in zip(later, later[1:]))
    return ROWS_FIRST if len(seen) > 1 and changes <= len(seen) and len(later) >= 2 * len(seen) else STEPS_FIRST


def arguments_matmul_blocked(a, b):
    return dict(a=a, b=b, out=np.full((len(a), b.shape[1]), FILLED, np.float32))


def prepare_matmul_blocked(matmul_blocked, cases):
    compile_for(matmul_blocked, arguments_matmul_blocked(**cases[0]))


def observe_matmul_blocked(matmul_blocked, a, b):
    shape = (len(a), b.shape[1])
    seen = ran(matmul_blocked, arguments_matmul_blocked(a, b), out=["out"])
    _, rounds, places = watched_run(matmul_blocked, a, b, shape)
    how = {REVERSE: watched_run(matmul_blocked, a, b, shape, step=-1)[0], **structure(rounds, places, a.shape[1])}
    if COMPILE and hasattr(matmul_blocked, "targetoptions") and not matmul_blocked.targetoptions.get("parallel"):
        how["the work is shared"] = SEQUENTIAL
    return before_compiled(how, seen)


def before_compiled(how, seen):
    """Put what concerns the rounds before what concerns the compiled code: it is found first."""
    place = list(seen).index("compiled")
    return dict([*list(seen.items())[:place], *how.items(), *list(seen.items())[place:]])


def oracle_matmul_blocked(a, b, terms=None, rows=None, begin=0.0, threads=SHARED, block=64, at_once="4", order=STEPS_FIRST):
    """Multiply, with the first `terms` of k only, and leave rows from `rows` on as they were."""
    n, k = a.shape
    out = begin + a.astype(np.float64)[:, :terms] @ b.astype(np.float64)[:terms]
    out[rows:] = FILLED if rows is not None else out[rows:]
    written = n if rows is None else rows
    sizes = [block] * (written // block) + [written % block] * (written % block > 0) if threads in (SHARED, SEQUENTIAL) else []
    seen = left({"out": out}, a=a, b=b)
    return before_compiled(
        {
            REVERSE: out,
            "the work is shared": threads,
            ROWS: sizes,
            AT_ONCE: at_once if k >= 12 else "4",
            ORDER: order if k >= 12 and n >= 64 else STEPS_FIRST,
        },
        seen,
    )


def racing(rounds_of, name):
    """Make the oracle of a kernel whose rounds share the steps of a sum; as many as a function of k says."""

    def oracle(a, b):
        count = rounds_of(a.shape[1])
        right = oracle_matmul_blocked(a, b, threads=RACE.format(name) if count > 1 else SHARED if count else ALONE)
        return right | {ROWS: [len(a)] * count}

    return oracle


def shared_array(block):
    """Make the oracle of rounds of some rows each that keep their sums in one array."""

    def oracle(a, b):
        right = oracle_matmul_blocked(a, b, block=block, at_once=f"all {a.shape[1]}")
        return right | {"the work is shared": RACE.format("an array that all iterations share") if len(a) > block else SHARED}

    return oracle


misconceptions_matmul_blocked = {
    "what is left of k after the steps of 4 was left out": lambda a, b: oracle_matmul_blocked(
        a, b, terms=a.shape[1] - a.shape[1] % 4
    ),
    "the last step of 4 goes beyond k": lambda a, b: (
        oracle_matmul_blocked(a, b) if a.shape[1] % 4 == 0 else ("raises", "IndexError")
    ),
    "the last block, of fewer than 64 rows, was left out": lambda a, b: oracle_matmul_blocked(
        a, b, rows=len(a) - len(a) % 64, threads=SHARED if len(a) % 64 == 0 else ALONE
    ),
    "the last block goes beyond the rows: it ends at n": lambda a, b: (
        oracle_matmul_blocked(a, b) if len(a) % 64 == 0 else ("raises", "IndexError")
    ),
    "a block behind the last row goes beyond the rows: it ends at n, and n // 64 + 1 blocks are one too many where 64 divides n": lambda a, b: (
        "raises",
        "IndexError",
    ),
    "the result was not set to 0 before the sums": lambda a, b: oracle_matmul_blocked(a, b, begin=FILLED),
    "the iterations of prange share the terms of the sums, not the rows: that is a race": lambda a, b: (
        racing(lambda k: k, "`out`")(a, b) | {AT_ONCE: "1" if a.shape[1] >= 12 else "4"}
    ),
    "the iterations of prange share the steps of 4, not the rows: that is a race": racing(lambda k: k // 4, "`out`"),
    "an array that is made before the prange is shared by all of its iterations: make it within the iteration, or write to `out`": shared_array(
        1
    ),
    "an array that is made before the prange is shared by all blocks: make it within the iteration, and write four products at a time to `out`": shared_array(
        64
    ),
    "the work is not shared: the loop over blocks is a range": lambda a, b: oracle_matmul_blocked(a, b, threads=ALONE),
    "the work is not shared: the line above the function has lost its parallel=True": lambda a, b: oracle_matmul_blocked(
        a, b, threads=SEQUENTIAL
    ),
    "each iteration of prange has one row, and fetches all of `b` for it: an iteration has a block of 64 rows": lambda a, b: (
        oracle_matmul_blocked(a, b, block=1)
    ),
    "each iteration of prange has one row, and each product is added by itself: an iteration has a block of 64 rows, and takes four rows of `b` at a time": lambda a, b: (
        oracle_matmul_blocked(a, b, block=1, at_once="1")
    ),
    "each iteration of prange has one row, and each sum is computed as a whole: an iteration has a block of 64 rows, and takes four rows of `b` at a time": lambda a, b: (
        oracle_matmul_blocked(a, b, block=1, at_once=f"all {a.shape[1]}")
    ),
    "each product is added by itself: four at a time read and write `out` a quarter as often": lambda a, b: oracle_matmul_blocked(
        a, b, at_once="1"
    ),
    "each sum is computed as a whole, down a column of `b`: add four products to every entry of a block, then the next four": lambda a, b: (
        oracle_matmul_blocked(a, b, at_once=f"all {a.shape[1]}")
    ),
    "the loop over the rows of a block is outside of the steps of p: then the four rows of `b` are fetched again for each row": lambda a, b: (
        oracle_matmul_blocked(a, b, order=ROWS_FIRST)
    ),
}
