"""What is said once in a process, such as what an argument of PyTorch's does here. Given."""
import functools
import warnings


@functools.cache
def say_once(text):
    """Warn, the first time that this text is said.

    Args:
        text: What to say.

    Example:
        >>> with warnings.catch_warnings(record=True) as said:
        ...     warnings.simplefilter("always")
        ...     say_once("mind the step")
        ...     say_once("mind the step")
        >>> len(said)
        1
    """
    warnings.warn(text, stacklevel=3)
