"""What is wrong with a notebook, and where: file, cell and line."""


class SourceError(Exception):
    """One problem of a notebook; `problems` contains only itself."""

    def __init__(self, path, reason, cell=None, line=None):
        self.path, self.reason, self.cell, self.line = path, reason, cell, line
        super().__init__(path, reason, cell, line)

    @property
    def problems(self):
        return (self,)

    def __str__(self):
        return f"{place(self.path, self.cell, self.line)}: {self.reason}"


class SourceErrors(SourceError):
    """All problems of a notebook; `problems` lists them in the notebook's order."""

    def __init__(self, problems):
        self._problems = tuple(sorted(problems, key=lambda problem: (problem.cell or 0, problem.line or 0)))
        first = self._problems[0]
        super().__init__(first.path, first.reason, first.cell, first.line)

    @property
    def problems(self):
        return self._problems

    def __str__(self):
        return "\n".join(str(problem) for problem in self._problems)


def place(path, cell=None, line=None):
    """Return a place as all messages show it: `tensor.ipynb, cell 4, line 3`."""
    parts = [path.name]
    if cell is not None:
        parts.append(f"cell {cell}")
    if line is not None:
        parts.append(f"line {line}")
    return ", ".join(parts)


def raise_all(problems, kind=SourceErrors):
    """Raise all problems as one error, if there are any."""
    problems = list(problems)
    if problems:
        raise kind(problems)
