"""One training run: its threads and kernels, its clock, and what it leaves behind."""

import hashlib
import os
import shlex
import statistics
from contextlib import nullcontext
from pathlib import Path

from threadpoolctl import threadpool_limits

import tinytorch
from common import closing_table, run_charts, saving
from common.options import RUNS, claim
from tinytorch.datasets.lock import hold
from tinytorch.given.machine import blas
from tinytorch.given.state import state
from tito.console import next_step, working
from tito.machine import peak_memory, threads

WARM_UP = 5  # first steps, timed separately: caches fill and kernels are compiled
SETTINGS = ("epochs", "batch_size", "lr", "seed", "threads", "kernels")


class Misused(Exception):
    """The command line asks for something impossible; the message says what to do."""


class Run:
    """Sets the threads, chooses the kernels, keeps the times, and reports the result.

    Args:
        options: What `parser` parsed.
        choices: Further settings that define the network, such as ``hidden=256``.

    Its ``history`` holds a dict of numbers for each epoch, its ``step_seconds`` the time of each
    step in this process.
    """

    def __init__(self, options, **choices):
        self.options, self.choices = options, choices
        self.step_seconds, self.history = [], []
        self.checkpoint = options.checkpoint / "checkpoint.safetensors"
        options.threads = threads(options.threads)
        os.environ["NUMBA_NUM_THREADS"] = str(options.threads)  # numba reads it when it is imported
        threadpool_limits(options.threads)
        tinytorch.use(options.kernels)
        options.kernels = state.kernels  # not "numba" if numba is not installed
        tinytorch.fallbacks.clear()
        check_device(options.device)

    def settings(self):
        """Return everything that determines the numbers: a resumed run must have the same."""
        common = {name: getattr(self.options, name) for name in SETTINGS}
        there = {} if self.options.device == "cpu" else {"device": self.options.device}
        return {**common, **there, **self.choices}

    def prepare(self):
        """Make the run's folder before training; say so if there is no checkpoint to resume from."""
        folder = self.options.checkpoint
        try:
            claim(folder)
            self.lock = hold(folder / ".running")
        except OSError as error:
            raise Misused(f"cannot write to the folder {folder}: {error.strerror}. Name another one: --checkpoint DIR") from error
        if self.lock is None:
            raise Misused(f"another run is writing into {folder}: wait until it ends, or name another folder: --checkpoint DIR")
        if self.options.resume and not self.checkpoint.exists():
            print(f"there is no checkpoint in {folder}: this run starts with the first epoch", flush=True)

    def finish(self, model, result, data, tests, network, gradients="autograd", graded=True):
        """Keep the weights, print the closing table, and write it to ``--metrics-json``.

        Args:
            model: The network.
            result: `Result` on the test data.
            data: The data set.
            tests: Batches of its test data, as the network sees them.
            network: The network in words.
            gradients: How the gradients were computed.
            graded: Whether the run can be graded: it has the milestone's own network and data.
        """
        model.to("cpu")
        options, about = self.options, dict(data=data.name, network=network, gradients=gradients)
        metrics = {**about, **self.metrics(result)}
        saving.save(
            options.checkpoint / "weights.safetensors",
            model,
            milestone=options.milestone,
            seed=options.seed,
            choices=self.choices,
            epochs=options.epochs,
            usual_epochs=options.usual_epochs,
            package=package_digests(),
            **about,
        )
        if options.metrics_json:
            saving.write_json(options.metrics_json, metrics)
        with working("drawing the figures") if not options.no_figures else nullcontext():
            drawn = self.draw(model, data, tests)
        closing_table.show(
            {**about, **closing_table.rows(metrics), "figures": drawn, "weights": str(options.checkpoint / "weights.safetensors")}
        )
        next_step(self.grade() if graded else self.to_be_graded())

    def draw(self, model, data, tests):
        """Draw the figures unless ``--no-figures`` is given, and return text for the closing table."""
        if self.options.no_figures:
            return "none, because of --no-figures"
        if self.options.device != "cpu":
            tests = [tuple(tensor.cpu() for tensor in batch) for batch in tests]
        return run_charts.draw(self.options.checkpoint, self.history, model, data, tests)

    def to_be_graded(self):
        """Return the command for a run that can be graded, if this one cannot."""
        whole = " --data mnist" if self.choices.get("dataset") == "mnist-5k" else ""
        return f"tito milestone run {self.options.milestone}{whole}"

    def grade(self):
        """Return the command that grades this run."""
        words, options = ["tito", "milestone", "grade", self.options.milestone], self.options
        if options.checkpoint != RUNS / options.milestone:
            words += ["--run", str(options.checkpoint)]
        return shlex.join(words + (["--data-dir", options.data_dir] if options.data_dir else []))

    def metrics(self, result):
        """Return the measurements as JSON data; all times but ``cpu_seconds`` are wall-clock times."""
        warm_up, rest = self.step_seconds[:WARM_UP], self.step_seconds[WARM_UP:]
        return {
            **{f"test_{name}": value for name, value in result._asdict().items()},
            **self.settings(),
            "milestone": self.options.milestone,
            **{name: sum(record[name] for record in self.history) for name in ("seconds", "cpu_seconds")},
            "warm_up_steps": len(warm_up),
            "warm_up_seconds": sum(warm_up),
            "steps": sum(record["steps"] for record in self.history),
            "step_ms_median": 1000 * statistics.median(rest or warm_up or [0.0]),
            "peak_memory_mb": peak_memory(),
            "blas": blas(),
            "fallbacks": dict(tinytorch.fallbacks),
            "history": self.history,
        }


def check_device(name):
    """Raise `Misused` if nothing can live on a device: the message says what was looked for."""
    try:
        tinytorch.Tensor([0.0]).to(name)
    except (ValueError, RuntimeError) as error:
        raise Misused(f"--device {name}: {error}") from error


def reading(load, *arguments):
    """Load the data, after a line that says so: it takes seconds from a cold disk."""
    print("reading the images", flush=True)
    return load(*arguments)


def tested(evaluate, *arguments):
    """Measure the trained network on the test images, and show that this goes on."""
    with working("measuring on the test images"):
        return evaluate(*arguments)


def package_digests():
    """Return the SHA-256 of each of your files that trained the network, so that a grade can say which have changed since."""
    files = sorted(Path(tinytorch.__file__).parent.glob("[!_]*.py"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
