"""What a timing depends on besides the code: processor, libraries, threads, and the load of the machine."""

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
    """Return the processor's name, if the system reports it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    fields = dict(line.partition(":")[::2] for line in lines[:12])
    cpu = {name.strip(): value.strip() for name, value in fields.items()}
    if "model name" not in cpu:
        return platform.processor() or platform.machine()
    family = f", family {cpu['cpu family']}, model {cpu['model']}" if "cpu family" in cpu else ""
    return f"{cpu['model name']} ({cpu.get('vendor_id', '')}{family})"


def cores():
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads(wanted):
    """Return a number of threads: at most one for each core, with a line that says so if more are wanted.

    A matrix library that gets far more threads than cores hangs.
    """
    if wanted > cores():
        from tito.console import say

        here = f"{cores()} core{'s' * (cores() != 1)}"
        say(f"{wanted} threads are more than the {here} that can be used here: taking {cores()}", style="yellow")
    return min(wanted, cores())


def load():
    """Return the load average of the last minute, or None if the system does not report it."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def is_busy(machine):
    """Return whether the load is more than half of the cores."""
    return machine["load"] is not None and machine["load"] > machine["cores"] / 2


def settings():
    """Return the environment variables that affect libraries, except the limits on threads, which tito sets itself."""
    return {name: value for name, value in sorted(os.environ.items()) if name.startswith(SWITCHES) and name not in LIMITS}


def limits(threads):
    """Return the environment variables that limit all libraries to a number of threads, and tinygrad to the CPU."""
    return {**dict.fromkeys(LIMITS, str(threads)), "DEV": "CPU"}


def libraries():
    """Import the installed libraries, and return their versions and the kernels they chose for this processor.

    Returns:
        Dict from name to a dict; libraries that cannot be imported are left out.
    """
    installed = {}
    for name, details in (("numpy", numpy), ("torch", torch), ("numba", None), ("tinygrad", None)):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        version = getattr(module, "__version__", None) or importlib.metadata.version(name)
        installed[name] = {"version": version, **(details(module) if details else {})}
    return installed


def numpy(module):
    """Return name, version, architecture and threads of NumPy's matrix library, or only its name if it reports no more.

    Args:
        module: The imported `numpy`.
    """
    from threadpoolctl import threadpool_info

    module.ones((2, 2)) @ module.ones((2, 2))
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    if not pools:  # for example Apple's Accelerate
        return {"blas": module.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]}
    pool = min(pools, key=lambda pool: "numpy" not in pool["filepath"])  # SciPy may have loaded a second one
    return {
        "blas": pool["internal_api"],
        "blas_version": pool["version"],
        "architecture": pool.get("architecture"),
        "threads": pool["num_threads"],
    }


def torch(module):
    """Return the processor features that PyTorch's kernels use, and its matrix libraries."""
    about = module.__config__.show()
    lines = [line.strip(" -") for line in about.splitlines() if "Math Kernel Library" in line or "MKL-DNN" in line]
    return {
        "cpu_capability": module.backends.cpu.get_cpu_capability(),
        "mkl": module.backends.mkl.is_available(),
        "libraries": lines,
    }


def memory():
    """Return the memory that this process uses now, in MB, or None if the system is not Linux."""
    return status("VmRSS") if STATUS.exists() else None


def status(field):
    """Return a field of this process's status on Linux, in MB."""
    lines = dict(line.partition(":")[::2] for line in STATUS.read_text(encoding="utf-8").splitlines())
    return int(lines[field].split()[0]) / 1e3


def peak_memory():
    """Return the peak memory of this process, in MB, or None if the system does not report it.

    On Linux, `ru_maxrss` includes the parent process's peak from before the start of this one; VmHWM does not.
    """
    if STATUS.exists():
        return status("VmHWM")
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
