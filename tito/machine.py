"""What decides a time besides the code: processor, libraries, threads, and what else the machine is doing."""

import importlib
import importlib.metadata
import os
import platform
import sys
from pathlib import Path

SWITCHES = ("OPENBLAS_", "MKL_", "OMP_", "KMP_", "GOMP_", "NUMBA_", "LD_PRELOAD", "MALLOC_")
STATUS = Path("/proc/self/status")
LIMITS = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUM_CPU_THREADS",
)  # the last is tinygrad's


def describe():
    """Return the machine as a dict, for the record."""
    return {
        "processor": processor(),
        "cores": cores(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load": load(),
        "settings": settings(),
    }


def processor():
    """Return the processor's name, as far as the system tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    fields = dict(line.partition(":")[::2] for line in lines[:12])
    cpu = {name.strip(): value.strip() for name, value in fields.items()}
    if "model name" not in cpu:
        return platform.processor() or platform.machine()
    family = f", family {cpu['cpu family']}, model {cpu['model']}" if "cpu family" in cpu else ""
    return f"{cpu['model name']} ({cpu.get('vendor_id', '')}{family})"


def cores():
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load():
    """Return how many processes wanted a core in the last minute, on average; None where nobody says."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def is_busy(machine):
    """Say whether the machine had more to do than half of its cores can."""
    return machine["load"] is not None and machine["load"] > machine["cores"] / 2


def settings():
    """Return the variables of the environment that libraries heed; how many threads they may have is measured, not left to it."""
    return {name: value for name, value in sorted(os.environ.items()) if name.startswith(SWITCHES) and name not in LIMITS}


def limits(threads):
    """Return the variables that limit every library to a number of threads, and tinygrad to the CPU."""
    return {**dict.fromkeys(LIMITS, str(threads)), "DEV": "CPU"}


def libraries():
    """Import what is installed, and return its versions and which of its kernels were chosen for this processor.

    Returns:
        Dict from name to a dict, or to a sentence when the library is there and cannot be imported.
    """
    installed = {}
    for name, told in (("numpy", numpy), ("torch", torch), ("numba", None), ("tinygrad", None)):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        version = getattr(module, "__version__", None) or importlib.metadata.version(name)
        installed[name] = {"version": version, **(told(module) if told else {})}
    return installed


def numpy(module):
    """Return name, version, architecture and threads of NumPy's matrix library, or its name alone where it cannot be asked.

    Args:
        module: The imported `numpy`.
    """
    from threadpoolctl import threadpool_info

    module.ones((2, 2)) @ module.ones((2, 2))
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    if not pools:  # Apple's Accelerate, for one
        return {"blas": module.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]}
    pool = min(pools, key=lambda pool: "numpy" not in pool["filepath"])  # SciPy may have brought a second one
    return {
        "blas": pool["internal_api"],
        "blas_version": pool["version"],
        "architecture": pool.get("architecture"),
        "threads": pool["num_threads"],
    }


def torch(module):
    """Return what PyTorch's kernels are built for here, and which matrix library it calls."""
    about = module.__config__.show()
    lines = [line.strip(" -") for line in about.splitlines() if "Math Kernel Library" in line or "MKL-DNN" in line]
    return {
        "cpu_capability": module.backends.cpu.get_cpu_capability(),
        "mkl": module.backends.mkl.is_available(),
        "libraries": lines,
    }


def memory():
    """Return the memory that this process holds now, in MB; None where Linux does not say it."""
    return status("VmRSS") if STATUS.exists() else None


def status(field):
    """Return a field of what Linux says of this process, in MB."""
    lines = dict(line.partition(":")[::2] for line in STATUS.read_text(encoding="utf-8").splitlines())
    return int(lines[field].split()[0]) / 1e3


def peak_memory():
    """Return the most memory that this process has held, in MB; None where nobody says.

    Linux's `ru_maxrss` is that of the process which started this one, if that had more: VmHWM begins anew.
    """
    if STATUS.exists():
        return status("VmHWM")
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
