"""Checks of module 07. NumPy only: nothing here runs the code that it judges, except `observe`."""
import struct

import numpy as np

NAMED, UNNAMED = "ValueError with the name", "ValueError without the name"


def attempt(call, *words):
    """Return what a call gives, or which error it raises and whether its message holds some words."""
    try:
        return call()
    except ValueError as error:
        return NAMED if all(str(word) in str(error) for word in words) else UNNAMED


def unnamed(oracle):
    """Turn an oracle into one whose error message lacks the name."""
    def wrong(**inputs):
        expected = oracle(**inputs)
        return UNNAMED if isinstance(expected, str) else expected
    return wrong


def codes(data):
    """Return bytes as a list of numbers, which can travel to the learner's process."""
    return list(data)


# 07.1 parse_idx

def idx_file(rng, *shape):
    size = int(np.prod(shape))
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + rng.integers(0, 256, size, np.uint8).tobytes()


def draw_parse_idx(rng):
    m, n = (int(i) for i in 2 + rng.permutation(5)[:2])
    whole = idx_file(rng, m, n, 4)
    for data in (whole, idx_file(rng, 7), idx_file(rng, 300, 2), idx_file(rng, 0, 3), whole[:-1], whole + b"\0", whole[:9], whole[:3],
                 bytes([0, 0, 13]) + whole[3:], bytes([1, 0]) + whole[2:], b"", b"<html>not found</html>"):
        yield dict(data=codes(data), name=f"file-{m}{n}.idx")


def observe_parse_idx(parse_idx, data, name):
    result = attempt(lambda: parse_idx(bytes(data), name), name)
    return result if isinstance(result, str) else (np.array(result), str(np.asarray(result).dtype))


def oracle_parse_idx(data, name, strict=True, order="C", little=False):
    if data[:3] != [0, 0, 8] or len(data) < 4 or len(data) < 4 + 4 * data[3]:
        return NAMED
    sizes = [data[4 + 4 * i:8 + 4 * i] for i in range(data[3])]
    shape = [sum(byte * 256 ** (place if little else 3 - place) for place, byte in enumerate(size)) for size in sizes]
    values, wanted = data[4 + 4 * data[3]:], int(np.prod(shape, dtype=np.float64))
    if len(values) < wanted or (strict and len(values) > wanted):
        return NAMED
    return np.array(values[:wanted], np.float64).reshape(shape, order=order), "uint8"


def not_offset(data, name):
    expected = oracle_parse_idx(data, name)
    if isinstance(expected, str) or not expected[0].size:
        return expected
    return np.array(data[4:4 + expected[0].size], np.float64).reshape(expected[0].shape), "uint8"


misconceptions_parse_idx = {
    "the sizes were read with the least significant byte first": lambda data, name: oracle_parse_idx(data, name, little=True),
    "bytes after the end were let through": lambda data, name: oracle_parse_idx(data, name, strict=False),
    "the numbers were read from where the sizes begin": not_offset,
    "the first axis varied fastest; the last one does": lambda data, name: oracle_parse_idx(data, name, order="F"),
    "the error does not name the file": unnamed(oracle_parse_idx),
}


# 07.2 parse_cifar10

def draw_parse_cifar10(rng):
    records = rng.integers(0, 256, (4, 3073), np.uint8)
    records[:, 0] = [9, *rng.permutation(9)[:3]]
    whole = records.tobytes()
    ten, eleven = records.copy(), records.copy()
    ten[1, 0], eleven[2, 0] = 10, 11
    for data in (whole, whole[:-1], whole + b"\0", b"", ten.tobytes(), eleven.tobytes()):
        yield dict(data=np.frombuffer(data, np.uint8), name=f"batch_{records[1, 0]}.bin")


def observe_parse_cifar10(parse_cifar10, data, name):
    result = attempt(lambda: parse_cifar10(data.tobytes(), name), name)
    return result if isinstance(result, str) else [(np.array(part), str(part.dtype)) for part in result]


def oracle_parse_cifar10(data, name, layout=None, label_last=False):
    if not len(data) or len(data) % 3073:
        return NAMED
    images, labels = [], []
    for start in range(0, len(data), 3073):
        record = data[start:start + 3073].astype(np.float64)
        label, pixels = (record[-1], record[:-1]) if label_last else (record[0], record[1:])
        labels.append(label)
        images.append(layout(pixels) if layout else np.stack([pixels[1024 * c:1024 * (c + 1)].reshape(32, 32) for c in range(3)]))
    if max(labels) > 9 and not label_last:
        return NAMED
    return [(np.stack(images), "uint8"), (np.array(labels), "uint8")]


