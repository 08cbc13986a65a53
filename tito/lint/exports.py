"""Generated files that are committed match their sources."""

from tito.bench import page
from tito.book import differences
from tito.lint.problem import Problem
from tito.notebooks import names


def in_sync(course, module):
    """The committed file of the package equals a fresh export, byte for byte."""
    path = course.space.exported(module)
    label, fresh = course.label(path), course.text(module).encode("utf-8")
    if not path.is_file():
        yield Problem(label, f"does not exist: `tito dev export {module.number}` writes it")
        return
    committed = path.read_bytes()
    if committed != fresh:
        yield Problem(
            label,
            f"is not what {course.label(course.source_path(module))} exports: run `tito dev export {module.number}`",
            first_difference(committed, fresh),
        )


def measured(course):
    """The book's page of measurements and its pictures match the records in benchmarks/results, byte for byte."""
    fresh = page.files(course.root)
    for name in page.committed(course.root):
        if name not in fresh:
            yield Problem(name, f"belongs to no record in {page.RECORDS}: remove it")
    for name, text in fresh.items():
        path, wanted = course.root / name, text.encode("utf-8")
        if not path.is_file():
            yield Problem(name, "does not exist: `tito dev export` writes it")
        elif (committed := path.read_bytes()) != wanted:
            yield Problem(
                name,
                f"is not what the records in {page.RECORDS} give: run `tito dev export`",
                first_difference(committed, wanted),
            )


def listed(course):
    """The package's list of names and the book's table of differences match the modules and tests, byte for byte."""
    made = {names.PATH: names.text_of(course), **differences.files(course.root)}
    for name, text in made.items():
        path, wanted = course.root / name, text.encode("utf-8")
        if path.is_file() and (committed := path.read_bytes()) != wanted:
            yield Problem(name, "is not what its sources give: run `tito dev export`", first_difference(committed, wanted))


def first_difference(text, other):
    """Return the number of the first line that differs between two texts."""
    lines, others = text.split(b"\n"), other.split(b"\n")
    same = next((index for index, (a, b) in enumerate(zip(lines, others)) if a != b), min(len(lines), len(others)))
    return same + 1
