"""Sizes and borders of images, in arrays of shape (N, C, H, W), and errors for what does not fit. Given."""

import numpy as np

from tinytorch.given.op import ops


def pair(value):
    """Return (value, value) for one number, and a pair as it is.

    Args:
        value: A number, or a pair for height and width.

    Returns:
        A tuple of two.

    Example:
        >>> pair(3), pair([3, 5])
        ((3, 3), (3, 5))
    """
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def places(size, kernel_size, stride=(1, 1), dilation=(1, 1), padding=(0, 0)):
    """Return the number of places, down and across, where a kernel fits into an image.

    Args:
        size: Height and width of the image.
        kernel_size: Height and width of the kernel.
        stride: Distance from one place to the next, down and across.
        dilation: Distance from one entry of the kernel to the next, down and across.
        padding: Width of the image's border: above and below, left and right.

    Returns:
        A tuple of two; a number below 1 means that the kernel does not fit.

    Example:
        >>> places((28, 28), (5, 3))
        (24, 26)
        >>> places((28, 28), (2, 2), stride=(2, 2))
        (14, 14)
    """
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, d, p in zip(size, kernel_size, stride, dilation, padding))


def padded(x, padding, value=0):
    """Return an array with a border of one value around every image; without a border, the array itself.

    Args:
        x: Array of shape (N, C, H, W).
        padding: Width of the border: above and below, left and right.
        value: What the border is filled with.

    Returns:
        Array of shape (N, C, H + 2 * padding[0], W + 2 * padding[1]).

    Example:
        >>> padded(np.array([[[[5]]]]), (0, 1))
        array([[[[0, 5, 0]]]])
    """
    (n, c, h, w), (ph, pw) = x.shape, padding
    if ph == pw == 0:
        return x
    if value == -np.inf and x.dtype.kind != "f":
        value = np.iinfo(x.dtype).min  # whole numbers have no infinity
    out = np.full((n, c, h + 2 * ph, w + 2 * pw), value, x.dtype)
    trimmed(out, padding)[...] = x
    return out


def finite(x):
    """Return images with the lowest float in place of minus infinity, so that a border of minus infinity never wins.

    Example:
        >>> finite(np.array([-np.inf, 2.0, np.nan], np.float32))
        array([-3.4028235e+38,  2.0000000e+00,            nan], dtype=float32)
    """
    return np.maximum(x, np.finfo(x.dtype).min) if x.dtype.kind == "f" else x


def trimmed(x, padding):
    """Return images without their border, as a view: writing to it writes to the images.

    Args:
        x: Array of shape (N, C, H, W).
        padding: Width of the border: above and below, left and right.

    Returns:
        Array of shape (N, C, H - 2 * padding[0], W - 2 * padding[1]).

    Example:
        >>> trimmed(np.array([[[[0, 5, 0]]]]), (0, 1))
        array([[[[5]]]])
    """
    (ph, pw), (h, w) = padding, x.shape[2:]
    return x[:, :, ph : h - ph, pw : w - pw]


def slabs(count, size):
    """Yield slices of a batch, each small enough for the processor's cache.

    Args:
        count: How many images there are.
        size: How many numbers an image takes while it is processed.

    Returns:
        Iterator over consecutive slices; empty if there are no images.

    Example:
        >>> list(slabs(5, 100_000))
        [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]
    """
    step = max(1, 2**18 // max(1, size))
    for start in range(0, count, step):
        yield slice(start, start + step)


def check_pictures(name, size):
    """Raise an error if a shape is not that of a batch of images.

    Args:
        name: The function's name, for the message.
        size: The shape.

    Raises:
        ValueError: It does not have four axes.

    Example:
        >>> check_pictures("conv2d", (28, 28))
        Traceback (most recent call last):
        ...
        ValueError: conv2d needs images of shape (N, C, H, W), or (C, H, W) for one image, got (28, 28)
    """
    if len(size) != 4:
        raise ValueError(f"{name} needs images of shape (N, C, H, W), or (C, H, W) for one image, got {tuple(size)}")


def check_fits(name, size, kernel_size, stride, padding, dilation=(1, 1)):
    """Raise an error if a kernel does not fit on images, and say why.

    Args:
        name: The function's name, for the message.
        size: Shape (N, C, H, W) of the images.
        kernel_size, stride, padding, dilation: Pairs, for height and width.

    Raises:
        ValueError: The shape or a setting is invalid, or the kernel is larger than the padded image.

    Example:
        >>> check_fits("conv2d", (1, 1, 4, 4), (5, 5), (1, 1), (0, 0))
        Traceback (most recent call last):
        ...
        ValueError: conv2d needs a kernel no larger than the padded image: it covers (5, 5) pixels, the image has (4, 4)
    """
    check_pictures(name, size)
    for what, value, least in (
        ("kernel size", kernel_size, 1),
        ("stride", stride, 1),
        ("dilation", dilation, 1),
        ("padding", padding, 0),
    ):
        if len(value) != 2 or min(value) < least:
            raise ValueError(f"{name} needs a {what} of {least} or more, one number or a pair, got {value}")
    if min(places(size[2:], kernel_size, stride, dilation, padding)) < 1:
        bordered = tuple(n + 2 * p for n, p in zip(size[2:], padding))
        reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel_size, dilation))
        raise ValueError(
            f"{name} needs a kernel no larger than the padded image: it covers {reach} pixels, the image has {bordered}"
        )


