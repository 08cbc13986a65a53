"""PyTorch's `device`, and settings that scripts use. Given."""

from tinytorch.given.state import state


def is_grad_enabled():
    """Say whether ops are remembered, so that gradients can flow.

    Example:
        >>> is_grad_enabled()
        True
    """
    return state.recording


def use_deterministic_algorithms(mode, warn_only=False):
    """Do nothing: with the same seed, every run gives the same numbers.

    Example:
        >>> use_deterministic_algorithms(True)
    """


def set_num_threads(n):
    """Set the number of threads for kernels and the matrix library.

    Args:
        n: The number of threads.

    Example:
        >>> set_num_threads(get_num_threads())
    """
    import threadpoolctl

    threadpoolctl.threadpool_limits(n)


def get_num_threads():
    """Return the number of threads that the matrix library uses.

    Example:
        >>> get_num_threads() > 0
        True
    """
    import threadpoolctl

    return max((pool["num_threads"] for pool in threadpoolctl.threadpool_info()), default=1)


class set_grad_enabled:
    """Record ops or stop recording them: from now on, or inside a ``with`` block.

    Args:
        mode: Whether to record them.

    Example:
        >>> with set_grad_enabled(False):
        ...     is_grad_enabled()
        False
        >>> is_grad_enabled()
        True
    """

    def __init__(self, mode):
        self.before, state.recording = state.recording, bool(mode)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        state.recording = self.before


def inference_mode(mode=True):
    """Record no ops inside ``with inference_mode():`` or inside a function decorated with it.

    Example:
        >>> with inference_mode():
        ...     is_grad_enabled()
        False
    """
    from tinytorch.autograd import recording

    if callable(mode):
        return recording(False)(mode)
    return recording(not mode)
