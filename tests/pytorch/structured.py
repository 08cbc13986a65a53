"""Calls whose arguments have to fit each other, and layers and losses: written out, run with every dtype and memory."""

import numpy as np
import torch
from comparing import Array
from grid import draw

import tinytorch


class Maker:
    """Makes the arguments of a call.

    Args:
        dtype: Name of the dtype of floats or integers.
        memory: How ours lie in memory.
        seed: What the numbers depend on.
    """

    def __init__(self, dtype, memory, seed):
        self.dtype, self.memory, self.seed, self.count = dtype, memory, seed, 0

    def __call__(self, *shape, dtype=None):
        """Return a tensor to be, of the dtype of the call or of another."""
        self.count += 1
        return Array(draw(shape, dtype or self.dtype, "usual", f"{self.seed} {self.count}"), memory=self.memory)

    def ints(self, high, *shape):
        """Return whole numbers from 0 to high - 1."""
        rng = np.random.default_rng(high + 31 * self.count)
        self.count += 1
        return Array(rng.integers(0, high, shape), memory=self.memory)

    def shares(self, *shape):
        """Return positive numbers that sum to 1 along the last axis."""
        x = np.exp(draw(shape, self.dtype, "usual", f"{self.seed} {self.count}"))
        return Array((x / x.sum(-1, keepdims=True)).astype(self.dtype), False, self.memory)


def both(name):
    """Return the function of this name of both frameworks: ``torch.``, ``F.`` or a method, by a dot in front."""
    if name.startswith("."):
        return getattr(tinytorch.Tensor, name[1:]), getattr(torch.Tensor, name[1:])
    if name.startswith("F."):
        return getattr(tinytorch.nn.functional, name[2:]), getattr(torch.nn.functional, name[2:])
    return getattr(tinytorch, name), getattr(torch, name)


