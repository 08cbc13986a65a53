"""The sentences of a failing check, and the words for a value.

`compare` finds what differs and `checking` finds the mistake that explains it; both take their words from here. `layout` arranges
them on lines.
"""

import numpy as np

from tito.checks.wire import Other

SMALL = 12  # arrays of at most 12 values are shown in full
LONGEST = 200  # characters of one value
WIDEST = 56  # characters of an array on one line
ENDINGS = {"SIGSEGV": ", a crash in compiled code", "SIGKILL": ", killed from outside, perhaps for the memory it used"}

ORDINALS = ["first", "second", "third", *(f"{number}th" for number in range(4, 100))]

# The subject of a sentence about what stopped.
YOUR_CODE = "it"
COMPILING = "compiling it"

# Whole sentences.
NOTHING_CAME = "no result came back, so nothing was checked"
NO_RETURN = "a `return` is missing"
NOTHING = "nothing: is the `return` missing?"
NO_SETTING = (
    "the `*` in the signature is missing or in another place: what follows it is a setting, what comes before it is an input"
)
NUMPY_NUMBER = "a NumPy number was returned: convert it with float(...) or int(...)"
CANCELLED = "small results lost their digits: float32 keeps seven of a number near 1, and taking 1 off it leaves few of them"
FEW_DIGITS = "digits were lost: something on the way is float32, where all that came in is float64"
DTYPE_CAUSES = {
    ("float32", "float64"): "something in the computation is float64: a Python number keeps float32, an array or a number of "
    "NumPy's in float64 does not, and neither does an np.int64, as np.prod gives one: int(...) or float(...) makes it a "
    "Python number",
    ("float64", "float32"): "the result was cast to float32: what is float64 stays float64",
    ("integers", "float32"): "the result was cast to float32: integers stay integers",
    (
        "integers",
        "float64",
    ): "integers became floats: a number with a point, such as 0.0, or a division does that; they stay integers",
}
AN_INPUT_IS_A_NUMBER = "an input is a Python number here, which has no shape: np.shape(x) takes numbers as well"
SIGNS = {
    "'function' object has no attribute 'forward'": "the line `@op` above a function is missing",
    "got an unexpected keyword argument 'axis'": "a Tensor was handed to code for arrays: x.data is the array",
    "'int' object has no attribute 'shape'": AN_INPUT_IS_A_NUMBER,
    "'float' object has no attribute 'shape'": AN_INPUT_IS_A_NUMBER,
    "non-broadcastable output operand": "`*=`, `+=` or out= wrote into an array that is smaller than the result: make a new one",
    "Cannot cast ufunc": "`/=`, `*=`, `+=` or out= wrote into an array whose dtype cannot hold the result: make a new one",
    "maximum recursion depth": "a function calls itself: Python stops after about a thousand calls. Write a loop, or a formula",
    "object has no setter": "the class gives that attribute as a property of another one: leave out the line that sets it",
    "operand 'Tensor' does not support ufuncs": "an op that is called by its name gives a Tensor; its `.forward` gives the array",
}


def importing(module):
    return f"importing {module}"


def no_time_left(seconds):
    """Say that an exercise was not run because earlier ones used up the time of the whole notebook."""
    return f"it was not run: the exercises before it used up the {seconds:g} seconds of the whole notebook"


def endless(what, seconds):
    return f"{what} did not finish in {seconds:g} s: is there a loop that never ends?"


def ended(what, how):
    return f"{what} ended the process: {how}"


def unreadable(problem=None):
    return f"its answer cannot be read{f': {problem}' if problem else ''}"


def not_imported(module):
    return f"importing {module} failed, so nothing could be checked"


def not_defined(module):
    return f"is not defined in {module}"


def not_run(cell):
    return "is not defined: run the cell that defines it first" + (f", {cell}" if cell else "")


def not_written(needed, name):
    return f"needs {needed} {name}, which is not written yet"


def too_few(ran, total):
    return f"{ran} of {total} cases came back, so this exercise counts as not checked"


def at_fault(culprit, exercise):
    """Return the message that an earlier exercise or module is at fault."""
    return f"{culprit}: with the course's own in its place, {exercise} passes"


def in_another_module(notebook, number):
    """Return the message that an exception came from another notebook's code, which may be at fault."""
    return f"{notebook} is at fault: `tito module test {number}` finds out, with the course's own in its place"


