"""PyTorch's `backends`, of which scripts ask whether they are there: none is. Given."""
import types


def _nothing():
    """Say that it is not there."""
    return False


mps = types.SimpleNamespace(is_available=_nothing, is_built=_nothing)
cudnn = types.SimpleNamespace(is_available=_nothing, enabled=False, benchmark=False, deterministic=True)
