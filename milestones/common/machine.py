"""What a timing depends on besides the code."""
import sys

import numpy as np
from threadpoolctl import threadpool_info


def blas():
    """Return name, version and architecture of NumPy's matrix library: it decides every timing."""
    found = [info for info in threadpool_info() if info["user_api"] == "blas"]
    if not found:  # Apple's Accelerate, for one, cannot be asked or limited
        return np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    # SciPy, where something imports it, brings a library of its own.
    numpys = min(found, key=lambda info: "numpy" not in info["filepath"])
    return " ".join(filter(None, map(numpys.get, ("internal_api", "version", "architecture"))))


def peak_memory():
    """Return the most memory that this process has held, in MB; None where nobody says."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)  # bytes on macOS, kB elsewhere
