"""`nn`: batch normalisation of vectors and rows, and pooling to a size. Given, made of module 12's."""

from tinytorch import cnn as yours
from tinytorch.layers import Module
from tinytorch.more.functional import pictures as F


class BatchNorm1d(yours.BatchNorm2d):
    """Batch normalisation of vectors (N, C) or rows (N, C, L); the arguments are those of `BatchNorm2d`.

    Example:
        >>> BatchNorm1d(3)
        BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)
    """

    def forward(self, input):
        if input.ndim not in (2, 3):
            raise ValueError(f"BatchNorm1d needs (N, C) or (N, C, L), got {input.shape}")
        images = input.reshape(*input.shape, *(1,) * (4 - input.ndim))
        return super().forward(images).reshape(*input.shape)


class MaxPool2d(yours.MaxPool2d):
    """`max_pool2d` as a module.

    Args:
        kernel_size, stride, padding: A number, or a pair for height and width.
        dilation, return_indices, ceil_mode: Further arguments of PyTorch's; only their defaults are supported here.

    Example:
        >>> MaxPool2d(2)
        MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
    """

    def __init__(self, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False):
        if dilation not in (1, (1, 1)) or ceil_mode or return_indices:
            raise NotImplementedError("MaxPool2d has dilation=1, ceil_mode=False and return_indices=False here: leave them out")
        super().__init__(kernel_size, stride, padding)


class AvgPool2d(yours.AvgPool2d):
    """`avg_pool2d` as a module.

    Args:
        kernel_size, stride, padding: A number, or a pair for height and width.
        ceil_mode, count_include_pad, divisor_override: Further arguments of PyTorch's; only their defaults are supported here.

    Example:
        >>> AvgPool2d(2)
        AvgPool2d(kernel_size=2, stride=2, padding=0)
    """

    def __init__(self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
        if ceil_mode or not count_include_pad or divisor_override is not None:
            raise NotImplementedError("AvgPool2d has ceil_mode=False and count_include_pad=True here: leave them out")
        super().__init__(kernel_size, stride, padding)


class AdaptiveAvgPool2d(Module):
    """`adaptive_avg_pool2d` as a module.

    Args:
        output_size: A number, or a pair for height and width; None keeps a size.

    Example:
        >>> from tinytorch.tensor import ones
        >>> AdaptiveAvgPool2d(1)(ones(2, 3, 4, 5)).shape
        (2, 3, 1, 1)
    """

    def __init__(self, output_size):
        self.output_size = output_size

    def forward(self, input):
        return F.adaptive_avg_pool2d(input, self.output_size)

    def extra_repr(self):
        return f"output_size={self.output_size}"
