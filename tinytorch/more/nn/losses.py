"""`nn`: losses as modules, with all of PyTorch's settings. Given; they are subclasses of module 04's."""

from tinytorch import losses as yours
from tinytorch.more.functional import losses as F


class MSELoss(yours.MSELoss):
    """`mse_loss` as a module.

    Args:
        size_average, reduce: Removed; use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> MSELoss()(Tensor([1.0, 5.0]), Tensor([3.0, 5.0]))
        tensor(2.)
    """

    def __init__(self, size_average=None, reduce=None, reduction="mean"):
        F._old(size_average, reduce)
        super().__init__(reduction)


class CrossEntropyLoss(yours.CrossEntropyLoss):
    """`cross_entropy` as a module.

    Args:
        weight: Tensor of shape (C,): the weight of each class.
        size_average, reduce: Removed; use ``reduction``.
        ignore_index: Class that is left out of the loss.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: The part of the target, from 0 to 1, that is spread evenly over all classes.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> CrossEntropyLoss(label_smoothing=0.1)(Tensor([[0.0, 0.0]]), Tensor([1]))
        tensor(0.6931)
    """

    def __init__(self, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean", label_smoothing=0.0):
        F._old(size_average, reduce)
        super().__init__(reduction, label_smoothing)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input, target):
        return F.cross_entropy(input, target, self.weight, None, self.ignore_index, None, self.reduction, self.label_smoothing)


class NLLLoss(yours.NLLLoss):
    """`nll_loss` as a module; the arguments are those of `CrossEntropyLoss`.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> NLLLoss()(Tensor([[-1.0, -2.0]]), Tensor([1]))
        tensor(2.)
    """

    def __init__(self, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
        F._old(size_average, reduce)
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input, target):
        return F.nll_loss(input, target, self.weight, None, self.ignore_index, None, self.reduction)


class BCEWithLogitsLoss(yours.BCEWithLogitsLoss):
    """`binary_cross_entropy_with_logits` as a module.

    Args:
        weight: Tensor, the weight of each question.
        size_average, reduce: Removed; use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: Tensor, the weight of a yes.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> BCEWithLogitsLoss()(Tensor([0.0]), Tensor([1.0]))
        tensor(0.6931)
    """

    def __init__(self, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None):
        F._old(size_average, reduce)
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input, target):
        return F.binary_cross_entropy_with_logits(input, target, self.weight, None, None, self.reduction, self.pos_weight)


class BCELoss(yours.Loss):
    """`binary_cross_entropy` as a module.

    Args:
        weight: Tensor, the weight of each question.
        size_average, reduce: Removed; use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> BCELoss()(Tensor([0.5]), Tensor([1.0]))
        tensor(0.6931)
    """

    def __init__(self, weight=None, size_average=None, reduce=None, reduction="mean"):
        F._old(size_average, reduce)
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input, target):
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class L1Loss(yours.Loss):
    """`l1_loss` as a module; the arguments are those of `MSELoss`.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> L1Loss()(Tensor([1.0, 5.0]), Tensor([3.0, 5.0]))
        tensor(1.)
    """

    def __init__(self, size_average=None, reduce=None, reduction="mean"):
        F._old(size_average, reduce)
        super().__init__(reduction)

    def forward(self, input, target):
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(yours.Loss):
    """`smooth_l1_loss` as a module.

    Args:
        size_average, reduce: Removed; use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        beta: Where the square ends and the straight line begins.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> SmoothL1Loss()(Tensor([0.5]), Tensor([0.0]))
        tensor(0.125)
    """

    def __init__(self, size_average=None, reduce=None, reduction="mean", beta=1.0):
        F._old(size_average, reduce)
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input, target):
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(yours.Loss):
    """`huber_loss` as a module.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: Where the square ends and the straight line begins.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> HuberLoss()(Tensor([0.5]), Tensor([0.0]))
        tensor(0.125)
    """

    def __init__(self, reduction="mean", delta=1.0):
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input, target):
        return F.huber_loss(input, target, self.reduction, self.delta)


class KLDivLoss(yours.Loss):
    """`kl_div` as a module.

    Args:
        size_average, reduce: Removed; use ``reduction``.
        reduction: ``"batchmean"``, ``"mean"``, ``"sum"`` or ``"none"``.
        log_target: Whether targets are logarithms.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> KLDivLoss(reduction="sum")(Tensor([0.5, 0.5]).log(), Tensor([1.0, 0.0]))
        tensor(0.6931)
    """

    def __init__(self, size_average=None, reduce=None, reduction="mean", log_target=False):
        F._old(size_average, reduce)
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, input, target):
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class CosineSimilarity(yours.Loss):
    """`cosine_similarity` as a module.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> CosineSimilarity()(Tensor([[1.0, 0.0]]), Tensor([[1.0, 1.0]]))
        tensor([0.7071])
    """

    def __init__(self, dim=1, eps=1e-8):
        self.dim, self.eps = dim, eps

    def forward(self, x1, x2):
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