def failing_too(labels):
    """Return the message that earlier exercises fail their own checks."""
    them = "it" if len(labels) == 1 else "them"
    return f"{' and '.join(labels)} fail{'s' * (len(labels) == 1)} as well, and this exercise may run {them}"


def twice(name, exported, counts):
    """Return the message that several cells define a name, and which of them counts.

    Args:
        name: The name.
        exported: For each of the cells, in the notebook's order, whether it is exported.
        counts: `EXPORTED_COUNTS` or `last_run_counts`.
    """
    which = f" (the {ORDINALS[exported.index(True)]} is exported)" if exported.count(True) == 1 else ""
    return f"{name} is defined in {len(exported)} cells{which}: {counts}"


EXPORTED_COUNTS = "the last exported one is checked here"


def last_run_counts(exported):
    package = ", and the package gets the exported one" if exported.count(True) == 1 else ""
    return f"the one that you ran last is checked here{package}"


def other_default(asked, given):
    """Return the message about a wrong default; both arguments are dicts from a setting to the text of its default."""
    name = next(name for name in asked if given[name] != asked[name])
    return (
        f"the default is {name}={given[name]}, where {name}={asked[name]} is asked for"
        if given[name]
        else f"{name} has no default"
    )


def others(count, first):
    """Return the message that cases fail in ways that the mistake named does not explain; `first` describes the first of them."""
    return (
        f"{count} more cases fail and look different, the first: {first}"
        if count > 1
        else f"one more case fails and looks different: {first}"
    )


def in_brief(rows):
    """Return the rows of a difference on one line."""
    return ", ".join(f"{label} {text}" for label, text in rows if label != "differs")


# Rows of a label and a text.


def place_rows(path):
    return (("in", path),) if path else ()


def differ(path, expected, got, differs=None):
    """Return the rows that show two values and their place."""
    return (*place_rows(path), *((("differs", differs),) if differs else ()), ("expected", expected), ("got", got))


def shapes_differ(path, expected, got):
    return differ(path, with_shape(expected), with_shape(got))


def with_shape(value):
    return f"shape {np.shape(value)}" if np.ndim(value) else "a single number"


def dtypes_differ(path, expected, got, from_inputs):
    return differ(path, f"{expected}{', like the inputs' if from_inputs else ''}", got)


def types_differ(path, expected, got):
    """Return the rows for values of different kinds; without a path, the call itself returned the value."""
    if isinstance(expected, str) and isinstance(got, str) and path:
        return differ(path, expected, got)  # two words of an observation
    if isinstance(expected, dict) and (isinstance(got, str) or is_raised(got)):
        return (("got", got if isinstance(got, str) else in_its_place(expected, got, whole=False)),)  # the dict is an observer's
    return differ(path, needed(expected), in_its_place(expected, got, whole=not path))


def numbers_differ(path, expected, got):
    """Return the rows for a number of NumPy's where one of Python's is expected."""
    return differ(path, f"a Python {type(expected).__name__}", f"np.{got.dtype.name}({got})")


def keys_differ(path, expected, got):
    """Return the rows for two dicts with different keys."""
    return differ(path, with_keys(expected), with_keys(got))


def with_keys(value):
    if not value:
        return "an empty dict"
    names = ", ".join(repr(key) for key in list(value)[:12]) + (", ..." if len(value) > 12 else "")
    return f"a dict with the key{'s' * (len(value) > 1)} {names}"


def values_differ(path, expected, got, wrong):
    """Return the rows for two arrays of one shape.

    Args:
        path: Their place in what was returned.
        expected: Array.
        got: Array.
        wrong: Array of bools: where they differ.
    """
    if expected.ndim == 0:
        return differ(path, *pair(expected[()], got[()]))
    count, total = int(wrong.sum()), expected.size
    share = f"{count} of {total} value{'s' * (total != 1)}"
    if total <= SMALL:
        return differ(path, *pair(expected, got, wrong), share)
    where = worst(expected, got, wrong)
    return differ(path, *pair(expected[where], got[where]), f"{share}, most at {list(where)}")


def worst(expected, got, wrong):
    """Return the index, a tuple, of the largest difference among the wrong values; nan counts as the largest."""
    with np.errstate(all="ignore"):
        difference = np.abs(expected.astype(np.float64) - got.astype(np.float64))
    difference = np.where(np.isnan(difference), np.inf, difference)
    flat = int(np.where(wrong, difference, -1.0).argmax())
    return tuple(int(i) for i in np.unravel_index(flat, expected.shape))


