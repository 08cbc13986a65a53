"""Measure cases and make a record: one process for each case, size and number of threads, started in the workspace."""

import importlib.util
import json
import subprocess
import sys
from datetime import date

from tito import leftovers, machine
from tito.bench import imports, measuring
from tito.workspace import WorkspaceError

SCHEMA = 1
HOW_TO_ADD = {
    "torch": 'pip install "tinytorch-course[bench]"',
    "tinygrad": 'pip install "tinytorch-course[bench]"',
    "numba": 'pip install "tinytorch-course[kernels]"',
}
MEMORY = ("tinytorch numpy", "tinytorch numba", "PyTorch", "PyTorch channels_last", "tinygrad")


class Bench:
    """A run of the benchmarks.

    Args:
        space: The workspace whose package is measured.
        usable: Numbers of the modules that the cases can use.
        threads: Numbers of threads to measure with.
        rounds: Turns of each variant; None for the number given by the case.
        seconds: Maximum time of a case for each number of threads.
    """

    def __init__(self, space, usable, threads=(1, 2), rounds=None, seconds=measuring.SECONDS):
        self.space, self.usable, self.threads, self.rounds, self.seconds = space, set(usable), threads, rounds, seconds

    def describe(self):
        """Return the header of the record: machine, libraries, date."""
        return {
            "schema": SCHEMA,
            "date": date.today().isoformat(),
            "machine": machine.describe(),
            "libraries": self.work({"kind": "libraries"}, threads=1),
            "threads": list(self.threads),
        }

    def missing(self, case):
        """List the numbers of the modules that a case still needs."""
        return [number for number in case.requires if number not in self.usable]

    def kernels(self, case):
        """List the kernel sets that a case can run on."""
        written = "10" in self.usable or case.given_kernels and (self.space.package / "given" / "numba_kernels").is_dir()
        return ["numpy"] + ["numba"] * bool(written and importlib.util.find_spec("numba"))

    def sizes(self, case):
        """Yield the results of a case, one for each of its sizes.

        Args:
            case: The `Case`.
        """
        for size, label in enumerate(case.sizes):
            job = {
                "kind": "times",
                "case": case.name,
                "size": size,
                "kernels": self.kernels(case),
                "rounds": self.rounds or case.rounds,
                "seconds": self.seconds,
                "profiled": case.profiled,
            }
            results = {str(threads): compared(self.work(job, threads)) for threads in self.threads}
            flop = {"flop": case.flop[size]} if case.flop else {}
            yield {"case": case.name, "title": case.title, "size": label, **flop, "threads": results}

    def memory(self, case):
        """Return the peak memory of a case's variants at its last size, each in a separate process."""
        size, variants = len(case.sizes) - 1, {}
        job = {"kind": "memory", "case": case.name, "size": size, "kernels": self.kernels(case)}
        for name in MEMORY:
            usage = self.work({**job, "variant": name}, threads=1)
            if usage is not None:
                variants[name] = usage
        return {"case": case.name, "title": case.title, "size": case.sizes[size], "variants": variants}

    def imports(self):
        """Return how long imports take."""
        return imports.measure(imports.statements(self.space), self.environment(1), self.space.root, self.rounds)

    def environment(self, threads):
        """Return the environment variables of a measuring process."""
        return {**self.space.environment(), **machine.limits(threads), "PYTHONIOENCODING": "utf-8"}

    def work(self, job, threads):
        """Run a job in a separate process, and return its answer."""
        with leftovers.folder("tito-bench-") as folder:
            file = folder / "answer.json"
            command = [sys.executable, "-m", "tito.bench.case_process", json.dumps({**job, "threads": threads}), str(file)]
            done = leftovers.run(
                command,
                env=self.environment(threads),
                cwd=self.space.root,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                stdin=subprocess.DEVNULL,
            )
            if file.is_file():
                return json.loads(file.read_text(encoding="utf-8"))
        raise BenchFailed(job, done)


class BenchFailed(WorkspaceError):
    """A measuring process ended without an answer."""

    remedy = "fix that, then run the command again; tito bench --list names the cases, to leave one out"

    def __init__(self, job, done):
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:]) or "it printed nothing"
        super().__init__(f"{job.get('case') or job['kind']}: the measuring process ended with status {done.returncode}:\n{said}")


def compared(result):
    """Add to a result its fastest PyTorch variant, and the ratio of each median to that one's."""
    clock = f"{result['clock']}_ms"
    medians = {name: times[clock]["median"] for name, times in result["variants"].items()}
    peers = [name for name in medians if name.startswith("PyTorch")]
    fastest = min(peers, key=medians.get, default=None)
    ratios = {name: round(median / medians[fastest], 4) for name, median in medians.items()} if fastest else {}
    return {**result, "fastest_pytorch": fastest, "ratios": ratios}
