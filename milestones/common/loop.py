"""The loop over epochs and batches, written out, for milestones that run before module 08."""

import math
import time

from common import saving
from common.progress_bar import progress
from common.training_run import Misused, Run

COUNTED = ("seconds", "cpu_seconds", "steps", "train_loss")  # what an epoch's record adds up


class Loop(Run):
    """A run whose batches are drawn here.

    Args:
        options: As for `Run`.
        keep: Whether to save the state after each epoch.
        choices: As for `Run`.

    Set ``loss`` in every step and ``accuracy`` after every epoch, to be shown. A loss that is infinite or nan ends the run.
    """

    loss = accuracy = math.nan

    def __init__(self, options, keep=True, **choices):
        super().__init__(options, **choices)
        self.keeps = keep

    def epochs(self, model, rng, examples):
        """Yield the number of each epoch to train, and save the state after it.

        Args:
            model: The network; ``--resume`` loads the saved weights into it.
            rng: Generator of the batches; ``--resume`` restores its saved state.
            examples: Number of training examples.
        """
        if self.keeps:
            self.prepare()
            if self.options.resume and self.checkpoint.exists():
                self.go_on(model, rng)
        steps, begun = math.ceil(examples / self.options.batch_size), len(self.history)
        with progress(self.options.epochs, steps, begun) as self.bar:
            for epoch in range(begun + 1, self.options.epochs + 1):
                self.record = {"epoch": epoch, **dict.fromkeys(COUNTED, 0)}
                yield epoch
                self.record["test_accuracy"] = self.accuracy
                self.history.append(self.record)
                if self.keeps:
                    self.keep(model, rng)
                self.bar.epoch(epoch, self.record["train_loss"], self.accuracy)

    def keep(self, model, rng):
        """Write the state after an epoch."""
        saving.save(self.checkpoint, model, rng=rng.bit_generator.state, history=self.history, settings=self.settings())

    def go_on(self, model, rng):
        """Restore the state after the last complete epoch."""
        try:
            weights, about = saving.load(self.checkpoint)
            kept = about["settings"]
        except (ValueError, KeyError) as error:
            raise Misused(f"{self.checkpoint} is not a checkpoint of this milestone ({error}): run without --resume") from error
        if kept != self.settings():
            other = [
                f"{name} was {kept.get(name)}, and is {value} now"
                for name, value in self.settings().items()
                if kept.get(name) != value
            ]
            raise Misused(
                f"{self.checkpoint} is from a different run: {', '.join(other)}. Give the same options, or run without --resume"
            )
        model.load_state_dict(weights)
        rng.bit_generator.state, self.history = about["rng"], about["history"]

    def batches(self, examples, rng):
        """Yield the indices of each batch of an epoch, in random order, and time each step.

        Args:
            examples: Number of examples; the last batch holds the rest.
            rng: The generator that draws the order.
        """
        order, record = rng.permutation(examples), self.record
        for start in range(0, examples, self.options.batch_size):
            wall, cpu = time.perf_counter(), time.process_time()
            yield order[start : start + self.options.batch_size]
            if not math.isfinite(self.loss):
                raise FloatingPointError(f"the loss is {self.loss} in epoch {record['epoch']}: lower the learning rate, --lr")
            self.step_seconds.append(time.perf_counter() - wall)
            record["seconds"] += self.step_seconds[-1]
            record["cpu_seconds"] += time.process_time() - cpu
            record["steps"] += 1
            record["train_loss"] += (self.loss - record["train_loss"]) / record["steps"]
            self.bar.step(self.loss)
