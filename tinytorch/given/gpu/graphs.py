"""CUDA graphs: launches that the driver keeps, and makes again in one call. Given.

While a stream is captured, its launches are written down and nothing runs. The default stream cannot be captured, so every launch
names the stream that it goes to: ``kernel[blocks, threads, stream()](...)``. What is here needs a GPU; the simulator's form of it
is `simulator.launches_of`.
"""

import importlib
import weakref

from tinytorch.given.gpu import backend

_captured = []  # the stream that is being captured, if one is


def stream():
    """Return the stream that a launch goes to: the default one, unless another is being captured.

    Example:
        >>> stream()
        0
    """
    return _captured[-1] if _captured else 0


def captured(functions):
    """Run functions while their launches are captured.

    Args:
        functions: List of functions without arguments. Their kernels have run before, so that nothing is compiled meanwhile.

    Returns:
        Function that makes the launches of all of them, in order.
    """
    driver, ours = importlib.import_module("cuda.bindings.driver"), backend.cuda.stream()
    relaxed = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED  # memory may be taken meanwhile
    checked(driver.cuStreamBeginCapture(int(ours), relaxed))
    _captured.append(ours)
    try:
        for function in functions:
            function()
    finally:
        _captured.pop()
        graph = checked(driver.cuStreamEndCapture(int(ours)))
    ready = checked(driver.cuGraphInstantiate(graph, 0))
    checked(driver.cuGraphDestroy(graph))

    def launch():
        checked(driver.cuGraphLaunch(ready, int(ours)))

    weakref.finalize(launch, driver.cuGraphExecDestroy, ready).atexit = False
    return launch


def checked(answer):
    """Return what a function of the driver returned.

    Raises:
        RuntimeError: The driver says that something went wrong.
    """
    code, *values = answer
    if int(code):
        raise RuntimeError(f"the driver cannot capture or launch a graph: {code}")
    return values[0] if values else None
