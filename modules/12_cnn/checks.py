"""Checks of module 12. NumPy only: nothing here runs the code that it judges, except `observe`."""

import math

import numpy as np

float64_convolve = float64_windows = float64_LeNet5 = False  # what is observed there is made in float32


def whole(describe):
    """Make a `describe_` function say all that is shown of a call: nothing is said of its arrays beside it."""
    return lambda **inputs: (describe(**inputs), "")


def normal(rng, *shape):
    """Draw float32 numbers of both signs."""
    return rng.standard_normal(shape, np.float32)


def fitting(size, kernel_size, stride, dilation=(1, 1)):
    """Return at how many places a kernel fits, down and across."""
    return tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(size, kernel_size, stride, dilation))


def bordered(x, before, after=None, value=0.0):
    """Return pictures in float64 with a border, as wide after them as before unless said otherwise."""
    after = before if after is None else after
    widths = [(0, 0), (0, 0), *zip(before, after)]
    return np.pad(x.astype(np.float64), widths, constant_values=value)


def exchanged(oracle, *names):
    """Turn an oracle into one that takes the width of some settings for the height."""
    return lambda **inputs: oracle(**{name: value[::-1] if name in names else value for name, value in inputs.items()})


def without(oracle, **settings):
    """Turn an oracle into one that ignores some settings and takes these instead."""
    return lambda **inputs: oracle(**{**inputs, **settings})


def sizes(rng, smallest, largest):
    """Draw a height and a width that differ."""
    return tuple(int(n) for n in rng.permutation(np.arange(smallest, largest + 1))[:2])


def one_for_both(oracle, *names):
    """List the oracles that take the first number of a pair for both axes, one for each setting."""
    return tuple(lambda name=name, **inputs: oracle(**inputs | {name: (inputs[name][0],) * 2}) for name in names)


def fails(error, unless, oracle):
    """Make the oracle of code that raises an error unless a function of the inputs holds; then it is another oracle."""
    return lambda **inputs: oracle(**inputs) if unless(**inputs) else ("raises", error)


def turned(array):
    """Turn kernels around."""
    return array[..., ::-1, ::-1]


# 12.1 convolve


def draw_convolve(rng):
    """No picture and no kernel a square but one each; strides that leave pixels over; whole numbers; one place alone."""
    for size, kernel, stride in [
        ((4, 6), (2, 3), 1),
        ((5, 5), (3, 3), 1),
        ((7, 9), (3, 2), 2),
        ((9, 8), (2, 4), 3),
        ((3, 4), (3, 4), 1),
        ((6, 3), (1, 3), 2),
        (sizes(rng, 6, 10), sizes(rng, 1, 4), int(rng.integers(1, 4))),
    ]:
        yield dict(picture=normal(rng, *size), kernel=normal(rng, *kernel), stride=stride)
    yield dict(picture=rng.integers(0, 256, sizes(rng, 4, 7)), kernel=rng.integers(-3, 4, (2, 3)) + 0.5)
    yield dict(picture=rng.integers(0, 9, (4, 5)), kernel=rng.integers(1, 4, (2, 1)), stride=2)
    yield dict(picture=rng.standard_normal((3, 5)), kernel=rng.standard_normal((2, 2)))


def observe_convolve(convolve, picture, kernel, **options):
    result = convolve(picture, kernel, **options)
    return {"entries": result, "dtype": str(getattr(result, "dtype", "none"))}


def oracle_convolve(picture, kernel, stride=1, step=None, lost=0, start=0, dtype="float32", mean=False):
    """Slide a kernel.

    Args:
        step: How far the windows that are read lie apart, down and across, if it is not the stride.
        lost: How many places at the end are missing.
        start: What a sum begins with.
        dtype: The answer's dtype.
        mean: Whether the products are averaged.
    """
    (rows, columns), step = kernel.shape, step or (stride, stride)
    down, across = (n - lost for n in fitting(picture.shape, kernel.shape, (stride, stride)))
    out = np.full((max(0, down), max(0, across)), start, np.float64)
    for y, x in np.ndindex(out.shape):
        for i, j in np.ndindex(rows, columns):
            out[y, x] += float(picture[y * step[0] + i, x * step[1] + j]) * float(kernel[i, j])
    return {"entries": out / kernel.size if mean else out, "dtype": dtype}


