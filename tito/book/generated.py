"""Every page, or part of one, that is made from the course: a dict from path within the book to text."""

from tito.book import contents, milestones, results


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
        "results.md": results.best(course, curriculum) or "No runs are recorded.\n",
    }
