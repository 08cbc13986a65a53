"""The feedback for a student: what the judge found, and the points as the gradebook has them."""

from tito.checks import layout
from tito.files import write_atomically
from tito.grading import assignment, verdicts

NAME = "feedback.txt"


def write(classroom, module, student, record=None):
    """Write a student's feedback.

    Args:
        classroom: The `Classroom`.
        module: The module.
        student: The student's id.
        record: What the judge found; by default what is recorded. Without any, nothing is written.
    """
    record = record or verdicts.load(classroom, module, student)
    if record:
        told = text(record, module, classroom.grades(module, student))
        write_atomically(classroom.path("feedback", module, student) / NAME, told)


def text(record, module, grades=None):
    """Return the feedback: points, each exercise, and for failures the call, values and likely reason.

    Args:
        record: What the judge found, from `judge.record`.
        module: The module.
        grades: What the gradebook has, from `Classroom.grades`, or None to show the judge's points.
    """
    grades = grades or {"score": record["points"], "maximum": record["maximum"], "penalty": 0, "cells": {}}
    head = f"{module.folder}/{module.name}.ipynb: {grades['score']:g} of {grades['maximum']:g} points"
    lines = [*exercises(record, grades["cells"]), *questions(grades["cells"])]
    if grades["penalty"]:
        lines.append(f"  -{grades['penalty']:g}  handed in late")
    parts = [head, "", *lines, ""]
    if record["reason"]:
        parts += ["Nothing could be checked:", record["reason"]]
    else:
        parts += [*repaired(record["notes"]), *integration(record.get("own")), *reports(record["exercises"])]
        parts += ["Inputs were drawn with the seeds " + ", ".join(map(str, record["seeds"])) + "."] if record.get("seeds") else []
    return layout.clean("\n".join(parts) + "\n")


def exercises(record, cells):
    """Return a line for each exercise, with a comment below it if there is one."""
    lines = []
    for each in record["exercises"]:
        cell = cells.get(assignment.grade_id(each["id"]), {})
        points = cell.get("score", each["points"])
        lines.append(f"  {points:g} of {each['worth']}  {each['id']} {each['name']}" + ", set by hand" * cell.get("hand", False))
        lines += said(cell)
    return lines


def questions(cells):
    """Return a line for each question that is graded by hand."""
    lines = []
    for name, cell in cells.items():
        if name.startswith("answer-"):
            number = name.removeprefix("answer-").replace("-", ".")
            points = "not graded yet, of" if cell["open"] else f"{cell['score']:g} of"
            lines += [f"  {points} {cell['maximum']:g}  question {number}", *said(cell)]
    return lines


def said(cell):
    """Return the lines of a comment."""
    return [f"          {line}" for line in (cell.get("comment") or "").splitlines()]


def repaired(notes):
    """Return the lines on what was repaired or left out."""
    return ["Repaired or left out, so that the rest could be marked:", *(f"  {note}" for note in notes), ""] if notes else []


def reports(lines):
    """Return the reports on the exercises that did not pass; one that several share is given once."""
    texts = dict.fromkeys(each.get("told", each["report"]) for each in lines if each["status"] != "passed")
    return [f"{text}\n" for text in texts]


def integration(own):
    """Return the lines on the run on the student's own earlier modules, which earns no points."""
    if not own:
        return []
    head = f"With your own {', '.join(own['files'])} in place of the course's (reported, no points depend on it):"
    lines = [f"{name} fails: it uses something of yours that differs" for name in own["failing"]]
    return [head, *(f"  {line}" for line in lines or [f"all {own['ran']} exercises that pass do so there too"]), ""]
