"""The device `cuda` in the simulator, for a single test of any folder."""

import pytest

from tinytorch.given import device, dispatch
from tinytorch.given.gpu import backend


@pytest.fixture
def simulated(monkeypatch):
    """Let the simulator run `cuda`, and take the device away afterwards."""
    monkeypatch.setenv(backend.ASKED, "simulator")
    backend.choose.cache_clear()
    yield
    device._devices.pop("cuda", None)
    dispatch._given.pop("cuda", None)
    backend.choose.cache_clear()
