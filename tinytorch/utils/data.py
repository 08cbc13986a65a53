"""PyTorch's `utils.data`: the names that module 07 exports, and more datasets and samplers. Given.

`from tinytorch.utils.data import DataLoader, ConcatDataset`.
"""

from bisect import bisect_right
from itertools import accumulate

import numpy as np

from tinytorch import data as yours
from tinytorch.data import Dataset, chunks
from tinytorch.given import names
from tinytorch.given.collate import default_collate  # noqa: F401, PyTorch has it here
from tinytorch.given.random import generator as generator_of

__path__ = []  # `from tinytorch.utils.data import x` then says what there is instead of x
__getattr__, __dir__ = names.namespace("tinytorch.utils.data", ["utils/data.py"], lambda: ["data"])


class DataLoader(yours.DataLoader):
    """The `DataLoader` of module 07, with all of PyTorch's arguments.

    Args:
        dataset, batch_size, shuffle, sampler, batch_sampler, num_workers, collate_fn, pin_memory, drop_last, generator:
            As in module 07.
        prefetch_factor: How many batches are made ready ahead for each of ``num_workers``; 2 by default.
        timeout, worker_init_fn, multiprocessing_context, persistent_workers, in_order, pin_memory_device: About worker
            processes, which there are none of here: they make no difference.
        prefetch: How many batches are made ready ahead, whatever ``num_workers`` is.

    Example:
        >>> len(DataLoader([1, 2, 3], batch_size=2, persistent_workers=True))
        2
    """

    def __init__(
        self,
        dataset,
        batch_size=1,
        shuffle=False,
        sampler=None,
        batch_sampler=None,
        num_workers=0,
        collate_fn=None,
        pin_memory=False,
        drop_last=False,
        timeout=0,
        worker_init_fn=None,
        multiprocessing_context=None,
        generator=None,
        *,
        prefetch_factor=None,
        persistent_workers=False,
        pin_memory_device="",
        in_order=True,
        prefetch=0,
    ):
        super().__init__(
            dataset,
            batch_size,
            shuffle,
            sampler,
            batch_sampler,
            num_workers,
            collate_fn,
            pin_memory,
            drop_last,
            generator,
            prefetch=prefetch or num_workers * (prefetch_factor or 0),
        )


class ConcatDataset(Dataset):
    """Several datasets, one after the other.

    Args:
        datasets: Iterable of datasets, or lists.

    Example:
        >>> both = ConcatDataset([["a", "b"], ["c"]])
        >>> len(both), both[2], both[-3]
        (3, 'c', 'a')
    """

    def __init__(self, datasets):
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset needs at least one dataset, got an empty list")
        self.ends = list(accumulate(len(dataset) for dataset in self.datasets))

    def __len__(self):
        return self.ends[-1]

    def __getitem__(self, index):
        """Return the example at a position; a negative one counts from the end."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"{len(self)} examples have no position {index}")
        index %= len(self)
        place = bisect_right(self.ends, index)
        return self.datasets[place][index - (self.ends[place - 1] if place else 0)]


class SequentialSampler:
    """The positions of a dataset in order.

    Args:
        data_source: The dataset.
    """

    def __init__(self, data_source):
        self.data_source = data_source

    def __len__(self):
        return len(self.data_source)

    def __iter__(self):
        return iter(range(len(self)))


class RandomSampler:
    """The positions of a dataset in random order, a new one each time.

    Args:
        data_source: The dataset.
        replacement: Whether each position is drawn from all of them, so that it may occur twice.
        num_samples: How many to draw; None for as many as there are.
        generator: ``numpy.random.Generator`` to draw from.
    """

    def __init__(self, data_source, replacement=False, num_samples=None, generator=None):
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self.num_samples = len(data_source) if num_samples is None else num_samples

    def __len__(self):
        return self.num_samples

    def __iter__(self):
        """Yield the positions."""
        rng, count = generator_of(self.generator), len(self.data_source)
        if self.replacement:
            yield from rng.integers(count, size=self.num_samples).tolist()
            return
        for start in range(0, self.num_samples, max(count, 1)):
            yield from rng.permutation(count)[: self.num_samples - start].tolist()


class SubsetRandomSampler:
    """Some positions in random order, a new one each time.

    Args:
        indices: The positions.
        generator: ``numpy.random.Generator`` to draw from.
    """

    def __init__(self, indices, generator=None):
        self.indices, self.generator = list(indices), generator

    def __len__(self):
        return len(self.indices)

    def __iter__(self):
        return (self.indices[i] for i in generator_of(self.generator).permutation(len(self)))


class WeightedRandomSampler:
    """Positions drawn with given probabilities, for example to show rare classes more often.

    Args:
        weights: A number for each position, in proportion to its probability.
        num_samples: How many to draw.
        replacement: Whether a position may occur twice.
        generator: ``numpy.random.Generator`` to draw from.
    """

    def __init__(self, weights, num_samples, replacement=True, generator=None):
        self.weights, self.num_samples = np.asarray(weights, np.float64), num_samples
        self.replacement, self.generator = replacement, generator

    def __len__(self):
        return self.num_samples

    def __iter__(self):
        """Return an iterator over the positions."""
        probabilities = self.weights / self.weights.sum()
        rng = generator_of(self.generator)
        return iter(rng.choice(len(probabilities), self.num_samples, replace=self.replacement, p=probabilities).tolist())


class BatchSampler:
    """The positions of another sampler, in lists of ``batch_size``.

    Args:
        sampler: Iterable of positions.
        batch_size: Number of positions in a list.
        drop_last: Whether to leave out a last list that is not full.

    Example:
        >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
        [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler, batch_size, drop_last):
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self):
        return chunks(self.sampler, self.batch_size, self.drop_last)

    def __len__(self):
        full, rest = divmod(len(self.sampler), self.batch_size)
        return full + bool(rest and not self.drop_last)
