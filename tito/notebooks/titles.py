"""Name a cell so that it can be found in an editor, which shows no numbers of cells: by what it defines, or by its first line."""

import re

DEFINITION = re.compile(r"^(?:async +)?(?:def|class) +\w+", re.MULTILINE)
LONGEST = 40  # characters


def label(index, text):
    """Return a cell's number and title, like `cell 45 (def matmul)`."""
    named = title(text)
    return f"cell {index} ({named})" if named else f"cell {index}"


def title(text):
    """Return what to search for in order to find a cell: its first definition or, without one, its first line.

    Example:
        >>> title("#| export\\n@op\\ndef matmul(a, b):\\n    return a @ b")
        'def matmul'
        >>> title("## Many numbers")
        'Many numbers'
    """
    definition = DEFINITION.search(text)
    if definition:
        return definition[0]
    lines = (re.sub("<[^>]*>", "", line) for line in text.splitlines() if not re.match(r"#\s*\|", line))
    lines = (line.strip().lstrip("#>|* \"'").removesuffix('"""') for line in lines)
    first = next(filter(None, lines), "")
    return first if len(first) <= LONGEST else f"{first[: LONGEST - 3]}..."
