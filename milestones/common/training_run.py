"""One training run: its threads and kernels, its clock, and what it leaves behind."""

import hashlib
import os
import shlex
import statistics
import sys
from contextlib import nullcontext
from pathlib import Path

from threadpoolctl import threadpool_limits

import tinytorch
from common import closing_table, run_figures, saving
from common.options import RUNS, claim
from tinytorch.datasets import DataError
from tinytorch.datasets.lock import hold
from tinytorch.given.machine import blas
from tinytorch.given.state import state
from tito import leftovers
from tito.console import next_step, working, wrap
from tito.machine import peak_memory

WARM_UP = 5  # first steps, timed apart: caches fill, and what is compiled is compiled here
SETTINGS = ("epochs", "batch_size", "lr", "seed", "threads", "kernels")


class Misused(Exception):
    """The command line asks for what cannot be; the message says what to do."""


class Run:
    """Pins the threads, chooses the kernels, keeps the clock, and says how it went.

    Args:
        options: What `parser` parsed.
        choices: Further settings, such as ``hidden=256``, of which the network is made.

    Its ``history`` holds a dict of numbers for each epoch, its ``step_seconds`` the time of each
    step of this process.
    """

    def __init__(self, options, **choices):
        self.options, self.choices = options, choices
        self.step_seconds, self.history = [], []
        self.checkpoint = options.checkpoint / "checkpoint.safetensors"
        os.environ["NUMBA_NUM_THREADS"] = str(options.threads)  # numba reads it when it is imported
        threadpool_limits(options.threads)
        tinytorch.use(options.kernels)
        options.kernels = state.kernels  # not those asked for, where numba is not installed
        tinytorch.fallbacks.clear()

    def settings(self):
        """Return all that decides the figures: a run that goes on has to have the same."""
        common = {name: getattr(self.options, name) for name in SETTINGS}
        return {**common, **self.choices}

    def prepare(self):
        """Make the folder that keeps the run, before the training; say if it holds nothing to go on from."""
        folder = self.options.checkpoint
        try:
            claim(folder)
            self.lock = hold(folder / ".running")
        except OSError as error:
            raise Misused(f"cannot write to the folder {folder}: {error.strerror}. Name another one: --checkpoint DIR") from error
        if self.lock is None:
            raise Misused(f"another run writes into {folder} now: wait for its end, or name another folder: --checkpoint DIR")
        if self.options.resume and not self.checkpoint.exists():
            print(f"no state is kept in {folder}: this run begins with the first epoch", flush=True)

    def finish(self, model, result, data, tests, network, gradients="autograd", graded=True):
        """Keep the weights, print the closing table, and write it to ``--metrics-json``.

        Args:
            model: The network.
            result: `Result` on the test data.
            data: The data set.
            tests: Batches of its test data, as the network sees them.
            network: The network in words.
            gradients: Who worked out the gradients.
            graded: Whether a grade can be asked for: this is the milestone's own network and data.
        """
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
        """Draw the figures if they are wanted, and return what the closing table says of them."""
        if self.options.no_figures:
            return "none asked for"
        return run_figures.draw(self.options.checkpoint, self.history, model, data, tests)

    def to_be_graded(self):
        """Return the command of a run that can be graded, where this one cannot."""
        whole = " --data mnist" if self.choices.get("dataset") == "mnist-5k" else ""
        return f"tito milestone run {self.options.milestone}{whole}"

    def grade(self):
        """Return the command that grades this run."""
        words, options = ["tito", "milestone", "grade", self.options.milestone], self.options
        if options.checkpoint != RUNS / options.milestone:
            words += ["--run", str(options.checkpoint)]
        return shlex.join(words + (["--data-dir", options.data_dir] if options.data_dir else []))

    def metrics(self, result):
        """Return what was measured, as JSON data; all but ``cpu_seconds`` is by the wall clock."""
        warm_up, rest = self.step_seconds[:WARM_UP], self.step_seconds[WARM_UP:]
        return {
            **{f"test_{name}": value for name, value in result._asdict().items()},
            **self.settings(),
            "milestone": self.options.milestone,
            **{name: sum(one[name] for one in self.history) for name in ("seconds", "cpu_seconds")},
            "warm_up_steps": len(warm_up),
            "warm_up_seconds": sum(warm_up),
            "steps": sum(one["steps"] for one in self.history),
            "step_ms_median": 1000 * statistics.median(rest or warm_up or [0.0]),
            "peak_memory_mb": peak_memory(),
            "blas": blas(),
            "fallbacks": dict(tinytorch.fallbacks),
            "history": self.history,
        }


def package_digests():
    """Return the SHA-256 of each of your files that trained the network: a grade says which of them have changed since."""
    files = sorted(Path(tinytorch.__file__).parent.glob("[!_]*.py"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def run(main):
    """Run a milestone; what is missing ends it with a message and status 2, Ctrl-C with 130."""
    leftovers.end_in_order()
    try:
        main()
    except (DataError, ImportError, Misused, FloatingPointError) as error:
        if isinstance(error, ImportError) and not (error.name or "").startswith("tinytorch"):
            raise
        print(*map(wrap, str(error).split("\n")), sep="\n", file=sys.stderr)
        sys.exit(1 if isinstance(error, FloatingPointError) else 2)
    except KeyboardInterrupt:
        print("stopped: the same command with --resume goes on after the last epoch kept", file=sys.stderr)
        sys.exit(130)
