"""What a milestone needs besides a trainer: the progress, the clock, and shorter epochs."""

import time
from contextlib import ExitStack
from itertools import islice

from common.progress_bar import progress
from common.training_run import Misused
from tinytorch.data import DataLoader
from tinytorch.given.callbacks import Callback


class FirstBatches(DataLoader):
    """A loader whose epoch has at most ``count`` batches.

    Args:
        count: Number of batches; None for all.
        arguments: The arguments of `DataLoader`.
    """

    def __init__(self, *arguments, count=None, **named):
        super().__init__(*arguments, **named)
        self.count = count

    def __len__(self):
        return min(super().__len__(), self.count or super().__len__())

    def batches(self):
        return islice(super().batches(), len(self))


class OnDevice:
    """A loader whose batches are moved to a device.

    Args:
        loader: Iterable of pairs of tensors.
        device: Name of the device.
    """

    def __init__(self, loader, device):
        self.loader, self.device = loader, device

    def __len__(self):
        return len(self.loader)

    def __iter__(self):
        return (tuple(tensor.to(self.device) for tensor in batch) for batch in self.loader)


class Following(Callback):
    """Shows the progress of a training run, and times it.

    Args:
        session: The `Run`.
        steps: Number of steps in an epoch.
    """

    def __init__(self, session, steps):
        self.session, self.steps, self.bar = session, steps, None

    def fit(self, trainer, training, validation):
        """Train; a checkpoint that does not fit is reported as a mistake on the command line."""
        options = self.session.options
        self.session.prepare()
        try:
            with ExitStack() as self.shown:
                trainer.fit(training, validation, options.epochs, resume=options.resume)
        except ValueError as error:
            if self.bar:
                raise
            raise Misused(f"{error}\nGive the same options, or run without --resume") from error
        if trainer.interrupted:
            raise KeyboardInterrupt
        self.session.history = trainer.history

    def train_begin(self, trainer):
        """Open the bar, and start the clock."""
        self.bar = self.shown.enter_context(progress(self.session.options.epochs, self.steps, trainer.epoch, "validation"))
        self.start()

    def start(self):
        """Start the clock of an epoch."""
        self.wall, self.cpu, self.timed = time.perf_counter(), time.process_time(), 0

    def step_end(self, trainer, loss):
        """Time a step; an epoch's first step is not timed, because it includes the measuring before it."""
        now, self.timed = time.perf_counter(), self.timed + 1
        if self.timed > 1:
            self.session.step_seconds.append(now - self.wall)
        self.wall, self.trained = now, time.process_time()
        self.bar.step(loss)

    def epoch_end(self, trainer, record):
        """Show how an epoch ended."""
        record.update(cpu_seconds=self.trained - self.cpu, steps=self.timed)
        self.bar.epoch(record["epoch"], record["train_loss"], record["validation_accuracy"])
        self.start()
