"""The process that measures one case: `python -m tito.bench.case_process JOB FILE`.

The job is a dict as JSON; the answer goes into the file. Each case runs in its own process because the number of threads of a
library is set before it is imported, and because what one case leaves in memory must not slow down the next.
"""

import contextlib
import importlib
import json
import sys
import time
from pathlib import Path

import numpy as np

from tito import machine
from tito.bench import cases, measuring, step_profile, table

AGREEMENT = 1e-3  # relative difference allowed between what two variants compute
MEMORY_STEPS = 5


def main():
    """Read the job, do it, write the answer."""
    job = json.loads(sys.argv[1])
    answer = {"times": times, "memory": memory, "libraries": lambda job: machine.libraries()}[job["kind"]](job)
    Path(sys.argv[2]).write_text(json.dumps(answer), encoding="utf-8")


def candidates(job):
    """Return the candidates of a job, by name."""
    case = cases.find(job["case"])
    return {candidate.name: candidate for candidate in case.candidates(job["size"], job["threads"], job["kernels"])}


def times(job):
    """Measure a case at one size and one number of threads."""
    variants, checks, absent = ready(candidates(job))
    absent |= {name: reason for name in list(variants) if (reason := disagreement(name, checks))}
    variants = {name: variant for name, variant in variants.items() if name not in absent}
    measured = measuring.measure(variants, job["rounds"], job["seconds"]) if variants else {}
    answer = {
        "clock": measuring.clock(job["threads"]),
        "absent": absent,
        "variants": {name: {**checks[name], **measuring.summary(samples)} for name, samples in measured.items()},
    }
    wanted = measured and job.get("profiled") and job["threads"] == 1
    return {**answer, "roofline": roofline(variants, job)} if wanted else answer


def roofline(variants, job):
    """Profile our own steps after all turns are timed; without a working module 09, return the reason."""
    try:
        return step_profile.measure(variants, min(step_profile.SECONDS, job["seconds"]))
    except ImportError as error:  # it names the module to build
        return {"failed": str(error)}
    except Exception as error:
        return {"failed": worded(error)}


def ready(candidates):
    """Make each variant and run its check.

    Returns:
        Tuple of three dicts by name: the variants; their numbers and how long the check took, compiling included; and the
        reasons why others are absent.
    """
    variants, checks, absent = {}, {}, {}
    for name, candidate in candidates.items():
        try:
            bring(candidate)
            variant = candidate.make()
            checks[name] = first(variant)
            variants[name] = variant
        except Exception as error:  # a learner's package may raise anything, and so may a new version of a peer
            missing = isinstance(error, ImportError) and error.name in candidate.needs
            absent[name] = f"{error.name} {table.NOT_INSTALLED}" if missing else worded(error)
    return variants, checks, absent


def bring(candidate):
    """Import what a candidate needs."""
    for package in candidate.needs:
        importlib.import_module(package)


def first(variant):
    """Run a variant's check; return its numbers, the seconds it took, and the ops that fell back to NumPy."""
    fallbacks = getattr(sys.modules.get("tinytorch"), "fallbacks", {})
    before, start = dict(fallbacks), time.perf_counter()
    with variant.context():
        numbers = [float(number) for number in variant.check()]
    return {
        "check": numbers,
        "first_s": time.perf_counter() - start,
        "fallbacks": sorted(name for name, count in fallbacks.items() if count > before.get(name, 0)),
    }


def worded(error):
    """Format an exception on one line, with its notes, which say where in a notebook it was raised."""
    text = " ".join(str(error).split())
    return "; ".join([f"{type(error).__name__}: {text}", *getattr(error, "__notes__", ())])


def disagreement(name, checks):
    """Return how a variant's numbers differ from PyTorch's (without it, from the median), or None if they agree."""
    numbers = np.array(checks[name]["check"])
    every = [check["check"] for check in checks.values()]
    usual = checks["PyTorch"]["check"] if "PyTorch" in checks else np.median(every, axis=0)
    if np.allclose(numbers, usual, rtol=AGREEMENT, atol=1e-6):
        return None
    given, expected = (", ".join(f"{number:.6g}" for number in several) for several in (numbers, usual))
    return f"computes something else: {given}, not {expected}"


def memory(job):
    """Measure the peak memory of one variant after a few steps; None if the case does not have this variant."""
    candidate = candidates(job).get(job["variant"])
    if candidate is None:
        return None
    with contextlib.suppress(ImportError):  # `ready` reports it
        bring(candidate)
    imported = machine.memory()
    variants, _, absent = ready({candidate.name: candidate})
    for variant in variants.values():
        with variant.context():
            for number in range(MEMORY_STEPS):
                variant.step(number)
    return {"peak_mb": machine.peak_memory(), "imported_mb": imported, "absent": absent.get(candidate.name)}


if __name__ == "__main__":
    main()
