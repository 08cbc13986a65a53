# Made by tito from modules/07_data/data.py: edit that file, then run `tito module complete 07`.

# data.py, cell 5
"""Data: file formats, datasets, batches, and random changes to images."""
import math
import numbers
import struct
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np

from tinytorch.given import random
from tinytorch.given.collate import default_collate
from tinytorch.given.notes import say_once
from tinytorch.tensor import Tensor


# data.py, cell 7
def parse_idx(data, name):
    """Read an IDX file of unsigned bytes.

    Args:
        data: The bytes of the file.
        name: The file's name, for messages.

    Returns:
        uint8 array of the shape in the file. The bytes after the sizes fill it, last axis fastest.

    Raises:
        ValueError: The file does not start with 0, 0, 8; it ends before the sizes do; or there are
            fewer or more bytes after the sizes than the shape needs. The message contains ``name``.

    Example:
        >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]), "three")
        array([7, 8, 9], dtype=uint8)

    Source:
        LeCun, Cortes and Burges, The MNIST Database of Handwritten Digits, 1998, "File formats".
    """
    if data[:3] != bytes([0, 0, 8]) or len(data) < 4:
        raise ValueError(f"{name} is not an IDX file of bytes: it starts with {data[:4].hex(' ')}, "
                         "not with 00 00 08 and the number of dimensions")
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise ValueError(f"{name} is cut short: it ends inside its sizes, after {len(data)} bytes")
    shape = struct.unpack(f">{data[3]}I", data[4:start])
    wanted = math.prod(shape)
    if len(data) - start != wanted:
        raise ValueError(f"{name} has shape {shape} in its header, which is {wanted} bytes, "
                         f"but {len(data) - start} bytes follow")
    try:
        return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
    except ValueError as error:  # more axes, or longer ones, than an array can have
        raise ValueError(f"{name} has {data[3]} sizes in its header: {error}") from error


# data.py, cell 14
def parse_cifar10(data, name):
    """Read a binary CIFAR-10 file.

    Args:
        data: The bytes of the file: records of one label byte and 3 x 32 x 32 pixel bytes.
        name: The file's name, for messages.

    Returns:
        Images, a uint8 array of shape (N, 3, 32, 32), and labels, a uint8 array of shape (N,).

    Raises:
        ValueError: The file is empty or not a whole number of records, or a label is above 9. The
            message contains ``name``.

    Example:
        >>> images, labels = parse_cifar10(bytes([7]) + bytes(3072), "one")
        >>> images.shape, labels
        ((1, 3, 32, 32), array([7], dtype=uint8))

    Source:
        Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """
    if not data or len(data) % 3073:
        raise ValueError(f"{name} has {len(data)} bytes: it needs one or more records of 3073")
    records = np.frombuffer(data, np.uint8).reshape(-1, 3073)
    images, labels = records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]
    if labels.max() > 9:
        raise ValueError(f"{name} has the label {labels.max()} in record {labels.argmax()}: "
                         "labels are 0 to 9")
    return images, labels


# data.py, cell 20
class Dataset:
    """Examples that can be counted and fetched; a subclass writes `__len__` and `__getitem__`."""

    def batch_at(self, indices):
        """Return the examples at several positions as one batch."""
        return default_collate([self[int(index)] for index in indices])


class IterableDataset(Dataset):
    """Examples that come one after another, without positions; a subclass writes `__iter__`."""


class TensorDataset(Dataset):
    """Arrays or tensors of equal length, side by side.

    Args:
        arrays: Arrays or tensors; the first axis counts the examples.
        transform: Function of a batch of the first array and a generator; it returns the batch to
            use.
        rng: Generator for the transform.
    """

    def __init__(self, *arrays, transform=None, rng=None):
        self.arrays = [Tensor(array).data for array in arrays]
        self.transform, self.rng = transform, random.generator(rng)
        if len({len(array) for array in self.arrays}) != 1:
            raise ValueError(f"arrays need one length, got {[len(part) for part in self.arrays]}")

    def __len__(self): return len(self.arrays[0])

    def __getitem__(self, index):
        """Return an example, or those of a slice: a tuple of tensors, the rows of every array."""
        rows = np.arange(len(self))[index]
        batch = self.batch_at(np.atleast_1d(rows))
        return tuple(part if np.ndim(rows) else part[0] for part in batch)

    def batch_at(self, indices):
        """Return the rows at these positions; the transform gets them as a batch."""
        first, *others = (array[indices] for array in self.arrays)
        first = self.transform(first, self.rng) if self.transform else first
        return [Tensor(part) for part in (first, *others)]


