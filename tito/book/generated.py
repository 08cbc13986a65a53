"""Every page, or part of one, that is made from the course: a dict from path within the book to text."""

import re

from tito.book import commands, contents, diagrams, edition, milestones, performance, reference, results, tape, teaching

AUTHORS = "CONTRIBUTING.md"
MARK = re.compile(r"(### (?:BEGIN|END)) SOLUTION")
MARKS = """
```{note}
This page is CONTRIBUTING.md of the repository, and a test follows its recipes to the letter. In the blocks below, … after
`### BEGIN` and `### END` stands for the word SOLUTION: a book that holds those marks is not built, because an answer would be
between them.
```
"""


def pages(course, curriculum, notebooks):
    """Return all generated pages.

    Args:
        course: `pathlib.Path` of the clone.
        curriculum: The `Curriculum`.
        notebooks: The modules' sources.
    """
    return {
        "milestones.md": milestones.page(course, curriculum),
        "map.md": contents.course_map(curriculum),
        "clone.md": edition.clone(course),
        "hours.md": contents.hours(curriculum),
        "results.md": results.best(course, curriculum) or "No runs are recorded.\n",
        "commands.md": commands.page(),
        **reference.pages(course, curriculum, notebooks),
        **teaching.pages(curriculum, notebooks),
        **authors(course),
        **diagrams.files(),
        **performance.pages(course),
        **tape.pages(course),
    }


def authors(course):
    """Return the author's guide: CONTRIBUTING as it is, whose blocks say in their first line which file they go into."""
    path = course / AUTHORS
    if not path.is_file():
        return {}
    title, *lines = path.read_text(encoding="utf-8").split("\n")
    return {"authors.md": "\n".join([title, MARKS, *fences(lines)])}


def fences(lines):
    """Yield Markdown in which a block's file is named above it, and in which the marks of solutions are not written out."""
    for line in lines:
        line = MARK.sub(r"\1 …", line)
        language, _, address = line.removeprefix("```").partition(" ")
        if line.startswith("```") and address:
            file, _, where = address.partition(" ")
            how, _, text = where.partition(" ")
            yield f"In `{file}`" + (f", {how} `{text.strip('`')}`" if how else "") + ":"
            yield ""
            yield f"```{language}"
        else:
            yield line
