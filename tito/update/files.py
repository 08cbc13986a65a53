"""Update a whole workspace: which files are written and which are removed.

All changes are computed first and staged below `.tito/update`; the list of them is written last. Only then are files replaced,
each after a backup. If it is killed in between, the next `tito update` continues with the list, or starts over if a file was
edited meanwhile: each file is the old one, the new one, or the learner's, and all three can be updated.
"""

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from tito import scaffold, standing, workspace
from tito.files import replace_atomically, write_atomically
from tito.notebooks import cards, source, strip
from tito.notebooks.export import export_text
from tito.notebooks.percent import with_magics
from tito.notebooks.problems import SourceError
from tito.update import exported, merge, moved, origin
from tito.update.rewrite import rewritten

STAGE = Path(".tito") / "update"
LIST = STAGE / "list.json"
OWN_FOLDERS = ("modules", "milestones", "tinytorch")


@dataclass
class Plan:
    """What an update does: bytes by path (None removes the file), notes to print, and whether the workspace is older."""

    changes: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    records: dict | None = None
    is_older: bool = False

    @property
    def written(self):
        return [path for path, data in self.changes.items() if data is not None]

    @property
    def leaving(self):
        return [path for path, data in self.changes.items() if data is None]


class Update:
    """One update of a workspace, computed file by file."""

    def __init__(self, space, fresh):
        self.space, self.fresh, self.plan = space, fresh, Plan()
        self.today = origin.load(fresh.root / origin.RECORD)
        self.files, self.cells = origin.known(space)
        self.package = moved.Package(fresh.package)
        self.records = standing.load(space)
        self.module_records = {}
        for module in fresh.curriculum.modules:
            if fresh.has_notebook(module):
                self.module(module)
        self.given()
        self.obsolete()
        self.own()
        self.settle_records()
        self.plan.is_older = origin.load(space.root / origin.RECORD) != self.today and len(self.plan.changes) > 1

    def change(self, path, data):
        """Record a file's new bytes, unless it has them already."""
        path = Path(path)
        data = data.encode("utf-8") if isinstance(data, str) else data
        if not path.is_file() or path.read_bytes() != data:
            self.plan.changes[self.space.label(path)] = data

    def after(self, path):
        """Return the bytes of a file after the update, or None if it does not exist then."""
        label = self.space.label(path)
        if label in self.plan.changes:
            return self.plan.changes[label]
        return path.read_bytes() if path.is_file() else None

    def module(self, module):
        """Update a module's notebook and its exported file."""
        known = self.cells.get(module.folder, set())
        cells = strip.learner_cells(source.read(workspace.course_source(module)))
        texts = []
        for suffix in (".ipynb", ".py"):
            path = self.space.folder(module) / f"{module.name}{suffix}"
            if path.is_file():
                texts.append((path, self.notebook(path, today_as(cells, suffix), known)))
        if not texts and module.folder not in self.cells:  # a new module: a notebook that the learner deleted stays deleted
            path = self.fresh.notebook(module)
            self.change(self.space.folder(module) / path.name, path.read_bytes())
        if self.space.exported(module).is_file():
            self.exported(module, cells, known, texts)

    def notebook(self, path, today, known):
        """Update a notebook; return the result, or None if it cannot be read."""
        label = self.space.label(path)
        try:
            mine = source.read(path)
        except SourceError as error:
            self.plan.notes.append(f"{label} is left as it is, because it cannot be read: {error}")
            return None
        merged = merge.merge(mine, today, known, self.package)
        self.change(path, rewritten(mine, path.read_bytes().decode("utf-8"), merged.entries))
        if label in self.plan.changes and merged.kept:
            self.plan.notes.append(f"{label}: kept as yours: {', '.join(counted(*kept) for kept in merged.kept.items())}")
        if merged.beside:
            text = beside_text(path.name, merged.beside).encode("utf-8")
            beside = free(path.with_name(f"{path.stem}.beside.md"), text)
            self.change(beside, text)
            self.plan.notes.append(
                f"{label}: could not be merged: {counted('cell', len(merged.beside))}, in {beside.name} beside it"
            )
        return source.Notebook(path, tuple(entry.cell for entry in merged.entries))

    def exported(self, module, cells, known, texts):
        """Update a module's exported file: export it again if it was exported from the notebook, else cell by cell."""
        path = self.space.exported(module)
        text = path.read_text(encoding="utf-8", errors="replace")
        reference = source.read(workspace.course_source(module))
        notebook = texts[0][1] if len(texts) == 1 else None
        if text.startswith("# Borrowed by tito"):
            return self.change(path, standing.borrowed_text(module))
        record = self.records.get(module.number, {})
        if (
            notebook
            and record.get("package") == standing.digest(path)
            and record.get("notebook") == standing.digest(notebook.path)
        ):
            try:
                return self.change(path, export_text(notebook, reference, self.space.label(notebook.path)))
            except SourceError as error:
                self.plan.notes.append(f"{self.space.label(path)} is updated cell by cell, because: {error}")
        if not exported.can_be_read(text):
            return self.change(path, moved.brought_along(text, self.package))
        new, beside = exported.updated(path, text, cells, known, self.package, numbers_in(notebook))
        self.change(path, new)
        for left in beside:
            self.plan.notes.append(
                f"{self.space.label(path)}: {left.title} was changed by hand; your version is under .tito/backups"
            )

    def given(self):
        """Replace the workspace's given files by the current ones."""
        for label in self.today["files"]:
            mine, data = self.space.root / label, (self.fresh.root / label).read_bytes()
            edited = mine.is_file() and mine.read_bytes() != data and self.edited(label)
            if edited and label == ".gitignore":
                continue
            if edited:
                self.plan.notes.append(f"you changed {label}: it is replaced by the current one, yours is under .tito/backups")
            self.change(mine, data)

    def edited(self, label):
        """Return whether a given file differs from what the course gave."""
        return origin.digest((self.space.root / label).read_bytes()) not in self.files.get(label, set())

    def obsolete(self):
        """Remove files that older courses gave and the current one does not."""
        for label in sorted(self.files.keys() - self.today["files"].keys()):
            if (self.space.root / label).is_file() and not self.is_learners(label):
                self.plan.changes[label] = None
                if self.edited(label):
                    self.plan.notes.append(f"you changed {label}, which the course no longer has: yours is under .tito/backups")

    def is_learners(self, label):
        """Return whether a path is an exported file of the current course."""
        return label in {self.fresh.label(self.fresh.exported(module)) for module in self.fresh.curriculum.modules}

    def own(self):
        """Update the imports in the learner's other files."""
        learners = [self.space.exported(module) for module in self.fresh.curriculum.modules]
        notebooks = [
            self.space.folder(module) / f"{module.name}{end}"
            for module in self.fresh.curriculum.modules
            for end in (".py", ".ipynb")
        ]
        paths = [*self.space.root.glob("*"), *(path for folder in OWN_FOLDERS for path in (self.space.root / folder).rglob("*"))]
        for path in sorted(
            {path for path in paths if path.suffix in (".py", ".ipynb") and path.is_file()} - {*learners, *notebooks}
        ):
            label = self.space.label(path)
            if label not in self.today["files"] and label not in self.plan.changes and ".ipynb_checkpoints" not in path.parts:
                self.change(path, self.own_text(path))

    def own_text(self, path):
        """Return the text of a learner's own file with its imports updated."""
        try:
            text = path.read_bytes().decode("utf-8")
            if path.suffix == ".py":
                return moved.brought_along(text, self.package, moved.aliases([text]))
            mine = source.read(path)
            return rewritten(mine, text, merge.merge(mine, [], set(), self.package).entries)
        except (UnicodeDecodeError, SourceError):
            return path.read_bytes()

    def settle_records(self):
        """Carry the records of notebooks and exported files over to their updated versions."""
        records = {}
        for number, record in self.records.items():
            records[number] = dict(record)
            module = next((module for module in self.fresh.curriculum.modules if module.number == number), None)
            if module is None:
                continue
            notebooks = [
                path for end in (".ipynb", ".py") if (path := self.space.folder(module) / f"{module.name}{end}").is_file()
            ]
            for key, path in [*(("notebook", path) for path in notebooks), ("package", self.space.exported(module))]:
                if record.get(key) and record.get(key) == standing.digest(path):
                    records[number][key] = hashlib.sha256(self.after(path)).hexdigest()
        self.plan.records = None if records == self.records else records
        self.change(self.space.root / origin.RECORD, origin.text(self.today))


