"""Warnings that appear once in a process, such as what a PyTorch argument does here. Given."""

import functools
import warnings


@functools.cache
def say_once(text):
    """Warn with a text, the first time only.

    Args:
        text: The text of the warning.

    Example:
        >>> with warnings.catch_warnings(record=True) as said:
        ...     warnings.simplefilter("always")
        ...     say_once("mind the step")
        ...     say_once("mind the step")
        >>> len(said)
        1
    """
    warnings.warn(text, stacklevel=3)
