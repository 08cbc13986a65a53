"""`nn.functional`: pooling and batch normalisation with PyTorch's further shapes and settings. Given, made of module 12's ops."""

from tinytorch import cnn as yours
from tinytorch.given.image_sizes import pair
from tinytorch.given.joining import stack


def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Take the largest entry of every window.

    Args:
        input: Tensor of shape (N, C, H, W) or (C, H, W).
        kernel_size, stride, padding: A number, or a pair for height and width.
        dilation, ceil_mode, return_indices: Further arguments of PyTorch's; only their defaults are supported here.

    Returns:
        Tensor of shape (N, C, H', W') or (C, H', W').

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> max_pool2d(Tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2)
        tensor([[[4.]]])
    """
    if pair(dilation) != (1, 1) or ceil_mode or return_indices:
        raise NotImplementedError("max_pool2d has dilation=1, ceil_mode=False and return_indices=False here: leave them out")
    return yours.max_pool2d(input, kernel_size, stride, padding)


def avg_pool2d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    """Take the mean of every window; the border counts as zeros.

    Args:
        input: Tensor of shape (N, C, H, W) or (C, H, W).
        kernel_size, stride, padding: A number, or a pair for height and width.
        ceil_mode, count_include_pad, divisor_override: Further arguments of PyTorch's; only their defaults are supported here.

    Returns:
        Tensor of shape (N, C, H', W') or (C, H', W').

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> avg_pool2d(Tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2)
        tensor([[[2.5]]])
    """
    if ceil_mode or not count_include_pad or divisor_override is not None:
        raise NotImplementedError("avg_pool2d has ceil_mode=False and count_include_pad=True here: leave them out")
    return yours.avg_pool2d(input, kernel_size, stride, padding)


def adaptive_avg_pool2d(input, output_size):
    """Average images of any size down, or up, to a given size.

    Args:
        input: Tensor of shape (N, C, H, W) or (C, H, W).
        output_size: A number, or a pair for height and width; None keeps a size.

    Returns:
        Tensor of that size; the entry at place i averages the rows from ``floor(i * H / out)`` to ``ceil((i + 1) * H / out)``.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> adaptive_avg_pool2d(Tensor([[[1.0, 2.0, 3.0]]]), (1, 2))
        tensor([[[1.5, 2.5]]])
    """
    for dim, size in zip((-2, -1), pair(output_size)):
        if size is not None and size != input.shape[dim]:
            input = _means(input, dim, size)
    return input


def _means(x, dim, size):
    """Average parts of an axis, so that ``size`` entries are left; parts overlap where the sizes do not divide."""
    length = x.shape[dim]
    if size == 1:
        return x.mean(dim, keepdim=True)
    ends = [(i * length // size, -(-(i + 1) * length // size)) for i in range(size)]
    return stack([x.narrow(dim, start, end - start).mean(dim) for start, end in ends], dim=dim)


def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """Normalise every channel of a batch, of shape (N, C), (N, C, L) or (N, C, H, W); the arguments are those of module 12.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> batch_norm(Tensor([[1.0], [3.0]]), None, None).data.round(2).tolist()
        [[-1.0], [1.0]]
    """
    images = input.reshape(*input.shape, *(1,) * (4 - input.ndim)) if input.ndim < 4 else input
    return yours.batch_norm(images, running_mean, running_var, weight, bias, training, momentum, eps).reshape(*input.shape)
