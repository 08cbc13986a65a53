"""The commands of `tito grade`, one per file."""


def of(course):
    """Return the option that names the class's folder, to end a next command with; "" for the current folder."""
    import shlex

    return f" --course {shlex.quote(course.as_posix())}" if course.parts else ""