def convolve_divided_first(picture, kernel, stride=1):
    """Divide the number of places by the stride before 1 is added where it belongs."""
    down, across = ((n - k + 1) // stride for n, k in zip(picture.shape, kernel.shape))
    right = oracle_convolve(picture, kernel, stride)
    return right | {"entries": right["entries"][:down, :across]}


def convolve_as_large(picture, kernel, stride=1):
    """The answer is as large as the picture: a border of zeros was added."""
    rows, columns = kernel.shape
    padded = np.pad(picture, [((rows - 1) // 2, rows // 2), ((columns - 1) // 2, columns // 2)])
    return oracle_convolve(padded, kernel, stride)


def convolve_as_numpy(picture, kernel, stride=1):
    """The dtype is the one that NumPy makes of the two."""
    return oracle_convolve(picture, kernel, stride, dtype=str(np.result_type(picture, kernel)))


def convolve_in_picture(picture, kernel, stride=1):
    """The answer has the picture's dtype; whole numbers cut off what is behind the point."""
    right = oracle_convolve(picture, kernel, stride, dtype=str(picture.dtype))
    return right if picture.dtype.kind == "f" else right | {"entries": np.trunc(right["entries"]).astype(picture.dtype)}


def convolve_square(picture, kernel, stride=1):
    """Windows are as high as they are wide, whatever the kernel is; NumPy multiplies the two, or refuses."""
    n = kernel.shape[1]
    down, across = fitting(picture.shape, (n, n), (stride, stride))
    entries = [
        [(picture[y * stride : y * stride + n, x * stride : x * stride + n] * kernel).sum() for x in range(across)]
        for y in range(down)
    ]
    return {"entries": np.array(entries, np.float64), "dtype": "float32"}


misconceptions_convolve = {
    "1 was added before the division by the stride: there are (H - KH) // stride + 1 places": convolve_divided_first,
    "the kernel is turned around: that is the mathematician's convolution": lambda picture, kernel, stride=1: oracle_convolve(
        picture, turned(kernel), stride
    ),
    "the stride is ignored": lambda picture, kernel, stride=1: oracle_convolve(picture, kernel, 1),
    "the answer has the right size, but its windows lie side by side: the stride is missing in the picture's index": lambda picture, kernel, stride=1: (
        oracle_convolve(picture, kernel, stride, step=(1, 1))
    ),
    "the last row and the last column are missing: from 0 to H - KH there are H - KH + 1 places": lambda picture, kernel, stride=1: (
        oracle_convolve(picture, kernel, stride, lost=1)
    ),
    "the answer is as large as the picture: only places where the whole kernel lies on it count": convolve_as_large,
    "rows and columns of the answer changed places": lambda picture, kernel, stride=1: {
        **(right := oracle_convolve(picture, kernel, stride)),
        "entries": right["entries"].T,
    },
    "the stride is missing for the columns": lambda picture, kernel, stride=1: oracle_convolve(
        picture, kernel, stride, step=(stride, 1)
    ),
    "the stride is missing for the rows": lambda picture, kernel, stride=1: oracle_convolve(
        picture, kernel, stride, step=(1, stride)
    ),
    "the kernel was taken to be square: KH and KW differ": convolve_square,
    "there are more places than windows: the number of places has to be divided by the stride": lambda picture, kernel, stride=1: (
        oracle_convolve(picture, kernel) if stride == 1 else ("raises", "IndexError")
    ),
    "the answer has the dtype of picture and kernel: float32 is asked for": convolve_as_numpy,
    "the answer is float64, as np.zeros makes it: float32 is asked for": lambda picture, kernel, stride=1: oracle_convolve(
        picture, kernel, stride, dtype="float64"
    ),
    "the answer has the picture's dtype, and sums of whole numbers are cut off: float32 is asked for": convolve_in_picture,
    "the products were averaged: their sum is asked for": lambda picture, kernel, stride=1: oracle_convolve(
        picture, kernel, stride, mean=True
    ),
    "products are multiplied or kept, not added: only the last one is left": lambda picture, kernel, stride=1: oracle_convolve(
        picture[kernel.shape[0] - 1 :, kernel.shape[1] - 1 :], kernel[-1:, -1:], stride
    ),
}


# 12.2 windows

ROOM = 4096  # entries around the array, so that a wrong view of it shows numbers of ours and not what lies there by chance


LAYOUTS = {  # how pictures lie in memory -> the order of their axes there
    "row by row": (0, 1, 2, 3),
    "column by column": (0, 1, 3, 2),
    "channels last": (0, 2, 3, 1),
    "channels first": (1, 0, 2, 3),
    "row by row, backwards": (0, 1, 2, 3),
}


def draw_windows(rng):
    """Strides and dilations that differ down and across; pictures that do not lie row by row in memory."""
    for shape, kernel, stride, dilation, layout in [
        ((2, 3, *sizes(rng, 5, 8)), (2, 3), (1, 1), (1, 1), "row by row"),
        ((1, 2, 8, 7), (3, 2), (2, 3), (1, 1), "row by row"),
        ((2, 1, 7, 9), (2, 3), (1, 1), (3, 2), "row by row"),
        ((1, 2, 9, 8), (3, 2), (2, 1), (1, 3), "row by row"),
        ((2, 2, 6, 5), (3, 3), (1, 2), (1, 1), "column by column"),
        ((2, 3, 5, 6), (2, 3), (1, 1), (1, 1), "channels last"),
        ((3, 2, *sizes(rng, 5, 8)), (3, 2), (1, 1), (2, 1), "channels first"),
        ((2, 3, 4, 6), (4, 6), (1, 1), (1, 1), "row by row"),
        ((2, 1, *sizes(rng, 5, 8)), (2, 3), (1, 1), (1, 1), "row by row, backwards"),
    ]:
        yield dict(x=normal(rng, *shape), kernel_size=kernel, stride=stride, dilation=dilation, layout=layout)


@whole
def describe_windows(x, kernel_size, stride, dilation, layout):
    options = "" if stride == dilation == (1, 1) else f", stride={stride}, dilation={dilation}"
    return f"windows(x, {kernel_size}{options})\nx {x.shape} {x.dtype}, in memory {layout}"


def observe_windows(windows, x, kernel_size, stride, dilation, layout):
    stored = x.transpose(LAYOUTS[layout])
    room = np.full(2 * ROOM + x.size, 77, np.float32)
    inside = room[ROOM : ROOM + x.size].reshape(stored.shape)
    inside = inside[..., ::-1, ::-1] if "backwards" in layout else inside
    inside[...] = stored
    pictures = inside.transpose(np.argsort(LAYOUTS[layout]))
    options = {} if stride == dilation == (1, 1) else {"stride": stride, "dilation": dilation}
    view = windows(pictures, kernel_size, **options)
    if not isinstance(view, np.ndarray):
        return {"entries": view, "on the memory of x": False, "can be written to": False}
    return {
        "entries": np.array(view),
        "on the memory of x": bool(np.shares_memory(view, room)),
        "can be written to": bool(view.flags.writeable),
    }


def oracle_windows(
    x,
    kernel_size,
    stride,
    dilation,
    layout,
    steps=None,
    spread=None,
    order="ncijyx",
    view=True,
    assumed=False,
    writeable=True,
    unit=4,
):
    """Read all windows, from the memory that `observe_windows` lays out.

    Args:
        steps, spread: What stands for stride and dilation where entries are read, though not in the shape.
        order: The order of the axes.
        view: Whether it is a view; ``writeable``: whether it can be written to.
        assumed: Whether the picture was taken to lie row by row, whatever it does.
        unit: How many bytes a step of one entry is.
    """
    shape, (steps, spread) = fitting(x.shape[2:], kernel_size, stride, dilation), (steps or stride, spread or dilation)
    stored = x.transpose(LAYOUTS[layout])
    memory = np.append(stored.ravel(), np.full(ROOM, 77, np.float32))
    lying = x.shape if assumed else stored.shape
    strides = [math.prod(lying[axis + 1 :]) for axis in range(4)]
    strides = strides if assumed else [strides[axis] for axis in np.argsort(LAYOUTS[layout])]
    n, c, i, j, down, across = np.indices((*x.shape[:2], *kernel_size, *shape))
    row, column = down * steps[0] + i * spread[0], across * steps[1] + j * spread[1]
    places = unit * (n * strides[0] + c * strides[1] + row * strides[2] + column * strides[3])
    entries = memory.view(np.uint8)[places[..., None] + np.arange(4)].view(np.float32)[..., 0]
    axes = ["ncijyx".index(letter) for letter in order]
    return {"entries": entries.transpose(axes), "on the memory of x": view, "can be written to": writeable}


misconceptions_windows = {
    "the windows lie side by side: the stride is missing in the strides of H' and W'": lambda **inputs: oracle_windows(
        **inputs, steps=(1, 1)
    ),
    "the kernel is not spread out: the dilation is missing in the strides of KH and KW": lambda **inputs: oracle_windows(
        **inputs, spread=(1, 1)
    ),
    "stride and dilation changed places in the strides": lambda **inputs: oracle_windows(
        **inputs, steps=inputs["dilation"], spread=inputs["stride"]
    ),
    "height and width changed places in the stride": lambda **inputs: oracle_windows(**inputs, steps=inputs["stride"][::-1]),
    "height and width changed places in the dilation": lambda **inputs: oracle_windows(**inputs, spread=inputs["dilation"][::-1]),
    "strides count bytes, not entries: take them from x.strides": lambda **inputs: oracle_windows(**inputs, unit=1, assumed=True),
    "the view cannot be written to, and fold has to: sliding_window_view takes writeable=True, as_strided is writeable by itself": lambda **inputs: (
        oracle_windows(**inputs, writeable=False)
    ),
    "height and width changed places in stride and dilation": lambda **inputs: oracle_windows(
        **inputs, steps=inputs["stride"][::-1], spread=inputs["dilation"][::-1]
    ),
    "the stride is ignored: there is a window at every pixel": without(oracle_windows, stride=(1, 1)),
    "the dilation is ignored": without(oracle_windows, dilation=(1, 1)),
    "stride and dilation are ignored: there is a window at every pixel, of pixels side by side": without(
        oracle_windows, stride=(1, 1), dilation=(1, 1)
    ),
    "the pictures were taken to lie row by row in memory: x.strides tells how they do": lambda **inputs: oracle_windows(
        **inputs, assumed=True
    ),
    "the places stand before the kernel's entries: the axes are (N, C, KH, KW, H', W')": lambda **inputs: oracle_windows(
        **inputs, order="ncyxij"
    ),
    "the kernel's entries stand before the channels: the axes are (N, C, KH, KW, H', W')": lambda **inputs: oracle_windows(
        **inputs, order="nijcyx"
    ),
    "height and width of every window changed places": lambda **inputs: oracle_windows(**inputs, order="ncjiyx"),
    "right, but on a copy: what is written to it does not reach x, and a copy of all windows takes their memory": lambda **inputs: (
        oracle_windows(**inputs, view=False)
    ),
    "a copy that cannot be written to": lambda **inputs: oracle_windows(**inputs, view=False, writeable=False),
}


# 12.3 convolution

CONVOLUTIONS = [  # shapes of the pictures and the kernels; stride, padding, dilation, groups
    ((2, 1, 5, 6), (1, 1, 2, 3), (1, 1), (0, 0), (1, 1), 1),
    ((2, 3, 6, 5), (4, 3, 3, 2), (1, 1), (0, 0), (1, 1), 1),
    ((2, 2, 7, 8), (3, 2, 3, 2), (2, 1), (1, 2), (1, 1), 1),
    ((1, 2, 8, 9), (3, 2, 2, 3), (1, 2), (0, 1), (2, 1), 1),
    ((2, 4, 5, 6), (6, 2, 3, 3), (1, 1), (1, 1), (1, 1), 2),
    ((2, 3, 7, 9), (3, 1, 2, 2), (2, 3), (1, 0), (1, 2), 3),
]


LARGE = ((3, 4, 60, 50), (4, 2, 3, 3), (1, 1), (0, 1), (1, 1), 2)  # several slabs


def geometry(stride, padding, dilation, groups):
    return dict(stride=stride, padding=padding, dilation=dilation, groups=groups)


def some_convolutions(rng):
    """Draw shapes of pictures and kernels, and settings: sizes that differ, each setting alone and together, more than one slab."""
    groups = int(rng.integers(1, 4))
    channels, kernels = groups * int(rng.integers(1, 3)), groups * int(rng.integers(1, 3))
    drawn = (
        (2, channels, *sizes(rng, 7, 10)),
        (kernels, channels // groups, *sizes(rng, 1, 4)),
        *(tuple(int(n) for n in rng.permutation(pair)) for pair in ((1, 2), (0, 1), (1, 2))),
        groups,
    )
    return [*CONVOLUTIONS, drawn, LARGE]


def draw_convolution(rng):
    for shape, weight, *settings in some_convolutions(rng):
        yield dict(x=normal(rng, *shape), weight=normal(rng, *weight), **geometry(*settings))
    for shape, weight, *settings in [*CONVOLUTIONS[1::3], LARGE, ((2, 2, 4, 5), (4, 2, 2, 2), (1, 1), (0, 0), (1, 1), 1)]:
        yield dict(x=normal(rng, *shape), weight=normal(rng, *weight), bias=normal(rng, weight[0]), **geometry(*settings))


def channels_of(kernel, kernels, channels, groups, dealt=False, first=False):
    """List the channels that a kernel sees: its group's, one after another, unless they were dealt out, or only the first."""
    group, size = kernel * groups // kernels, channels // groups
    return (
        list(range(size))
        if first
        else list(range(group, channels, groups))
        if dealt
        else list(range(group * size, (group + 1) * size))
    )


def oracle_convolution(
    x, weight, stride, padding, dilation, groups, bias=None, before=None, after=None, border="constant", **wrong
):
    widths = [(0, 0), (0, 0), *zip(padding if before is None else before, padding if after is None else after)]
    x = np.pad(x.astype(np.float64), widths, mode=border)
    down, across = fitting(x.shape[2:], weight.shape[2:], stride, dilation)
    out = np.zeros((len(x), len(weight), max(0, down), max(0, across)))
    for o, i, j in np.ndindex(len(weight), *weight.shape[2:]):
        rows, columns = i * dilation[0] + stride[0] * np.arange(down), j * dilation[1] + stride[1] * np.arange(across)
        seen = x[:, channels_of(o, len(weight), x.shape[1], groups, **wrong)][:, :, rows[:, None], columns]
        out[:, o] += np.einsum("ncyx,c->nyx", seen, weight[o, :, i, j].astype(np.float64))
    for o in range(0 if bias is None else len(weight)):
        out[:, o] += float(bias[o])
    return out


def convolution_on_its_side(**inputs):
    """H' and W' changed places where the result got its four axes."""
    right = oracle_convolution(**inputs)
    return right.reshape(*right.shape[:2], right.shape[3], right.shape[2])


def kernels_in_another_order(x, weight, **settings):
    """The entries of a kernel were taken channel by channel for each pixel, but a column has them pixel by pixel for each channel."""
    shuffled = weight.transpose(0, 2, 3, 1).reshape(weight.shape)
    return oracle_convolution(x, shuffled, **settings)


def interleaved(weight, groups, bias=None, **inputs):
    """The kernels of the groups stand in turn in the result."""
    right = oracle_convolution(weight=weight, groups=groups, **inputs)
    order = np.arange(len(weight)).reshape(groups, -1).T.ravel()
    return right[:, order] + (0 if bias is None else bias[:, None, None].astype(np.float64))


def bias_of_columns(bias=None, **inputs):
    """The bias lined up with the last axis, if it can."""
    right = oracle_convolution(**inputs)
    return (
        right
        if bias is None
        else right + bias
        if right.shape[-1] in (1, len(bias)) or len(bias) == 1
        else ("raises", "ValueError")
    )


def bias_of_rows(bias=None, **inputs):
    right = oracle_convolution(**inputs)
    return (
        right
        if bias is None
        else right + bias[:, None]
        if right.shape[-2] in (1, len(bias)) or len(bias) == 1
        else ("raises", "ValueError")
    )


def not_reaching(name, value):
    """Make the oracle of columns that were made with another setting: they have to be as many as there are places."""

    def oracle(**inputs):
        right, wrong = oracle_convolution(**inputs), oracle_convolution(**{**inputs, name: value})
        return wrong.reshape(right.shape)

    return oracle


def first_slab(**inputs):
    """The first picture's result stands for all."""
    right = oracle_convolution(**inputs)
    return np.concatenate([right[:1]] * len(right))


def bias_of_slabs(times):
    """Make the oracle of a bias that is added another number of times: a function of a slab's number and of how many there are."""

    def oracle(bias=None, **inputs):
        right = oracle_convolution(**inputs)
        if bias is None:
            return right
        weight = inputs["weight"]
        step = max(1, 2**18 // (weight[0].size * inputs["groups"] * right[0, 0].size))
        count = -(-len(right) // step)
        often = [times(number // step, count) for number in range(len(right))]
        return right + np.array(often).reshape(-1, 1, 1, 1) * bias[:, None, None].astype(np.float64)

    return oracle


def one_side(side):
    """Make the oracle of a border that is on one side only."""

    def oracle(**inputs):
        return oracle_convolution(**inputs, **{side: (0, 0)})

    return oracle


def square_kernels(axis):
    """Make the oracle of columns for square kernels, as long as one axis of the kernel: matmul refuses them if the other differs."""

    def oracle(weight, **inputs):
        entries, made = weight[0].size, weight.shape[1] * weight.shape[axis] ** 2
        if entries == made:
            return oracle_convolution(weight=weight, **inputs)
        return "raises", "ValueError", f"size {made} is different from {entries}"

    return oracle


misconceptions_convolution = {
    "the kernels are turned around": lambda x, weight, **settings: oracle_convolution(x, turned(weight), **settings),
    "the stride is ignored": without(oracle_convolution, stride=(1, 1)),
    "the dilation is ignored": without(oracle_convolution, dilation=(1, 1)),
    "the padding is ignored": without(oracle_convolution, padding=(0, 0)),
    "the border is above and at the left only": one_side("after"),
    "the border is below and at the right only": one_side("before"),
    "height and width changed places in the stride": exchanged(oracle_convolution, "stride"),
    "height and width changed places in the padding": exchanged(oracle_convolution, "padding"),
    "height and width changed places in the dilation": exchanged(oracle_convolution, "dilation"),
    "H' and W' changed places when the result got its axes": convolution_on_its_side,
    "the first number of a pair was used for both axes: height first, then width": one_for_both(
        oracle_convolution, "stride", "padding", "dilation"
    ),
    "every group saw the first channels": lambda **inputs: oracle_convolution(**inputs, first=True),
    "the channels were dealt out to the groups one by one: a group's channels stand together": lambda **inputs: (
        oracle_convolution(**inputs, dealt=True)
    ),
    "the entries of a kernel stand in another order than those of a column: channel first, then row, then column": kernels_in_another_order,
    "the border repeats the edge of the picture: it is zeros": lambda **inputs: oracle_convolution(**inputs, border="edge"),
    "the border mirrors the picture: it is zeros": lambda **inputs: oracle_convolution(**inputs, border="reflect"),
    "the border was put around twice": lambda padding, **inputs: oracle_convolution(padding=[2 * p for p in padding], **inputs),
    "the kernels of the groups stand in turn: they stand one group after the other": interleaved,
    "the width of the kernel was taken for its height too: KH and KW may differ": square_kernels(-1),
    "the height of the kernel was taken for its width too: KH and KW may differ": square_kernels(-2),
    "groups is ignored: a kernel has the channels of its group alone": fails(
        "ValueError", lambda groups, **inputs: groups == 1, oracle_convolution
    ),
    "the bias lined up with the columns of the picture: it belongs to the kernels, column(bias)": bias_of_columns,
    "the bias lined up with the rows of the picture: it belongs to the kernels, column(bias)": bias_of_rows,
    "the bias was subtracted": lambda bias=None, **inputs: oracle_convolution(bias=None if bias is None else -bias, **inputs),
    "the bias was added to the last slab alone: it belongs to all pictures": bias_of_slabs(lambda slab, count: slab == count - 1),
    "the bias was added to the first slab alone: it belongs to all pictures": bias_of_slabs(lambda slab, count: slab == 0),
    "the bias was added again with each slab: once is enough": bias_of_slabs(lambda slab, count: count - slab),
    "the bias was added twice, or again with each slab: once is enough": lambda bias=None, **inputs: oracle_convolution(
        bias=None if bias is None else 2 * bias, **inputs
    ),
    "the dilation does not reach unfold: its columns do not fit the places": not_reaching("dilation", (1, 1)),
    "the stride does not reach unfold: its columns do not fit the places": not_reaching("stride", (1, 1)),
    "the padding does not reach unfold: its columns do not fit the places": not_reaching("padding", (0, 0)),
    "every picture got the result of the first": first_slab,
    "the bias is missing": without(oracle_convolution, bias=None),
}


# 12.4 conv2d_weight


def draw_conv2d_weight(rng):
    """The settings of 12.3, with gradients of both signs."""
    for shape, weight, stride, padding, dilation, groups in some_convolutions(rng):
        size = [n + 2 * p for n, p in zip(shape[2:], padding)]
        grad = normal(rng, shape[0], weight[0], *fitting(size, weight[2:], stride, dilation))
        yield dict(x=normal(rng, *shape), grad=grad, weight_size=weight, **geometry(stride, padding, dilation, groups))


def oracle_conv2d_weight(x, grad, weight_size, stride, padding, dilation, groups, **wrong):
    x, grad, out = bordered(x, padding), grad.astype(np.float64), np.zeros(weight_size)
    for o, i, j in np.ndindex(weight_size[0], *weight_size[2:]):
        rows, columns = (
            i * dilation[0] + stride[0] * np.arange(grad.shape[2]),
            j * dilation[1] + stride[1] * np.arange(grad.shape[3]),
        )
        seen = x[:, channels_of(o, weight_size[0], x.shape[1], groups, **wrong)][:, :, rows[:, None], columns]
        out[o, :, i, j] = np.einsum("ncyx,nyx->c", seen, grad[:, o])
    return out


def averaged(slabs):
    """Make the oracle of a mean over all pictures, or over those of each slab."""

    def oracle(x, grad, weight_size, **settings):
        size = math.prod(weight_size[1:]) * settings["groups"] * grad[0, 0].size
        step = max(1, 2**18 // size) if slabs else len(x)
        parts = [
            oracle_conv2d_weight(x[i : i + step], grad[i : i + step], weight_size, **settings) / len(x[i : i + step])
            for i in range(0, len(x), step)
        ]
        return sum(parts, np.zeros(weight_size))

    return oracle


def last_slab(x, grad, weight_size, **settings):
    """The sum of the last slab alone."""
    step = max(1, 2**18 // (math.prod(weight_size[1:]) * settings["groups"] * grad[0, 0].size))
    start = (len(x) - 1) // step * step
    return oracle_conv2d_weight(x[start:], grad[start:], weight_size, **settings)


def first_picture(x, grad, weight_size, **settings):
    """The first picture of each slab alone."""
    step = max(1, 2**18 // (math.prod(weight_size[1:]) * settings["groups"] * grad[0, 0].size))
    return oracle_conv2d_weight(x[::step], grad[::step], weight_size, **settings)


def turned_round(weight_size, groups, **inputs):
    """Kernels and a kernel's entries changed places, and the result was put into shape as it lay."""
    right = oracle_conv2d_weight(weight_size=weight_size, groups=groups, **inputs)
    return right.reshape(groups, weight_size[0] // groups, -1).transpose(0, 2, 1).reshape(weight_size)


def last_picture(x, grad, **settings):
    return oracle_conv2d_weight(x[-1:], grad[-1:], **settings)


def without_border(x, padding, **settings):
    """The gradient of the kernels from pictures whose border was not counted: everything is shifted."""
    return oracle_conv2d_weight(bordered(x, (0, 0), [2 * p for p in padding]), padding=(0, 0), **settings)


def without_padding_at_all(padding, x, grad, weight_size, stride, dilation, groups):
    """Columns of pictures without a border do not fit the gradient."""
    if any(padding) and fitting(x.shape[2:], weight_size[2:], stride, dilation) != grad.shape[2:]:
        return ("raises", "ValueError")
    return oracle_conv2d_weight(x, grad, weight_size, stride, (0, 0), dilation, groups)


misconceptions_conv2d_weight = {
    "the stride is ignored in the gradient: the windows are not those that the convolution saw": without(
        oracle_conv2d_weight, stride=(1, 1)
    ),
    "the dilation is ignored in the gradient": without(oracle_conv2d_weight, dilation=(1, 1)),
    "the border is missing above and at the left: the windows are shifted": without_border,
    "averaged over the pictures: what comes back from several places adds up": averaged(slabs=False),
    "averaged over the pictures of each slab: what comes back from several places adds up": averaged(slabs=True),
    "only the last picture's gradient is left: the pictures' gradients add up": last_picture,
    "only the first picture's gradient of each slab is taken: the pictures' gradients add up": first_picture,
    "only the first picture's gradient is taken: the pictures' gradients add up": lambda x, grad, **inputs: oracle_conv2d_weight(
        x[:1], grad[:1], **inputs
    ),
    "only the last slab's gradient is left: the slabs' gradients add up": last_slab,
    "the axes of kernels and columns were exchanged and then reshaped: a reshape does not move entries, transpose (.mT) does": turned_round,
    "the kernels are turned around": lambda **inputs: turned(oracle_conv2d_weight(**inputs)),
    "the padding is ignored: the windows do not fit the gradient": without_padding_at_all,
    "every group saw the first channels": lambda **inputs: oracle_conv2d_weight(**inputs, first=True),
    "what arrives from the right is missing: ones were sent back instead": lambda grad, **inputs: oracle_conv2d_weight(
        grad=np.ones_like(grad), **inputs
    ),
}

atol_conv2d_weight = 3e-4  # the sums over whole pictures are long: entries of 100, and some near 0


# 12.5 fold


def draw_fold(rng):
    """Windows that overlap, touch, and leave gaps; a border; numbers and pairs."""
    for n, channels, size, kernel, stride, padding, dilation in [
        (2, 1, (4, 5), (2, 3), (1, 1), (0, 0), (1, 1)),
        (1, 3, (5, 7), (3, 2), (1, 1), (1, 1), (1, 1)),
        (2, 2, (7, 6), (3, 2), (2, 1), (0, 1), (1, 1)),
        (1, 2, (9, 8), (2, 3), (3, 1), (1, 0), (1, 2)),
        (2, 1, (6, 7), (2, 2), (1, 2), (0, 0), (3, 1)),
        (2, int(rng.integers(1, 4)), sizes(rng, 5, 8), sizes(rng, 1, 3), (1, 2), sizes(rng, 0, 2), (2, 1)),
    ]:
        places = math.prod(fitting([a + 2 * p for a, p in zip(size, padding)], kernel, stride, dilation))
        yield dict(
            columns=normal(rng, n, channels * math.prod(kernel), places),
            output_size=size,
            kernel_size=kernel,
            dilation=dilation,
            padding=padding,
            stride=stride,
        )
    yield dict(columns=normal(rng, 1, 8, 9), output_size=4, kernel_size=2)
    yield dict(columns=normal(rng, 2, 9, 16), output_size=7, kernel_size=3, padding=1, stride=2)


def two(value):
    return value if isinstance(value, tuple) else (value, value)


def oracle_fold(
    columns,
    output_size,
    kernel_size,
    dilation=1,
    padding=0,
    stride=1,
    *,
    steps=None,
    spread=None,
    arrive="add",
    trim="both",
    order="ckl",
):
    """Send columns home, or get it wrong.

    Args:
        steps, spread: What stands for stride and dilation where entries arrive, though not in the number of places.
        arrive: "add", "overwrite", or "mean".
        trim: "both", "none" or "before", which takes off the whole border above and at the left.
        order: The order of the axes that a column consists of: channels c and the kernel's entries k.
    """
    (height, width), (rows, across), dilation, (ph, pw), stride = map(two, (output_size, kernel_size, dilation, padding, stride))
    channels, size = columns.shape[1] // (rows * across), (height + 2 * ph, width + 2 * pw)
    places, steps, spread = fitting(size, (rows, across), stride, dilation), steps or stride, spread or dilation
    shape = (channels, rows, across) if order == "ckl" else (rows, across, channels)
    entries = columns.astype(np.float64).reshape(len(columns), *shape, *places)
    entries = entries if order == "ckl" else entries.transpose(0, 3, 1, 2, 4, 5)
    out, count = np.zeros((len(columns), channels, *size)), np.zeros(size)
    for i, j, y, x in np.ndindex(rows, across, *places):
        row, column = y * steps[0] + i * spread[0], x * steps[1] + j * spread[1]
        if row < size[0] and column < size[1]:
            out[:, :, row, column] = entries[:, :, i, j, y, x] + (0 if arrive == "overwrite" else out[:, :, row, column])
            count[row, column] += 1
    out = out / np.maximum(1, count) if arrive == "mean" else out
    first = {"both": (ph, pw), "none": (0, 0), "before": (2 * ph, 2 * pw)}[trim]
    return out if trim == "none" else out[:, :, first[0] : first[0] + height, first[1] : first[1] + width]


def places_by_columns(columns, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The places of a row of windows were taken for those of a column."""
    size = [n + 2 * p for n, p in zip(two(output_size), two(padding))]
    down, across = fitting(size, two(kernel_size), two(stride), two(dilation))
    turned_columns = columns.reshape(*columns.shape[:2], across, down).swapaxes(2, 3).reshape(columns.shape)
    return oracle_fold(turned_columns, output_size, kernel_size, dilation, padding, stride)


def added_at_once(columns, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """All windows were added to their view in one step, in which NumPy adds to each entry once."""
    (rows, across), (ph, pw), dilation, stride = two(kernel_size), two(padding), two(dilation), two(stride)
    size = [n + 2 * p for n, p in zip(two(output_size), (ph, pw))]
    out = np.zeros((len(columns), columns.shape[1] // (rows * across), *size), columns.dtype)
    down, right = out.strides[2:]
    shape = (*out.shape[:2], rows, across, *fitting(size, (rows, across), stride, dilation))
    strides = (*out.strides[:2], dilation[0] * down, dilation[1] * right, stride[0] * down, stride[1] * right)
    view = np.lib.stride_tricks.as_strided(out, shape, strides)
    view += columns.reshape(shape)
    return out[:, :, ph : size[0] - ph, pw : size[1] - pw].astype(np.float64)


def pairs_alone(**inputs):
    """A number has no first and no second."""
    return ("raises", "TypeError") if isinstance(inputs["kernel_size"], int) else oracle_fold(**inputs)


misconceptions_fold = {
    "what arrives at a pixel replaces what was there: it adds up": lambda **inputs: oracle_fold(**inputs, arrive="overwrite"),
    "divided by the number of windows that a pixel lies in: what comes back adds up": lambda **inputs: oracle_fold(
        **inputs, arrive="mean"
    ),
    "all windows were added in one step, in which NumPy adds to a pixel once: add entry (i, j) of all windows, one after the other": added_at_once,
    "the border is still there": lambda **inputs: oracle_fold(**inputs, trim="none"),
    "the border was taken off on one side only": lambda **inputs: oracle_fold(**inputs, trim="before"),
    "the stride is ignored where entries arrive": lambda **inputs: oracle_fold(**inputs, steps=(1, 1)),
    "the dilation is ignored where entries arrive": lambda **inputs: oracle_fold(**inputs, spread=(1, 1)),
    "a column was read with the channels last: channel first, then row, then column": lambda **inputs: oracle_fold(
        **inputs, order="kcl"
    ),
    "the places were read column by column: they stand row by row": places_by_columns,
    "a number stands for a pair: `pair` makes one of it": pairs_alone,
}


# 12.6 max_pooling

POOLINGS = [  # shape, kernel size, stride, padding
    ((2, 2, 4, 6), (2, 2), (2, 2), (0, 0)),
    ((1, 3, 7, 5), (3, 2), (2, 1), (0, 0)),
    ((2, 1, 6, 7), (2, 3), (3, 2), (1, 1)),
    ((2, 2, 5, 8), (3, 4), (1, 3), (1, 2)),
    ((1, 2, 9, 5), (2, 1), (4, 2), (0, 0)),
    ((1, 2, 4, 7), (1, 3), (1, 2), (0, 1)),
]


def draw_max_pooling(rng):
    """Windows that overlap, touch and leave gaps; borders around negative entries only, the lowest too; nan."""
    for shape, kernel, stride, padding in [*POOLINGS, ((2, 2, *sizes(rng, 6, 9)), sizes(rng, 1, 4), (1, 2), (0, 0))]:
        x = normal(rng, *shape)
        yield dict(x=-np.abs(x) if any(padding) else x, kernel_size=kernel, stride=stride, padding=padding)
    low = -np.abs(normal(rng, 2, 1, 5, 4)) * np.float32(1e30)
    low[0, 0, 0, 0] = low[1, 0, 4, 3] = -np.inf
    yield dict(x=low, kernel_size=(2, 2), stride=(3, 3), padding=(1, 1))
    with_nan = normal(rng, 2, 1, 4, 6)
    with_nan[0, 0, 1, 2] = with_nan[1, 0, 2, 5] = np.nan
    yield dict(x=with_nan, kernel_size=(2, 3), stride=(2, 3), padding=(0, 0))


def oracle_max_pooling(x, kernel_size, stride, padding, border=-np.inf, of=max, after=None, skip_nan=False):
    x = bordered(x, padding, after, border)
    out = np.zeros((*x.shape[:2], *fitting(x.shape[2:], kernel_size, stride)))
    for n, c, y, across in np.ndindex(out.shape):
        top, left = y * stride[0], across * stride[1]
        window = x[n, c, top : top + kernel_size[0], left : left + kernel_size[1]].ravel().tolist()
        numbers = [a for a in window if a == a]
        out[n, c, y, across] = of(numbers) if len(numbers) == len(window) or skip_nan else np.nan
    return out


misconceptions_max_pooling = {
    "the border counted as zeros, and wins over negative entries": lambda **inputs: oracle_max_pooling(**inputs, border=0.0),
    "the border counted as a large negative number, which wins over what is lower still: it is minus infinity": lambda **inputs: (
        oracle_max_pooling(**inputs, border=-1e9)
    ),
    "the border counted as the lowest float32, which is more than minus infinity": lambda **inputs: oracle_max_pooling(
        **inputs, border=float(np.finfo(np.float32).min)
    ),
    "height and width changed places in the stride": exchanged(oracle_max_pooling, "stride"),
    "height and width changed places in the padding": exchanged(oracle_max_pooling, "padding"),
    "nan was passed over": lambda **inputs: oracle_max_pooling(**inputs, skip_nan=True),
    "the stride is ignored: the windows touch each other": lambda x, kernel_size, stride, padding: oracle_max_pooling(
        x, kernel_size, kernel_size, padding
    ),
    "the stride is ignored: there is a window at every pixel": without(oracle_max_pooling, stride=(1, 1)),
    "the smallest entry was taken": lambda **inputs: oracle_max_pooling(**inputs, of=min),
    "the smallest entry was taken, and the border counted as infinity": lambda **inputs: oracle_max_pooling(
        **inputs, of=min, border=np.inf
    ),
    "the mean was taken": lambda **inputs: oracle_max_pooling(**inputs, of=lambda a: sum(a) / len(a), border=0.0),
    "the padding is ignored": without(oracle_max_pooling, padding=(0, 0)),
    "the border is above and at the left only": lambda **inputs: oracle_max_pooling(**inputs, after=(0, 0)),
    "height and width changed places in the kernel's size": exchanged(oracle_max_pooling, "kernel_size"),
    "the first number of a pair was used for both axes: height first, then width": one_for_both(
        oracle_max_pooling, "kernel_size", "stride", "padding"
    ),
}


# 12.7 max_pooling_backward


def draw_max_pooling_backward(rng):
    """Few different numbers, so that many are equal; windows that overlap; borders around negative entries; several slabs."""
    few = (1, 1, 3, 3), (2, 2), (1, 1), (0, 0)  # shown whole
    some = (2, 2, *sizes(rng, 6, 9)), sizes(rng, 2, 4), (1, 2), (1, 1)
    for shape, kernel, stride, padding in [few, *POOLINGS, some, ((3, 1, 300, 300), (2, 2), (2, 2), (0, 0))]:
        x = rng.integers(-3, 0, shape).astype(np.float32)
        size = [n + 2 * p for n, p in zip(shape[2:], padding)]
        yield dict(
            grad=normal(rng, *shape[:2], *fitting(size, kernel, stride)), x=x, kernel_size=kernel, stride=stride, padding=padding
        )
    yield dict(
        grad=rng.standard_normal((1, 2, 2, 3)),
        x=rng.integers(-3, 3, (1, 2, 3, 4)).astype(np.float64),
        kernel_size=(2, 2),
        stride=(1, 1),
        padding=(0, 0),
    )


def sent_back(share):
    """Make the oracle of a rule that says how a window's gradient is shared.

    Args:
        share: Function of the entries of all windows, of shape (N, C, KH * KW, H', W'), that returns the share of each.
            The oracle's ``add`` says whether what arrives is added, or replaces what was there; None if a share of 0 does, too.
    """

    def oracle(grad, x, kernel_size, stride, padding, border=-np.inf, steps=None, add=True, trim=True):
        x, steps = bordered(x, padding, value=border), steps or stride
        (down, across), grad, out = grad.shape[2:], grad.astype(np.float64), np.zeros(x.shape)

        def rows_of(i, j, s):
            return (i + s[0] * np.arange(down))[:, None], j + s[1] * np.arange(across)

        pixels = list(np.ndindex(kernel_size))
        entries = np.stack([x[:, :, *rows_of(i, j, stride)] for i, j in pixels], axis=2)
        for (i, j), part in zip(pixels, np.moveaxis(share(entries), 2, 0)):
            arriving, there = grad * part, (slice(None), slice(None), *rows_of(i, j, steps))
            out[there] = arriving if add is None else out[there] + arriving if add else np.where(part > 0, arriving, out[there])
        top, left = padding if trim else (0, 0)
        return out[:, :, top : out.shape[2] - top, left : out.shape[3] - left]

    return oracle


def first(entries):
    return np.arange(entries.shape[2])[:, None, None] == entries.argmax(axis=2)[:, :, None]


def last(entries):
    return first(entries[:, :, ::-1])[:, :, ::-1]


def every(entries):
    return entries == entries.max(axis=2, keepdims=True)


def first_by_columns(**inputs):
    """The first of equal entries was looked for column by column."""
    rows, columns = inputs["kernel_size"]
    order = np.arange(rows * columns).reshape(rows, columns).T.ravel()  # places column by column

    def share(entries):
        return first(entries[:, :, order])[:, :, np.argsort(order)]

    return sent_back(share)(**inputs)


oracle_max_pooling_backward = sent_back(first)


def added_once(grad, x, kernel_size, stride, padding):
    """Add all gradients in one step by index, in which NumPy adds to an entry once: the last window's stays."""
    bordered_x = bordered(x, padding, value=-np.inf)
    out = np.zeros(bordered_x.shape)
    for n, c, y, across in np.ndindex(grad.shape):
        top, left = y * stride[0], across * stride[1]
        window = bordered_x[n, c, top : top + kernel_size[0], left : left + kernel_size[1]]
        i, j = divmod(int(window.argmax()), window.shape[1])
        out[n, c, top + i, left + j] = grad[n, c, y, across]
    return out[:, :, padding[0] : out.shape[2] - padding[0], padding[1] : out.shape[3] - padding[1]]


misconceptions_max_pooling_backward = {
    "every one of equal largest entries got the gradient: the first gets it, the others nothing": sent_back(every),
    "equal largest entries shared the gradient: the first gets all of it": sent_back(
        lambda entries: every(entries) / np.maximum(1, every(entries).sum(axis=2, keepdims=True))
    ),
    "the last of equal largest entries got the gradient: it is the first, row by row": sent_back(last),
    "the first of equal entries was looked for column by column: it is the first row by row": first_by_columns,
    "the border is still there: cut it off": lambda **inputs: oracle_max_pooling_backward(**inputs, trim=False),
    "all entries of a window got the gradient": sent_back(lambda entries: np.ones_like(entries)),
    "all entries of a window got an equal share: that is the rule of average pooling": sent_back(
        lambda entries: np.full_like(entries, 1 / entries.shape[2])
    ),
    "`out[indices] += grad` adds to an entry once, however many windows it won: add one (i, j) after the other, or use np.add.at": added_once,
    "where windows overlap, the last one overwrote what the others had sent: the gradients add up, +=": (
        lambda **inputs: oracle_max_pooling_backward(**inputs, add=False),
        lambda **inputs: oracle_max_pooling_backward(**inputs, add=None),  # with zeros, too
    ),
    "the border counted as zeros, and took the gradient from negative entries": lambda **inputs: oracle_max_pooling_backward(
        **inputs, border=0.0
    ),
    "the smallest entry got the gradient": lambda **inputs: sent_back(lambda entries: first(-entries))(**inputs, border=np.inf),
    "the stride is ignored in the gradient: it went to windows side by side": lambda **inputs: oracle_max_pooling_backward(
        **inputs, steps=(1, 1)
    ),
}


# 12.8 channel_norm


def draw_channel_norm(rng):
    """As many channels as columns; variances near 0; a mean and a variance that are not those of the pictures."""
    for shape, eps in [
        ((2, 3, 4, 3), 0.5),
        ((3, 4, 2, 5), 1e-5),
        ((1, 2, 3, 4), 0.1),
        ((2, 5, 5, 5), 0.3),
        ((2, int(rng.integers(2, 6)), *sizes(rng, 2, 5)), 0.01),
    ]:
        c = shape[1]
        var = rng.uniform(0.05, 4, c)
        var[rng.integers(c)] = eps * rng.uniform(0.2, 0.8)  # less than eps, which is added
        yield dict(
            x=3 * normal(rng, *shape) + 1,
            weight=normal(rng, c),
            bias=normal(rng, c),
            mean=normal(rng, c),
            var=var.astype(np.float32),
            eps=eps,
            training=bool(c % 2),
        )


def scaled(x, weight, bias, mean, var):
    """Shift and scale channels, in float64, by loops over them."""
    out = x.astype(np.float64)
    for c in range(x.shape[1]):
        out[:, c] = (out[:, c] - float(mean[c])) * float(weight[c]) / math.sqrt(float(var[c])) + float(bias[c])
    return out


def oracle_channel_norm(x, weight, bias, mean, var, eps, training):
    return scaled(x, weight, bias, mean, var.astype(np.float64) + eps)


def last_axis(x, weight, bias, mean, var, eps, training):
    """What belongs to channels lined up with the columns."""
    if x.shape[3] != x.shape[1]:
        return ("raises", "ValueError")
    return np.moveaxis(scaled(np.moveaxis(x, 3, 1), weight, bias, mean, var.astype(np.float64) + eps), 1, 3)


def own_statistics(x, weight, bias, mean, var, eps, training):
    """Mean and variance were taken from the pictures."""
    x = x.astype(np.float64)
    return scaled(x, weight, bias, x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3)) + eps)


misconceptions_channel_norm = {
    "eps is added to the root, not to the variance below it": lambda x, weight, bias, mean, var, eps, training: scaled(
        x, weight, bias, mean, (np.sqrt(var.astype(np.float64)) + eps) ** 2
    ),
    "eps is missing": lambda x, weight, bias, mean, var, eps, training: scaled(x, weight, bias, mean, var),
    "the larger of variance and eps was taken: eps is added": lambda x, weight, bias, mean, var, eps, training: scaled(
        x, weight, bias, mean, np.maximum(var.astype(np.float64), eps)
    ),
    "divided by the variance, not by its root": lambda x, weight, bias, mean, var, eps, training: scaled(
        x, weight, bias, mean, (var.astype(np.float64) + eps) ** 2
    ),
    "the mean is not subtracted": lambda x, weight, bias, mean, var, eps, training: scaled(
        x, weight, bias, 0 * mean, var.astype(np.float64) + eps
    ),
    "the bias was scaled as well: it is added last": lambda x, weight, bias, mean, var, eps, training: scaled(
        x, weight, 0 * bias, mean - bias, var.astype(np.float64) + eps
    ),
    "the bias was added before the weight: it is added last": lambda x, weight, bias, mean, var, eps, training: scaled(
        x, weight, weight * bias, mean, var.astype(np.float64) + eps
    ),
    "divided by the weight: it is multiplied by": lambda x, weight, bias, mean, var, eps, training: scaled(
        x, 1 / weight.astype(np.float64), bias, mean, var.astype(np.float64) + eps
    ),
    "the bias is missing": lambda x, weight, bias, mean, var, eps, training: scaled(
        x, weight, 0 * bias, mean, var.astype(np.float64) + eps
    ),
    "the weight is missing": lambda x, weight, bias, mean, var, eps, training: scaled(
        x, 0 * weight + 1, bias, mean, var.astype(np.float64) + eps
    ),
    "weight and bias changed places": lambda x, weight, bias, mean, var, eps, training: scaled(
        x, bias, weight, mean, var.astype(np.float64) + eps
    ),
    "what belongs to channels lined up with the last axis, the columns; it belongs to the second": last_axis,
    "mean and variance were measured again: they are given, and in evaluation they are not the batch's": own_statistics,
}


# 12.9 batch_norm


def draw_batch_norm(rng):
    """Training and evaluation, other momenta than 0.5, few values per channel, no weight, no running statistics."""
    for shape, options in [
        ((3, 2, 2, 3), dict(training=True)),
        ((3, 2, 2, 3), dict(training=False)),
        ((2, 3, 1, 2), dict(training=True, momentum=0.3, eps=0.2)),
        ((4, 2, 1, 1), dict(training=True, momentum=0.9)),
        ((1, 3, 2, 2), dict(training=False, momentum=0.7, eps=0.1)),
        ((2, 2, 3, 1), dict(training=True, momentum=1.0)),
        ((2, 3, 2, 2), dict()),
        ((2, 2, 2, 2), dict(training=True, plain=("weight", "bias"))),
        ((2, 3, 1, 2), dict(training=True, plain=("weight",))),
        ((2, 2, 1, 2), dict(training=False, plain=("bias",))),
        ((2, int(rng.integers(2, 5)), *sizes(rng, 1, 3)), dict(training=bool(rng.integers(2)), momentum=0.2)),
        ((2, 2, 1, 3), dict(training=True, untracked=True)),
        ((2, 2, 2, 2), dict(training=False, untracked=True)),
        ((1, 3, 1, 1), dict(training=False)),
    ]:
        c, options = shape[1], dict(options)
        inputs = dict(input=2 * normal(rng, *shape) + 1, upstream=normal(rng, *shape))
        if not options.pop("untracked", False):
            inputs |= dict(running_mean=normal(rng, c), running_var=rng.uniform(0.5, 3, c).astype(np.float32))
        affine, plain = dict(weight=normal(rng, c) + 2, bias=normal(rng, c)), options.pop("plain", ())
        inputs |= {name: value for name, value in affine.items() if name not in plain}
        yield {**inputs, **options}


@whole
def describe_batch_norm(input, upstream, running_mean=None, running_var=None, weight=None, bias=None, **options):
    """Write the call as a learner would, and what the tensors hold."""
    given = dict(running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    words = [name if value is not None else "None" for name, value in given.items()]
    settings = [f"{name}={value}" for name, value in options.items()]
    held = [f"{name} = [{', '.join(f'{x:.4g}' for x in value)}]" for name, value in given.items() if value is not None]
    return "\n".join(
        [
            f"out = batch_norm({', '.join(['x', *words, *settings])}); out.backward(grad)",
            f"x and grad {input.shape} {input.dtype}",
            *held,
        ]
    )


def observe_batch_norm(module, input, upstream, running_mean=None, running_var=None, weight=None, bias=None, **options):
    """What comes out, what the running statistics are then, and what goes back to the input."""
    x = module.Tensor(input, requires_grad=True)
    given = [None if a is None else module.Tensor(np.array(a)) for a in (running_mean, running_var, weight, bias)]
    out = module.batch_norm(x, *given, **options)
    if not isinstance(out, module.Tensor):
        return {"out": out}
    kept = [None if a is None else np.array(a.data) for a in given[:2]]
    if out.requires_grad:
        out.backward(module.Tensor(upstream))
    return {
        "out": np.array(out.data),
        "running_mean afterwards": kept[0],
        "running_var afterwards": kept[1],
        "x.grad": np.array(x.grad.data) if x.grad is not None else "none",
    }


def oracle_batch_norm(
    input,
    upstream,
    running_mean=None,
    running_var=None,
    weight=None,
    bias=None,
    training=False,
    momentum=0.1,
    eps=1e-5,
    *,
    own=None,
    moves=None,
    back=None,
    normalise_by=0,
    keep=1,
    swapped=False,
    moved_first=False,
):
    """Normalise, move the running statistics, and go back.

    Args:
        own: Whether the batch's statistics are taken, if not as usual; ``moves`` and ``back`` likewise.
        normalise_by: What is subtracted from the count in the variance that is normalised by.
        keep: The same in the variance that is kept.
        swapped: Whether momentum is the share of the old.
        moved_first: Whether the running statistics that are normalised by are those that have been moved.
    """
    x, c, tracked = input.astype(np.float64), input.shape[1], running_mean is not None
    count = x.size / c
    mean, squares = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3)) * count
    weight, bias = (np.ones(c) if weight is None else weight), (np.zeros(c) if bias is None else bias)
    own = (training or not tracked) if own is None else own
    back = (training or not tracked) if back is None else back
    kept = running_mean, running_var
    if (training if moves is None else moves) and tracked:
        new = 1 - momentum if swapped else momentum
        with np.errstate(invalid="ignore"):  # one value has no distances to divide
            kept = (
                (1 - new) * running_mean.astype(np.float64) + new * mean,
                (1 - new) * running_var.astype(np.float64) + new * squares / (count - keep),
            )
    used = (mean, squares / (count - normalise_by)) if own else kept if moved_first else (running_mean, running_var)
    inverse = 1 / np.sqrt(np.asarray(used[1], np.float64) + eps)
    normal = scaled(x, np.ones(c), np.zeros(c), used[0], inverse**-2)
    gradient = upstream.astype(np.float64)
    if back:
        gradient = (
            gradient
            - gradient.mean(axis=(0, 2, 3), keepdims=True)
            - normal * (gradient * normal).mean(axis=(0, 2, 3), keepdims=True)
        )
    observed = {
        "out": normal * weight.reshape(-1, 1, 1) + bias.reshape(-1, 1, 1),
        "running_mean afterwards": kept[0],
        "running_var afterwards": kept[1],
        "x.grad": gradient * (weight * inverse).reshape(-1, 1, 1),
    }
    return observed


def by_running(**inputs):
    """Training normalises by the running statistics as they were."""
    tracked = "running_mean" in inputs
    return oracle_batch_norm(**inputs, own=not tracked, back=not tracked)


def kept_nothing(**inputs):
    return oracle_batch_norm(**inputs, moves=False)


def untracked_as_new(**inputs):
    """Without running statistics, those of a new layer are taken in evaluation: zeros and ones."""
    if "running_mean" in inputs or inputs.get("training", False):
        return oracle_batch_norm(**inputs)
    c = inputs["input"].shape[1]
    new = oracle_batch_norm(**inputs, running_mean=np.zeros(c), running_var=np.ones(c))
    return new | {"running_mean afterwards": None, "running_var afterwards": None}


def none_together(weight=None, bias=None, **inputs):
    """Without a weight there is no bias either; with one, a bias that is None goes on."""
    if weight is not None and bias is None:
        return ("raises", "AttributeError")
    return oracle_batch_norm(weight=weight, bias=None if weight is None else bias, **inputs)


def other_axes(**inputs):
    """The mean was taken over all axes but the last: it does not fit the channels."""
    measured = inputs.get("training", False) or "running_mean" not in inputs
    if measured and inputs["input"].shape[3] not in (1, inputs["input"].shape[1]):
        return ("raises", "ValueError")
    return oracle_batch_norm(**inputs)


def count_of_images(**inputs):
    """The count is the number of images, without their pixels."""
    n = len(inputs["input"])
    count = inputs["input"].size / inputs["input"].shape[1]
    if not inputs.get("training", False) or "running_mean" not in inputs or n == 1:
        return oracle_batch_norm(**inputs)
    return oracle_batch_norm(**inputs, keep=count - count * (n - 1) / n)


def with_history(**inputs):
    """What is written into the running statistics remembers where it comes from: `copy_` refuses it."""
    if inputs.get("training", False) and "running_mean" in inputs:
        return "raises", "RuntimeError", "a write in place is not remembered"
    return oracle_batch_norm(**inputs)


misconceptions_batch_norm = {
    "the mean and variance of the batch remember where they come from, and copy_ refuses such values: write mean.detach() and var.detach()": with_history,
    "count is the number of images: a channel has that many times its pixels, values_per_channel(x)": count_of_images,
    "evaluation asked for the count of values, which one pixel of one image has too few of: only training needs it": lambda **inputs: (
        ("raises", "ValueError")
        if inputs["input"].size == inputs["input"].shape[1] and not inputs.get("training", False)
        else oracle_batch_norm(**inputs)
    ),
    "momentum is ignored: always 0.1": without(oracle_batch_norm, momentum=0.1),
    "eps is ignored: always 1e-5": without(oracle_batch_norm, eps=1e-5),
    "evaluation took the batch's statistics: there the running ones count": lambda **inputs: oracle_batch_norm(
        **inputs, own=True, back=True
    ),
    "training took the running statistics: there the batch's own count": by_running,
    "the variance that is kept was divided by count: it is an estimate for all pictures, so divide by count - 1": lambda **inputs: (
        oracle_batch_norm(**inputs, keep=0)
    ),
    "the variance that is normalised by was divided by count - 1: that one is divided by count": lambda **inputs: (
        oracle_batch_norm(**inputs, normalise_by=1)
    ),
    "momentum is the wrong way round: it is the share of the new": lambda **inputs: oracle_batch_norm(**inputs, swapped=True),
    "evaluation moved the running statistics": lambda **inputs: oracle_batch_norm(**inputs, moves=True),
    "evaluation moved the running statistics, and then normalised by them": lambda **inputs: oracle_batch_norm(
        **inputs, moves=True, moved_first=True
    ),
    "training normalised by the running statistics, after they had moved: there the batch's own count": lambda **inputs: (
        oracle_batch_norm(
            **inputs,
            own="running_mean" not in inputs,
            moved_first=True,
            back=inputs.get("training", False) or "running_mean" not in inputs,
        )
    ),
    "the mean was taken over other axes: one number for each channel is wanted, so over (0, 2, 3)": other_axes,
    "the running statistics were not moved: overwrite them with copy_": kept_nothing,
    "training normalised by the running statistics, and its gradient is that of the batch's": lambda **inputs: oracle_batch_norm(
        **inputs, own="running_mean" not in inputs, back=inputs.get("training", False) or "running_mean" not in inputs
    ),
    "weight and bias were taken to be missing together: each may be None by itself": none_together,
    "without running statistics, evaluation took 0 and 1 for them: then the batch's own are used in any case": untracked_as_new,
    "the bias is missing where there is no weight": lambda weight=None, bias=None, **inputs: oracle_batch_norm(
        weight=weight, bias=None if weight is None else bias, **inputs
    ),
    "the weight is ignored": lambda weight=None, **inputs: oracle_batch_norm(**inputs),
    "channel_norm was not told that the statistics are the batch's own: the gradient lacks what goes through them": lambda **inputs: (
        oracle_batch_norm(**inputs, back=False)
    ),
    "channel_norm was told that the running statistics are the batch's own: evaluation has a gradient of training": lambda **inputs: (
        oracle_batch_norm(**inputs, back=True)
    ),
}


# 12.10 LeNet5


def draw_LeNet5(rng):
    """The usual network, and one for other pictures and classes, in the style of 1998; weights that were not drawn by it."""
    for channels, classes, size, options in [(1, 10, 28, {}), (3, 7, 32, dict(padding=0)), (2, 4, 28, dict(style="1998"))]:
        yield dict(pictures=normal(rng, 2, channels, size, size), seed=int(rng.integers(1000)), classes=classes, **options)


def weights_of(pictures, seed, classes):
    """Make weights for LeNet-5: the cases hold a seed, which is smaller."""
    rng, channels = np.random.default_rng(seed), pictures.shape[1]
    shapes = [(6, channels, 5, 5), (6,), (16, 6, 5, 5), (16,), (120, 400), (120,), (84, 120), (84,), (classes, 84), (classes,)]
    return [normal(rng, *shape) * np.float32(2 / math.sqrt(max(1, math.prod(shape[1:])))) for shape in shapes]


@whole
def describe_LeNet5(pictures, seed, classes, padding=2, style="now"):
    """Write the call as a learner would."""
    classes_of = "" if style == "now" else ", activation=Bend, pool=AvgPool2d"
    return (
        f"LeNet5({pictures.shape[1]}, {classes}, padding={padding}{classes_of}, rng=rng)(x)\nx {pictures.shape} {pictures.dtype}"
    )


LAYERS = ["Conv2d", "pool", "activation"] * 2 + ["Flatten", "Linear", "activation", "Linear", "activation", "Linear"]


SAME, IN_ORDER = "the same generator, the same network", "the weights were drawn layer by layer, in order"
NOT_RUN = {"scores": "not computed", SAME: "not compared", IN_ORDER: "not compared"}


def row_of(weights, padding, row=None, borders=None, pools=None, new=True):
    """Return what is seen of a network before it runs."""
    row = row or LAYERS
    return {
        "the modules, in order": row,
        "borders of the convolutions": [(padding, padding), (0, 0)] if borders is None else borders,
        "sizes and strides of the pools": [((2, 2), (2, 2))] * row.count("pool") if pools is None else pools,
        "parameters": [weight.shape for weight in weights],
        "every module is a new one": new,
    }


def observe_LeNet5(module, pictures, seed, classes, padding=2, style="now"):
    """The row of modules, their sizes, what comes out with given weights, and whether the same generator makes the same network."""

    class Bend(module.Module):
        def forward(self, x):
            return x / (x.abs() + 1)

    usual, weights = style == "now", weights_of(pictures, seed, classes)
    options = dict(padding=padding) | ({} if usual else dict(activation=Bend, pool=module.AvgPool2d))
    net, twin = (module.LeNet5(pictures.shape[1], classes, rng=np.random.default_rng(5), **options) for _ in range(2))
    words = {module.MaxPool2d if usual else module.AvgPool2d: "pool", module.ReLU if usual else Bend: "activation"}
    row = [words.get(type(layer), type(layer).__name__) for layer in net.children()]
    sizes = [parameter.shape for parameter in net.parameters()]
    convolutions = [layer for layer in net.children() if isinstance(layer, module.Conv2d)]
    pools = [layer for layer in net.children() if isinstance(layer, module.MaxPool2d)]
    seen = {
        "the modules, in order": row,
        "borders of the convolutions": [two(layer.padding) for layer in convolutions],
        "sizes and strides of the pools": [(two(layer.kernel_size), two(layer.stride)) for layer in pools],
        "parameters": [parameter.shape for parameter in net.parameters()],
        "every module is a new one": len({id(layer) for layer in net.children()}) == len(row),
    }
    if seen != row_of(weights, padding):
        return seen | NOT_RUN
    alike = all(np.array_equal(a.data, b.data) for a, b in zip(net.parameters(), twin.parameters()))
    in_order = all(np.array_equal(a.data, b) for a, b in zip(net.parameters(), drawn_in_order(module, pictures, classes)))
    for parameter, weight in zip(net.parameters(), weights):
        parameter.detach().copy_(weight)
    scores = np.array(net(module.Tensor(pictures)).data)
    return seen | {"scores": scores, SAME: alike, IN_ORDER: in_order}


def drawn_in_order(module, pictures, classes):
    """Return the weights that the layers draw, one after the other."""
    rng = np.random.default_rng(5)
    convolutions = [module.Conv2d(channels, count, 5, rng=rng) for channels, count in ((pictures.shape[1], 6), (6, 16))]
    linears = [module.Linear(n, m, rng=rng) for n, m in ((400, 120), (120, 84), (84, classes))]
    return [np.array(parameter.data) for layer in (*convolutions, *linears) for parameter in layer.parameters()]


def rectified(x):
    return np.maximum(x, 0)


def softened(x):
    return x / (np.abs(x) + 1)


def oracle_LeNet5(
    pictures, seed, classes, padding=2, style="now", *, bends=None, means=None, alike=True, in_order=True, row=None
):
    """Run LeNet-5 in float64.

    Args:
        bends: The activation, if not as usual; ``means`` says likewise whether pooling takes means.
        alike: Whether the same generator made the same network.
        in_order: Whether the layers drew their weights in order.
        row: The modules that are seen, if not as usual.
    """
    weights = weights_of(pictures, seed, classes)
    w = [weight.astype(np.float64) for weight in weights]
    bend, x = bends or (softened if style == "1998" else rectified), bordered(pictures, (padding, padding))
    for kernels, bias in ((w[0], w[1]), (w[2], w[3])):
        seen = np.lib.stride_tricks.sliding_window_view(x, (5, 5), axis=(2, 3))
        x = np.einsum("ncyxij,ocij->noyx", seen, kernels, optimize=True) + bias.reshape(-1, 1, 1)
        n, c, height, width = x.shape
        blocks = x.reshape(n, c, height // 2, 2, width // 2, 2)
        x = blocks.mean(axis=(3, 5)) if (style == "1998" if means is None else means) else blocks.max(axis=(3, 5))
        x = bend(x)
    x = x.reshape(len(x), -1)
    for weight, bias in ((w[4], w[5]), (w[6], w[7])):
        x = bend(x @ weight.T + bias)
    x = x @ w[8].T + w[9]
    return row_of(weights, padding, row) | {"scores": x, SAME: alike, IN_ORDER: in_order}


def other_row(*row, **shape):
    """Make the oracle of a network with other modules, or in another order: what comes out is not computed."""

    def oracle(pictures, seed, classes, padding=2, style="now"):
        return row_of(weights_of(pictures, seed, classes), padding, list(row), **shape) | NOT_RUN

    return oracle


def lenet_without_padding(pictures, seed, classes, padding=2, style="now"):
    """The first linear layer was made for maps of 4 by 4."""
    right = row_of(weights_of(pictures, seed, classes), 0)
    sizes = right["parameters"]
    return right | {"parameters": [*sizes[:4], (120, 256), *sizes[5:]]} | NOT_RUN


CONV, POOL, BEND, FLAT, LINEAR = "Conv2d", "pool", "activation", "Flatten", "Linear"


def of_classes(activation, pool):
    """Make the oracle of a network that ignores the classes of modules it is given: they show in the row under their own names."""

    def oracle(pictures, seed, classes, padding=2, style="now"):
        if style == "now":
            return oracle_LeNet5(pictures, seed, classes, padding, style)
        row = [
            {POOL: "MaxPool2d", BEND: "ReLU"}.get(name, name)
            if (name == POOL and pool) or (name == BEND and activation)
            else name
            for name in LAYERS
        ]
        return other_row(*row, pools=[((2, 2), (2, 2))] * 2)(pictures, seed, classes, padding, style)

    return oracle


def padded_twice(pictures, seed, classes, padding=2, style="now"):
    """Both convolutions have a border."""
    if padding == 0:
        return oracle_LeNet5(pictures, seed, classes, padding, style)
    return other_row(*LAYERS, borders=[(padding, padding)] * 2)(pictures, seed, classes, padding)


misconceptions_LeNet5 = {
    "an activation follows the last layer: scores may be negative": other_row(*LAYERS, BEND),
    "there is no activation after the convolutions": other_row(CONV, POOL, CONV, POOL, FLAT, LINEAR, BEND, LINEAR, BEND, LINEAR),
    "there is no activation between the linear layers: they are one": other_row(
        CONV, POOL, BEND, CONV, POOL, BEND, FLAT, LINEAR, LINEAR, LINEAR
    ),
    "the activation stands before the pooling: it comes after": other_row(
        *[CONV, BEND, POOL] * 2, FLAT, LINEAR, BEND, LINEAR, BEND, LINEAR
    ),
    "Flatten is missing before the linear layers": other_row(*[CONV, POOL, BEND] * 2, LINEAR, BEND, LINEAR, BEND, LINEAR),
    "the pooling is missing": other_row(*[CONV, BEND] * 2, FLAT, LINEAR, BEND, LINEAR, BEND, LINEAR),
    "the modules stand in rows within the row: LeNet5 is one flat row, so that its slices are its stages": other_row(
        "Sequential", "Sequential", borders=[], pools=[]
    ),
    "the second convolution has a border, too: only the first has one": padded_twice,
    "padding is ignored: always 2": lambda pictures, seed, classes, padding=2, style="now": (
        oracle_LeNet5(pictures, seed, classes, padding, style)
        if padding == 2
        else other_row(*LAYERS, borders=[(2, 2), (0, 0)])(pictures, seed, classes, padding)
    ),
    "the windows of the pools overlap: pool(2) moves by 2": other_row(*LAYERS, pools=[((2, 2), (1, 1))] * 2),
    "activation is ignored: always ReLU": of_classes(activation=True, pool=False),
    "pool is ignored: always the maximum": of_classes(activation=False, pool=True),
    "activation and pool are ignored: always ReLU, always the maximum": of_classes(activation=True, pool=True),
    "rng is not passed on to every layer: the network cannot be repeated": lambda **inputs: oracle_LeNet5(
        **inputs, alike=False, in_order=False
    ),
    "the layers were not made in order, so that they draw other weights: the first layer draws first": lambda **inputs: (
        oracle_LeNet5(**inputs, in_order=False)
    ),
    "one module stands in the row several times: pool(2) and activation() make new ones, each time": other_row(
        *LAYERS, new=False
    ),
    "padding is ignored, and the linear layers were made for what is left": lenet_without_padding,
}
atol_LeNet5 = 1e-4  # scores through five layers, some near 0
