"""PyTorch's names for dtypes: each is NumPy's. Given."""

import numpy as np

float16 = half = np.dtype("float16")
float32 = float = np.dtype("float32")
float64 = double = np.dtype("float64")
uint8 = np.dtype("uint8")
int8 = np.dtype("int8")
int16 = short = np.dtype("int16")
int32 = int = np.dtype("int32")
int64 = long = np.dtype("int64")
bool = np.dtype("bool")

dtype = np.dtype
Size = tuple
strided = "strided"
finfo = np.finfo
iinfo = np.iinfo
inf = np.inf
nan = np.nan
pi = np.pi
e = np.e


def get_default_dtype():
    """Return the dtype of floats that have none of their own.

    Example:
        >>> get_default_dtype()
        dtype('float32')
    """
    return float32


def set_default_dtype(d):
    """Refuse every default but float32.

    Args:
        d: The dtype.

    Raises:
        ValueError: It is not float32.

    Example:
        >>> set_default_dtype(float64)
        Traceback (most recent call last):
        ...
        ValueError: the default dtype is float32 here: pass dtype=tinytorch.float64, or write model.double()
    """
    if np.dtype(d) != float32:
        raise ValueError(f"the default dtype is float32 here: pass dtype=tinytorch.{np.dtype(d)}, or write model.double()")


def is_tensor(obj):
    """Say whether an object is a tensor.

    Example:
        >>> is_tensor([1.0])
        False
    """
    from tinytorch.tensor import Tensor

    return isinstance(obj, Tensor)


def is_floating_point(input):
    """Say whether a tensor holds floats.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> is_floating_point(Tensor([1])), is_floating_point(Tensor([1.0]))
        (False, True)
    """
    return input.dtype.kind == "f"
