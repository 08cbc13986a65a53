"""What this thread has chosen, and who watches while ops run. Given."""

import threading

from tinytorch.given.device import move

watchers = []  # module 09's profile, for example: each may wrap a function that is about to run


class State(threading.local):
    """What this thread has chosen: whether ops are remembered, and which kernel set runs on the CPU."""

    recording = True
    kernels = "numpy"


state = State()


def watched(moment, function, *details):
    """Let every watcher wrap a function that is about to run, or an object that is about to be used.

    Args:
        moment: Name of the watcher's method: ``"kernel"``, ``"rule"`` or ``"part"``; or ``"numbers"`` for a dict whose numbers
            are about to be read, ``"random"`` for a generator that is about to be drawn from; ``"whole"`` for a function of
            arrays that changes them and returns a number; ``"question"`` for a function of arrays that returns whether
            something is so; ``"upload"`` and ``"download"`` for a copy to and from a device.
        function: What is about to run or to be used, or None.
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


def asked(question, *arrays):
    """Return the answer to a question about numbers that decides what is done next; the question may also raise an error.

    While `tinytorch.capture` records, it remembers question and answer: it asks again before it repeats the step.

    Args:
        question: Function of NumPy arrays.
        arrays: The arrays; those on a device are copied to the host.

    Returns:
        True or False.

    Example:
        >>> import numpy as np
        >>> asked(lambda a: (a > 2).any(), np.array([1, 3]))
        True
    """

    def on_host(*arrays):
        return question(*[move(array, "cpu") for array in arrays])

    return bool((watched("question", on_host) if watchers else on_host)(*arrays))


def live(numbers):
    """Return a dict of numbers that a step reads and that change from step to step, as watchers want it to be read.

    Args:
        numbers: Dict, such as a group of an optimizer's parameters with its learning rate.

    Returns:
        The dict; while `tinytorch.capture` records, one like it whose numbers remember where they come from.

    Example:
        >>> live({"lr": 0.1})
        {'lr': 0.1}
    """
    return watched("numbers", numbers) if watchers else numbers
