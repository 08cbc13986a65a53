"""What is wrong with a notebook, and where: file, cell and line."""

from tito.notebooks import titles


class SourceError(Exception):
    """One problem of a notebook; `problems` contains only itself.

    Args:
        path: The notebook's path.
        reason: What is wrong.
        cell: The `source.Cell`, or its number if it could not be read; None for the whole file.
        line: Number of the line in the cell, or in the file without a cell.
    """

    def __init__(self, path, reason, cell=None, line=None):
        numbered = cell is None or isinstance(cell, int)
        self.path, self.reason, self.line, self.cell = path, reason, line, cell if numbered else cell.index
        self.label = cell and (titles.label(cell, "") if numbered else cell.label)
        super().__init__(path, reason, cell, line)

    @property
    def problems(self):
        return (self,)

    def __str__(self):
        return f"{place(self.path, self.label, self.line)}: {self.reason}"


class SourceErrors(SourceError):
    """All problems of a notebook; `problems` lists them in the notebook's order."""

    def __init__(self, problems):
        self._problems = tuple(sorted(problems, key=lambda problem: (problem.cell or 0, problem.line or 0)))
        first = self._problems[0]
        super().__init__(first.path, first.reason, first.cell, first.line)
        self.label = first.label

    @property
    def problems(self):
        return self._problems

    def __str__(self):
        return "\n".join(str(problem) for problem in self._problems)


def place(path, label=None, line=None):
    """Return a place as all messages show it: `tensor.ipynb, cell 4 (def mul), line 3`; `label` is the cell's."""
    parts = [path.name]
    if label is not None:
        parts.append(label)
    if line is not None:
        parts.append(f"line {line}")
    return ", ".join(parts)


def raise_all(problems, kind=SourceErrors):
    """Raise all problems as one error, if there are any."""
    problems = list(problems)
    if problems:
        raise kind(problems)
