"""What this thread has chosen, and what looks on while ops run. Given."""
import threading

watchers = []  # what looks on while ops run, such as module 09's profile: each may wrap a function that is about to run


class State(threading.local):
    """What this thread has chosen: whether ops are remembered, and which kernel set runs on the CPU."""

    recording = True
    kernels = "numpy"


state = State()


def watched(moment, function, *details):
    """Let every watcher put a function of its own around one that is about to run.

    Args:
        moment: Name of the watcher's method: ``"kernel"``, ``"rule"`` or ``"part"``.
        function: What is about to run, or None.
        details: What else the method receives: the op, the kernel's set and, if another set was asked for, True; the op; or
            the part's name.

    Returns:
        The function to run instead.

    Example:
        >>> watched("kernel", abs) is abs  # unless somebody watches
        True
    """
    for watcher in watchers if function else ():
        function = getattr(watcher, moment)(function, *details)
    return function
