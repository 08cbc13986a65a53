"""PyTorch's `backends`, which scripts ask for: none is available. Given."""

import types


def _nothing():
    """Say that the backend is not available."""
    return False


mps = types.SimpleNamespace(is_available=_nothing, is_built=_nothing)
cudnn = types.SimpleNamespace(is_available=_nothing, enabled=False, benchmark=False, deterministic=True)
