"""The device `cuda` in the simulator, for the tests of this folder alone."""

import os

import pytest

from tinytorch.given import device, dispatch
from tinytorch.given.gpu import backend


@pytest.fixture(scope="module")
def cuda():
    """Make `cuda` a device, run by the simulator, and take it away afterwards."""
    import tinytorch as tt

    before = os.environ.get(backend.ASKED)
    tt.cuda.simulate()
    yield "cuda"
    device._devices.pop("cuda", None)
    dispatch._given.pop("cuda", None)
    backend.choose.cache_clear()
    os.environ.pop(backend.ASKED, None)
    if before is not None:
        os.environ[backend.ASKED] = before
