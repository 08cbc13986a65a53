"""A practice class: seven made-up students hand in module 01, as Moodle exports it. For instructors, and for the tests."""

import io
import json
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tito import workspace
from tito.notebooks import source, strip

MODULE = "01"
SOLVED = "return a * b"  # the solution of 01.2
LOSES = frozenset({"01.2", "01.10"})  # what a wrong 01.2 costs: 01.10 is tried with it


@dataclass(frozen=True)
class Student:
    """A made-up student: what stands in place of the solution of 01.2, and the exercises that it costs; None for all."""

    name: str
    what: str
    written: str | None = SOLVED
    costs: frozenset | None = frozenset()


STUDENTS = {
    "alice": Student("Alice Archer", "everything is right"),
    "bob": Student("Bob Baker", "adds where it should multiply", "return a + b", LOSES),
    "carol": Student("Carol Cook", "a syntax error", "return a * * b", LOSES),
    "dave": Student("Dave Draper", "an endless loop", "while True: pass", LOSES),
    "erin": Student("Erin Eyre", "nothing is written yet", None, None),
    "frank": Student(
        "Frank Fisher", "right, and warns", "import sys, warnings; warnings.warn('w'); sys.stderr.write('x'); return a * b"
    ),
    "grace": Student("Grace Glover", "ends the process", "import os; os.abort()", LOSES),
}


def roster():
    """Return the roster as the text of a CSV."""
    lines = ["student_id,first_name,last_name,email,lms_user_id"]
    for number, (student, about) in enumerate(STUDENTS.items(), 901):
        lines.append(",".join([student, *about.name.split(), f"{student}@example.org", str(number)]))
    return "\n".join(lines) + "\n"


def export():
    """Return the bytes of the zip in which Moodle would export what the class handed in."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (student, about) in enumerate(STUDENTS.items(), 1):
            archive.writestr(f"{about.name}_{number}_assignsubmission_file_/tensor (1).ipynb", notebook(student))
    return packed.getvalue()


def notebook(student):
    """Return the notebook of a made-up student as text."""
    module = workspace.Workspace(workspace.course_dir()).curriculum.module(MODULE)
    written = STUDENTS[student].written
    with tempfile.TemporaryDirectory(prefix="tito-") as folder:
        path = Path(folder) / f"{module.name}.ipynb"
        cells = strip.learner_cells(source.read(workspace.course_source(module)), solved=written is not None)
        strip.write(cells, path)
        document = json.loads(path.read_text(encoding="utf-8"))
    for cell in document["cells"]:
        if cell["metadata"].get("answer") == "01.1":
            cell["source"] = f"What {student} thinks."
        elif written:
            cell["source"] = "".join(cell["source"]).replace(SOLVED, written)
    return json.dumps(document)
