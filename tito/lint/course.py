"""The course as the rules see it: its sources, its checks, and the results of its reference solutions, each computed once."""

import ast
import contextlib
import functools

from tito import workspace
from tito.checks import checking, files, runner, trial
from tito.lint.problem import Problem
from tito.notebooks import export, parts, source, strip
from tito.workspace import Workspace, WorkspaceError


class Course:
    """A course to check.

    Args:
        root: `pathlib.Path` of the folder that holds `modules/` and `tinytorch/`.
        only: Modules to check, as `03` or `layers`; none means all that exist.

    Raises:
        WorkspaceError: A module in `only` has no source yet.
    """

    def __init__(self, root, only=()):
        self.space = Workspace(root)
        self.root, self.curriculum = root, self.space.curriculum
        self.present = tuple(module for module in self.curriculum.modules if self.source_path(module).is_file())
        self.modules = tuple(self.curriculum.module(text) for text in only) or self.present
        absent = [module for module in self.modules if module not in self.present]
        if absent:
            raise WorkspaceError(f"{self.label(self.source_path(absent[0]))} does not exist yet: nothing to check")

    def source_path(self, module):
        """Return the path of a module's source."""
        return self.space.folder(module) / f"{module.name}.py"

    def checks_path(self, module):
        """Return the path of a module's checks: a file, or a folder of files."""
        return files.beside(self.source_path(module))

    def checks_files(self, module):
        """List the files of a module's checks."""
        return files.of(self.checks_path(module))

    def label(self, path):
        """Return a file's path as shown in problems: relative to the root, with forward slashes."""
        return self.space.label(path)

    @functools.cache
    def notebook(self, module):
        """Return the cells of a module's source."""
        return source.read(self.source_path(module))

    def exercises(self, module):
        """List a module's exercises."""
        return self.notebook(module).exercises()

    def cell(self, module, exercise):
        """Return the cell of an exercise, with its solution."""
        return self.notebook(module).cells[exercise.cell - 1]

    @functools.cache
    def parts(self, module):
        """List a module's exported cells, parsed."""
        return parts.exported_parts(self.notebook(module))

    @functools.cache
    def text(self, module):
        """Return a fresh export of a module's source."""
        return export.export_text(self.notebook(module), self.notebook(module), self.label(self.source_path(module)))

    @functools.cache
    def learner_text(self, module, solved):
        """Return the export of the learner's notebook, as handed out or with every exercise solved."""
        cells = strip.learner_cells(self.notebook(module), solved)
        learner = source.Notebook(self.source_path(module), tuple(cells))
        return export.export_text(learner, self.notebook(module), self.label(self.source_path(module)))

    @functools.cache
    def checks(self, module):
        """Load a module's checks.

        Raises:
            CheckBroken: They do not exist or do not run.
        """
        if not self.checks_path(module).exists():
            raise checking.CheckBroken("is not there")
        try:
            return checking.load(self.checks_path(module))
        except Exception as error:
            raise checking.CheckBroken(f"cannot be loaded: {type(error).__name__}: {error}") from error

    @functools.cache
    def cases(self, module, name, seeds=checking.SEEDS):
        """Draw the cases of an exercise.

        Raises:
            CheckBroken: `draw` fails.
        """
        check = self.checks(module).check(name)
        try:
            return checking.cases(check, seeds)
        except checking.CheckBroken:
            raise
        except Exception as error:
            raise checking.CheckBroken(f"draw_{name} raised {type(error).__name__}: {error}") from error

    @functools.cache
    def tree(self, path):
        """Parse a Python file.

        Raises:
            SourceError: The file does not exist, or is not Python.
        """
        try:
            return ast.parse(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise source.SourceError(path, f"cannot be read: {error.strerror}") from error
        except (SyntaxError, ValueError) as error:
            raise source.SourceError(path, f"is not Python: {error}", line=getattr(error, "lineno", None)) from error

    @contextlib.contextmanager
    def package(self, module, text):
        """Make a folder with a `tinytorch`: the given files, fresh exports of the prerequisites, and `text` as the module."""
        with trial.package(self.space, module, text) as folder:
            for needed in self.curriculum.prerequisites(module):
                if needed in self.present:
                    (folder / "tinytorch" / needed.exports).write_text(self.text(needed), encoding="utf-8")
            yield folder

    @functools.cache
    def verdicts(self, module, solved):
        """Check a learner's notebook with only the module's prerequisites built."""
        exercises, checks = self.exercises(module), self.checks(module)
        cases = {exercise.id: self.cases(module, exercise.name) for exercise in exercises}
        with self.package(module, self.learner_text(module, solved)) as folder:
            seen = runner.observe(folder, f"tinytorch.{module.package_name}", self.checks_path(module), exercises, cases)
        return [
            checking.verdict(exercise, checks.check(exercise.name), cases[exercise.id], seen.get(exercise.id))
            for exercise in exercises
        ]

    def at(self, module, reason, cell=None, line=1, **options):
        """Make a problem at a place in a module's source.

        Args:
            module: The module.
            reason: What is wrong.
            cell: The `Cell`; None for the whole file.
            line: Line within the cell, from 1.
            options: Further fields of `Problem`.
        """
        path = self.label(self.source_path(module))
        if cell is None:
            return Problem(path, reason, **options)
        return Problem(path, reason, cell.line and cell.line + line - 1, cell.index, **options)

    def in_checks(self, module, reason, name=None, **options):
        """Make a problem in a module's checks, at the line that defines `name`."""
        defining = (file for file in self.checks_files(module) if definition_line(file, name))
        path = next(defining, self.checks_path(module))
        return self.problem_in(path, reason, definition_line(path, name), **options)

    def problem_in(self, path, reason, line=None, **options):
        """Make a problem in a file."""
        return Problem(self.label(path), reason, line, **options)


def definition_line(path, name):
    """Return the line on which a file defines a name at the top level, or None."""
    lines = path.read_text(encoding="utf-8").split("\n") if name and path.is_file() else []
    starts = (f"def {name}(", f"{name} =")
    return next((number for number, line in enumerate(lines, 1) if line.startswith(starts)), None)


def find(only=()):
    """Return the course of the current clone.

    Args:
        only: Modules to check, as `03` or `layers`; none means all that exist.

    Raises:
        WorkspaceError: This is a learner's workspace, which holds no reference solutions.
    """
    space = workspace.find()
    if not space.is_clone:
        raise WorkspaceError(f"{space.root} is a learner's workspace; `tito dev` needs a clone of the course")
    return Course(space.root, only)
