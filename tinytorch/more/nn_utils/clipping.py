"""`nn.utils`: clipping with all of PyTorch's arguments. Given, made of module 06's."""


def clip_grad_norm_(parameters, max_norm, norm_type=2.0, error_if_nonfinite=True, foreach=None):
    """Scale all gradients in place so that, as one vector, they are no longer than allowed; module 06 writes how.

    Args:
        parameters: One parameter, or an iterable of them.
        max_norm: The length allowed, at least 0.
        norm_type: Only 2 is supported here: the Euclidean length.
        error_if_nonfinite: A length that is not finite is always an error here.
        foreach: Makes no difference here.

    Returns:
        The length before clipping, a Python float.

    Raises:
        NotImplementedError: ``norm_type`` is not 2.
        ValueError: The length is not a finite number.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> w = Tensor([1.0], requires_grad=True)
        >>> w.grad = Tensor([3.0])
        >>> clip_grad_norm_(w, 1.0), w.grad
        (3.0, tensor([1.]))
    """
    from tinytorch import optim

    if norm_type != 2:
        raise NotImplementedError(f"clip_grad_norm_ has norm_type=2 here, got {norm_type}: scale the gradients under no_grad()")
    return optim.clip_grad_norm_(parameters, max_norm)
