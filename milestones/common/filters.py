"""What milestones with convolutions share: two options, and filters that keep their random values."""

from common.options import positive
from tinytorch.cnn import Conv2d


def of_filters(options):
    """Add the options that milestones with convolutions share, and return the parser."""
    options.add_argument("--examples", type=positive, metavar="N", help="train on N random examples (default: all)")
    options.add_argument(
        "--frozen-filters", action="store_true", help="keep the filters random, to see what training them is worth"
    )
    return options


def freeze_filters(model):
    """Exclude the filters of all convolutions from training."""
    for module in model.modules():
        if isinstance(module, Conv2d):
            for parameter in module.parameters():
                parameter.requires_grad = False