def any_label(data, name):
    if not len(data) or len(data) % 3073:
        return NAMED
    records = data.reshape(-1, 3073).astype(np.float64)
    return [(records[:, 1:].reshape(-1, 3, 32, 32), "uint8"), (records[:, 0], "uint8")]


misconceptions_parse_cifar10 = {
    "the pixels were read as red, green, blue side by side; they come plane by plane":
        lambda data, name: oracle_parse_cifar10(data, name, lambda pixels: pixels.reshape(32, 32, 3).transpose(2, 0, 1)),
    "rows and columns changed places":
        lambda data, name: oracle_parse_cifar10(data, name, lambda pixels: pixels.reshape(3, 32, 32).transpose(0, 2, 1)),
    "the label was looked for at the end of the record": lambda data, name: oracle_parse_cifar10(data, name, label_last=True),
    "a label above 9 was let through": any_label,
    "the error does not name the file": unnamed(oracle_parse_cifar10),
}


# 07.3 split_indices

class Order:
    """A generator that knows one permutation and counts how often it was asked."""

    def __init__(self, order):
        self.order, self.asked = np.array(order), 0

    def permutation(self, count):
        self.asked += 1
        return self.order[:count].copy() if isinstance(count, (int, np.integer)) else np.asarray(count)[self.order]


def draw_split_indices(rng):
    for lengths in ([5, 3], [2, 7, 1], [4, 0, 2], [6]):
        yield dict(count=sum(lengths), lengths=lengths, order=[int(i) for i in rng.permutation(sum(lengths))])
    yield dict(count=9, lengths=[5, 3], order=[int(i) for i in rng.permutation(9)])
    yield dict(count=7, lengths=[5, 3], order=[int(i) for i in rng.permutation(7)])


def observe_split_indices(split_indices, count, lengths, order):
    generator = Order(order)
    parts = attempt(lambda: split_indices(count, lengths, generator), sum(lengths), count)
    return parts if isinstance(parts, str) else dict(parts=[[int(i) for i in part] for part in parts], draws=generator.asked)


def oracle_split_indices(count, lengths, order, begin_again=False, shuffled=True, checked=True):
    if sum(lengths) != count and checked:
        return NAMED
    order = order if shuffled else list(range(count))
    parts, start = [], 0
    for length in lengths:
        parts.append(order[start:start + length])
        start += 0 if begin_again else length
    return dict(parts=parts, draws=int(shuffled))


misconceptions_split_indices = {
    "every part begins at the start: examples stand in two parts": lambda **inputs: oracle_split_indices(**inputs, begin_again=True),
    "the order was not drawn: a sorted file would put whole classes into one part": lambda **inputs: oracle_split_indices(**inputs, shuffled=False),
    "lengths that do not sum to the count were let through":
        lambda count, lengths, order: oracle_split_indices(count, lengths, order, checked=False),
    "the error does not say how many examples there are": unnamed(oracle_split_indices),
}


# 07.4 batch_indices

def draw_batch_indices(rng):
    for count, batch_size, shuffle, drop_last in ((10, 4, True, False), (10, 4, True, True), (9, 3, False, True), (7, 5, False, False), (3, 8, True, False),
                                                  (3, 8, False, True), (0, 4, False, False)):
        yield dict(count=count, batch_size=batch_size, shuffle=shuffle, drop_last=drop_last, order=[int(i) for i in rng.permutation(count)])


def observe_batch_indices(batch_indices, count, batch_size, shuffle, drop_last, order):
    settings = {**({"shuffle": True, "rng": Order(order)} if shuffle else {}), **({"drop_last": True} if drop_last else {})}
    return [[int(i) for i in batch] for batch in batch_indices(count, batch_size, **settings)]


def oracle_batch_indices(count, batch_size, shuffle, drop_last, order):
    order = order if shuffle else list(range(count))
    batches = [order[start:start + batch_size] for start in range(0, count, batch_size)]
    return [batch for batch in batches if len(batch) == batch_size or not drop_last]


misconceptions_batch_indices = {
    "the last batch was always dropped: some examples are never seen":
        lambda **inputs: oracle_batch_indices(**{**inputs, "drop_last": True}),
    "drop_last was ignored": lambda **inputs: oracle_batch_indices(**{**inputs, "drop_last": False}),
    "shuffle was ignored": lambda **inputs: oracle_batch_indices(**{**inputs, "shuffle": False}),
    "the last batch was filled up with examples from the front":
        lambda count, batch_size, shuffle, drop_last, order: [
            (batch + (order if shuffle else list(range(count))) * batch_size)[:batch_size]
            for batch in oracle_batch_indices(count, batch_size, shuffle, drop_last, order)],
}


# 07.5 normalize

