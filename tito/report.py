"""A verdict as text: the same in the notebook and in the terminal, at most 80 columns, without colour."""
import textwrap

WIDTH = 80
LABEL = 18
IN_TERMINAL = "edit the cell and save, or `tito module hint {id}`"
IN_NOTEBOOK = "edit the cell, or `tito module hint {id}`"
ASCII = str.maketrans({"·": "-", "×": "x", "…": "...", "–": "-", "—": "-", "≤": "<=", "≥": ">=", "≠": "!=", "→": "->",
                       "“": '"', "”": '"', "‘": "'", "’": "'", "²": "^2", "√": "sqrt", "π": "pi", "σ": "sigma"})


def text(verdict, where=None, next_step=IN_TERMINAL, ascii=False):
    """Return what a learner reads about one exercise.

    Args:
        verdict: `checking.Verdict`.
        where: The exercise's place, such as "modules/01_tensor/tensor.ipynb, cell 23".
        next_step: What to do about a failure; "{id}" stands for the exercise's id.
        ascii: Use ASCII characters only.

    Returns:
        One line for an exercise that passed or is not written yet, else a block of lines.
    """
    title = f"{verdict.id} {verdict.name}"
    if verdict.failure is None:
        lines = [f"{title}  {brief(verdict)}"]
    else:
        lines = [*header(title, where), "", *rows(verdict.failure), "", *footer(verdict, next_step)]
    whole = "\n".join(line.rstrip() for line in lines)
    return whole.translate(ASCII).encode("ascii", "replace").decode("ascii") if ascii else whole


def brief(verdict):
    """Say in a few words how an exercise stands."""
    if verdict.status == "unwritten":
        return "not written yet"
    return f"{verdict.status} {verdict.passed} of {verdict.total} cases"


def header(title, where):
    """Return the lines that name the exercise and its place."""
    where = where or ""
    if len(title) + 2 + len(where) <= WIDTH:
        return [title + where.rjust(WIDTH - len(title))]
    return [title, *textwrap.wrap(where, WIDTH - 2, initial_indent="  ", subsequent_indent="  ")]


def rows(failure):
    """Return the lines of a failure."""
    pairs = list(failure.rows)
    if failure.looks_like:
        pairs.append(("looks like", failure.looks_like))
    if len(pairs) > 1 and pairs[0][0] == "called" and pairs[1][0] == "with":
        joined = f"{pairs[0][1]}    {pairs[1][1]}"
        pairs = [("called", joined), *pairs[2:]] if len(joined) <= WIDTH - LABEL - 2 else pairs
    return [line for label, words in pairs for line in row(label, words)]


def row(label, words):
    """Return a label and a text, wrapped beside it."""
    indent = " " * (LABEL + 2)
    lines = []
    for part in words.splitlines() or [""]:
        lines += textwrap.wrap(part, WIDTH - len(indent), drop_whitespace=True, replace_whitespace=False) or [""]
    return [f"  {label:<{LABEL}}{lines[0]}", *(indent + line for line in lines[1:12])]


def footer(verdict, next_step):
    """Return the closing line: how many cases passed, and what to do next."""
    advice = next_step.format(id=verdict.id)
    count = f"  passed {verdict.passed} of {verdict.total} cases."
    if verdict.status == "unwritten":
        return [f"  Next: {advice}"]
    whole = f"{count}   Next: {advice}"
    return [whole] if len(whole) <= WIDTH else [count, f"  Next: {advice}"]


def place(label, cell):
    """Return how reports name a cell of a notebook."""
    return f"{label}, cell {cell}"
