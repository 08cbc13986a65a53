"""What every sandbox allows a submission."""

from dataclasses import dataclass

MIB = 2**20
JOB = "/job"  # where it finds the job's folder
NOBODY = "65534"  # the user and the group that submissions run as
PACKAGES = ("numpy", "numba", "llvmlite")  # what they may import besides the standard library, if it is installed here
VARIABLES = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "2",
}  # a BLAS or kernels with a thread for each core of a large machine may not start within the limits


@dataclass(frozen=True)
class Limits:
    """Limits of one worker; `runner.observe` limits the wall time."""

    memory: int = 2048 * MIB  # bytes, of all its processes together
    cpu: int = 300  # seconds, of each process
    processes: int = 40
    file_size: int = 16 * MIB
    files: int = 256  # open at the same time
    scratch: int = 64 * MIB  # bytes below /tmp
    whole: float = 300.0  # seconds, for all exercises of a submission