def raised_rows(error, elsewhere=None):
    """Return the rows about an exception: its text, and where it was raised."""
    if error is None:
        return ()
    text = f"{error.type}: {error.message}" if error.message else error.type
    where = error.where or elsewhere
    return (("raised", text), *((("at", where),) if where else ()))


def in_the_check(line):
    """Return the message that a line of the check could not use what the learner's code takes or returns."""
    what = "the check, which could not use what your code takes or returns"
    return f"`{line}` in {what}" if line else what


def perhaps_rows(error, expected=None):
    """Return the row that explains an exception that beginners find hard to understand."""
    if error.type == "AssertionError" and is_raised(expected):
        return (("perhaps", f"an `assert` gives an AssertionError; {article(expected[1])} is asked for"),)
    if not error.where and "NoneType" in error.message:
        return (("perhaps", NO_RETURN),)
    return tuple(("perhaps", words) for sign, words in SIGNS.items() if sign in error.message)


WORK_ON_A_COPY = "work on a copy, the caller still needs it as it was"


def changed_rows(names, instead=WORK_ON_A_COPY):
    """Return the row about inputs that a call changed in place, and what to do instead."""
    return (("changed", f"the input {', '.join(names)}: {instead}"),) if names else ()


def call_rows(name, inputs, template=None):
    """Return the rows that show a call: its text, and the values of the names in it.

    Args:
        name: The exercise's name.
        inputs: Dict of its inputs.
        template: Text of the call with its inputs in braces, such as "softmax(x, dim={dim})"; or a function of the inputs that
            returns the text, or a pair of the text and the description of its names, which may be empty.
    """
    described = template(**inputs) if callable(template) else None
    if isinstance(described, tuple):
        call, large = described
    else:
        call = call_text(name, inputs, template)
        shown = {key: value for key, value in inputs.items() if is_large(value) and not (callable(template) and is_text(value))}
        large = "; ".join(inventory(key, value) for key, value in shown.items())
    return (("called", call), ("with", large)) if large else (("called", call),)


def call_text(name, inputs, template=None):
    """Return a call as you would write it, with arrays by name."""
    if callable(template):
        described = template(**inputs)
        return described[0] if isinstance(described, tuple) else described
    words = {key: key if is_large(value) else short(value) for key, value in inputs.items()}
    arguments = ", ".join(key if word == key else f"{key}={word}" for key, word in words.items())
    return template.format(**words) if template else f"{name}({arguments})"


# Values in words.


def needed(expected):
    """Describe the expected result briefly, without the float64 of oracles, which is not required."""
    if isinstance(expected, np.ndarray):
        return f"an array {expected.shape}" if expected.ndim else "a single number"
    if is_raised(expected):
        holds = " and ".join(expected[2:])
        return f"{expected[1]} whose message holds {holds}" if holds else expected[1]
    return describe(expected)


def is_raised(value):
    """Return whether a value represents an exception: ("raises", "ValueError", *parts of its message)."""
    return (
        isinstance(value, (tuple, list))
        and len(value) >= 2
        and all(isinstance(part, str) for part in value)
        and value[0] == "raises"
    )


def in_its_place(expected, got, whole):
    """Describe a value of the wrong type; `whole` if the call itself returned it."""
    if is_raised(got):
        return ": ".join(got[1:3])
    if is_raised(expected) and isinstance(got, dict):  # made by an observer, so the learner never saw it
        return "no exception"
    if isinstance(expected, (bool, int, float, np.ndarray, np.generic)) and isinstance(got, Other) and got.type == "Tensor":
        return "a Tensor, as an op gives it; its `.forward` gives the bare array"
    if isinstance(expected, (list, tuple)) and isinstance(got, (list, tuple)) and type(expected) is not type(got):
        return f"a {type(got).__name__}: {describe(got)}"
    array_needed = isinstance(expected, np.ndarray) and not isinstance(got, np.ndarray)
    return describe(got, array_needed, something_needed=whole and expected is not None and not is_raised(expected))


