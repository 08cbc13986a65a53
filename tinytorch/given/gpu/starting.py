"""How ``cuda`` becomes a device: its memory is registered, and its kernels. Given."""

import importlib
import os

from tinytorch.given import device, dispatch
from tinytorch.given.gpu import backend


def start():
    """Register the device ``cuda``, if there is a GPU, or if the simulator was asked for; calling it again changes nothing.

    Raises:
        ValueError: There is no GPU. The message says what was looked for, and how to simulate one.
    """
    if "cuda" in device.registered():
        return
    chosen = backend.choose()
    if chosen.gpu is None and os.environ.get(backend.ASKED) != "simulator":
        raise ValueError(
            f"there is no device 'cuda' here, only {', '.join(['cpu', *device.registered()])}: {chosen.why}. "
            f"tinytorch.cuda.simulate(), or the variable {backend.ASKED}=simulator, runs kernels without a GPU, slowly"
        )
    arrays = importlib.import_module("tinytorch.given.gpu.device_array")
    device.register_device("cuda", arrays.DeviceArray, arrays.upload, arrays.download)
    dispatch.give("cuda", importlib.import_module("tinytorch.given.gpu.kernels").find, "tinytorch.kernels_cuda")


def simulate():
    """Let the simulator run the kernels of the device ``cuda``, from now on.

    Raises:
        RuntimeError: A GPU runs them already.
    """
    if backend.choose.cache_info().currsize and backend.choose().name != "simulator":
        raise RuntimeError(f"kernels run on {backend.choose().gpu} here: start Python with {backend.ASKED}=simulator")
    os.environ[backend.ASKED] = "simulator"
    backend.choose.cache_clear()
    start()