ANY = {  # for every dtype
    "cat": lambda m: [([m(2, 3), m(4, 3)],), ([m(2, 3), m(2, 1)], 1), ([m(2, 3), m(2, 3)], -1), ([m(2, 3), m(2, 2)],)],
    "concat": lambda m: [([m(2), m(3)],)],
    "stack": lambda m: [([m(2, 3), m(2, 3)],), ([m(2, 3), m(2, 3)], 1), ([m(2, 3), m(2, 3)], -1), ([m(2), m(3)],)],
    "hstack": lambda m: [([m(2), m(3)],), ([m(2, 1), m(2, 3)],)],
    "vstack": lambda m: [([m(3), m(3)],), ([m(2, 3), m(1, 3)],)],
    "where": lambda m: [(m(2, 3, dtype="bool"), m(2, 3), m(2, 3)), (m(2, 3, dtype="bool"), m(3), m(2, 1)), (m(2, 3, dtype="bool"),)],
    "meshgrid": lambda m: [(m(2), m(3)), ([m(2), m(3)],)],
    "broadcast_tensors": lambda m: [(m(2, 1), m(3))],
    "cartesian_prod": lambda m: [(m(2), m(3))],
    "matmul": lambda m: [(m(2, 3), m(3, 4)), (m(3), m(3, 4)), (m(2, 3), m(3)), (m(3), m(3)), (m(5, 2, 3), m(3, 4)),
                         (m(5, 2, 3), m(5, 3, 4)), (m(2, 1, 2, 3), m(4, 3, 2)), (m(2, 3), m(2, 3)), (m(0, 3), m(3, 2)), (m(2, 0), m(0, 3))],
    "mm": lambda m: [(m(2, 3), m(3, 4)), (m(3), m(3, 4))],
    "bmm": lambda m: [(m(5, 2, 3), m(5, 3, 4)), (m(2, 3), m(3, 4)), (m(1, 2, 3), m(5, 3, 4))],
    "mv": lambda m: [(m(2, 3), m(3))],
    "dot": lambda m: [(m(3), m(3)), (m(2, 3), m(3))],
    "inner": lambda m: [(m(3), m(3)), (m(2, 3), m(4, 3))],
    "outer": lambda m: [(m(3), m(4))],
    "addmm": lambda m: [(m(2, 4), m(2, 3), m(3, 4))],
    "baddbmm": lambda m: [(m(5, 2, 4), m(5, 2, 3), m(5, 3, 4))],
    "addmv": lambda m: [(m(2), m(2, 3), m(3))],
    "concatenate": lambda m: [([m(2), m(3)],)],
    ".expand_as": lambda m: [(m(2, 1), m(2, 3))],
    ".view_as": lambda m: [(m(2, 3), m(3, 2))],
    ".reshape_as": lambda m: [(m(2, 3), m(6))],
    "moveaxis": lambda m: [(m(2, 3, 4), 0, -1)],
    "einsum": lambda m: [("ij,jk->ik", m(2, 3), m(3, 4)), ("ij->ji", m(2, 3)), ("ii", m(3, 3)), ("bij,bjk", m(2, 3, 4), m(2, 4, 2)),
                         ("i,j->ij", m(2), m(3)), ("...ij->...ji", m(2, 3, 4)), ("ij,ij->", m(2, 3), m(2, 3)), ("ij,jk", m(2, 3), m(2, 3)),
                         ("bhqd,bhkd->bhqk", m(2, 2, 3, 4), m(2, 2, 5, 4)), ("ij,k,kl->il", m(2, 3), m(4), m(4, 5)), ("ii->i", m(3, 3))],
    "tensordot": lambda m: [(m(2, 3), m(3, 4), 1), (m(2, 3), m(4, 3), ([1], [1]))],
    ".expand": lambda m: [(m(2, 1), 2, 3), (m(2, 1), -1, 4), (m(3), 2, 3), (m(2, 3), 3, 3)],
    ".reshape": lambda m: [(m(2, 3), 3, 2), (m(2, 3), -1), (m(2, 3), (6,)), (m(2, 3), 4), (m(0, 3), 0), (m(2, 3), -1, 2)],
    ".view": lambda m: [(m(2, 3), 3, 2), (m(2, 3), -1)],
    ".permute": lambda m: [(m(2, 3, 4), 2, 0, 1), (m(2, 3, 4), (0, -1, 1)), (m(2, 3), 0, 0)],
    ".transpose": lambda m: [(m(2, 3, 4), 0, -1)],
    ".repeat": lambda m: [(m(2, 3), 2, 1), (m(3), 2, 2), (m(2, 3), 2)],
    ".tile": lambda m: [(m(2, 3), (2,)), (m(3), (2, 2))],
    "tile": lambda m: [(m(2, 3), (2,))],
    ".flip": lambda m: [(m(2, 3), 0), (m(2, 3), (0, 1))],
    "roll": lambda m: [(m(5), 2), (m(2, 3), 1, 1), (m(2, 3), (1, 2), (0, 1))],
    ".unflatten": lambda m: [(m(2, 6), 1, (2, 3)), (m(2, 6), -1, (-1, 2))],
    ".scatter": lambda m: [(m(3, 4), 0, Array(np.array([[0, 1, 2, 0], [1, 2, 0, 1]])), m(2, 4)), (m(3, 4), 1, Array(np.array([[0], [1], [3]])), 2)],
    ".scatter_add": lambda m: [(m(3, 4), 0, m.ints(3, 2, 4), m(2, 4)), (m(3, 4), 1, m.ints(4, 3, 6), m(3, 6))],
    "gather": lambda m: [(m(3, 4), 0, m.ints(3, 2, 4)), (m(3, 4), 1, m.ints(4, 3, 6)), (m(3, 4), 0, m.ints(9, 3, 4)), (m(3), 0, m.ints(3, 5))],
    "take": lambda m: [(m(3, 4), m.ints(12, 5))],
    "index_select": lambda m: [(m(3, 4), 0, m.ints(3, 5)), (m(3, 4), 1, m.ints(4, 2))],
    ".index_add": lambda m: [(m(3, 4), 0, m.ints(3, 5), m(5, 4))],
    "masked_select": lambda m: [(m(3, 4), m(3, 4, dtype="bool")), (m(3, 4), m(4, dtype="bool"))],
    ".masked_fill": lambda m: [(m(3, 4), m(3, 4, dtype="bool"), 1), (m(3, 4), m(4, dtype="bool"), 0), (m(3, 4), m(3, 1, dtype="bool"), 1)],
    "take_along_dim": lambda m: [(m(3, 4), m.ints(4, 3, 2), 1)],
    ".__getitem__": lambda m: [(m(3, 4), 1), (m(3, 4), slice(None, None, 2)), (m(3, 4), (slice(None), 2)), (m(3, 4), (None, 1)), (m(3, 4), (..., 0)),
                               (m(3, 4), m.ints(3, 5)), (m(3, 4), (m.ints(3, 5), m.ints(4, 5))), (m(3, 4), m(3, 4, dtype="bool")),
                               (m(3, 4), [0, 2]), (m(3, 4), 7), (m(3, 4), (slice(None), m.ints(4, 2))), (m(3, 4), m(3, dtype="bool"))],
    "Tensor": lambda m: [([1, 2],), ([1.5, 2],), ([[True], [False]],)],
    "full": lambda m: [((2, 3), 7), ((2,), 0.5), ((2,), True), ((), 1), ((2, 3), 1.5, dict)][:4],
    "zeros": lambda m: [(2, 3), ((2, 3),), ((),), (0,)],
    "ones": lambda m: [(2, 3), ((2, 3),)],
    "zeros_like": lambda m: [(m(2, 3),)],
    "ones_like": lambda m: [(m(2, 3),)],
    "full_like": lambda m: [(m(2, 3), 1)],
    "arange": lambda m: [(5,), (2, 9, 3), (0, 1, 0.25), (5, 0, -2), (1.5,), (5, 2)],
    "linspace": lambda m: [(0, 1, 5), (1, -1, 4), (0, 1, 1)],
    "logspace": lambda m: [(0, 2, 3)],
    "eye": lambda m: [(3,), (2, 4)],
    ".new_zeros": lambda m: [(m(2), 3), (m(2), (2, 3))],
    ".new_ones": lambda m: [(m(2), 3)],
    ".new_full": lambda m: [(m(2), (2, 3), 1)],
    "narrow": lambda m: [(m(3, 4), 1, 1, 2), (m(3, 4), 0, 2, 2), (m(3, 4), 0, -2, 2)],
    "select": lambda m: [(m(3, 4), 1, 1), (m(3, 4), 0, -1)],
    "movedim": lambda m: [(m(2, 3, 4), 0, -1), (m(2, 3, 4), (0, 1), (1, 0))],
    "repeat_interleave": lambda m: [(m(2, 3), 2), (m(2, 3), 2, 1), (m(3), m.ints(3, 3), 0)],
    "split": lambda m: [(m(5, 2), 2), (m(5, 2), [1, 4]), (m(5, 2), 1, 1), (m(5, 2), [1, 1])],
    "chunk": lambda m: [(m(5, 2), 2), (m(5, 2), 3), (m(2, 5), 4, 1)],
    "unbind": lambda m: [(m(3, 2),), (m(3, 2), 1)],
    "kthvalue": lambda m: [(m(7), 2), (m(3, 5), 2, 1)],
    "bincount": lambda m: [(m.ints(5, 9),), (m.ints(5, 9), None, 8)],
    "F.one_hot": lambda m: [(m.ints(4, 3),), (m.ints(4, 2, 3), 6), (m.ints(4, 3), 2)],
    ".copy_": lambda m: [(Array(np.zeros((2, 3), m.dtype), False), m(3, dtype="int64"))],
    ".fill_": lambda m: [(Array(np.zeros((2, 3), m.dtype), False), 2)],
    ".fill_diagonal_": lambda m: [(Array(np.zeros((3, 3), m.dtype), False), 1)],
}  # fmt: skip
OF_FLOATS = {
    "cdist": lambda m: [(m(3, 2), m(4, 2))],
    "addcmul": lambda m: [(m(2, 3), m(2, 3), m(2, 3))],
    "addcdiv": lambda m: [(m(2, 3), m(2, 3), m(2, 3))],
    "lerp": lambda m: [(m(2, 3), m(2, 3), 0.25)],
    "F.linear": lambda m: [(m(4, 3), m(2, 3), m(2)), (m(3), m(2, 3)), (m(5, 4, 3), m(2, 3), m(2)), (m(4, 2), m(2, 3)), (m(0, 3), m(2, 3), m(2)),
                           (m(4, 3), m(2, 3), m(1))],
    "F.conv2d": lambda m: [(m(2, 3, 6, 5), m(4, 3, 3, 2), m(4)), (m(2, 4, 7, 6), m(6, 2, 3, 3), None, 2, 1, 1, 2), (m(3, 6, 5), m(4, 3, 3, 2)),
                           (m(2, 3, 6, 5), m(4, 3, 3, 2), m(4), (2, 1), (1, 0), 1), (m(2, 3, 6, 5), m(4, 3, 3, 2), m(1)), (m(2, 3, 2, 2), m(4, 3, 3, 3)),
                           (m(1, 2, 6, 6), m(2, 2, 3, 3), m(2), 1, "same", 2), (m(0, 3, 6, 5), m(4, 3, 3, 2), m(4))],
    "F.max_pool2d": lambda m: [(m(2, 3, 6, 5), 2), (m(2, 3, 6, 5), 3, 2, 1), (m(3, 6, 6), (2, 3)), (m(2, 3, 6, 5), 2, 1)],
    "F.avg_pool2d": lambda m: [(m(2, 3, 6, 5), 2), (m(2, 3, 6, 5), 3, 2, 1), (m(3, 6, 6), (2, 3))],
    "F.adaptive_avg_pool2d": lambda m: [(m(2, 3, 6, 5), 1), (m(2, 3, 6, 5), (3, 2)), (m(2, 3, 6, 5), (None, 2)), (m(3, 4, 4), 8)],
    "F.unfold": lambda m: [(m(2, 3, 6, 5), 2), (m(2, 3, 6, 5), (3, 2), 1, 1, 2)],
    "F.fold": lambda m: [(m(2, 12, 20), (6, 5), 2)],
    "F.batch_norm": lambda m: [(m(4, 3, 2, 2), None, None, m(3), m(3), True), (m(4, 3), None, None, None, None, True), (m(4, 3, 5), None, None, m(3), m(3), True)],
    "F.layer_norm": lambda m: [(m(4, 3, 5), (5,)), (m(4, 3, 5), (3, 5), m(3, 5), m(3, 5)), (m(4, 3), (4,))],
    "F.group_norm": lambda m: [(m(2, 4, 3), 2, m(4), m(4)), (m(2, 4, 3), 3)],
    "F.instance_norm": lambda m: [(m(2, 3, 5),)],
    "F.rms_norm": lambda m: [(m(4, 5), (5,), m(5))],
    "F.embedding": lambda m: [(m.ints(6, 2, 3), m(6, 4)), (m.ints(6, 5), m(6, 4), 0), (m.ints(9, 50), m(6, 4))],
    "F.pad": lambda m: [(m(2, 3), (1, 2)), (m(2, 3), (1, 2, 0, 1), "constant", 5.0), (m(2, 3), (-1, 1)), (m(1, 2, 4), (1, 2), "reflect"),
                        (m(1, 2, 4), (3, 2), "replicate"), (m(1, 2, 4), (3, 2), "circular"), (m(1, 2, 4), (4, 2), "reflect")],
    "F.cross_entropy": lambda m: [(m(5, 3), m.ints(3, 5)), (m(5, 3), m.ints(3, 5), m.shares(3)), (m(5, 3), m.shares(5, 3)), (m(3), Array(np.array(1))),
                                  (m(5, 3, 2), m.ints(3, 5, 2)), (m(5, 3), m.ints(4, 5)), (m(5, 3), m.ints(3, 4)), (m(0, 3), m.ints(3, 0))],
    "F.nll_loss": lambda m: [(m(5, 3), m.ints(3, 5)), (m(5, 3), m.ints(3, 5), m.shares(3)), (m(5, 3, 2), m.ints(3, 5, 2))],
    "F.binary_cross_entropy": lambda m: [(m.shares(5, 3), m.shares(5, 3))],
    "F.kl_div": lambda m: [(m(5, 3), m.shares(5, 3))],
    "F.scaled_dot_product_attention": lambda m: [(m(2, 4, 3), m(2, 5, 3), m(2, 5, 6)), (m(2, 4, 3), m(2, 5, 3), m(2, 5, 6), m(4, 5)),
                                                 (m(2, 4, 3), m(2, 4, 3), m(2, 4, 3), Array(np.tril(np.ones((4, 4), bool)))),
                                                 (m(2, 4, 3), m(2, 4, 3), m(2, 4, 3), None, 0.0, True)],
    "F.cosine_similarity": lambda m: [(m(4, 3), m(4, 3)), (m(4, 3), m(4, 3), 0)],
    "F.pairwise_distance": lambda m: [(m(4, 3), m(4, 3))],
    "F.normalize": lambda m: [(m(4, 3),), (m(4, 3), 1.0, 0)],
    "F.margin_ranking_loss": lambda m: [(m(4), m(4), Array(np.array([1, -1, 1, -1], m.dtype), False))],
    "F.hinge_embedding_loss": lambda m: [(m(4), Array(np.array([1, -1, 1, -1], m.dtype), False))],
    "F.glu": lambda m: [(m(3, 4),), (m(4, 3), 0)],
    "F.mse_loss": lambda m: [(m(4, 3), m(4, 3)), (m(4, 3), m(3))],
}  # fmt: skip
BY_NAME = {  # further calls of the same functions, with arguments by name
    "F.cross_entropy": lambda m: [
        ((m(5, 3), Array(np.array([0, 2, -100, 1, 1]))), {}),
        ((m(5, 3), Array(np.array([0, 2, 0, 1, 1]))), {"ignore_index": 0, "reduction": "none"}),
        ((m(5, 3), m.ints(3, 5)), {"label_smoothing": 0.2, "weight": m.shares(3)}),
        ((m(5, 3), m.shares(5, 3)), {"label_smoothing": 0.2, "weight": m.shares(3), "reduction": "sum"}),
        ((m(5, 3), m.ints(3, 5)), {"label_smoothing": 0.1, "ignore_index": 1, "weight": m.shares(3), "reduction": "sum"}),
        ((m(5, 3), Array(np.full(5, -100))), {}),
        ((m(5, 3), m.ints(3, 5)), {"label_smoothing": 1.5}),
        ((Array(np.array([[0, np.inf, 1]], m.dtype)), Array(np.array([0]))), {}),
        ((Array(np.array([[0, -np.inf, 1]], m.dtype)), Array(np.array([0]))), {}),
        ((Array(np.array([[0, -np.inf, 1]], m.dtype)), Array(np.array([1]))), {}),
    ],
    "F.binary_cross_entropy_with_logits": lambda m: [
        ((m(5, 3), m.shares(5, 3)), {"pos_weight": m.shares(3)}),
        ((m(5, 3), m.shares(5, 3)), {"weight": m.shares(3), "reduction": "sum"}),
    ],
    "F.kl_div": lambda m: [((m(5, 3), m.shares(5, 3)), {"reduction": "batchmean"}), ((m(5, 3), m(5, 3)), {"log_target": True})],
    "F.mse_loss": lambda m: [((m(5, 3), m(5, 3)), {"weight": m.shares(5, 3)})],
    "F.softmax": lambda m: [
        ((m(2, 3),), {"dim": 1}),
        ((m(2, 3, 4),), {}),
        ((m(2, 3),), {"dim": 1, "dtype": np.dtype("float64")}),
    ],
    "sum": lambda m: [((), {"input": m(2, 3), "dim": (0, 1)}), ((m(2, 3),), {"dim": 1, "keepdim": True})],
    "zeros": lambda m: [((2, 3), {"dtype": np.dtype("int64")}), ((), {"size": (2, 3)})],
    "full": lambda m: [((), {"size": (2, 3), "fill_value": 2})],
    "cat": lambda m: [((), {"tensors": [m(2, 3), m(2, 3)], "dim": 1})],
    "stack": lambda m: [((), {"tensors": [m(2, 3), m(2, 3)], "dim": 1})],
    "F.relu": lambda m: [((Array(draw((2, 3), m.dtype, "usual", 0), False),), {"inplace": True})],
}
LAYERS = {  # how a package `nn` makes it, and the shape of what goes in; None for whole numbers below 5
    "Linear": (lambda nn: nn.Linear(5, 3), (4, 5)),
    "Linear, without a bias, on a row": (lambda nn: nn.Linear(5, 3, bias=False), (5,)),
    "Sequential": (lambda nn: nn.Sequential(nn.Linear(5, 4), nn.ReLU(inplace=True), nn.Sequential(nn.Linear(4, 2))), (3, 5)),
    "Dropout": (lambda nn: nn.Dropout(0.5).eval(), (3, 5)),
    "Flatten": (lambda nn: nn.Flatten(), (2, 3, 4)),
    "Flatten of nothing": (lambda nn: nn.Flatten(), (0, 3, 4)),
    "Unflatten": (lambda nn: nn.Unflatten(1, (2, 3)), (2, 6)),
    "Identity": (lambda nn: nn.Identity(3, unused=True), (2, 6)),
    "ReLU": (lambda nn: nn.ReLU(), (3, 5)),
    "LeakyReLU": (lambda nn: nn.LeakyReLU(0.2), (3, 5)),
    "Sigmoid": (lambda nn: nn.Sigmoid(), (3, 5)),
    "Tanh": (lambda nn: nn.Tanh(), (3, 5)),
    "GELU": (lambda nn: nn.GELU(), (3, 5)),
    "GELU, by tanh": (lambda nn: nn.GELU(approximate="tanh"), (3, 5)),
    "SiLU": (lambda nn: nn.SiLU(), (3, 5)),
    "Mish": (lambda nn: nn.Mish(), (3, 5)),
    "ELU": (lambda nn: nn.ELU(0.5), (3, 5)),
    "SELU": (lambda nn: nn.SELU(), (3, 5)),
    "ReLU6": (lambda nn: nn.ReLU6(), (3, 5)),
    "Hardtanh": (lambda nn: nn.Hardtanh(-0.5, 2.0), (3, 5)),
    "Hardsigmoid": (lambda nn: nn.Hardsigmoid(), (3, 5)),
    "Softplus": (lambda nn: nn.Softplus(2), (3, 5)),
    "Softsign": (lambda nn: nn.Softsign(), (3, 5)),
    "Softmin": (lambda nn: nn.Softmin(dim=1), (3, 5)),
    "LogSigmoid": (lambda nn: nn.LogSigmoid(), (3, 5)),
    "GLU": (lambda nn: nn.GLU(), (3, 6)),
    "Softmax": (lambda nn: nn.Softmax(dim=1), (3, 5)),
    "LogSoftmax": (lambda nn: nn.LogSoftmax(dim=0), (3, 5)),
    "Conv2d": (lambda nn: nn.Conv2d(3, 4, (3, 2), stride=2, padding=1), (2, 3, 7, 6)),
    "Conv2d, in groups, apart": (lambda nn: nn.Conv2d(4, 6, 3, dilation=2, groups=2, bias=False), (2, 4, 8, 7)),
    "MaxPool2d": (lambda nn: nn.MaxPool2d(3, stride=2, padding=1), (2, 3, 7, 6)),
    "AvgPool2d": (lambda nn: nn.AvgPool2d(2), (2, 3, 6, 4)),
    "AdaptiveAvgPool2d": (lambda nn: nn.AdaptiveAvgPool2d((3, 2)), (2, 3, 7, 5)),
    "BatchNorm1d": (lambda nn: nn.BatchNorm1d(3), (4, 3)),
    "BatchNorm1d of rows": (lambda nn: nn.BatchNorm1d(3), (4, 3, 5)),
    "BatchNorm2d": (lambda nn: nn.BatchNorm2d(3), (4, 3, 5, 2)),
    "BatchNorm2d, in use": (lambda nn: nn.BatchNorm2d(3).eval(), (4, 3, 5, 2)),
    "LayerNorm": (lambda nn: nn.LayerNorm((3, 5)), (4, 3, 5)),
    "RMSNorm": (lambda nn: nn.RMSNorm(5), (4, 5)),
    "GroupNorm": (lambda nn: nn.GroupNorm(2, 4), (2, 4, 3)),
    "Embedding": (lambda nn: nn.Embedding(5, 3, padding_idx=1), None),
    "ModuleList": (lambda nn: nn.Sequential(*nn.ModuleList([nn.Linear(5, 4)]).append(nn.Linear(4, 2))), (3, 5)),
    "ModuleDict": (lambda nn: nn.ModuleDict({"a": nn.Linear(5, 4)})["a"], (3, 5)),
}
OTHERS = {  # classes of `nn` without a case above: what tests them, or why there is nothing to compare
    "what layers are made of": "Module Parameter Buffer Loss Stateful Tree ParameterList",
    "networks of layers that have a case each": "LeNet5 ConvNet",
    "of two inputs, or several results: in test_layers.py": "MultiheadAttention Bilinear CosineSimilarity",
    "losses, in test_layers.py": "MSELoss CrossEntropyLoss NLLLoss BCEWithLogitsLoss BCELoss L1Loss SmoothL1Loss HuberLoss KLDivLoss",
}