def check_convolution(x, weight, bias=None, *, stride, padding, dilation, groups):
    """Raise an error if the shapes of a convolution do not fit its settings or each other, and say why.

    Args:
        x: Shape of the images.
        weight: Shape of the kernels.
        bias: Shape of the bias, or None for none.
        stride, padding, dilation: Pairs, for height and width.
        groups: Number of groups that the channels are divided into.

    Raises:
        ValueError: They do not fit.

    Example:
        >>> plain = dict(stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1)
        >>> check_convolution((2, 3, 8, 8), (6, 3, 5, 5), (1,), **plain)
        Traceback (most recent call last):
        ...
        ValueError: conv2d needs a bias of shape (6,), one number for each kernel, got (1,)
    """
    check_channels(x, weight, groups)
    check_fits("conv2d", x, weight[2:], stride, padding, dilation)
    if bias is not None and bias != weight[:1]:
        raise ValueError(f"conv2d needs a bias of shape {weight[:1]}, one number for each kernel, got {bias}")


def check_convolution_back(x, weight, grad, *, stride, padding, dilation, groups):
    """Raise an error if a gradient does not have the shape of a convolution's result; the arguments are shapes and settings."""
    check_convolution(x, weight, stride=stride, padding=padding, dilation=dilation, groups=groups)
    result = (x[0], weight[0], *places(x[2:], weight[2:], stride, dilation, padding))
    if grad != result:
        raise ValueError(f"the gradient of conv2d's result needs shape {result}, got {grad}")


def check_pooling(name, size, *, kernel_size, stride, padding):
    """Raise an error if the settings of a pooling do not fit the images, and say why.

    Args:
        name: The function's name, for the message.
        size: Shape of the images.
        kernel_size, stride, padding: Pairs.

    Raises:
        ValueError: They do not fit.

    Example:
        >>> check_pooling("max_pool2d", (1, 1, 4, 4), kernel_size=(2, 2), stride=(2, 2), padding=(2, 2))
        Traceback (most recent call last):
        ...
        ValueError: max_pool2d needs a padding of at most half the kernel's size (2, 2), got (2, 2)
    """
    check_fits(name, size, kernel_size, stride, padding)
    if any(2 * p > k for k, p in zip(kernel_size, padding)):
        raise ValueError(f"{name} needs a padding of at most half the kernel's size {kernel_size}, got {padding}")


def check_pooling_back(name, grad, size, *, kernel_size, stride, padding):
    """Raise an error if a gradient does not have the shape of a pooling's result; the arguments are shapes and settings."""
    check_pooling(name, size, kernel_size=kernel_size, stride=stride, padding=padding)
    result = (*size[:2], *places(size[2:], kernel_size, stride, padding=padding))
    if grad != result:
        raise ValueError(f"the gradient of {name}'s result needs shape {result}, got {grad}")


def check_groups(in_channels, out_channels, groups):
    """Raise an error if the channels cannot be divided into groups.

    Args:
        in_channels, out_channels: Number of channels of the input and of the output.
        groups: Into how many groups they are divided.

    Raises:
        ValueError: The groups do not divide both.

    Example:
        >>> check_groups(3, 6, 2)
        Traceback (most recent call last):
        ...
        ValueError: a convolution needs groups that divide its channels: 3 in, 6 out, groups 2
    """
    if groups < 1 or in_channels % groups or out_channels % groups:
        raise ValueError(
            f"a convolution needs groups that divide its channels: {in_channels} in, {out_channels} out, groups {groups}"
        )


def check_channels(input_size, weight_size, groups):
    """Raise an error if the channels of images and those of a convolution's weight do not fit, and say why.

    Args:
        input_size: Shape (N, C, H, W) of the images.
        weight_size: Shape of the weight, which should be (O, C / groups, KH, KW).
        groups: Number of groups that the channels are divided into.

    Raises:
        ValueError: They do not fit, or the groups do not divide the channels.

    Example:
        >>> check_channels((1, 3, 8, 8), (6, 1, 5, 5), 1)
        Traceback (most recent call last):
        ...
        ValueError: conv2d needs a weight for 3 channels, got one for 1: weight (6, 1, 5, 5), input (1, 3, 8, 8), groups 1
    """
    check_pictures("conv2d", input_size)
    if len(weight_size) != 4:
        raise ValueError(f"conv2d needs a weight of shape (O, C / groups, KH, KW), got {weight_size}")
    check_groups(input_size[1], weight_size[0], groups)
    if input_size[1] != weight_size[1] * groups:
        raise ValueError(
            f"conv2d needs a weight for {input_size[1]} channels, got one for {weight_size[1] * groups}: "
            f"weight {weight_size}, input {input_size}, groups {groups}"
        )


