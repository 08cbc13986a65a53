"""The table of contents, and the parts of the first page that are made from the curriculum and the recorded runs."""

import json
import math

from tito import workspace
from tito.book.course_map import Facts, markup

# The pages beside the modules, part by part, in the order in which they are read. Those that are not there are left out.
BEFORE = {"Start": ("setup", "see_and_learn", "neighbours")}
AFTER = {
    "The whole": ("op_grows", "milestones", "tape", "performance", "benchmarks"),
    "Look up": ("commands", "reference/index", "shapes_and_errors", "glossary", "differences"),
    "Teach and extend": ("instructors", "instructor_commands", "exercises/index", "authors"),
}


def chapters(curriculum):
    """Return the modules that have a source, and so a page."""
    return [module for module in curriculum.modules if not workspace.is_to_come(module)]


def table(modules, folder=None):
    """Return `_toc.yml`, which is JSON (and so YAML too).

    Args:
        modules: The modules that have a page.
        folder: `pathlib.Path` of the folder with the other pages; None if there are none.
    """
    pages = [{"file": f"modules/{module.folder}", "title": f"{module.number} {module.title}"} for module in modules]
    parts = [*beside(BEFORE, folder), *([{"caption": "Modules", "chapters": pages}] if pages else []), *beside(AFTER, folder)]
    return json.dumps({"format": "jb-book", "root": "intro", "parts": parts}, indent=1) + "\n"


def beside(parts, folder):
    """Return those parts that have a page, with the pages below each."""
    there = {
        caption: [chapter(name, folder) for name in names if folder and (folder / f"{name}.md").is_file()]
        for caption, names in parts.items()
    }
    return [{"caption": caption, "chapters": pages} for caption, pages in there.items() if pages]


def chapter(name, folder):
    """Return a page; those in its folder are below it if it is an index."""
    if not name.endswith("/index"):
        return {"file": name}
    inside = sorted(path.stem for path in (folder / name).parent.glob("*.md") if path.stem != "index")
    return {"file": name, "sections": [{"file": f"{name.removesuffix('index')}{stem}"} for stem in inside]}


def hours(curriculum):
    """Return, as Markdown, how long the course takes."""
    facts = [Facts(module, curriculum) for module in chapters(curriculum)]
    total = round(sum(module.minutes for module in facts) / 60)
    longest = max((module.minutes for module in facts), default=0) / 60
    count = f"{len(facts)} modules" if len(facts) != 1 else "one module"
    core = f"The core exercises of {count} take about {total} hours in total, and at most {math.ceil(longest)} for each module."
    return f"{core} Reading and questions take about as long again, so count on {2 * total} hours.\n"


def course_map(curriculum):
    """Return the map as Markdown."""
    return f"```{{raw}} html\n{markup(curriculum).rstrip()}\n```\n"
