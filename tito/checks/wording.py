"""Values in words: what a message says about an array, a number, or a thing that should have been one."""
import numpy as np

from tito.checks.wire import Other

SMALL = 6     # arrays of so many values are shown whole
LONGEST = 200  # characters of one value


def describe(value, array_needed=False, something_needed=False):
    """Say in a few words what a value is.

    Args:
        value: Anything that `wire.decode` returns.
        array_needed: An array stood here in the expected value.
        something_needed: The expected value was not None.

    Returns:
        Text, such as "an array (2, 3) float32".
    """
    if value is None:
        return "None: is the `return` missing?" if array_needed or something_needed else "None"
    if isinstance(value, np.ndarray):
        return f"an array {value.shape} {value.dtype}"
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
    return text if len(text) <= LONGEST else text[:LONGEST - 3] + "..."


def repr_flat(value):
    """Return a short list or tuple of plain values as text, None if it is not one."""
    if not all(isinstance(item, (bool, int, str, type(None))) for item in value):
        return None
    text = repr(value)
    return text if len(text) <= LONGEST else None


def article(noun):
    """Return a noun with its indefinite article."""
    return f"{'an' if noun[:1].lower() in 'aeio' else 'a'} {noun}"


def format_number(value, digits):
    """Return a number in so many significant digits, and no more than it needs."""
    if isinstance(value, (bool, np.bool_, int, np.integer)):
        return str(value)
    return f"{float(value):.{digits}g}"


def format_array(value, digits):
    """Return a small array as nested lists."""
    if np.ndim(value) == 0:
        return format_number(value, digits)
    return "[" + ", ".join(format_array(item, digits) for item in value) + "]"


def pair(expected, got):
    """Return two values as text, in as many digits as it takes to tell them apart."""
    for digits in (4, 6, 9, 17):
        texts = format_array(expected, digits), format_array(got, digits)
        if texts[0] != texts[1]:
            break
    return texts


def call_rows(name, inputs, template=None):
    """Return the rows that show a call: its text, and what the names in it stand for.

    Args:
        name: The exercise's name.
        inputs: Dict of its inputs.
        template: Text of the call with its inputs in braces, such as "softmax(x, dim={dim})".
    """
    words = {key: key if is_large(value) else short(value) for key, value in inputs.items()}
    arguments = ", ".join(key if word == key else f"{key}={word}" for key, word in words.items())
    call = template.format(**words) if template else f"{name}({arguments})"
    large = "; ".join(inventory(key, value) for key, value in inputs.items() if is_large(value))
    return (("called", call), ("with", large)) if large else (("called", call),)


def is_large(value):
    """Say whether a value appears in a call by name: arrays, and what holds arrays or is long."""
    if isinstance(value, (list, tuple)):
        return repr_flat(value) is None or len(repr(value)) > 40
    return isinstance(value, (np.ndarray, dict)) or (isinstance(value, (str, bytes)) and len(value) > 40)


def short(value):
    """Return a value for a call's text."""
    return format_number(value, 4) if isinstance(value, (float, np.generic)) else repr(value)


def inventory(name, value):
    """Return a name with what it stands for: shape and dtype of an array, and the values of a tiny one."""
    if isinstance(value, np.ndarray):
        shown = f"= {format_array(value, 4)}" if 0 < value.size <= 4 else value.shape
        return f"{name} {shown} {value.dtype}"
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, np.ndarray) for item in value[:4]):
        shapes = ", ".join(f"{item.shape} {item.dtype}" for item in value[:4])
        return f"{name} = [{shapes}{', ...' * (len(value) > 4)}]"
    return f"{name} {describe(value)}"
