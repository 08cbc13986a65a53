"""What milestones with convolutions share: two options, and filters that stay as chance made them."""

from common.options import positive
from tinytorch.cnn import Conv2d


def of_filters(options):
    """Add the options that milestones with convolutions share, and return the parser."""
    options.add_argument("--examples", type=positive, metavar="N", help="train on N random examples (default: all)")
    options.add_argument(
        "--frozen-filters", action="store_true", help="leave the filters as chance made them, to see what training them is worth"
    )
    return options


def freeze_filters(model):
    """Take the filters of all convolutions out of the training: they stay as they are."""
    for module in model.modules():
        if isinstance(module, Conv2d):
            for parameter in module.parameters():
                parameter.requires_grad = False