def plan(space):
    """Compute what an update of a workspace does, without writing anything.

    Args:
        space: The workspace.

    Returns:
        The `Plan`.

    Raises:
        WorkspaceError: The workspace is a clone of the course.
    """
    if space.is_clone:
        raise workspace.WorkspaceError(
            "this is a clone of the course: update it with `git pull`; `tito update` is for workspaces"
        )
    with tempfile.TemporaryDirectory(prefix="tito-", ignore_cleanup_errors=True) as folder:
        fresh = workspace.Workspace(Path(folder) / "today")
        scaffold.fill(fresh.root, "ipynb", False)
        return Update(space, fresh).plan


def carry_out(space, plan):
    """Carry out a plan: stage it, then replace file by file.

    Args:
        space: The workspace.
        plan: The `Plan`.
    """
    shutil.rmtree(space.root / STAGE, ignore_errors=True)
    rows = []
    for number, (label, data) in enumerate(plan.changes.items()):
        rows.append(
            {"path": label, "before": standing.digest(space.root / label), "staged": None if data is None else str(number)}
        )
        if data is not None:
            replace_atomically(space.root / STAGE / str(number), data)
    write_atomically(space.root / LIST, json.dumps({"rows": rows, "records": plan.records}))
    go_on(space)


def is_unfinished(space):
    """Return whether an update of the workspace was killed while it replaced files."""
    return (space.root / LIST).is_file()


