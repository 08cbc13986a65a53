"""What there is to compare: names that both frameworks have, and how each is called, told from the names of its parameters."""

import inspect

import numpy as np
import torch
from comparing import Array
from grid import draw

import tinytorch
from tinytorch.given import names
from tinytorch.given.op import ops

# What a function receives for a parameter of this name, beside the tensor in front: a list of values to try, one after the other.
# A function of a new parameter fails the test until it is said here.
VALUES = {
    "dim": [0, -1],
    "axis0": [0],
    "axis1": [-1],
    "dim0": [0],
    "dim1": [-1],
    "dim2": [-1],
    "keepdim": [True],
    "other": ["same", "row", 2, 0.5],
    "exponent": [2, 0.5, "same"],
    "end": ["same"],
    "tensor1": ["same"],
    "tensor2": ["same"],
    "tensor": ["same"],
    "vec2": ["same"],
    "x2": ["same"],
    "target": ["same"],
    "targets": ["same"],
    "input2": ["same"],
    "min": [-1, None],
    "max": [1, None],
    "diagonal": [0, 1, -1],
    "offset": [0, 1],
    "k": [1, 2],
    "largest": [False],
    "descending": [True],
    "start": [0, 1],
    "length": [1],
    "index": ["positions"],
    "chunks": [2],
    "split_size_or_sections": [2],
    "repeats": [2],
    "shifts": [1],
    "alpha": [2],
    "beta": [1.0],
    "decimals": [1],
    "rounding_mode": ["floor", "trunc"],
    "value": [3],
    "p": [2.0],
    "unbiased": [False],
    "correction": [0],
    "negative_slope": [0.2],
    "approximate": ["tanh"],
    "min_val": [-0.5],
    "max_val": [0.5],
    "threshold": [1.0],
    "delta": [0.5],
    "reduction": ["sum", "none"],
    "eps": [1e-3],
    "source": [0],
    "destination": [-1],
    "indexing": ["ij"],
    "start_dim": [1],
    "end_dim": [-1],
    "num_classes": [6],
    "condition": ["mask"],
    "mask": ["mask"],
    "log_target": [True],
    "margin": [0.5],
    "lambd": [0.5],
    "rtol": [0.1],
    "atol": [0.1],
    "equal_nan": [True],
    "return_inverse": [True],
    "return_counts": [True],
    "as_tuple": [True],
    "minlength": [4],
    "sizes": [(1, -1)],
    "nan": [1.0],
    "posinf": [2.0],
    "neginf": [-2.0],
    "fill_value": [7],
    "steps": [4],
    "m": [2],
}
# What no comparison can say anything about, or what is compared in `STRUCTURED`.
LEFT_OUT = {
    "chance": "bernoulli multinomial normal rand rand_like randint randn randn_like randperm bernoulli_ normal_ random_ uniform_ "
    "convolution new_empty empty empty_like gumbel_softmax dropout Generator manual_seed trunc_normal_ orthogonal_",
    "no tensors": "is_grad_enabled set_grad_enabled no_grad enable_grad inference_mode save load device dtype finfo iinfo Size "
    "get_default_dtype set_default_dtype get_num_threads set_num_threads use_deterministic_algorithms get_rng_state set_rng_state "
    "is_tensor Tensor tensor as_tensor asarray from_numpy set_printoptions",
    "PyTorch's answer is an object of its own": "size stride type numpy backward register_hook retain_grad requires_grad_ new_tensor "
    "to cuda cpu dim ndimension nelement numel element_size is_contiguous contiguous data grad grad_fn item tolist stride "
    "type_as is_floating_point half float double long int short bool byte char detach clone nonzero_static write",
    "compared in STRUCTURED": "cat concat concatenate stack hstack vstack where einsum tensordot meshgrid broadcast_tensors "
    "cartesian_prod cdist matmul mm bmm mv dot inner outer addmm addmv baddbmm addcmul addcdiv expand reshape view permute repeat "
    "tile flip roll unflatten view_as reshape_as expand_as scatter scatter_add scatter_ scatter_add_ gather take index_select "
    "index_add index_add_ masked_select masked_fill masked_fill_ take_along_dim linspace logspace arange eye full full_like zeros "
    "ones zeros_like ones_like new_zeros new_ones new_full linear conv2d max_pool2d avg_pool2d adaptive_avg_pool2d "
    "batch_norm layer_norm group_norm instance_norm rms_norm embedding one_hot pad cross_entropy nll_loss "
    "binary_cross_entropy kl_div scaled_dot_product_attention cosine_similarity pairwise_distance normalize "
    "margin_ranking_loss hinge_embedding_loss unfold fold bincount copy_ fill_diagonal_ narrow select movedim moveaxis "
    "repeat_interleave split chunk unbind kthvalue glu lerp lerp_ fill_",
}
OMITTED = {name for text in LEFT_OUT.values() for name in text.split()}

