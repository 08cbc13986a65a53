# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Data
#
# A network trains on batches of examples that come from files. In this module you read two famous file formats byte by byte, split data
# into parts that must not mix, draw batches in random order, and get more out of a small data set by changing every image a little
# each time. Module 08 trains on what you build here.

# %%
from tito import notebook
check = notebook("07")

import struct
import matplotlib.pyplot as plt
import numpy as np
rng = np.random.default_rng(0)

# %% [markdown]
# ## A file is bytes
#
# MNIST comes in **IDX** files. Such a file starts with a **magic number**: two bytes that are 0, one byte for the type of the numbers,
# and one for the number of dimensions. Then comes the size of each dimension, as four bytes with the most significant byte first. The
# numbers themselves follow, one after the other. Here are two images of 2 by 3 pixels as a file.

# %%
header = bytes([0, 0, 0x08, 3]) + struct.pack(">III", 2, 2, 3)   # 0x08: unsigned bytes
tiny_file = header + bytes([0, 50, 100, 150, 200, 250, 5, 4, 3, 2, 1, 0])
print(tiny_file.hex(" ", 4))

# %%
#| export
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

# %% [markdown]
# A file may be cut short, or have the wrong contents. Then loading has to fail at once, with the file's name in the message, because a
# network trains on garbage without complaint. `struct.unpack(">II", data[4:12])` reads two such sizes.

# %% exercise="07.1" minutes=30 points=3
#| export
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
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% check="07.1"
check("07.1")

# %% [markdown] hint="07.1"
# Read from the front: three bytes that must be 0, 0, 8, then the number of dimensions, then four bytes for each dimension. How long is
# this header, and how many bytes are left?

# %% [markdown] hint="07.1"
# `data[3]` is an int. A format such as `">3I"` reads three sizes at once; build it from the number of dimensions.

# %% [markdown] hint="07.1"
# `np.frombuffer` makes an array from bytes without copying, and takes an offset. Before you reshape, compare the number of bytes left
# with the product of the sizes.

# %%
parse_idx(tiny_file, "tiny")[0]

# %% [markdown]
# The binary files of CIFAR-10 have no header. They consist of **records** of 3,073 bytes: the label, then 1,024 bytes of red, 1,024 of
# green and 1,024 of blue, each plane row after row. So the channel comes before row and column. This framework, like PyTorch, keeps
# images in the same order: `(batch, channel, row, column)`.

# %% exercise="07.2" minutes=20 points=2
#| export
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
    ### BEGIN SOLUTION
    if not data or len(data) % 3073:
        raise ValueError(f"{name} has {len(data)} bytes: it needs one or more records of 3073")
    records = np.frombuffer(data, np.uint8).reshape(-1, 3073)
    images, labels = records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]
    if labels.max() > 9:
        raise ValueError(f"{name} has the label {labels.max()} in record {labels.argmax()}: "
                         "labels are 0 to 9")
    return images, labels
    ### END SOLUTION

# %% check="07.2"
check("07.2")

# %% [markdown] hint="07.2"
# Read all bytes into one array, and give it the shape (records, 3073). What is in column 0, and what is in the others?

# %% [markdown] hint="07.2"
# Check the length before you reshape, with the remainder of a division, and the largest label before you return. The planes are already
# in the right order: a reshape is enough.

# %% [markdown]
# ## Datasets
#
# A **dataset** has a length and returns the example at any position. A plain list is a dataset, too. A loader needs nothing else: it
# fetches the examples of a batch one by one, and the given `default_collate` stacks their parts. `TensorDataset` holds arrays side by
# side. Its `batch_at` takes a whole batch of positions at once, because indexing an array for 128 rows costs hardly more than for one.
# Images stay bytes until they are needed: MNIST is 47 MB as bytes and 188 MB as float32.

# %%
default_collate([{"name": "cat", "size": 4}, {"name": "dog", "size": 5}])

# %%
#| export
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

