"""What this thread has chosen, and who watches while ops run. Given."""

import threading

watchers = []  # module 09's profile, for example: each may wrap a function that is about to run


class State(threading.local):
    """What this thread has chosen: whether ops are remembered, and which kernel set runs on the CPU."""

    recording = True
    kernels = "numpy"


state = State()


def watched(moment, function, *details):
    """Let every watcher wrap a function that is about to run.

    Args:
        moment: Name of the watcher's method: ``"kernel"``, ``"rule"`` or ``"part"``.
        function: What is about to run, or None.
        details: The method's other arguments. For a kernel: the op, the kernel's set, and True if another set was asked for.
            For a rule: the op. For a part: its name.

    Returns:
        The function to run instead.

    Example:
        >>> watched("kernel", abs) is abs  # nothing is watching
        True
    """
    for watcher in watchers if function else ():
        function = getattr(watcher, moment)(function, *details)
    return function
