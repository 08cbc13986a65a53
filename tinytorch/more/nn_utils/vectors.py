"""`nn.utils`: all parameters as one vector. Given."""

from tinytorch.given.joining import cat


def parameters_to_vector(parameters):
    """Join all parameters into one vector.

    Example:
        >>> from tinytorch.layers import Linear
        >>> parameters_to_vector(Linear(3, 2).parameters()).shape
        (8,)
    """
    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec, parameters):
    """Copy a vector into the parameters, one after the other.

    Example:
        >>> from tinytorch.layers import Linear
        >>> from tinytorch.tensor import ones
        >>> layer = Linear(3, 2)
        >>> vector_to_parameters(ones(8), layer.parameters())
        >>> layer.bias.detach()
        tensor([1., 1.])
    """
    start = 0
    for parameter in parameters:
        count = parameter.numel()
        parameter.detach().copy_(vec.detach()[start : start + count].reshape(*parameter.shape))
        start += count
