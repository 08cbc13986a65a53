"""One training run: the loop over epochs and batches, and its clock."""
import math
import statistics
import sys
import time

from threadpoolctl import threadpool_limits

import tinytorch
from common import machine, report
from common.progress import progress
from tinytorch.datasets import DataError

WARM_UP = 5  # first steps, timed apart: caches fill, and what is compiled is compiled here
SETTINGS = ("epochs", "batch_size", "lr", "seed", "threads", "kernels")


class Run:
    """Pins the threads, chooses the kernels, draws batches, keeps the clock, and shows how it goes.

    Args:
        options: What `parser` parsed.

    Set ``loss`` in every step and ``accuracy`` after every epoch: they are shown, and not used.
    """

    def __init__(self, options):
        self.options = options
        self.loss = self.accuracy = math.nan
        self.step_seconds, self.cpu_seconds = [], 0.0
        threadpool_limits(options.threads)
        tinytorch.use(options.kernels)
        tinytorch.fallbacks.clear()

    def epochs(self, examples):
        """Yield the number of each epoch, from 1.

        Args:
            examples: How many there are to train on.
        """
        steps = math.ceil(examples / self.options.batch_size)
        with progress(self.options.epochs, steps) as self.bar:
            for epoch in range(1, self.options.epochs + 1):
                yield epoch
                self.bar.epoch(epoch, self.loss, self.accuracy)

    def batches(self, examples, rng):
        """Yield the indices of each batch of an epoch, in random order, and time what follows.

        Args:
            examples: How many there are; the last batch holds what is left over.
            rng: The generator that draws the order.
        """
        order = rng.permutation(examples)
        for start in range(0, examples, self.options.batch_size):
            wall, cpu = time.perf_counter(), time.process_time()
            yield order[start:start + self.options.batch_size]
            self.step_seconds.append(time.perf_counter() - wall)
            self.cpu_seconds += time.process_time() - cpu
            self.bar.step(self.loss)

    def finish(self, result, **more):
        """Print the closing table, and write it to ``--metrics-json``.

        Args:
            result: `Result` on the test data.
            more: What else there is to say, such as ``data="MNIST"``: it opens the table.
        """
        metrics = {**more, **self.metrics(result)}
        if self.options.metrics_json:
            report.write_json(self.options.metrics_json, metrics)
        report.show({**more, **report.rows(metrics)})

    def metrics(self, result):
        """Return what was measured, as JSON data; all but ``cpu_seconds`` is by the wall clock."""
        warm_up, rest = self.step_seconds[:WARM_UP], self.step_seconds[WARM_UP:]
        return {
            **{f"test_{name}": value for name, value in result._asdict().items()},
            **{name: getattr(self.options, name) for name in SETTINGS},
            "seconds": sum(self.step_seconds), "cpu_seconds": self.cpu_seconds,
            "warm_up_steps": len(warm_up), "warm_up_seconds": sum(warm_up),
            "steps": len(self.step_seconds),
            "step_ms_median": 1000 * statistics.median(rest or warm_up),
            "peak_memory_mb": machine.peak_memory(), "blas": machine.blas(),
            "fallbacks": dict(tinytorch.fallbacks),
        }


def run(main):
    """Run a milestone; missing data ends it with a message and status 2, Ctrl-C with 130."""
    try:
        main()
    except DataError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
