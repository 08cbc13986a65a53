"""Which shapes an op takes: patterns such as "n c h w", checked once for each combination, before a kernel is chosen. Given.

A compiled loop reads what it is told to, even past the end of an array that is too small. So shapes are checked here, for all
kernel sets, and no kernel has to check them.
"""

import functools
import operator

ANY = None  # the pattern of an input whose shape does not matter here
KEPT = 1000  # combinations of shapes remembered as valid, for each op
SHAPE = operator.attrgetter("shape")


def shape_of(x):
    """Return the shape of an array; () of a number, and None of None."""
    return getattr(x, "shape", None if x is None else ())


def check_inputs(op, arrays):
    """Raise an error if arrays do not have the shapes that an op registered.

    Args:
        op: The op.
        arrays: Its inputs, unwrapped.

    Raises:
        ValueError: They do not fit; the message says what the op needs, and what it got.
    """
    try:
        if not op.patterns:  # the arrays of an optimizer's step: this is faster than to look them up
            first = arrays[0].shape
            for array in arrays:
                if array.shape != first:
                    break
            else:
                return
        shapes = tuple(map(SHAPE, arrays))
    except AttributeError:  # a number, or None for an input that is left out
        shapes = tuple(map(shape_of, arrays))
    if shapes not in op.right_shapes:
        fit(op, shapes)
        if len(op.right_shapes) == KEPT:
            op.right_shapes.clear()
        op.right_shapes.add(shapes)


def with_settings(op, kernel):
    """Return a kernel that first compares the shapes of its inputs with its settings, as the op registered."""

    def run(*arrays, **settings):
        shapes = tuple(map(shape_of, arrays))
        try:
            suit(op, shapes, tuple(settings.items()))
        except TypeError:  # a list among the settings cannot be remembered
            op.check_settings(*shapes, **settings)
        return kernel(*arrays, **settings)

    return run


def fit(op, shapes):
    """Raise an error if shapes do not match an op's patterns, or, for one without patterns, are not all the same."""
    if not op.patterns:
        if len({shape for shape in shapes if shape is not None}) > 1:
            raise ValueError(f"{op.name} needs arrays of one shape, got {listed(op, shapes)}")
        return
    sizes = {}
    for pattern, shape in zip(op.patterns, shapes):
        misfit = pattern is not ANY and shape is not None and unify(pattern.split(), shape, sizes)
        if misfit:
            needed = ", ".join(f"({pattern.replace(' ', ', ')})" for pattern in op.patterns if pattern is not ANY)
            raise ValueError(f"{op.name} needs shapes {needed}, got {listed(op, shapes)}: {misfit}")


def unify(names, shape, sizes):
    """Match the names of a pattern with the sizes of a shape; return what is wrong if a name already has another size.

    Args:
        names: List of the pattern's names; "..." at its beginning is any number of axes.
        shape: The shape.
        sizes: Dict of the known sizes; those of this shape are added.

    Returns:
        Text, or None if everything fits.

    Example:
        >>> sizes = {}
        >>> unify(["o", "i"], (5, 3), sizes), sizes
        (None, {'o': 5, 'i': 3})
        >>> unify(["...", "o"], (2, 7, 4), sizes)
        'o is 5 and 4'
    """
    known = dict(sizes)
    if names and names[0] == "...":
        front = len(shape) - len(names) + 1
        if front >= 0:
            names, shape = ["...", *names[1:]], (shape[:front], *shape[front:])
    if len(names) != len(shape):
        return f"{shape} does not have the axes ({', '.join(names)})"
    for name, size in zip(names, shape):
        if known.setdefault(name, size) != size:
            return f"{name} is {known[name]} and {size}"
    sizes.update(known)
    return None


@functools.lru_cache(KEPT)
def suit(op, shapes, settings):
    """Raise an error if shapes do not suit an op's settings."""
    op.check_settings(*shapes, **dict(settings))


def listed(op, shapes):
    """Name each input with its shape."""
    names = list(op.signature.parameters)
    return ", ".join(f"{name} {shape}" for name, shape in zip(names, shapes) if shape is not None)