def describe(value, array_needed=False, something_needed=False):
    """Describe a value briefly.

    Args:
        value: Anything that `wire.decode` returns.
        array_needed: The expected value is an array.
        something_needed: The expected value is not None.

    Returns:
        Text, such as "an array (2, 3) float32".
    """
    if value is None:
        return "None: is the `return` missing?" if array_needed or something_needed else "None"
    if isinstance(value, np.ndarray):
        shown = f": {format_array(value, 4)}" if 0 < value.size <= SMALL else ""
        return f"an array {value.shape} {value.dtype}{shown}"
    return _thing(value) + " where an array was needed" * (array_needed and not isinstance(value, str))


def _thing(value):
    if isinstance(value, Other):
        return article(value.type)
    if isinstance(value, dict):
        return f"a dict of {len(value)}"
    if isinstance(value, (list, tuple)):
        return repr_flat(value) or f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, (float, np.floating)):
        return format_number(value, 4)
    if isinstance(value, str) and " " in value:
        text = value
    else:
        text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def repr_flat(value):
    """Return a short list or tuple of plain values as text, or None if it is not one."""
    if not all(isinstance(item, (bool, int, str, type(None))) for item in value):
        return None
    text = repr(value)
    return text if len(text) <= LONGEST else None


def article(noun):
    """Return a noun with its indefinite article."""
    return f"{'an' if noun[:1].lower() in 'aeio' else 'a'} {noun}"


def format_number(value, digits):
    """Format a number with at most `digits` significant digits."""
    if isinstance(value, (bool, np.bool_, int, np.integer)):
        return str(value)
    return f"{float(value):.{digits}g}"


def format_array(value, digits):
    """Return a small array as nested lists; if it is too wide for a line, one row per line."""
    text = nested(value, digits)
    if np.ndim(value) < 2 or len(text) <= WIDEST:
        return text
    return "[" + ",\n ".join(nested(row, digits) for row in value) + "]"


def nested(value, digits):
    """Return an array as nested lists on one line."""
    if np.ndim(value) == 0:
        return format_number(value, digits)
    return "[" + ", ".join(nested(item, digits) for item in value) + "]"


def pair(expected, got, wrong=...):
    """Return two values as text, with enough digits to tell every wrong entry of an array from the expected one."""
    entries = list(zip(expected[wrong].flat, got[wrong].flat)) if np.ndim(expected) else [(expected, got)]
    for digits in (4, 6, 9, 17):
        if all(format_number(wanted, digits) != format_number(given, digits) for wanted, given in entries):
            break
    return format_array(expected, digits), format_array(got, digits)


def is_large(value):
    """Return whether a call shows a value by name: arrays, containers of arrays, long values."""
    if isinstance(value, (list, tuple)):
        return repr_flat(value) is None or len(repr(value)) > 40
    if isinstance(value, dict):
        return repr_flat(list(value.values())) is None or len(repr(value)) > 40
    return isinstance(value, np.ndarray) or (isinstance(value, (str, bytes)) and len(value) > 40)


def is_text(value):
    """Return whether a value is a string or a list of strings, which a describing function shows itself."""
    return isinstance(value, str) or (isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value))


def short(value):
    """Return a value for a call's text."""
    return format_number(value, 4) if isinstance(value, (float, np.generic)) else repr(value)


def inventory(name, value):
    """Return a name with its value: shape and dtype of an array, and the values of a small one."""
    if isinstance(value, np.ndarray):
        small = 0 < value.size <= SMALL
        shape = f"{value.shape} " if value.ndim > 2 else ""  # hard to count in nested brackets
        shown = f"{shape}= {nested(value, 4)}" if small else value.shape
        layout = "" if value.flags.c_contiguous else ", not contiguous"
        return f"{name} {shown} {value.dtype}{'' if small else not_finite(value)}{layout}"
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, np.ndarray) for item in value[:4]):
        shapes = ", ".join(f"{item.shape} {item.dtype}" for item in value[:4])
        return f"{name} = [{shapes}{', ...' * (len(value) > 4)}]"
    return f"{name} {describe(value)}"


def not_finite(array):
    """Say which entries of an array that is not shown whole are nan or infinite, and where the first of each kind is."""
    if array.dtype.kind != "f":
        return ""
    kinds = {"nan": np.isnan(array), "inf": array == np.inf, "-inf": array == -np.inf}
    places = {kind: [int(i) for i in np.argwhere(where)[0]] for kind, where in kinds.items() if where.any()}
    return "".join(f", {kind} at {place}{' and elsewhere' * int(kinds[kind].sum() > 1)}" for kind, place in places.items())