# data.py, cell 22
def split_indices(count, lengths, rng):
    """Split the positions 0 to count - 1, in random order, into parts.

    Args:
        count: Number of examples.
        lengths: Sizes of the parts, one or more, which sum to ``count``.
        rng: ``numpy.random.Generator``. One call of its ``permutation`` draws the order.

    Returns:
        List of int arrays, one for each length. Every position is in exactly one of them. The order
        within a part does not matter.

    Raises:
        ValueError: The lengths do not sum to ``count``. The message contains both numbers.

    Example:
        >>> [len(part) for part in split_indices(10, [7, 3], np.random.default_rng(0))]
        [7, 3]
    """
    if sum(lengths) != count:
        raise ValueError(f"parts of {list(lengths)} hold {sum(lengths)} examples, "
                         f"but there are {count}")
    order = rng.permutation(count)
    return np.split(order, np.cumsum(lengths)[:-1])


# data.py, cell 28
class Subset(Dataset):
    """A subset of the examples of a dataset.

    Args:
        dataset: The dataset.
        indices: Positions in it.
    """

    def __init__(self, dataset, indices):
        self.dataset, self.indices = dataset, np.asarray(indices)

    def __len__(self): return len(self.indices)
    def __getitem__(self, index): return self.dataset[int(self.indices[index])]
    def batch_at(self, indices): return batch_of(self.dataset, self.indices[indices])


def batch_of(dataset, indices, collate_fn=None):
    """Return the examples of a dataset, which may be a list, at several positions as one batch."""
    if collate_fn is None and isinstance(dataset, Dataset):
        return dataset.batch_at(indices)
    return (collate_fn or default_collate)([dataset[int(index)] for index in indices])


def random_split(dataset, lengths, generator=None, rng=None):
    """Split a dataset into random parts.

    Args:
        dataset: The dataset.
        lengths: Sizes of the parts, or fractions that sum to 1. Examples left over by rounding go
            to the first parts, one each.
        generator: ``numpy.random.Generator`` that draws the order.
        rng: Another name for ``generator``.

    Returns:
        List of `Subset`.
    """
    if min(lengths, default=0) < 0:
        raise ValueError(f"lengths need numbers of at least 0, got {list(lengths)}")
    if math.isclose(sum(lengths), 1):
        whole = [int(len(dataset) * length) for length in lengths]
        left = len(dataset) - sum(whole)
        lengths = [length + (place < left) for place, length in enumerate(whole)]
    draw = random.generator(rng if generator is None else generator)
    return [Subset(dataset, part) for part in split_indices(len(dataset), lengths, draw)]


# data.py, cell 30
def batch_indices(count, batch_size, *, shuffle=False, drop_last=False, rng=None):
    """Yield the positions of each batch of one epoch.

    Args:
        count: Number of examples.
        batch_size: Number of examples in a batch.
        shuffle: Whether the order is random, drawn by one call of ``rng.permutation``; otherwise
            the order is 0, 1, 2, ...
        drop_last: Whether to leave out a last batch that is not full.
        rng: ``numpy.random.Generator``, needed to shuffle.

    Returns:
        Iterator of int arrays of shape (batch_size,); the last may be shorter.

    Example:
        >>> [batch.tolist() for batch in batch_indices(5, 2)]
        [[0, 1], [2, 3], [4]]
    """
    order = rng.permutation(count) if shuffle else np.arange(count)
    stop = count - count % batch_size if drop_last else count
    for start in range(0, stop, batch_size):
        yield order[start:start + batch_size]


