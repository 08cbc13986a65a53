"""The committed files of the package are what the sources export."""
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


def first_difference(one, other):
    """Return the number of the first line in which two texts differ."""
    lines, others = one.split(b"\n"), other.split(b"\n")
    same = next((index for index, (a, b) in enumerate(zip(lines, others)) if a != b), min(len(lines), len(others)))
    return same + 1
