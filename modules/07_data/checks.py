"""Checks of module 07. NumPy only: nothing here runs the code that it judges, except `observe`."""

import math
import struct

import numpy as np


def array_seen(result):
    """Write down an array, or what came in place of one."""
    if not isinstance(result, np.ndarray):
        return {"the result": f"no array, but a {type(result).__name__}", "its dtype": "none"}
    return {"the result": result, "its dtype": str(result.dtype)}


def array_of(values, dtype):
    """Give an array the form of an observation."""
    return {"the result": values, "its dtype": dtype}


def refused(name):
    """Stand for the error that a file is to raise."""
    return "raises", "ValueError", name


UNNAMED = ("raises", "ValueError")


def unnamed(oracle):
    """Turn an oracle into one whose error message lacks the name."""

    def wrong(**inputs):
        expected = oracle(**inputs)
        return UNNAMED if isinstance(expected, tuple) else expected

    return wrong


# 07.1 parse_idx


def idx_header(*shape):
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


def idx_file(rng, *shape):
    return idx_header(*shape) + rng.integers(0, 256, int(np.prod(shape)), np.uint8).tobytes()


def draw_parse_idx(rng):
    """Files of no to four sizes, one above 255, one 0; files cut short or too long, by rows too, or too large; files of another kind."""
    m, n, k, j = (int(i) for i in 2 + rng.permutation(5)[:4])
    small, whole = idx_file(rng, 2, 3), idx_file(rng, m, n, k)
    row = bytes(range(1, n * k + 1))
    for data in (
        small,
        whole,
        idx_file(rng, n + 4),
        idx_file(rng, k, 1, j, n),
        idx_file(rng, 256 + m, 2),
        idx_file(rng, 0, 3),
        idx_file(rng),
        whole[:-1],
        whole[: -len(row)],
        whole + row,
        small + b"\0",
        idx_header(0, 3) + small[-3:],
        whole[:9],
        small[:4],
        small[:3],
        idx_header(2**32 - 1, 3) + small[12:],
        idx_header(2**31 + 1, 2) + small[12:14],
        idx_header(2**31, 2**31, 4),
        bytes([0, 0, 13]) + small[3:],
        bytes([1, 0]) + small[2:],
        bytes([0, 7]) + small[2:],
        b"",
        b"<html>not found</html>",
    ):
        yield dict(data=data, name=f"file-{m}{n}.idx")


def describe_parse_idx(data, name):
    shown = data.hex(" ") if len(data) < 26 else f"{data[:20].hex(' ')} ... ({len(data)} bytes)"
    return f"parse_idx(data, {name!r})", f"data {shown or 'empty'}"


def observe_parse_idx(parse_idx, data, name):
    return array_seen(parse_idx(data, name))


def idx_turn(
    start=4,
    count=lambda data: data[3],
    opens=(0, 0, 8),
    short=None,
    strict=True,
    order="C",
    little=False,
    skip=True,
    enough=True,
    empty=None,
):
    """Make the parser of IDX files, or a wrong turn.

    Args:
        start: Where the sizes begin.
        count: How many there are, a function of the file.
        opens: The bytes that a file has to open with.
        short: What comes of a file that ends before its sizes do; None for the error asked for.
        strict: Whether bytes after the end are refused.
        order: Which axis varies fastest.
        little: Whether the least significant byte of a size comes first.
        skip: Whether the numbers begin after the sizes.
        enough: Whether too few bytes are refused with the name.
        empty: What comes of a file of less than four bytes; None for the error asked for.
    """

    def turn(data, name):
        if len(data) < 4 and empty:
            return empty
        if tuple(data[: len(opens)]) != opens or len(data) < 4:
            return refused(name)
        dims = count(data)
        if len(data) < start + 4 * dims:
            return short or refused(name)
        sizes = [data[start + 4 * i : start + 4 + 4 * i] for i in range(dims)]
        shape = [sum(byte * 256 ** (place if little else 3 - place) for place, byte in enumerate(size)) for size in sizes]
        values, wanted = data[start + 4 * dims if skip else start :], int(np.prod(shape, dtype=np.float64))
        if not skip and len(data) - start - 4 * dims == wanted:
            values = values[:wanted]
        if len(values) < wanted or (strict and len(values) > wanted):
            return refused(name) if enough else UNNAMED
        return array_of(np.array(list(values[:wanted]), np.float64).reshape(shape, order=order), "uint8")

    return turn


oracle_parse_idx = idx_turn()


def other_dtype(dtype):
    """Read the file into an array of another dtype."""

    def wrong(data, name):
        expected = oracle_parse_idx(data, name)
        return {**expected, "its dtype": dtype} if isinstance(expected, dict) else expected

    return wrong


def flat(data, name):
    expected = oracle_parse_idx(data, name)
    return {**expected, "the result": expected["the result"].ravel()} if isinstance(expected, dict) else expected


def sizes_in(data):
    """Return the sizes in a file, and how many bytes follow; no sizes if the file is none."""
    start = 4 + 4 * data[3] if len(data) > 3 else 0
    if data[:3] != bytes([0, 0, 8]) or not 0 < start <= len(data):
        return np.zeros(0, np.int64), -1
    return np.frombuffer(data, ">u4", data[3], 4).astype(np.int64), len(data) - start


def overflowing(dtype):
    """Multiply the sizes in some bits, which may not hold the product: `reshape` then finds what the comparison did not."""

    def wrong(data, name):
        sizes, rest = sizes_in(data)
        exact, product = math.prod(int(size) for size in sizes), int(np.prod(sizes.astype(dtype), dtype=dtype))
        return UNNAMED if exact != rest == product else oracle_parse_idx(data, name)

    return wrong