# data.py, cell 34
class DataLoader:
    """Batches of a dataset, as tensors; with ``shuffle``, each loop over it has a new order.

    Args:
        dataset: A `Dataset`, a list, or anything else with a length and positions. The examples of
            an `IterableDataset` are taken as they come.
        batch_size: Examples in a batch.
        shuffle: Whether the order is random.
        sampler: Iterable of positions in order, instead of ``shuffle``.
        batch_sampler: Iterable of lists of positions, one for each batch, instead of all the above.
        num_workers: Number of processes that PyTorch would start. Here one thread prepares batches
            in advance instead, two for each worker.
        collate_fn: Function of a list of examples that returns the batch.
        pin_memory: Accepted as in PyTorch, but has no effect.
        drop_last: Whether to leave out a last batch that is not full.
        generator: ``numpy.random.Generator`` that draws the order.
        prefetch: Number of batches that a second thread prepares in advance; 0 for none.
    """

    def __init__(self, dataset, batch_size=1, shuffle=False, sampler=None, batch_sampler=None,
                 num_workers=0, collate_fn=None, pin_memory=False, drop_last=False, generator=None,
                 *, prefetch=0):
        if not isinstance(batch_size, numbers.Integral) or batch_size < 1:
            raise ValueError(f"batch_size needs a whole number above 0, got {batch_size}")
        if sampler is not None and shuffle:
            raise ValueError("a sampler already decides the order: leave out shuffle")
        others = batch_size > 1, shuffle, sampler is not None, drop_last
        if batch_sampler is not None and any(others):
            raise ValueError("a batch_sampler already decides the batches: leave out batch_size, "
                             "shuffle, sampler and drop_last")
        if num_workers < 0 or prefetch < 0:
            raise ValueError(f"num_workers and prefetch need numbers of at least 0, got "
                             f"{num_workers} and {prefetch}")
        if num_workers:
            say_once("num_workers: there are no worker processes here; one thread prepares batches "
                     "in advance, two for each worker, and pin_memory has no effect")
        self.dataset, self.batch_size, self.generator = dataset, batch_size, generator
        self.shuffle, self.sampler, self.batch_sampler = shuffle, sampler, batch_sampler
        self.collate_fn, self.drop_last = collate_fn, drop_last
        self.prefetch = prefetch or 2 * num_workers

    def __len__(self):
        if self.batch_sampler is not None:
            return len(self.batch_sampler)
        full, rest = divmod(len(self.dataset if self.sampler is None else self.sampler),
                            self.batch_size)
        return full + bool(rest and not self.drop_last)

    def __iter__(self):
        """Return an iterator over batches: for a `TensorDataset`, lists of tensors."""
        return ahead(self.batches(), self.prefetch) if self.prefetch else self.batches()

    def batches(self):
        """Yield the batches, one after the other."""
        if isinstance(self.dataset, IterableDataset):
            for examples in chunks(self.dataset, self.batch_size, self.drop_last):
                yield (self.collate_fn or default_collate)(examples)
        else:
            for indices in self.positions():
                yield batch_of(self.dataset, indices, self.collate_fn)

    def positions(self):
        """Return an iterable of the positions of each batch."""
        if self.batch_sampler is not None:
            return self.batch_sampler
        if self.sampler is not None:
            return chunks(self.sampler, self.batch_size, self.drop_last)
        return batch_indices(len(self.dataset), self.batch_size, shuffle=self.shuffle,
                             drop_last=self.drop_last, rng=random.generator(self.generator))


# data.py, cell 35
def chunks(values, size, drop_last=False):
    """Yield lists of ``size`` values of an iterable; the last may be shorter, or is left out."""
    values = iter(values)
    while (chunk := list(islice(values, size))) and not (drop_last and len(chunk) < size):
        yield chunk


def ahead(batches, count):
    """Yield the items of an iterator in order while a thread fetches the next ``count``."""
    end = object()
    with ThreadPoolExecutor(1, "prefetch") as pool:
        waiting = deque(pool.submit(next, batches, end) for _ in range(count))
        while (batch := waiting.popleft().result()) is not end:
            waiting.append(pool.submit(next, batches, end))
            yield batch


