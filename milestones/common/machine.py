"""What a timing depends on besides the code."""
import sys

import numpy as np
from threadpoolctl import threadpool_info


def blas():
    """Return name, version and processor architecture of NumPy's matrix library: it decides every timing."""
    found = [info for info in threadpool_info() if info["user_api"] == "blas"]
    if not found:  # Apple's Accelerate, for one, cannot be asked or limited
        return np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    return " ".join(filter(None, (found[0]["internal_api"], found[0]["version"], found[0].get("architecture"))))


def peak_memory():
    """Return the most memory that this process has held, in MB; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)  # bytes on macOS, kB elsewhere