COUNTERPARTS = {  # op of the registry -> PyTorch's function, where the names or the settings differ
    "sub": torch.sub, "power": torch.pow, "absolute": torch.abs, "greater": torch.gt, "greater_equal": torch.ge, "equal": torch.eq, "not_equal": torch.ne,
    "signs": torch.sign, "arctan": torch.atan, "arcsin": torch.asin,
    "sign": torch.sign,
    "round_to": lambda a, decimals=0: torch.round(a, decimals=decimals),
    "reduce_sum": lambda a, axis=None, keepdims=False: torch.sum(a, axis, keepdims),
    "mean": lambda a, axis=None, keepdims=False: torch.mean(a, axis, keepdims),
    "reduce_max": lambda a, axis=None, keepdims=False: torch.amax(a, () if axis is None else axis, keepdims),
    "reduce_min": lambda a, axis=None, keepdims=False: torch.amin(a, () if axis is None else axis, keepdims),
    "argmax": lambda a, axis=None, keepdims=False: torch.argmax(a, axis, keepdims),
    "argmin": lambda a, axis=None, keepdims=False: torch.argmin(a, axis, keepdims),
    "clamped": lambda a, min=None, max=None: torch.clamp(a, min, max),
    "relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
    "softmax": lambda a, dim=-1: torch.softmax(a, dim), "log_softmax": lambda a, dim=-1: torch.log_softmax(a, dim),
    "prod": lambda a, dim=None, keepdim=False: torch.prod(a).reshape((1,) * a.ndim * keepdim) if dim is None else torch.prod(a, dim, keepdim),
    "mse_loss": torch.nn.functional.mse_loss,
}  # fmt: skip
SETTINGS = {"axis": [0, -1], "keepdims": [True]}  # as an op calls them
INTERNAL = {  # ops that PyTorch has no name for: what computes or compares them instead
    "of shapes and indices, compared as methods": "reshape transpose permute getitem cast expand cat where within retained scatter_to "
    "scatter_sum",
    "parts of gradient rules, compared with the gradients": "linear_weight put_back probability_minus_truth relu_backward "
    "cross_entropy_gradient conv2d_weight conv2d_input channel_sum max_pooling_backward max_pooling_pick average_pooling_backward channel_variance channel_norm_weight "
    "channel_norm_backward fold",
    "in place, on arrays: compared by the optimizers' tests": "sgd_update momentum_update adam_update adamw_update decay_weights "
    "rmsprop_update adagrad_update",
    "compared in STRUCTURED or as layers": "matmul linear convolution unfold max_pooling average_pooling channel_norm cross_entropy "
    "nll_loss binary_cross_entropy_with_logits",
}
APART = {name for text in INTERNAL.values() for name in text.split()}


def public_names():
    """Yield (place, name, ours, theirs) of every function that both frameworks have."""
    for place, package, twin in (
        ("torch", tinytorch, torch),
        ("F", tinytorch.nn.functional, torch.nn.functional),
        ("Tensor", tinytorch.Tensor, torch.Tensor),
    ):
        for name in sorted(set(dir(package)) & set(dir(twin))):
            ours, theirs = getattr(package, name), getattr(twin, name)
            if place == "torch" and name == "binary_cross_entropy_with_logits":
                continue  # the op of module 04; PyTorch's own is inside, and F has the function
            same = place == "Tensor" and hasattr(torch, name) and getattr(tinytorch, name, None) is names.as_function(name)
            if not name.startswith("_") and callable(ours) and callable(theirs) and not inspect.isclass(ours) and not same:
                yield place, name, ours, theirs


def registry():
    """Yield (place, name, ours, theirs) of every op that has a counterpart; the names of those that have none come with None."""
    for name, op in sorted(ops.items()):
        if name in APART or not op.__module__.startswith("tinytorch."):
            continue
        theirs = COUNTERPARTS.get(name) or getattr(torch, name, None) or getattr(torch.nn.functional, name, None)
        yield "op", name, op, theirs


def parameters(function):
    """Return the parameters of a function after the tensor in front; of an op its further inputs and its settings."""
    signature = inspect.signature(getattr(function, "forward", function))
    every = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    return every[1:]


def variants(name, function):
    """Yield the arguments to call a function with: dicts from parameter to value; first those it needs, then one more at a time.

    Raises:
        KeyError: A parameter that it needs is not in `VALUES`.
    """
    table = {**VALUES, **SETTINGS} if hasattr(function, "forward") else VALUES
    needed = [p for p in parameters(function) if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    second = [["same", "row", 2, 0.5] if p.kind is p.POSITIONAL_OR_KEYWORD and hasattr(function, "forward") and p.name == "b"
              else table[p.name] for p in needed]  # fmt: skip
    first = {p.name: values[0] for p, values in zip(needed, second)}
    yield first
    for p, values in zip(needed, second):
        yield from ({**first, p.name: value} for value in values[1:])
    for p in parameters(function):
        if p.default is not p.empty and p.name in table:
            yield from ({**first, p.name: value} for value in table[p.name] if value != p.default)


def argument(value, array, content, seed, differentiable):
    """Return the argument that a word of `VALUES` stands for, beside the tensor in front."""
    if value == "same":
        return Array(draw(array.shape, str(array.dtype), content, f"{seed} same"), differentiable)
    if value == "row":
        return Array(draw(array.shape[-1:], str(array.dtype), "usual", f"{seed} row"), differentiable)
    if value == "mask":
        return Array(draw(array.shape, "bool", content, f"{seed} mask"))
    if value == "positions":
        return Array(np.zeros(array.shape, np.int64))
    return value