def go_on(space):
    """Continue a staged update.

    Returns:
        Whether it was finished: False if a file was edited since it was staged, so the update must be computed again.
    """
    staged = json.loads((space.root / LIST).read_text(encoding="utf-8"))
    for row in staged["rows"]:
        path, new = space.root / row["path"], row["staged"] and space.root / STAGE / row["staged"]
        now = standing.digest(path)
        if now == (standing.digest(new) if new else ""):
            continue
        if now != row["before"]:
            return False
        if path.is_file():
            space.backup(path)
        if new:
            replace_atomically(path, new.read_bytes())
        else:
            leave(space, path)
    if staged["records"] is not None:
        standing.save(space, staged["records"])
    (space.root / LIST).unlink()
    shutil.rmtree(space.root / STAGE, ignore_errors=True)
    return True


def leave(space, path):
    """Remove a file that has a backup, and the folders that become empty."""
    path.unlink()
    for folder in path.parents:
        if folder == space.root:
            break
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        if any(folder.iterdir()):
            break
        folder.rmdir()


def today_as(cells, suffix):
    """Return the current cells in the form of a file format: an `.ipynb` has magics and cards, a `.py` file plain comments."""
    cells = cards.dressed(cells, html=suffix == ".ipynb")
    is_shown = [cell.kind == "code" and not cell.exported for cell in cells]
    return [
        replace(cell, text=with_magics(cell.text)) if shown and suffix == ".ipynb" else cell
        for cell, shown in zip(cells, is_shown)
    ]


def numbers_in(notebook):
    """Return a function from a cell to the number of the notebook's cell that defines the same names, or None."""
    from tito.notebooks.parts import exported_parts

    numbers = {}
    for part in exported_parts(notebook) if notebook else ():
        numbers.update({name: part.cell.index for name, _ in part.provided})

    def number(cell):
        parts = exported_parts(source.Notebook(Path(), (cell,)))
        return next((numbers[name] for part in parts for name, _ in part.provided if name in numbers), None)

    return number


def beside_text(name, beside):
    """Return the text of the file written beside a notebook."""
    head = f"# What `tito update` could not merge into {name}\n\nCopy what you need from this file, then delete it."
    blocks = [f"## {left.title}\n\n{left.reason}\n\n````python\n{left.text}\n````" for left in beside]
    return "\n\n".join([head, *blocks]) + "\n"


def counted(name, count):
    """Return a count with its noun: ``2 cells``."""
    return f"{count} {name}{'' if count == 1 else 's'}"


def free(path, data):
    """Return a path that does not exist yet, or holds the same text."""
    new, count = path, 2
    while new.exists() and new.read_bytes() != data:
        new, count = path.with_name(f"{path.stem}-{count}{path.suffix}"), count + 1
    return new