def draw_normalize(rng):
    for shape in ((2, 3, 4, 5), (1, 1, 3, 2), (4, 3, 3, 1)):
        yield dict(images=rng.integers(0, 256, shape, np.uint8), mean=[float(x) for x in rng.uniform(0.2, 0.7, shape[1])],
                   std=[float(x) for x in rng.uniform(0.1, 0.4, shape[1])])


def observe_normalize(normalize, images, mean, std):
    out = normalize(images, mean, std)
    return out, str(out.dtype)


def oracle_normalize(images, mean, std, scale=255.0, spread=True, shift=True):
    out = np.zeros(images.shape)
    for i, c, y, x in np.ndindex(images.shape):
        out[i, c, y, x] = (float(images[i, c, y, x]) / scale - (mean[c] if shift else 0.0)) / (std[c] if spread else 1.0)
    return out, "float32"


misconceptions_normalize = {
    "the bytes were not scaled to 0 to 1 first": lambda images, mean, std: oracle_normalize(images, mean, std, scale=1.0),
    "the result was not divided by the spread": lambda images, mean, std: oracle_normalize(images, mean, std, spread=False),
    "the mean was not taken off": lambda images, mean, std: oracle_normalize(images, mean, std, shift=False),
    "the numbers of the first channel were used for all": lambda images, mean, std: oracle_normalize(
        images, [mean[0]] * len(mean), [std[0]] * len(std)),
    "the result is float64, twice as large as needed": lambda images, mean, std: (oracle_normalize(images, mean, std)[0], "float64"),
}


# 07.6 flip

def draw_flip(rng):
    for shape in ((4, 2, 3, 5), (3, 1, 2, 4)):
        chosen = np.zeros(shape[0], bool)
        chosen[rng.permutation(shape[0])[:2]] = True
        yield dict(images=rng.integers(0, 256, shape, np.uint8), chosen=chosen)
    yield dict(images=rng.standard_normal((2, 3, 4, 3), np.float32), chosen=np.array([True, False]))


def observe_flip(flip, images, chosen):
    out = flip(images, chosen)
    return out, str(out.dtype)


def oracle_flip(images, chosen, axis=3, invert=False):
    out = np.array(images, np.float64)
    for i, yes in enumerate(chosen):
        if yes != invert:
            out[i] = np.flip(images[i], axis - 1)
    return out, str(images.dtype)


misconceptions_flip = {
    "the pictures were turned upside down": lambda images, chosen: oracle_flip(images, chosen, axis=2),
    "every picture was mirrored": lambda images, chosen: oracle_flip(images, np.ones_like(chosen)),
    "the pictures that were not chosen were mirrored": lambda images, chosen: oracle_flip(images, chosen, invert=True),
    "no picture was mirrored": lambda images, chosen: oracle_flip(images, np.zeros_like(chosen)),
}


# 07.7 shift

def draw_shift(rng):
    for shape, reach in (((4, 2, 5, 6), 2), ((3, 3, 4, 3), 3), ((5, 1, 3, 7), 9)):
        down, right = rng.integers(-reach, reach + 1, (2, shape[0]))
        down[0], right[0], down[1], right[1] = 1, -2, -1, 2
        yield dict(images=rng.integers(0, 256, shape, np.uint8), down=down, right=right)
    yield dict(images=rng.standard_normal((2, 1, 4, 5), np.float32), down=np.array([0, 1]), right=np.array([2, 0]))


def observe_shift(shift, images, down, right):
    out = shift(images, down, right)
    return out, str(out.dtype)


def oracle_shift(images, down, right, outside="edge"):
    out, (count, channels, height, width) = np.zeros(images.shape), images.shape
    for i, c, y, x in np.ndindex(images.shape):
        row, column = y - int(down[i]), x - int(right[i])
        inside = 0 <= row < height and 0 <= column < width
        if outside == "edge":
            row, column = min(max(row, 0), height - 1), min(max(column, 0), width - 1)
        if outside != "zero" or inside:
            out[i, c, y, x] = images[i, c, row % height, column % width]
    return out, str(images.dtype)


misconceptions_shift = {
    "the margin was left black; the edge is repeated": lambda images, down, right: oracle_shift(images, down, right, "zero"),
    "what left on one side came back on the other": lambda images, down, right: oracle_shift(images, down, right, "wrap"),
    "the pictures went the opposite way": lambda images, down, right: oracle_shift(images, -down, -right),
    "rows and columns changed places": lambda images, down, right: oracle_shift(images, right, down),
    "all pictures were shifted as the first one": lambda images, down, right: oracle_shift(
        images, np.full_like(down, down[0]), np.full_like(right, right[0])),
}
