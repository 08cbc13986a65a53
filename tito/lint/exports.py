"""The committed files of the package are what the sources export."""
from tito.bench import page
from tito.lint.problem import Problem


def in_sync(course, module):
    """The committed file of the package equals a fresh export, byte for byte."""
    path = course.space.exported(module)
    label, fresh = course.label(path), course.text(module).encode("utf-8")
    if not path.is_file():
        yield Problem(label, f"is not there: `tito dev export {module.number}` writes it")
        return
    committed = path.read_bytes()
    if committed != fresh:
        yield Problem(label, f"is not what {course.label(course.source_path(module))} exports: "
                             f"run `tito dev export {module.number}`", first_difference(committed, fresh))


def measured(course):
    """The book's page of measurements is what the records in benchmarks/results give, byte for byte."""
    path, fresh = course.root / page.PAGE, page.text(course.root)
    committed = path.read_bytes() if path.is_file() else None
    if fresh is None and committed is not None:
        yield Problem(page.PAGE, f"is made of no record: {page.RECORDS} holds no {page.FIRST}")
    elif fresh is not None and committed is None:
        yield Problem(page.PAGE, "is not there: `tito dev export` writes it")
    elif fresh is not None and committed != fresh.encode("utf-8"):
        yield Problem(page.PAGE, f"is not what the records in {page.RECORDS} give: run `tito dev export`",
                      first_difference(committed, fresh.encode("utf-8")))


def first_difference(one, other):
    """Return the number of the first line in which two texts differ."""
    lines, others = one.split(b"\n"), other.split(b"\n")
    same = next((index for index, (a, b) in enumerate(zip(lines, others)) if a != b), min(len(lines), len(others)))
    return same + 1