# %% [markdown]
# ## Parts that must not mix
#
# How good is a network on new images? You can only find out with images that you did not use for training. So first split a data set
# into parts: one to train on, one to make choices with (**validation**), and one for the final result (**test**). Files are often
# sorted, so split in a random order.

# %% exercise="07.3" minutes=15 points=2
#| export
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
    ### BEGIN SOLUTION
    if sum(lengths) != count:
        raise ValueError(f"parts of {list(lengths)} hold {sum(lengths)} examples, "
                         f"but there are {count}")
    order = rng.permutation(count)
    return np.split(order, np.cumsum(lengths)[:-1])
    ### END SOLUTION

# %% check="07.3"
check("07.3")

# %% [markdown] hint="07.3"
# Draw the order once, for all parts together. With two draws, one for each part, some positions would occur twice.

# %% [markdown] hint="07.3"
# The first part starts at 0, the second where the first ends, and so on. These places are running sums of the lengths. NumPy can
# split an array at given places.

# %% [markdown] question="07.1"
# Take 60,000 images, and keep 5,000 of them for validation. You choose the one of ten networks that does best on these 5,000. Is its
# validation accuracy a fair estimate for new images? **Predict** in which direction it is off. The cell lets ten networks guess
# at random.

# %%
guesses = rng.integers(0, 10, (10, 5000)) == rng.integers(0, 10, 5000)
print("each network:", np.round(100 * guesses.mean(axis=1), 1))
print(f"the best of ten: {100 * guesses.mean(axis=1).max():.1f} %, and the truth is 10 %")

# %%
#| export
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

# %% [markdown]
# ## Batches
#
# One example per step is slow and erratic; all examples per step is wasteful. A **batch** is the usual compromise. Each **epoch** uses
# every example once, in a new random order. The last batch holds what is left over. It is dropped only if you ask for it, because a
# loader should not leave out examples silently.

# %% exercise="07.4" minutes=20 points=2
#| export
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
    ### BEGIN SOLUTION
    order = rng.permutation(count) if shuffle else np.arange(count)
    stop = count - count % batch_size if drop_last else count
    for start in range(0, stop, batch_size):
        yield order[start:start + batch_size]
    ### END SOLUTION

# %% check="07.4"
check("07.4")

# %% [markdown] hint="07.4"
# First make the order of all positions, then take slices of it. `range` with a step gives the start of each slice.

# %% [markdown] hint="07.4"
# A slice that goes past the end stops at the end, so the last batch needs no special case. To drop it, stop earlier. The remainder of
# a division tells you how much earlier.

# %%
#| export
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

# %%
#| export
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

# %% [markdown]
# ## From bytes to numbers around 0
#
# A layer learns fastest from inputs around 0 with a standard deviation of about 1. `normalize` scales bytes to the range 0 to 1, then
# subtracts each channel's mean and divides by its standard deviation. This costs little if you do it one batch at a time. But watch
# the dtype: bytes times a NumPy float64 give float64, with twice the memory and half the speed from here to the end of the network.

# %% exercise="07.5" minutes=15 points=2
#| export
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
    ### BEGIN SOLUTION
    mean, std = (np.asarray(value, np.float32).reshape(-1, 1, 1) for value in (mean, std))
    return (images.astype(np.float32) / 255 - mean) / std
    ### END SOLUTION

# %% check="07.5"
check("07.5")

# %% [markdown] hint="07.5"
# The mean and the standard deviation must broadcast against (N, channels, height, width). Which shape lines them up with the second
# axis?

# %% [markdown] hint="07.5"
# Make everything float32 first: the bytes with `astype`, the lists with `np.asarray` and a dtype. Then reshape the lists' arrays, with
# two axes of size 1 at the end.

# %% [markdown]
# ## The same image, a little different
#
# A cat that looks to the left is still a cat when it looks to the right. If you show a network flipped, shifted and dimmed copies of
# 50,000 images, drawn again for every epoch, you have far more training images. This is called **augmentation**, and it is the
# cheapest way to better results on CIFAR-10. The random draws are given. You write the changes to the images, for a whole batch at a
# time.

