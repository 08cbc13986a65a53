"""PyTorch's arguments that your constructors leave out: taken where they change nothing, refused otherwise. Given."""

import inspect

MOVED = ("device", "dtype")  # where a layer goes, and what its parameters become, once it is made
FOR_SPEED = "PyTorch's choice among implementations; there is one here"
ALLOWED = {  # PyTorch's argument -> the classes that have it, the values that change nothing, and what to do instead of others
    "inplace": (["Dropout"], [False, True], ""),
    "padding_mode": (["Conv2d"], ["zeros"], "pad first, with F.pad(x, (left, right, top, bottom), mode=...)"),
    "bias": (["BatchNorm2d", "GroupNorm"], [True], "set the layer's bias to None once it is made"),
    "add_bias_kv": (["MultiheadAttention"], [False], "append the bias to key and value yourself"),
    "add_zero_attn": (["MultiheadAttention"], [False], "append the zeros to key and value yourself"),
    "kdim": (["MultiheadAttention"], [None], "bring the keys to embed_dim first, with a Linear"),
    "vdim": (["MultiheadAttention"], [None], "bring the values to embed_dim first, with a Linear"),
    "_weight": (["Embedding"], [None], "use Embedding.from_pretrained(weight)"),
    "_freeze": (["Embedding"], [False], "use Embedding.from_pretrained(weight, freeze=True)"),
    "foreach": (["Optimizer"], [None, False, True], FOR_SPEED),
    "fused": (["Optimizer"], [None, False, True], FOR_SPEED),
    "capturable": (["Optimizer"], [False, True], FOR_SPEED),
    "differentiable": (["Optimizer"], [False], "write the step as ops on tensors"),
    "maximize": (["Optimizer"], [False], "minimize the negative: (-score).backward()"),
    "amsgrad": (["Adam"], [False], "module 06 builds Adam as it was published"),
    "decoupled_weight_decay": (["Adam"], [False], "use AdamW"),
}


class PyTorchArguments(type):
    """The class of your class `Optimizer`: what the package builds is made with PyTorch's arguments, too.

    A class of your own, outside the package, is called as it is written.
    """

    __signature__ = property(lambda cls: inspect.signature(cls.__init__.__get__(cls)))

    def __call__(cls, *args, **options):
        further = further_arguments(cls) & options.keys() if options else ()
        for name in further:
            _, allowed, instead = ALLOWED[name]
            given = options.pop(name)
            if given not in allowed:
                raise NotImplementedError(f"{cls.__name__} has no {name}={given!r} here: {instead}")
        return super().__call__(*args, **options)


class Layer(PyTorchArguments):
    """The class of your class `Module`.

    PyTorch has ``Linear(3, 2, device="cpu", dtype=float64)`` and ``Sequential(OrderedDict(...))``; your constructors need not.
    """

    def __call__(cls, *args, **options):
        ours = cls.__module__.startswith("tinytorch.")
        moved = {name: options.pop(name) for name in MOVED if ours and name in options and name not in own_arguments(cls)}
        named = args[0] if len(args) == 1 and isinstance(args[0], dict) and takes_layers(cls) else {}
        layer = super().__call__(*(named.values() or args), **options)
        if named:  # your constructor has seen that all are layers
            layer = super().__call__()
            for name, part in named.items():
                setattr(layer, name, part)
        return layer.to(**moved) if moved else layer


def further_arguments(cls):
    """Return the names of PyTorch's arguments that a class of the package takes besides those of its constructor."""
    if not cls.__module__.startswith("tinytorch."):
        return set()
    kinds = {parent.__name__ for parent in cls.__mro__}
    return {name for name, (classes, _, _) in ALLOWED.items() if kinds & set(classes)} - own_arguments(cls)


def own_arguments(cls):
    """Return the names of a constructor's arguments; those of any name, ``**options``, count as all that PyTorch has."""
    parameters = cls.__signature__.parameters.values()
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    return {*MOVED, *ALLOWED} if anything else {parameter.name for parameter in parameters}


def takes_layers(cls):
    """Say whether a layer of the package is made of any number of layers, as `Sequential` is."""
    return cls.__module__.startswith("tinytorch.") and "layers" in own_arguments(cls)
