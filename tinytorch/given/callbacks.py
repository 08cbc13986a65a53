"""Callbacks: what a trainer calls at certain moments of a training run. Given."""

from tinytorch.given.resuming import weights


class Callback:
    """Follows a training run; a subclass overrides the methods that it needs."""

    def train_begin(self, trainer):
        """Prepare, before the first epoch of a call to `fit`."""

    def step_end(self, trainer, loss):
        """Follow a step; ``loss`` is the batch's loss, a Python float."""

    def epoch_end(self, trainer, record):
        """Follow an epoch; what you add to its record is kept."""

    def train_end(self, trainer):
        """Finish, after the last epoch."""

    def state_dict(self):
        return {}

    def load_state_dict(self, saved):
        """Restore what `state_dict` returned."""


class PrintEpochs(Callback):
    """Print a line after each epoch: the numbers of its record, without the errors."""

    def epoch_end(self, trainer, record):
        """Print the line."""
        shown = {name.replace("_", " "): value for name, value in record.items() if "error" not in name}
        print("  ".join(f"{name} {value:.4g}" for name, value in shown.items()), flush=True)


class BestWeights(Callback):
    """Keeps the weights of the best epoch; the network has them from the end of `fit` until it trains again."""

    best_epoch, best_weights, last_weights = 0, {}, {}

    def keep(self, trainer, epoch):
        """Remember the current weights as the best so far."""
        self.best_epoch, self.best_weights = epoch, weights(trainer.model)

    def train_end(self, trainer):
        """Give the network its best weights."""
        if self.best_weights:
            self.last_weights = weights(trainer.model)
            trainer.model.load_state_dict(self.best_weights)

    def train_begin(self, trainer):
        """Give the network its last weights back, to continue from them."""
        if self.last_weights:
            trainer.model.load_state_dict(self.last_weights)
            self.last_weights = {}

    def state_dict(self):
        return {"epoch": self.best_epoch, "weights": self.best_weights}

    def load_state_dict(self, saved):
        """Restore what `state_dict` returned."""
        self.best_epoch, self.best_weights, self.last_weights = saved["epoch"], saved["weights"], {}
