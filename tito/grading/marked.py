"""The marked notebook of a student, for nbgrader's formgrader and feedback: the release, with what the student wrote.

It is made of the release and never of the student's file, so that nothing but text comes from there. The judge's report is the
output of each check. An answer is Markdown, which formgrader shows as a page: it gets no tags, with which it could act as the
teacher who reads it.
"""

import json
import re

from tito.files import replace_atomically
from tito.grading import assignment


def write(classroom, module, student, record):
    """Write a student's marked notebook.

    Args:
        classroom: The `Classroom`.
        module: The module.
        student: The student's id.
        record: What the judge found, from `judge.record`.
    """
    release = classroom.path("release", module) / f"{module.name}.ipynb"
    document = json.loads(release.read_text(encoding="utf-8"))
    reports = {assignment.grade_id(each["id"]): each for each in record["exercises"]}
    for cell in document["cells"]:
        about = cell["metadata"].get("nbgrader")
        if about:
            fill(cell, about, record, reports.get(about["grade_id"]))
    folder = classroom.path("autograded", module, student)
    data = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    replace_atomically(folder / f"{module.name}.ipynb", data.encode("utf-8", "replace"))


def harmless(markdown):
    """Return Markdown in which no HTML tag begins, no formula is a link, and links lead to the web alone."""
    text = re.sub(r"<(?=[^\s\d=<-])", "< ", markdown)
    text = re.sub(r"\\(?=href|require|style|class|cssId)", r"\\ ", text)
    return re.sub(r"\](?=:|\((?!https?://))", "] ", text)


def fill(cell, about, record, report):
    """Put into a cell of the release what the student wrote, or what the judge found."""
    if about["solution"]:
        written = record["answers"].get(about["grade_id"])
        if cell["cell_type"] == "code":
            cell["source"] = cell["source"] if written is None else written
        else:
            cell["source"] = harmless(written or "")
    elif report:
        text = report["report"] or record["reason"] or report["status"]
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": f"{text}\n"}]