def signed_sizes(data, name):
    """Read sizes as signed numbers: reshape takes a negative one for the size that fits."""
    sizes, rest = sizes_in(data)
    sizes = sizes.astype(np.int32)
    others = math.prod(int(size) for size in sizes if size >= 0)
    if np.count_nonzero(sizes < 0) != 1 or others <= 0 or rest % others:
        return oracle_parse_idx(data, name)
    return array_of(np.frombuffer(data, np.uint8, offset=len(data) - rest).reshape(sizes), "uint8")


def missing_as_zero(data, name):
    """Read sizes whose bytes are missing as 0."""
    if data[:3] != bytes([0, 0, 8]) or not 4 <= len(data) < 4 + 4 * data[3]:
        return oracle_parse_idx(data, name)
    sizes = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    return refused(name) if math.prod(sizes) else array_of(np.zeros(sizes), "uint8")


def first_axis_free(data, name):
    """Give the first axis the length that the bytes fill, as -1 does in a reshape; NumPy's error where they fill none."""
    sizes, rest = sizes_in(data)
    others = math.prod(int(size) for size in sizes[1:])
    if rest < 0:
        return oracle_parse_idx(data, name)
    if not others or rest % others:
        return UNNAMED
    return array_of(np.frombuffer(data, np.uint8, offset=len(data) - rest).reshape(-1, *sizes[1:]), "uint8")


misconceptions_parse_idx = {
    "the sizes were read as signed numbers: ff ff ff ff became -1, and reshape takes a negative one for any that fits": signed_sizes,
    "np.prod multiplies in 64 bits, and the product of very large sizes overflows, here to 0: math.prod has no limit": overflowing(
        np.int64
    ),
    "the sizes were multiplied in 32 bits, where a large product overflows: math.prod takes Python's numbers": overflowing(
        np.int32
    ),
    "a file that ends inside of its sizes was let through, and missing bytes were read as 0: look at the length first": missing_as_zero,
    "the first axis was made as long as the bytes that follow fill: the file says how long it is": first_axis_free,
    "the sizes were read with the least significant byte first": idx_turn(little=True),
    "bytes after the end were let through": idx_turn(strict=False),
    "the numbers were read from where the sizes begin": idx_turn(skip=False),
    "the first axis varied fastest; the last one does": idx_turn(order="F"),
    "the numbers have no shape: give them the one that the file says": flat,
    "ValueError came from reshape, where the bytes do not fill the shape: count them first, and name the file": idx_turn(
        enough=False
    ),
    "ValueError came, but its message does not hold the file's name": unnamed(oracle_parse_idx),
    "the header was taken to be 16 bytes with three sizes: byte 3 says how many there are": idx_turn(count=lambda data: 3),
    "the sizes start at byte 4, after the byte that says how many there are": idx_turn(start=3),
    "the sizes start at byte 4: four bytes for each were taken from byte 3 on": idx_turn(start=3, short=("raises", "error")),
    "the sizes end at byte 4 + 4 * dims: the last of them was cut short": lambda data, name: (
        ("raises", "error") if data[:3] == bytes([0, 0, 8]) and 0 < 4 * data[3] <= len(data) - 3 else refused(name)
    ),
    "what the file opens with is not checked: 0, 0, 8": idx_turn(opens=()),
    "what the file opens with is not checked, 0, 0, 8, nor whether it holds four bytes at all": idx_turn(
        opens=(), empty=("raises", "IndexError")
    ),
    "of what the file opens with, only the first two bytes are checked: the third has to be 8": idx_turn(opens=(0, 0)),
    "a file that ends inside of its sizes reached struct, which raised its own error: look at the length first": idx_turn(
        short=("raises", "error"), empty=("raises", "error")
    ),
    "a file of less than four bytes reached data[3], which raised IndexError: look at the length first": idx_turn(
        empty=("raises", "IndexError")
    ),
    "a file of less than four bytes reached data[3], and one that ends inside of its sizes reached struct: look at the length first": idx_turn(
        empty=("raises", "IndexError"), short=("raises", "error")
    ),
    "the numbers became float64; the file holds bytes, uint8": other_dtype("float64"),
    "the numbers became int64; the file holds bytes, uint8": other_dtype("int64"),
    "the bytes were read as signed, int8: 200 became -56": other_dtype("int8"),
}


# 07.2 parse_cifar10


def draw_parse_cifar10(rng):
    """A whole file, files cut short, too long and empty, and labels of 9, 10 and more."""
    records = rng.integers(0, 256, (int(rng.integers(3, 6)), 3073), np.uint8)
    records[:, 0] = [9, *rng.integers(0, 9, len(records) - 1)]
    records[:, -1] = rng.integers(0, 9, len(records))
    whole = records.tobytes()
    ten, more = records.copy(), records.copy()
    ten[1, 0], more[2, 0] = 10, rng.integers(11, 256)
    for data in (whole, records[1].tobytes(), whole[:-1], whole + b"\0", b"", ten.tobytes(), more.tobytes()):
        yield dict(data=np.frombuffer(data, np.uint8), name=f"batch_{rng.integers(100)}.bin")


describe_parse_cifar10 = "parse_cifar10(data.tobytes(), name={name})"


def observe_parse_cifar10(parse_cifar10, data, name):
    result = parse_cifar10(data.tobytes(), name)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        return {**dict.fromkeys(CIFAR_PARTS), "returned": f"a {type(result).__name__}"}
    images, labels = map(array_seen, result)
    return dict(
        zip(
            CIFAR_PARTS,
            ("images and labels", images["the result"], images["its dtype"], labels["the result"], labels["its dtype"]),
        )
    )


CIFAR_PARTS = "returned", "images", "dtype of the images", "labels", "dtype of the labels"


