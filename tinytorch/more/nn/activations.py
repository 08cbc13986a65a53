"""`nn`: activations besides those that you write, as modules. Given."""

import inspect

from tinytorch.layers import Module
from tinytorch.more.functional import activations as F


def _activation(name, function, doc, *settings):
    """Make the class of an activation from its function.

    Args:
        name: Name of the class.
        function: Function of a tensor and the settings.
        doc: The docstring of the class.
        settings: Pairs of a setting's name and its default, in order.
    """

    def __init__(self, *args, **options):
        names = [setting for setting, _ in settings]
        if len(args) > len(names) or not options.keys() <= set(names):
            raise TypeError(f"{name} takes {', '.join(names) or 'no arguments'}, got {args} {options}")
        self.settings = {**dict(settings), **dict(zip(names, args)), **options}

    def forward(self, input):
        return function(input, **self.settings)

    def extra_repr(self):
        return ", ".join(f"{key}={value!r}" for key, value in self.settings.items() if key != "inplace")

    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)]
    parameters += [inspect.Parameter(key, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=value) for key, value in settings]
    __init__.__signature__ = inspect.Signature(parameters)
    methods = {"__init__": __init__, "forward": forward, "extra_repr": extra_repr}
    return type(name, (Module,), {"__doc__": doc, "__module__": __name__, **methods})


_IN_PLACE = ("inplace", False)
SiLU = _activation("SiLU", F.silu, "`silu` as a module.", _IN_PLACE)
Mish = _activation("Mish", F.mish, "`mish` as a module.", _IN_PLACE)
ELU = _activation("ELU", F.elu, "`elu` as a module.", ("alpha", 1.0), _IN_PLACE)
SELU = _activation("SELU", F.selu, "`selu` as a module.", _IN_PLACE)
ReLU6 = _activation("ReLU6", F.relu6, "`relu6` as a module.", _IN_PLACE)
Hardtanh = _activation("Hardtanh", F.hardtanh, "`hardtanh` as a module.", ("min_val", -1.0), ("max_val", 1.0), _IN_PLACE)
Hardsigmoid = _activation("Hardsigmoid", F.hardsigmoid, "`hardsigmoid` as a module.", _IN_PLACE)
Softplus = _activation("Softplus", F.softplus, "`softplus` as a module.", ("beta", 1.0), ("threshold", 20.0))
Softsign = _activation("Softsign", F.softsign, "`softsign` as a module.")
Softmin = _activation("Softmin", F.softmin, "`softmin` as a module.", ("dim", None))
LogSigmoid = _activation("LogSigmoid", F.logsigmoid, "`logsigmoid` as a module.")
GLU = _activation("GLU", F.glu, "`glu` as a module.", ("dim", -1))