# data.py, cell 37
def normalize(images, mean, std):
    """Scale bytes to 0 to 1, then subtract the mean and divide by the standard deviation.

    Args:
        images: uint8 array of shape (N, channels, height, width). It is not changed.
        mean: One number for each channel.
        std: One number for each channel.

    Returns:
        float32 array of the same shape: ``(images / 255 - mean) / std``, channel by channel.

    Example:
        >>> white = np.full((1, 2, 1, 1), 255, np.uint8)
        >>> normalize(white, mean=[0.5, 1.0], std=[0.25, 2.0]).ravel()
        array([2., 0.], dtype=float32)
    """
    mean, std = (np.asarray(value, np.float32).reshape(-1, 1, 1) for value in (mean, std))
    return (images.astype(np.float32) / 255 - mean) / std


# data.py, cell 42
def flip(images, chosen):
    """Mirror some images of a batch left to right.

    Args:
        images: Array of shape (N, channels, height, width). It is not changed.
        chosen: bool array of shape (N,): which images to mirror.

    Returns:
        Array of the same shape and dtype. In a chosen image, column x is column width - 1 - x of
        the original.

    Example:
        >>> flip(np.array([[[[1, 2, 3]]], [[[4, 5, 6]]]]), np.array([True, False])).reshape(2, 3)
        array([[3, 2, 1],
               [4, 5, 6]])
    """
    return np.where(chosen[:, None, None, None], images[..., ::-1], images)


# data.py, cell 47
def shift(images, down, right):
    """Shift each image of a batch by its own number of pixels, and repeat the edges.

    Args:
        images: Array of shape (N, channels, height, width). It is not changed.
        down: int array of shape (N,): rows to shift down, negative for up.
        right: int array of shape (N,): columns to shift right, negative for left.

    Returns:
        Array of the same shape and dtype. Entry (i, c, y, x) is entry
        (i, c, y - down[i], x - right[i]) of ``images``, where a row or column outside the image
        is replaced by the nearest one inside.

    Example:
        >>> shift(np.array([[[[1, 2, 3, 4]]]]), down=np.array([0]), right=np.array([2]))
        array([[[[1, 1, 1, 2]]]])
    """
    count, channels, height, width = images.shape
    rows = np.clip(np.arange(height) - down[:, None], 0, height - 1)    # (N, height)
    columns = np.clip(np.arange(width) - right[:, None], 0, width - 1)  # (N, width)
    image, channel = np.arange(count)[:, None, None, None], np.arange(channels)[:, None, None]
    return images[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


# data.py, cell 53
class Normalize:
    """Turn bytes into float32 around 0; see `normalize`."""

    def __init__(self, mean, std): self.mean, self.std = mean, std
    def __call__(self, images, rng): return normalize(images, self.mean, self.std)


class RandomHorizontalFlip:
    """Mirror each image with probability ``p``."""

    def __init__(self, p=0.5): self.p = p
    def __call__(self, images, rng): return flip(images, rng.random(len(images)) < self.p)


class RandomShift:
    """Shift each image by up to ``pixels`` in each direction, edges repeated."""

    def __init__(self, pixels): self.pixels = pixels

    def __call__(self, images, rng):
        down, right = rng.integers(-self.pixels, self.pixels + 1, (2, len(images)))
        return shift(images, down, right)


# data.py, cell 54
class RandomBrightness:
    """Add a random number from -``amount`` to ``amount`` to each normalised image."""

    def __init__(self, amount): self.amount = amount

    def __call__(self, images, rng):
        change = rng.uniform(-self.amount, self.amount, (len(images), 1, 1, 1))
        return images + change.astype(np.float32)


class Compose:
    """Run transforms, which are functions of a batch and a generator, one after the other."""

    def __init__(self, transforms): self.transforms = list(transforms)

    def __call__(self, images, rng):
        for transform in self.transforms:
            images = transform(images, rng)
        return images
