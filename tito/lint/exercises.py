"""Around each exercise: one check after it, and one to three hints that do not give the answer."""

import re

from tito.notebooks import answers
from tito.notebooks.marks import SOLUTION

HINTS = 3
TOKEN = re.compile(r"\w+|[^\w\s]")
FEWEST_TOKENS = 4  # `return a * b` gives the answer away, `return out` does not


def checked(course, module):
    """Each exercise is followed, before the next one, by exactly one check cell, which calls its check and nothing else."""
    sections = by_exercise(course, module)
    for exercise in course.exercises(module):
        cell = course.cell(module, exercise)
        checks = [other for other in sections[exercise.id] if other.check == exercise.id]
        if len(checks) != 1:
            yield course.at(module, f"{exercise.label} is followed by {len(checks)} check cells, and needs one", cell)
        for check in checks:
            if check.text.strip() != f'check("{exercise.id}")':
                yield course.at(module, f'the check cell must hold check("{exercise.id}") alone', check)
    yield from strays(course, module, sections)


def by_exercise(course, module):
    """Map each exercise's id to the cells between it and the next exercise; None has those before the first."""
    sections, current = {None: []}, None
    for cell in course.notebook(module).cells:
        current = cell.exercise or current
        sections.setdefault(current, []).append(cell)
    return sections


def strays(course, module, sections):
    """Checks and hints are placed with their own exercise."""
    for number, cells in sections.items():
        for cell in cells:
            named = cell.check or cell.hint
            if named not in (None, number):
                kind = "check" if cell.check else "hint"
                yield course.at(module, f"a {kind} of {named} comes after exercise {number}", cell)


def hinted(course, module):
    """Each exercise has one to three hints, and no hint holds a line of a solution."""
    notebook = course.notebook(module)
    lines = {line: number for number, secret_lines in answers.secrets([notebook]).items() for line in secret_lines}
    for exercise in course.exercises(module):
        hints = [cell for cell in notebook.cells if cell.hint == exercise.id]
        if not 1 <= len(hints) <= HINTS:
            yield course.at(module, f"{exercise.label} has {len(hints)} hints, not 1 to {HINTS}", course.cell(module, exercise))
        for hint in hints:
            for line in given_away(hint.text, lines):
                yield course.at(module, f"the hint holds a line of the solution of {lines[line]}: {line}", hint)


def given_away(text, lines):
    """List the solution lines that a text contains, ignoring spaces, comments and trailing colons."""
    words = f" {' '.join(TOKEN.findall(text))} "
    return [line for line in lines if any(f" {form} " in words for form in forms(line))]


def forms(line):
    """Return the forms in which a hint could reveal a line: whole, or only what it returns, as tokens between spaces."""
    code = line.partition("  #")[0].partition(" # ")[0].rstrip(":")
    tokens = TOKEN.findall(code)
    revealing = [tokens, tokens[1:]] if tokens[:1] == ["return"] else [tokens]
    return [" ".join(words) for words in revealing if len(tokens) >= FEWEST_TOKENS and len(words) > 1]


def unspoiled(course, module):
    """No prose and no shown cell contains a line of a solution of the same module."""
    notebook = course.notebook(module)
    inside = {
        tokens(line): exercise.id
        for exercise in course.exercises(module)
        for line in solution_lines(course.cell(module, exercise))
        if len(tokens(line).split()) > FEWEST_TOKENS
    }
    for cell in notebook.cells:
        for number, line in enumerate(cell.text.split("\n") if not (cell.exported or cell.hint) else (), 1):
            if tokens(line) in inside:
                yield course.at(module, f"shows a line of the solution of {inside[tokens(line)]}: {line.strip()}", cell, number)


def solution_lines(cell):
    """List the lines of a cell between solution marks."""
    lines, inside = [], False
    for line in cell.text.split("\n"):
        mark = SOLUTION.match(line)
        if mark:
            inside = mark[1] == "BEGIN"
        elif inside:
            lines.append(line)
    return lines


def tokens(line):
    """Return a line as tokens separated by single spaces."""
    return " ".join(TOKEN.findall(line.partition("  #")[0]))