def cifar_turn(
    layout=lambda pixels: pixels.reshape(3, 32, 32),
    label_last=False,
    most=9,
    empty=None,
    swapped=False,
    dtype="uint8",
    label_dtype="uint8",
    rest=False,
):
    """Make the parser of CIFAR-10's files, or a wrong turn.

    Args:
        layout: Function of the 3072 pixels of a record that gives a picture.
        label_last: Whether the label was looked for at the end.
        most: The largest label that is let through.
        empty: What comes of an empty file; None for the error asked for.
        swapped: Whether labels are returned first.
        dtype: Of the images.
        label_dtype: Of the labels.
        rest: Whether bytes after the last whole record are let through.
    """

    def turn(data, name):
        if not len(data):
            return empty or refused(name)
        if len(data) % 3073 and not rest:
            return refused(name)
        records = data[: len(data) // 3073 * 3073].reshape(-1, 3073).astype(np.float64)
        labels, pixels = (records[:, -1], records[:, :-1]) if label_last else (records[:, 0], records[:, 1:])
        if labels.max() > most:
            return refused(name)
        images = np.stack([layout(row) for row in pixels])
        first, second = ((labels, label_dtype), (images, dtype)) if swapped else ((images, dtype), (labels, label_dtype))
        return dict(zip(CIFAR_PARTS, ("images and labels", *first, *second)))

    return turn


oracle_parse_cifar10 = cifar_turn()
misconceptions_parse_cifar10 = {
    "the pixels were read as red, green, blue side by side; they come plane by plane": cifar_turn(
        lambda pixels: pixels.reshape(32, 32, 3).transpose(2, 0, 1)
    ),
    "the pictures have their channels last; they come first: (N, 3, 32, 32)": cifar_turn(
        lambda pixels: pixels.reshape(3, 32, 32).transpose(1, 2, 0)
    ),
    "the pictures have their channels last, and the pixels were read side by side: (N, 3, 32, 32), plane by plane": cifar_turn(
        lambda pixels: pixels.reshape(32, 32, 3)
    ),
    "the pictures are rows of 3072 pixels: give them the shape (N, 3, 32, 32)": cifar_turn(lambda pixels: pixels),
    "rows and columns changed places": cifar_turn(lambda pixels: pixels.reshape(3, 32, 32).transpose(0, 2, 1)),
    "red and blue changed places": cifar_turn(lambda pixels: pixels.reshape(3, 32, 32)[::-1]),
    "the label is the first byte of a record, not the last": cifar_turn(label_last=True),
    "a label above 9 was let through": cifar_turn(most=255),
    "the label 10 was let through: labels are 0 to 9": cifar_turn(most=10),
    "label 9 was refused: labels are 0 to 9": cifar_turn(most=8),
    "labels and images changed places: images come first": cifar_turn(swapped=True),
    "bytes after the last whole record were let through": cifar_turn(rest=True),
    "an empty file was not refused by name: the error is that of a maximum of nothing": cifar_turn(empty=UNNAMED),
    "an empty file was let through": cifar_turn(
        empty=dict(zip(CIFAR_PARTS, ("images and labels", np.zeros((0, 3, 32, 32)), "uint8", np.zeros(0), "uint8")))
    ),
    "the images are no longer uint8": cifar_turn(dtype="float32"),
    "the images are no longer uint8, but float64": cifar_turn(dtype="float64"),
    "the labels became int64; they are to stay uint8": cifar_turn(label_dtype="int64"),
    "the images and labels became int64; they are to stay uint8": cifar_turn(dtype="int64", label_dtype="int64"),
    "ValueError came, but its message does not hold the file's name": unnamed(oracle_parse_cifar10),
}


# The order of 07.3 and 07.4 comes from a generator of which one permutation is known. Where the positions of a random order go
# is free, as long as they go by it.


class Generator(np.random.Generator):
    """A generator that draws one order, and keeps for how many positions it was asked."""

    def __init__(self, order):
        super().__init__(np.random.PCG64(len(order)))
        self.order, self.asked = order, []

    def permutation(self, x, axis=0):
        """Return the order, of a count of positions or of an array."""
        items = np.arange(x) if isinstance(x, (int, np.integer)) else np.asarray(x)
        self.asked.append(len(items))
        return items[[i for i in self.order if i < len(items)]]


def other_order(order):
    """Return another order: its second half first, and each half backwards."""
    half = (len(order) + 1) // 2
    return order[half:][::-1] + order[:half][::-1]


def kind(part):
    """Name the kind of a part: an array of ints is asked for."""
    if not isinstance(part, np.ndarray):
        return f"a {type(part).__name__}"
    return "int array" if part.dtype.kind in "iu" else f"{part.dtype} array"


def kinds(parts):
    """Name the kinds of some parts, each once."""
    return list(dict.fromkeys(map(kind, parts)))


def numbers(parts):
    """Return parts as lists of Python numbers."""
    return [[int(i) for i in part] for part in parts]


def account(parts, count):
    """Say which positions stand nowhere, twice, or do not exist."""
    places = [i for part in parts for i in part]
    return {
        "positions that stand nowhere": [i for i in range(count) if i not in places],
        "positions that stand in two of them": sorted({i for i in places if places.count(i) > 1}),
        "positions that do not exist": sorted({i for i in places if not 0 <= i < count}),
    }


# 07.3 split_indices


def draw_split_indices(rng):
    """Several parts, one of them empty or all in one, and lengths that sum to too much or too little."""
    a, b, c = (int(i) for i in 2 + rng.permutation(6)[:3])
    for count, lengths in (
        (a + b, [a, b]),
        (a + b + c, [b, a, c]),
        (a + c, [a, 0, c]),
        (c, [c]),
        (a + b + 1, [a, b]),
        (a + b - 1, [a, b]),
    ):
        yield dict(count=count, lengths=lengths, order=[int(i) for i in rng.permutation(count)])


def describe_split_indices(count, lengths, order):
    return f"split_indices({count}, {lengths}, rng), where rng draws the order {order}", ""


def observe_split_indices(split_indices, count, lengths, order):
    rng, other = Generator(order), Generator(other_order(order))
    others, parts = split_indices(count, list(lengths), other), split_indices(count, lengths, rng)
    returned = "a list" if isinstance(parts, list) else f"a {type(parts).__name__}"
    parts, others = list(parts), list(others)
    return parts_seen(numbers(parts), numbers(others), kinds(parts), rng.asked, count, returned)


def parts_seen(parts, others, kinds, asked, count, returned="a list"):
    """Write down the parts of one order, and what another order changes."""
    return {
        "sizes of the parts": [len(part) for part in parts],
        **account(parts, count),
        "each part is": kinds,
        "rng.permutation was called for": asked,
        "parts go by the order drawn": len(parts) < 2 or [set(part) for part in parts] != [set(part) for part in others],
        "returned": returned,
    }


def split_turn(cut=None, asked=None, checked=True, kinds=("int array",), follows=True):
    """Make the split, or a wrong turn.

    Args:
        cut: Function of the order and the lengths that gives the parts.
        asked: What the generator was asked for, a function of the count.
        checked: Whether lengths that do not sum to the count are refused.
        kinds: What the parts are.
        follows: Whether the order that was drawn is used.
    """

    def right(order, lengths):
        return [order[sum(lengths[:i]) : sum(lengths[: i + 1])] for i in range(len(lengths))]

    def turn(count, lengths, order):
        if sum(lengths) != count and checked:
            return "raises", "ValueError", str(sum(lengths)), str(count)
        sorted_order = list(range(count))
        parts, others = ((cut or right)(one if follows else sorted_order, lengths) for one in (order, other_order(order)))
        return parts_seen(parts, others, list(kinds), asked(count) if asked else [count], count)

    return turn


def from_start(order, lengths):
    return [order[:length] for length in lengths]


def overlapping(order, lengths):
    return [order[sum(lengths[:i]) : sum(lengths[: i + 1]) + 1] for i in range(len(lengths))]


def at_lengths(order, lengths):
    """What np.split makes of lengths that it takes for the places to cut at."""
    return [part.tolist() for part in np.split(np.array(order, int), lengths)]


def at_all_sums(order, lengths):
    return [part.tolist() for part in np.split(np.array(order, int), np.cumsum(lengths))]


oracle_split_indices = split_turn()
misconceptions_split_indices = {
    "every part begins at the start: examples stand in two parts": split_turn(from_start),
    "parts overlap: an example stands in two of them": split_turn(overlapping),
    "np.split wants the places to cut at, which are sums of the lengths (np.cumsum), not the lengths": split_turn(at_lengths),
    "np.split makes one more part than there are places to cut at: leave the last sum out": split_turn(at_all_sums),
    "rng was not asked for an order; its permutation draws it. Without one, a sorted file would put whole classes into one part": split_turn(
        asked=lambda count: [], follows=False
    ),
    "the order was drawn but not used: the parts are those of a sorted file": split_turn(follows=False),
    "the order was drawn again for each part: examples stand in two of them": lambda count, lengths, order: split_turn(
        from_start, asked=lambda count: [count] * len(lengths)
    )(count=count, lengths=lengths, order=order),
    "lengths that do not sum to the count were let through": split_turn(checked=False),
    "the parts are lists; arrays of ints are asked for": split_turn(kinds=("a list",)),
    "a tuple was returned where a list is asked for": lambda **inputs: (
        parts if isinstance(parts := oracle_split_indices(**inputs), tuple) else parts | {"returned": "a tuple"}
    ),
    "ValueError came, but its message does not hold both the sum of the lengths and the count": unnamed(split_turn()),
}


# 07.4 batch_indices


def draw_batch_indices(rng):
    """Batches that fill up and that do not, fewer examples than a batch holds, none at all; shuffled or not."""
    size = int(rng.integers(3, 6))
    for count, batch_size, shuffle, drop_last in (
        (2 * size + 1, size, False, False),
        (2 * size + 2, size, True, False),
        (3 * size - 1, size, True, True),
        (2 * size, size, False, True),
        (2 * size - 1, size, False, True),
        (3, size + 3, True, False),
        (3, size + 1, False, True),
        (4, 1, True, False),
        (0, size, False, False),
    ):
        yield dict(
            count=count,
            batch_size=batch_size,
            shuffle=shuffle,
            drop_last=drop_last,
            order=[int(i) for i in rng.permutation(count)],
        )


def describe_batch_indices(count, batch_size, shuffle, drop_last, order):
    words = f"{', shuffle=True, rng=rng' * shuffle}{', drop_last=True' * drop_last}"
    return f"batch_indices({count}, {batch_size}{words}){f', where rng draws {order}' * shuffle}", ""


def observe_batch_indices(batch_indices, count, batch_size, shuffle, drop_last, order):
    settings = {name: True for name, value in (("shuffle", shuffle), ("drop_last", drop_last)) if value}

    def batches_of(order):
        rng = Generator(order)
        given = batch_indices(count, batch_size, **settings, rng=rng)
        return list(given), rng.asked, ITERATOR if hasattr(given, "__next__") else f"a {type(given).__name__}"

    plain = [] if shuffle else list(batch_indices(count, batch_size, **settings))  # without a generator, which is not needed
    batches, asked, returned = batches_of(order)
    unmoved = shuffle or numbers(plain) == numbers(batches)
    batches, others = (batches, batches_of(other_order(order))[0]) if shuffle else (plain, [])
    return batches_seen(numbers(batches), numbers(others), kinds(batches), asked, count, shuffle, unmoved, returned)


ITERATOR = "an iterator"


def batches_seen(batches, others, kinds, asked, count, shuffle, unmoved=True, returned=ITERATOR):
    """Write down the batches of one order, and what another order changes."""
    account_of = account(batches, count)
    return {
        "rng.permutation was called for": asked,
        "sizes of the batches": [len(batch) for batch in batches],
        "how many positions stand nowhere": len(account_of.pop("positions that stand nowhere")),
        **account_of,
        "the batches": "in random order" if shuffle else batches,
        "each batch is": kinds,
        "batches go by the order drawn": not shuffle or count < 4 or batches != others,
        "without shuffle a generator changes nothing": unmoved,
        "returned": returned,
    }


def batches_turn(
    cut=None,
    asked=None,
    order_of=lambda order, shuffle: order if shuffle else list(range(len(order))),
    kinds="int array",
    returned=ITERATOR,
):
    """Make the batches, or a wrong turn.

    Args:
        cut: Function of the order, the size and drop_last that gives the batches.
        asked: What the generator was asked for, a function of the count and shuffle.
        order_of: What stands for the order, a function of the order drawn and shuffle.
        kinds: What the batches are.
        returned: What kind of thing holds them.
    """

    def turn(count, batch_size, shuffle, drop_last, order):
        batches, others = (
            (cut or full_batches)(order_of(one, shuffle), batch_size, drop_last) for one in (order, other_order(order))
        )
        calls = asked(count, shuffle) if asked else [count] if shuffle else []
        return batches_seen(batches, others, [kinds] if batches else [], calls, count, shuffle, returned=returned)

    return turn


def full_batches(order, size, drop_last):
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    return [batch for batch in batches if len(batch) == size or not drop_last]


def even_batches(order, size, drop_last):
    """What np.array_split makes of a number of batches."""
    count = -(-len(order) // size)
    batches = [part.tolist() for part in np.array_split(np.array(order, int), count)] if count else []
    return [batch for batch in batches if len(batch) == size or not drop_last]


def split_batches(order, size, drop_last):
    """What np.split makes of the places to cut at: one batch, though there are no examples."""
    batches = [part.tolist() for part in np.split(np.array(order, int), range(size, len(order), size))]
    return [batch for batch in batches if len(batch) == size or not drop_last]


def filled_up(order, size, drop_last):
    return [(batch + order * size)[:size] for batch in full_batches(order, size, drop_last)]


def empty_last(order, size, drop_last):
    """Count one batch too many where they come out even."""
    batches = [order[start : start + size] for start in range(0, len(order) + 1, size)]
    return [batch for batch in batches if len(batch) == size or not drop_last]


def shuffled_batches(of_whole):
    """Make the oracle of batches of neighbours that come in random order.

    Args:
        of_whole: Whether a batch that is to be dropped is left out before the order is drawn.
    """

    def cut(order, size, drop_last):
        batches = full_batches(list(range(len(order))), size, drop_last and of_whole)
        drawn = [batches[i] for i in order if i < len(batches)]
        return [batch for batch in drawn if len(batch) == size or not drop_last]

    def turn(count, batch_size, shuffle, drop_last, order):
        number = len(full_batches(order, batch_size, drop_last and of_whole))
        calls = batches_turn(cut, asked=lambda count, shuffle: [number] if shuffle else [])
        return calls(count=count, batch_size=batch_size, shuffle=shuffle, drop_last=drop_last, order=order)

    return turn


def none_at_rest(function):
    """Fail where there is no generator to ask."""
    nobody = "raises", "AttributeError", "permutation"
    return lambda shuffle, **inputs: function(shuffle=shuffle, **inputs) if shuffle else nobody


def always_drawn(count, batch_size, shuffle, drop_last, order):
    """Draw an order from any generator, and use it."""
    inputs = dict(count=count, batch_size=batch_size, shuffle=shuffle, drop_last=drop_last, order=order)
    both = (full_batches(one, batch_size, drop_last) for one in (order, list(range(count))))
    unmoved = {} if shuffle else {"without shuffle a generator changes nothing": next(both) == next(both)}
    return batches_turn(asked=lambda count, shuffle: [count])(**inputs) | unmoved


oracle_batch_indices = batches_turn()
misconceptions_batch_indices = {
    "the last batch was always dropped: some examples are never seen": batches_turn(
        lambda order, size, drop_last: full_batches(order, size, True)
    ),
    "drop_last was ignored": batches_turn(lambda order, size, drop_last: full_batches(order, size, False)),
    "drop_last was turned around": batches_turn(lambda order, size, drop_last: full_batches(order, size, not drop_last)),
    "the last batch was dropped, full or not": batches_turn(
        lambda order, size, drop_last: full_batches(order, size, False)[: -1 if drop_last else None]
    ),
    "rng was not asked for an order: with shuffle, its permutation draws it": batches_turn(
        asked=lambda count, shuffle: [], order_of=lambda order, shuffle: list(range(len(order)))
    ),
    "an order was drawn but not used: the batches are those of 0, 1, 2, ...": batches_turn(
        order_of=lambda order, shuffle: list(range(len(order)))
    ),
    "an order was drawn although shuffle is False; rng is None then": none_at_rest(batches_turn()),
    "the batches were shuffled, not the examples: neighbours stay together; draw one order of all positions, then cut it": (
        shuffled_batches(of_whole=False),
        shuffled_batches(of_whole=True),
    ),
    "with a generator the order is random although shuffle is False: then it is 0, 1, 2, ..., and nothing is drawn": always_drawn,
    "an order was drawn although shuffle is False: other code that uses the generator then draws different numbers": batches_turn(
        asked=lambda count, shuffle: [count]
    ),
    "the batches were made even; all but the last hold batch_size": batches_turn(even_batches),
    "for no examples an empty batch was yielded; there is none": batches_turn(split_batches),
    "an empty batch was yielded at the end": batches_turn(empty_last),
    "the last batch was filled up with examples from the front": batches_turn(filled_up),
    "the batches are lists; arrays of ints are asked for": batches_turn(kinds="a list"),
    "all batches were returned in a list, which next() does not take: `yield` each, or return iter(...) of the list": batches_turn(
        returned="a list"
    ),
    "all batches were returned in a list, which next() does not take, and are lists themselves: `yield` each, an array of ints": batches_turn(
        returned="a list", kinds="a list"
    ),
    "the order was drawn again for each batch": lambda count, batch_size, shuffle, drop_last, order: batches_turn(
        asked=lambda count, shuffle: [count] * -(-count // batch_size) if shuffle else []
    )(count=count, batch_size=batch_size, shuffle=shuffle, drop_last=drop_last, order=order),
}


# 07.5 normalize


float64_normalize = False  # the result is float32, whatever mean and std are


def draw_normalize(rng):
    """A row of three pixels first, then any pictures; as many channels as columns; small spreads; lists and arrays of numbers; dark pictures."""
    n, h = (int(i) for i in 2 + rng.permutation(4)[:2])
    for shape, kind, least in (
        ((1, 2, 1, 3), list, 0.1),
        ((n, 3, h, 3), list, 0.1),
        ((n, 4, h, 4), np.float64, 0.1),
        ((1, 1, h, n), list, 0.1),
        ((n, 3, h, 6), np.float64, 0.1),
        ((2, 3, h, n), np.float32, 0.1),
        ((2, 2, h, 5), list, 0.001),  # so small that nothing may be added to it
    ):
        mean, std = rng.uniform(0.2, 0.7, shape[1]).round(3), rng.uniform(least, 4 * least, shape[1]).round(4)
        mean, std = (values.tolist() if kind is list else values.astype(kind) for values in (mean, std))
        yield dict(images=rng.integers(0, 256, shape, np.uint8), mean=mean, std=std)
    dark = rng.integers(0, 2, (2, 1, 3, n), np.uint8)  # bytes all the same
    yield dict(images=dark, mean=[0.25], std=[0.5])


def describe_normalize(images, mean, std):
    of_lists, values = isinstance(mean, list), [np.array(part, np.float32).tolist() for part in (mean, std)]
    shown = ["[" + ", ".join(f"{x:.4g}" for x in part) + "]" for part in values]
    dtype = "" if of_lists or mean.dtype == np.float64 else ", np.float32"
    mean, std = shown if of_lists else (f"np.array({part}{dtype})" for part in shown)
    return f"normalize(images, mean={mean}, std={std})", f"images {images.tolist() if images.size < 7 else images.shape} uint8"


def observe_normalize(normalize, images, mean, std):
    return array_seen(normalize(images, mean, std))


def normalize_turn(rule=lambda x, mean, std: (x / 255 - mean) / std, dtype="float32", own=None):
    """Make the rule, or a wrong turn.

    Args:
        rule: What becomes of a channel's bytes, a function of them, the mean and the deviation.
        dtype: Of the result.
        own: Function that gives another mean and deviation for each channel, of the images and those given.
    """

    def turn(images, mean, std):
        x, out = images.astype(np.float64), np.zeros(images.shape)
        mean, std = own(x, mean, std) if own else (mean, std)
        for c in range(images.shape[1]):
            out[:, c] = rule(x[:, c], float(mean[c]), float(std[c]))
        return array_of(out, dtype)

    return turn


oracle_normalize = normalize_turn()


def along_width(images, mean, std):
    """Line the numbers up with the last axis, as broadcasting does."""
    if len(mean) not in (1, images.shape[3]):
        return "raises", "ValueError", "broadcast"
    return array_of((images / 255 - np.asarray(mean)) / np.asarray(std), "float32")


def as_bytes(images, mean, std):
    expected = oracle_normalize(images=images, mean=mean, std=std)
    return array_of(expected["the result"].astype(np.int64).astype(np.uint8).astype(np.float64), "uint8")


def by_largest(images, mean, std):
    """Divide by the largest pixel of all, in the place of 255."""
    return oracle_normalize(images=images * (255 / max(int(images.max()), 1)), mean=mean, std=std)


misconceptions_normalize = {
    "divided by the largest pixel of the batch: the formula divides by 255": by_largest,
    "the bytes were not scaled to 0 to 1 first": normalize_turn(lambda x, mean, std: (x - mean) / std),
    "the bytes were scaled last; it is first": normalize_turn(lambda x, mean, std: (x - mean) / std / 255),
    "divided by 256; white is 255": normalize_turn(lambda x, mean, std: (x / 256 - mean) / std),
    "the result was not divided by the spread": normalize_turn(lambda x, mean, std: x / 255 - mean),
    "the mean was not taken off": normalize_turn(lambda x, mean, std: x / 255 / std),
    "the mean was added": normalize_turn(lambda x, mean, std: (x / 255 + mean) / std),
    "divided before the mean was taken off": normalize_turn(lambda x, mean, std: x / 255 / std - mean),
    "multiplied by the spread": normalize_turn(lambda x, mean, std: (x / 255 - mean) * std),
    "a small number was added to std: the formula divides by std as it is": normalize_turn(
        lambda x, mean, std: (x / 255 - mean) / (std + 1e-5)
    ),
    "divided by the variance: std is the standard deviation already": normalize_turn(
        lambda x, mean, std: (x / 255 - mean) / std**2
    ),
    "the root of std was taken: it is the standard deviation already": normalize_turn(
        lambda x, mean, std: (x / 255 - mean) / std**0.5
    ),
    "the numbers of the first channel were used for all": normalize_turn(
        own=lambda x, mean, std: ([mean[0]] * len(mean), [std[0]] * len(std))
    ),
    "mean and std of the batch were used, not those given": normalize_turn(
        own=lambda x, mean, std: ((x / 255).mean(axis=(0, 2, 3)), (x / 255).std(axis=(0, 2, 3)))
    ),
    "mean and std line up with the last axis; they belong to the channels: give them the shape (-1, 1, 1)": along_width,
    "the result is float64, twice as large as needed": normalize_turn(dtype="float64"),
    "the result is float64 where mean and std are: make them float32 first": lambda mean, **inputs: normalize_turn(
        dtype="float64" if getattr(mean, "dtype", None) == np.float64 else "float32"
    )(mean=mean, **inputs),
    "the result is float16, which has three digits": normalize_turn(dtype="float16"),
    "the result was put back into bytes: float32 is asked for": as_bytes,
}


# 07.6 flip


def draw_flip(rng):
    """A row of three pixels first, then any pictures, of several dtypes and special values; some are chosen, all, or none."""
    n, h, w = (int(i) for i in 3 + rng.permutation(4)[:3])
    for shape, dtype, chosen in (
        ((2, 1, 1, 3), "uint8", 1),
        ((n, 2, h, w), "uint8", 2),
        ((n, 3, h, h + 1), "float32", 2),
        ((3, 1, h, w), "float64", 3),
        ((2, 3, w, h), "int64", 0),
        ((3, 1, h, w), "int64", 2),
        ((3, 2, w, h), rng.pick(*MORE_DTYPES), 2),
        ((2, 1, 1, 1), "uint8", 1),
    ):
        order = rng.permutation(shape[0])
        yield dict(images=pixels(rng, shape, dtype), chosen=np.isin(np.arange(shape[0]), order[:chosen]))


MORE_DTYPES = "bool", "int8", "int16", "uint16", "float16"


def pixels(rng, shape, dtype):
    """Draw images of a dtype: whole numbers that no float holds exactly, floats among which some are infinite or nan."""
    if dtype == "int64":
        return rng.integers(2**53, 2**62, shape)
    if np.dtype(dtype).kind != "f":
        return rng.integers(0, 256, shape).astype(dtype)
    values = (100 * rng.standard_normal(shape)).astype(dtype)
    if dtype == "float32":
        values.flat[rng.permutation(values.size)[:4]] = np.inf, -np.inf, np.nan, 0
    return values


def observe_flip(flip, images, chosen):
    return array_seen(flip(images, chosen))


def came_back_as(dtype):
    """Make a misconception that says of the result's dtype alone what it is."""

    def wrong(images, **inputs):
        return {"its dtype": dtype}

    wrong.partial = True
    return wrong


def flip_turn(turned=lambda image: image[:, :, ::-1], which=lambda chosen: chosen):
    """Make the flip, or a wrong turn.

    Args:
        turned: What becomes of a picture, (channels, height, width), that is chosen.
        which: Which ones are, a function of those asked for.
    """

    def turn(images, chosen):
        out = images.copy()
        for i in np.flatnonzero(which(chosen)):
            out[i] = turned(out[i].copy())
        return array_of(out, str(images.dtype))

    return turn


def overwritten(image):
    """Copy column after column from the other side, over what is still needed."""
    for x in range(image.shape[2]):
        image[:, :, x] = image[:, :, image.shape[2] - 1 - x]
    return image


def among_each_other(images, chosen):
    out = images.copy()
    out[chosen] = out[chosen][::-1]
    return array_of(out, str(images.dtype))


def chosen_alone(images, chosen):
    return array_of(images[chosen][..., ::-1], str(images.dtype))


def along_columns(images, chosen):
    """Line the truth values up with the last axis, as broadcasting does."""
    if images.shape[3] not in (1, len(chosen)):
        return "raises", "ValueError", "broadcast"
    return array_of(np.where(chosen, images[..., ::-1], images), str(images.dtype))


def blended(images, chosen):
    """Multiply by 1 and 0, and add: what is infinite becomes nan."""
    mirrored, share = images.astype(np.float64)[..., ::-1], chosen[:, None, None, None].astype(np.float64)
    with np.errstate(invalid="ignore"):
        return array_of(share * mirrored + (1 - share) * images, str(images.dtype))


def through_floats(images, chosen):
    """Go through float64, which holds whole numbers up to 2**53."""
    return array_of(oracle_flip(images, chosen)["the result"].astype(np.float64).astype(images.dtype), str(images.dtype))


oracle_flip = flip_turn()
misconceptions_flip = {
    "the pictures were turned upside down": flip_turn(lambda image: image[:, ::-1]),
    "the pictures were turned by half a turn: rows stay where they are": flip_turn(lambda image: image[:, ::-1, ::-1]),
    "rows and columns changed places": lambda images, chosen: (
        flip_turn(lambda image: image.transpose(0, 2, 1))(images=images, chosen=chosen)
        if images.shape[2] == images.shape[3] or not chosen.any()
        else ("raises", "ValueError")
    ),
    "the channels were turned round; the last axis is the width": flip_turn(lambda image: image[::-1]),
    "the channels were turned round, too": flip_turn(lambda image: image[::-1, :, ::-1]),
    "the chosen pictures changed places among each other; the last axis is to be turned": among_each_other,
    "columns were overwritten before they had been read, or a saved column was a view and changed with them: save a copy, .copy()": flip_turn(
        overwritten
    ),
    "the columns were shifted by one: column 0 belongs at width - 1": flip_turn(
        lambda image: image[:, :, [-x % image.shape[2] for x in range(image.shape[2])]]
    ),
    "every picture was mirrored": flip_turn(which=np.ones_like),
    "chosen was taken for positions, 0 and 1: it says of each image whether to mirror it": flip_turn(
        which=lambda chosen: np.isin(np.arange(len(chosen)), chosen.astype(int))
    ),
    "chosen lined up with the columns: it belongs to the first axis, so give it the shape (N, 1, 1, 1)": along_columns,
    "the pictures that were not chosen were mirrored": flip_turn(which=np.logical_not),
    "no picture was mirrored": flip_turn(which=np.zeros_like),
    "the two were mixed with 0 and 1 as factors: infinity times 0 is nan, so choose, with np.where or an index": blended,
    "the pixels went through float64, which holds whole numbers up to 2**53: choose, with np.where or an index": through_floats,
    "only the chosen pictures were returned; the others stay as they are": chosen_alone,
    "the pictures came back as float64: keep their dtype": came_back_as("float64"),
    "the pictures came back as uint8: keep their dtype": came_back_as("uint8"),
}


# 07.7 shift


def draw_shift(rng):
    """One row first, then any pictures of several dtypes, shifted by little, by more than their size, or along one axis only."""
    n, h, w = (int(i) for i in 3 + rng.permutation(4)[:3])
    yield dict(
        images=rng.integers(0, 256, (1, 1, 1, 5), np.uint8), down=np.array([0]), right=np.array([int(rng.choice([-2, 2]))])
    )
    for shape, reach, dtype in (
        ((n, 2, h, w), 2, "uint8"),
        ((3, 3, w, h), 3, "float32"),
        ((5, 1, h + 6, w + 4), 12, "int64"),
        ((4, 2, h, h + 2), 0, "float64"),
        ((3, 2, w, h), 2, rng.pick(*MORE_DTYPES)),
        ((4, 1, h, w), 30, "uint8"),
    ):
        down, right = rng.integers(-reach, reach + 1, (2, shape[0]))
        down[0], right[0], down[1], right[1] = 1, -2, -1, 1
        yield dict(images=pixels(rng, shape, dtype), down=down, right=right)
    yield dict(images=pixels(rng, (2, 1, 1, 1), "float32"), down=np.array([1, 0]), right=np.array([0, -3]))


def observe_shift(shift, images, down, right):
    return array_seen(shift(images, down, right))


def nearest(i, size):
    return min(max(i, 0), size - 1)


def shift_turn(row=None, column=None, outside=nearest, amounts=lambda down, right: (down, right)):
    """Make the shift, or a wrong turn.

    Args:
        row: What stands for a row, a function of its number, the height and the width; by default what ``outside`` gives.
        column: The same for a column.
        outside: What stands for the number of a row or column, a function of it and the size; None for nothing, 0.
        amounts: How far each picture goes, a function of the two arrays.
    """
    row = row or (lambda y, height, width: outside(y, height))
    column = column or (lambda x, height, width: outside(x, width))

    def turn(images, down, right):
        out, (count, channels, height, width) = np.zeros_like(images), images.shape
        down, right = amounts(down, right)
        for i, y, x in np.ndindex(count, height, width):
            from_row, from_column = row(y - int(down[i]), height, width), column(x - int(right[i]), height, width)
            if from_row is not None and from_column is not None:
                out[i, :, y, x] = images[i, :, from_row, from_column]
        return array_of(out, str(images.dtype))

    return turn


def mirrored(i, size):
    """What np.pad's mode reflect makes of a number outside: the edge itself stands once."""
    if size == 1:
        return 0
    i %= 2 * size - 2
    return i if i < size else 2 * size - 2 - i


def mirrored_with_edge(i, size):
    """What np.pad's mode symmetric makes of a number outside: the edge stands twice."""
    i %= 2 * size
    return i if i < size else 2 * size - 1 - i


oracle_shift = shift_turn()


def channels_mixed(images, down, right):
    """Reshape an array whose channels an index has moved to the end."""
    right = oracle_shift(images=images, down=down, right=right)
    return right | {"the result": right["the result"].transpose(0, 2, 3, 1).reshape(images.shape)}


def as_far_as_its_size(images, down, right):
    """Put a border around each picture as wide as the picture, and cut a piece out of it, which may go beyond."""
    beyond = (abs(down) > images.shape[2]).any() or (abs(right) > images.shape[3]).any()
    return ("raises", "ValueError") if beyond else oracle_shift(images=images, down=down, right=right)


misconceptions_shift = {
    "the margin was left black; the edge is repeated": shift_turn(outside=lambda i, size: i if 0 <= i < size else None),
    "what left on one side came back on the other; the edge is repeated": shift_turn(outside=lambda i, size: i % size),
    "the margin was mirrored; the edge is repeated": shift_turn(outside=mirrored),
    "the margin was mirrored with its edge; the edge alone is repeated": shift_turn(outside=mirrored_with_edge),
    "the pictures went the opposite way": shift_turn(amounts=lambda down, right: (-down, -right)),
    "the rows went the opposite way: down is where the picture goes, so row y comes from y - down": shift_turn(
        amounts=lambda down, right: (-down, right)
    ),
    "the columns went the opposite way: right is where the picture goes, so column x comes from x - right": shift_turn(
        amounts=lambda down, right: (down, -right)
    ),
    "rows and columns changed places": shift_turn(amounts=lambda down, right: (right, down)),
    "right is ignored": shift_turn(amounts=lambda down, right: (down, 0 * right)),
    "down is ignored": shift_turn(amounts=lambda down, right: (0 * down, right)),
    "all pictures were shifted as the first one": shift_turn(
        amounts=lambda down, right: (np.full_like(down, down[0]), np.full_like(right, right[0]))
    ),
    "columns were clipped at the height, not at the width": shift_turn(column=lambda x, height, width: nearest(x, height)),
    "rows were clipped at the width, not at the height": shift_turn(row=lambda y, height, width: nearest(y, width)),
    "rows and columns were clipped at the size itself; the last one is size - 1": shift_turn(
        outside=lambda i, size: nearest(i, size + 1)
    ),
    "an index on both sides of `:` moves the channels to the end, and a reshape does not move them back: transpose does": channels_mixed,
    "a shift may be any whole number, also larger than the picture: limit the numbers of rows and columns": as_far_as_its_size,
    "no picture was shifted": shift_turn(amounts=lambda down, right: (0 * down, 0 * right)),
    "the pictures came back as float64: keep their dtype": came_back_as("float64"),
    "the pictures came back as uint8: keep their dtype": came_back_as("uint8"),
}
