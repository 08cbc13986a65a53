"""`nn`: modules and parameters in lists and dicts. Given, made of your `Module`."""

from tinytorch.layers import Module, Parameter


class Identity(Module):
    """Return the input; the constructor takes any arguments and ignores them.

    Example:
        >>> Identity()(3.0)
        3.0
    """

    def __init__(self, *args, **kwargs):
        pass

    def forward(self, input):
        return input


class _Row(Module):
    """A list whose entries are the attributes 0, 1 and so on."""

    def __init__(self, entries=()):
        self.extend(entries or ())

    def entries(self):
        """Return the entries as a list."""
        return [value for name, value in vars(self).items() if name.isdigit()]

    def append(self, entry):
        """Append an entry, and return the list."""
        setattr(self, str(len(self)), entry)
        return self

    def extend(self, entries):
        """Append several entries, and return the list."""
        for entry in entries:
            self.append(entry)
        return self

    def insert(self, index, entry):
        """Insert an entry before the one at an index."""
        entries = self.entries()
        entries.insert(index, entry)
        self._fill(entries)

    def _fill(self, entries):
        """Replace all entries."""
        for name in [name for name in vars(self) if name.isdigit()]:
            delattr(self, name)
        for position, entry in enumerate(entries):
            setattr(self, str(position), entry)

    def __len__(self):
        return len(self.entries())

    def __iter__(self):
        return iter(self.entries())

    def __add__(self, other):
        return type(self)([*self, *other])

    def __getitem__(self, index):
        chosen = self.entries()[index]
        return type(self)(chosen) if isinstance(index, slice) else chosen

    def __setitem__(self, index, entry):
        entries = self.entries()
        entries[index] = entry
        self._fill(entries)

    def __delitem__(self, index):
        entries = self.entries()
        del entries[index]
        self._fill(entries)


class ModuleList(_Row):
    """Modules in a list, so that a network finds their parameters.

    Args:
        modules: The modules.

    Example:
        >>> from tinytorch.layers import Linear
        >>> layers = ModuleList(Linear(2, 2) for _ in range(3))
        >>> len(layers), [path for path, _ in layers.named_parameters()][:2]
        (3, ['0.weight', '0.bias'])
    """

    def __init__(self, modules=None):
        super().__init__(modules)

    def append(self, module):
        """Append a module, and return the list."""
        if not isinstance(module, Module):
            raise TypeError(f"ModuleList needs modules, got {module!r}")
        return super().append(module)


class ParameterList(_Row):
    """Parameters in a list, so that a network finds them; a plain tensor becomes a parameter.

    Args:
        values: The parameters.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> len(list(ParameterList([Tensor([1.0]), Tensor([2.0])]).parameters()))
        2
    """

    def __init__(self, values=None):
        super().__init__(values)

    def append(self, value):
        """Append a parameter, and return the list."""
        return super().append(value if isinstance(value, Parameter) else Parameter(value))


class ModuleDict(Module):
    """Modules by name, so that a network finds their parameters.

    Args:
        modules: Dict from name to module.

    Example:
        >>> from tinytorch.layers import Linear, ReLU
        >>> parts = ModuleDict({"hidden": Linear(2, 2), "bend": ReLU()})
        >>> list(parts), [path for path, _ in parts.named_parameters()]
        (['hidden', 'bend'], ['hidden.weight', 'hidden.bias'])
    """

    def __init__(self, modules=None):
        self.update(modules or {})

    def update(self, modules):
        """Add modules, by name."""
        for name, module in dict(modules).items():
            self[name] = module

    def __setitem__(self, name, module):
        if not isinstance(module, Module):
            raise TypeError(f"ModuleDict needs modules, got {module!r} for {name!r}")
        if name in dir(type(self)):
            raise KeyError(f"ModuleDict cannot have a module called {name!r}: it has a method of that name")
        setattr(self, name, module)

    def __getitem__(self, name):
        return dict(self.named_children())[name]

    def __delitem__(self, name):
        delattr(self, name)

    def __contains__(self, name):
        return name in dict(self.named_children())

    def __iter__(self):
        return iter(dict(self.named_children()))

    def __len__(self):
        return len(dict(self.named_children()))

    def keys(self):
        return dict(self.named_children()).keys()

    def values(self):
        return dict(self.named_children()).values()

    def items(self):
        return dict(self.named_children()).items()