def margins(padding, kernel_size, stride, dilation):
    """Return the border that a padding asks for, and the extra rows and columns of an uneven one.

    Args:
        padding: A number, a pair, "valid" for none, or "same" for as much as keeps the image's size.
        kernel_size, stride, dilation: Pairs.

    Returns:
        Two pairs: the border on both sides, and the extra rows below and columns at the right, which only "same" needs.

    Raises:
        ValueError: "same" with a stride other than 1, or an unknown word.

    Example:
        >>> margins("same", (3, 4), (1, 1), (1, 1))
        ((1, 1), (0, 1))
    """
    if padding == "same":
        if tuple(stride) != (1, 1):
            raise ValueError(f'conv2d needs stride 1 for padding="same", got {stride}')
        total = [d * (k - 1) for k, d in zip(kernel_size, dilation)]
        return tuple(n // 2 for n in total), tuple(n % 2 for n in total)
    if isinstance(padding, str) and padding != "valid":
        raise ValueError(f'conv2d needs a padding of numbers, or "same" or "valid", got {padding!r}')
    return (0, 0) if padding == "valid" else pair(padding), (0, 0)


def grown(x, more):
    """Add rows of zeros below images, and columns at their right.

    Args:
        x: Tensor of shape (N, C, H, W).
        more: Pair: how many rows, and how many columns.

    Returns:
        Tensor of shape (N, C, H + more[0], W + more[1]); the tensor itself if there is nothing to add.

    Example:
        >>> from tinytorch.tensor import ones
        >>> grown(ones(1, 1, 1, 2), (0, 1))
        tensor([[[[1., 1., 0.]]]])
    """
    for dim, extra in zip((2, 3), more):
        if extra:
            zeros = np.zeros([extra if axis == dim else size for axis, size in enumerate(x.shape)], x.dtype)
            x = ops["cat"](x, zeros, dim=dim)
    return x


def pooling(kernel_size, stride, padding):
    """Return the settings of a pooling as pairs, in a dict.

    Args:
        kernel_size, stride, padding: A number or a pair each; stride None for the size of the kernel.

    Returns:
        Dict of kernel_size, stride and padding.

    Example:
        >>> pooling(2, None, 0)
        {'kernel_size': (2, 2), 'stride': (2, 2), 'padding': (0, 0)}
    """
    return {"kernel_size": pair(kernel_size), "stride": pair(kernel_size if stride is None else stride), "padding": pair(padding)}


def column(vector):
    """Reshape numbers for each channel from (C,) to (C, 1, 1), which broadcasts over images.

    Args:
        vector: Tensor or array of shape (C,).

    Returns:
        Tensor or array of shape (C, 1, 1).

    Example:
        >>> column(np.zeros(3)).shape
        (3, 1, 1)
    """
    return vector.reshape(-1, 1, 1)


def values_per_channel(x):
    """Return how many numbers of a batch belong to one channel.

    Args:
        x: Tensor of shape (N, C, H, W).

    Returns:
        N * H * W.

    Raises:
        ValueError: There are fewer than two, so there is no variance.

    Example:
        >>> values_per_channel(np.zeros((2, 3, 4, 5)))
        40
    """
    count = x.shape[0] * x.shape[2] * x.shape[3]
    if count < 2:
        raise ValueError(
            f"batch_norm needs more than one value per channel to take a variance of, got shape {x.shape}: "
            "train on larger batches, or call eval() first"
        )
    return count


def check_statistics(x, **vectors):
    """Raise an error if a vector does not have one number for each channel.

    Args:
        x: Tensor of shape (N, C, H, W).
        vectors: Tensors, by their names; None is skipped.

    Raises:
        ValueError: One of them does not have shape (C,).

    Example:
        >>> check_statistics(np.zeros((2, 3, 4, 4)), running_mean=np.zeros(1))
        Traceback (most recent call last):
        ...
        ValueError: batch_norm needs running_mean of shape (3,), one number for each channel, got (1,)
    """
    check_pictures("batch_norm", x.shape)
    for name, vector in vectors.items():
        if vector is not None and vector.shape != x.shape[1:2]:
            raise ValueError(f"batch_norm needs {name} of shape {x.shape[1:2]}, one number for each channel, got {vector.shape}")


def check_normal(x, channels):
    """Raise an error if images do not have the channels that a batch normalisation was made for.

    Args:
        x: Tensor.
        channels: How many channels it should have.

    Raises:
        ValueError: It has other channels, or is not a batch of images.

    Example:
        >>> check_normal(np.zeros((2, 3, 4, 4)), 6)
        Traceback (most recent call last):
        ...
        ValueError: BatchNorm2d needs images of shape (N, 6, H, W), got (2, 3, 4, 4)
    """
    if x.ndim != 4 or x.shape[1] != channels:
        raise ValueError(f"BatchNorm2d needs images of shape (N, {channels}, H, W), got {tuple(x.shape)}")
