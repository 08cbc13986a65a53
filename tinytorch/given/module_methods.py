"""What PyTorch's modules can do besides what you write in module 03: the base of your class `Module`. Given."""

import functools

import numpy as np

from tinytorch.given.constructing import Layer
from tinytorch.given.device import destination
from tinytorch.given.op import part


class Handle:
    """A hook that can be removed.

    Args:
        remove: Function that removes it.
    """

    def __init__(self, remove):
        self.remove = remove


class ModuleMethods(metaclass=Layer):
    """The base of your class `Module`: names, conversions, and visits to all modules of a tree."""

    def named_modules(self, memo=None, prefix="", remove_duplicate=True):
        """Yield this module and all below it, each with its path; a module that appears twice is yielded once."""
        memo = set() if memo is None else memo
        if id(self) in memo and remove_duplicate:
            return
        memo.add(id(self))
        yield prefix, self
        for name, child in self.named_children():
            yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def buffers(self, recurse=True):
        """Yield the buffers of this module and of all below it."""
        yield from (tensor for _, tensor in self.named_buffers())

    def apply(self, fn):
        """Call a function with every module of the tree, the inner ones first, and return the tree."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def get_submodule(self, target):
        """Return the module at a path, such as ``"encoder.0"``."""
        return functools.reduce(getattr, target.split("."), self) if target else self

    def get_parameter(self, target):
        """Return the parameter at a path."""
        return self.get_submodule(target)

    def get_buffer(self, target):
        """Return the buffer at a path."""
        return self.get_submodule(target)

    def add_module(self, name, module):
        """Assign a module as an attribute of any name, such as ``"0"``."""
        setattr(self, name, module)

    def register_module(self, name, module):
        """Assign a module as an attribute of any name."""
        setattr(self, name, module)

    def register_parameter(self, name, param):
        """Assign a parameter, or None, as an attribute of any name."""
        setattr(self, name, param)

    def requires_grad_(self, requires_grad=True):
        """Say whether gradients flow to the parameters, and return the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none=True):
        """Set the gradients of all parameters to None, or fill them with zeros."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = part("Tensor")(np.zeros_like(parameter.grad.data))

    def to(self, *targets, device=None, dtype=None, non_blocking=False):
        """Move parameters and buffers to a device, or convert the floating-point ones to a dtype; return the module.

        Args:
            targets: A device's name, a dtype, both, or a tensor that has them.
            device, dtype: The same, by name.
            non_blocking: Makes no difference here.

        Parameters and buffers stay the same objects.
        """
        device, dtype = destination(*targets, device=device, dtype=dtype)
        if dtype is not None and np.dtype(dtype).kind != "f":
            raise TypeError(f"a module's parameters are floats: it cannot become {np.dtype(dtype)}")
        for _, tensor in (*self.named_parameters(), *self.named_buffers()):
            for target in (device, dtype if tensor.dtype.kind == "f" else None):
                if target is not None:
                    grad, tensor.grad = tensor.grad, None
                    tensor.data = tensor.detach().to(target).data
                    tensor.grad = None if grad is None else grad.to(target)
        return self

    def float(self):
        return self.to(np.dtype("float32"))

    def double(self):
        return self.to(np.dtype("float64"))

    def half(self):
        return self.to(np.dtype("float16"))

    def cpu(self):
        return self.to("cpu")

    def cuda(self, device=None):
        return self.to("cuda")

    def type(self, dst_type):
        return self.to(np.dtype(dst_type))

    def register_forward_hook(self, hook):
        """Call ``hook(module, inputs, output)`` after each forward; what it returns replaces the output, unless it is None.

        Returns:
            An object whose ``remove()`` removes the hook.
        """

        def after(inputs, output):
            changed = hook(self, inputs, output)
            return output if changed is None else changed

        return self._around(lambda inputs: inputs, after)

    def register_forward_pre_hook(self, hook):
        """Call ``hook(module, inputs)`` before each forward; what it returns replaces the inputs, unless it is None.

        Returns:
            An object whose ``remove()`` removes the hook.
        """

        def before(inputs):
            changed = hook(self, inputs)
            return inputs if changed is None else changed if isinstance(changed, tuple) else (changed,)

        return self._around(before, lambda inputs, output: output)

    def _around(self, before, after):
        """Put functions around `forward`; a module without hooks does not pay for them."""
        forward, on = self.forward, [True]

        def hooked(*inputs, **options):
            if not on[0]:
                return forward(*inputs, **options)
            inputs = before(inputs)
            return after(inputs, forward(*inputs, **options))

        self.forward = hooked
        return Handle(functools.partial(on.__setitem__, 0, False))

    def __setattr__(self, name, value):
        old, tensor = vars(self).get(name), part("Tensor")
        if type(value) is tensor and isinstance(old, tensor) and type(old) is not tensor:
            if old.requires_grad or type(old).__name__ == "Parameter":
                raise TypeError(f"{name} is a parameter: assign nn.Parameter(tensor), or write into it under no_grad()")
            value = type(old)(value.data)  # a buffer stays a buffer
        super().__setattr__(name, value)

    def __repr__(self):
        lines = [f"({name}): {child!r}" for name, child in self.named_children()]
        name, inner = type(self).__name__, "\n".join(lines).replace("\n", "\n  ")
        return f"{name}(\n  {inner}\n)" if lines else f"{name}({self.extra_repr()})"