# %% exercise="07.6" minutes=15 points=2
#| export
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
    ### BEGIN SOLUTION
    return np.where(chosen[:, None, None, None], images[..., ::-1], images)
    ### END SOLUTION

# %% check="07.6"
check("07.6")

# %% [markdown] hint="07.6"
# A slice with a step of -1 walks an axis backwards. Which of the four axes runs from left to right?

# %% [markdown] hint="07.6"
# Choose image by image: either with `np.where` and a condition of shape (N, 1, 1, 1), or by copying the batch and writing the
# mirrored images into the copy.

# %% [markdown]
# A shift by whole pixels leaves a margin empty. A black margin would add a sharp edge that is in no photograph, so repeat the pixels at
# the **edge** of the image instead. That is easier than it sounds: for each row of the result, find the row it comes from, and limit
# its number to rows inside the image.

# %% exercise="07.7" minutes=30 points=3
#| export
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
    ### BEGIN SOLUTION
    count, channels, height, width = images.shape
    rows = np.clip(np.arange(height) - down[:, None], 0, height - 1)    # (N, height)
    columns = np.clip(np.arange(width) - right[:, None], 0, width - 1)  # (N, width)
    image, channel = np.arange(count)[:, None, None, None], np.arange(channels)[:, None, None]
    return images[image, channel, rows[:, None, :, None], columns[:, None, None, :]]
    ### END SOLUTION

# %% check="07.7"
check("07.7")

# %% [markdown] hint="07.7"
# For one image, the source rows are 0 to height - 1, minus the shift, and `np.clip` keeps them inside the image. For all images at
# once, that is a table of shape (N, height).

# %% [markdown] hint="07.7"
# Four index arrays that broadcast to (N, channels, height, width): the image's number with shape (N, 1, 1, 1), the channel's
# with (channels, 1, 1), and your two tables with axes of size 1 put in.

# %% [markdown] question="07.2"
# The figure shows a cat, then the same cat mirrored, shifted in two ways, and upside down. Would you mirror the MNIST digits too? Would
# you turn a horse upside down? Which changes keep the label, and for which data?

# %%
cat = np.zeros((1, 1, 16, 16), np.uint8)
cat[0, 0, 6:13, 3:9], cat[0, 0, 4:7, 3], cat[0, 0, 4:7, 7], cat[0, 0, 3:8, 11] = 200, 200, 200, 120
cats = [cat, flip(cat, np.array([True])), shift(cat, np.array([2]), np.array([-3])),
        shift(cat, np.array([-3]), np.array([4])), cat[:, :, ::-1]]
figure, axes = plt.subplots(1, 5, figsize=(7, 1.6), layout="constrained")
for axis, image in zip(axes, cats):
    axis.imshow(image[0, 0], cmap="gray", vmin=0, vmax=255)
    axis.set(xticks=[], yticks=[])

# %%
#| export
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

# %%
#| export
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

# %% [markdown]
# ## A loader at work
#
# Now put everything together: bytes, a split, transforms, and batches in random order, which a second thread prepares while the network
# is busy. Only the training images are mirrored and shifted. Validation uses images as they are, so the two parts have transforms of
# their own. The loader's order comes from its own generator, so the same seed gives the same training, with or without the thread.

# %%
bytes_, labels = rng.integers(0, 256, (100, 3, 32, 32), dtype=np.uint8), np.arange(100) % 10
scale = Normalize([0.5] * 3, [0.25] * 3)
augment = Compose([RandomHorizontalFlip(), RandomShift(4), scale])
first, second = split_indices(len(bytes_), [80, 20], rng)
training = TensorDataset(bytes_[first], labels[first], transform=augment)
validation = TensorDataset(bytes_[second], labels[second], transform=scale)
loader = DataLoader(training, batch_size=32, shuffle=True, prefetch=2,
                    generator=np.random.default_rng(1))
for x, y in loader:
    print(x.shape, x.dtype, y.shape, y.dtype)

# %% [markdown]
# Three batches, the last of 16. Save the notebook, then run
#
# ```
# tito module complete 07
# ```
#
# In module 08 you write the training loop.
