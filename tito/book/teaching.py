"""Generated parts of the instructor's guide: the plan of a term, what each exercise teaches, where learners go wrong."""

import ast

from tito import workspace
from tito.book import page
from tito.book.course_map import Facts
from tito.checks import checking
from tito.notebooks.answers import secrets

HEAD = """# Exercises, and where learners go wrong

For each exercise of a module, these pages show the task, the time, the points, and the mistakes that its check recognises. When a
learner's values match one of these mistakes, the report says *looks like* plus the sentence, in the notebook, in the terminal and
in your feedback. The pages are generated from the modules and their checks when the book is built.

"""
COLUMNS = ["exercises of", "core", "extension", "points", "mistakes recognised"]
WEEKS = ["week", "module", "core work", "points", "learners leave with"]


def pages(curriculum, notebooks):
    """Return the plan of a term and the pages of exercises, by path."""
    made = {"made-plan.md": plan(curriculum, notebooks), **questions(notebooks)}
    if any(workspace.course_checks(page_module(notebook, curriculum)).exists() for notebook in notebooks):
        made |= exercises(curriculum, notebooks)
    return made


def page_module(notebook, curriculum):
    """Return the module of a source."""
    return curriculum.module(notebook.path.parent.name)


def plan(curriculum, notebooks):
    """Return a table with a module a week, and a week for each milestone that needs more than one evening."""
    from tito.book.results import table

    by_folder = {notebook.path.parent.name: notebook for notebook in notebooks}
    rows = []
    for week, module in enumerate(curriculum.modules, 1):
        facts = Facts(module, curriculum)
        names = ", ".join(f"`{milestone.name}`" for milestone in facts.milestones)
        title = f"[{module.number} {module.title}](modules/{module.folder})" if facts.there else f"{module.number} {module.title}"
        points = sum(exercise.points for exercise in facts.core) if module.folder in by_folder else ""
        leaves = module.leaves + (f"; milestone {names}" if names else "")
        rows.append([str(week), title, facts.work.partition(" · ")[0], str(points), leaves])
    return table(WEEKS, rows) + "\n"


def questions(notebooks):
    """Return the text of every written question, to be quoted with a link to it, by the path of the part that holds it."""
    parts = {}
    for cell in (cell for notebook in notebooks for cell in notebook.cells if cell.question):
        lines = [f"[Question {cell.question}](#{page.question_mark(cell.question)}):", "", *cell.text.splitlines()]
        parts[f"made-question-{cell.question}.md"] = "\n".join(f"> {line}".rstrip() for line in lines) + "\n"
    return parts


def exercises(curriculum, notebooks):
    """Return the pages of exercises in Markdown: one for each module, and a table of them."""
    from tito.book.results import table

    answers = [line for lines in secrets(notebooks).values() for line in lines]
    made, rows = {}, []
    for notebook in notebooks:
        module, all_of_them = page_module(notebook, curriculum), notebook.exercises()
        checks = checking.load(workspace.course_checks(module))
        parts = [
            f"# Exercises of {module.number} {module.title}\n",
            f"They are in [the lesson](../modules/{module.folder}.ipynb).\n",
        ]
        for exercise in all_of_them:
            parts += entry(exercise, notebook.cells[exercise.cell - 1], checks.check(exercise.name), answers)
        made[f"exercises/{module.folder}.md"] = "\n".join(parts)
        core = [exercise for exercise in all_of_them if not exercise.extension]
        known = sum(len(checks.check(exercise.name).misconceptions) for exercise in all_of_them)
        counts = (len(core), len(all_of_them) - len(core), sum(exercise.points for exercise in core), known)
        rows.append([f"[{module.number} {module.title}]({module.folder})", *map(str, counts)])
    return {"exercises/index.md": HEAD + table(COLUMNS, rows) + "\n", **made}


def entry(exercise, cell, check, answers):
    """Yield the lines on one exercise; a sentence that holds a line of an answer is left out."""
    kind = "extension" if exercise.extension else "core"
    yield f"## {exercise.id} {exercise.name}\n"
    yield f"*{exercise.minutes} minutes, {kind}, {exercise.points} point{'s' * (exercise.points != 1)}.* {asks(cell.text)}\n"
    yield "\n".join(f"- {sentence}" for sentence in check.misconceptions if not any(line in sentence for line in answers)) + "\n"


def asks(text):
    """Return the first sentence of the docstring of the name that a cell defines."""
    from tito.book.reference import escaped

    code = "\n".join(line for line in text.split("\n") if not line.startswith("%"))
    for node in ast.parse(code).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
            return escaped(ast.get_docstring(node).split("\n\n")[0].replace("\n", " "))
    return ""
