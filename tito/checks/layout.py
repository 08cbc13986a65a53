"""Lay out a verdict as text, the same in notebook and terminal: at most 80 columns, no colour."""

import textwrap

WIDTH = 80
LABEL = 18
MOST_LINES = 12  # of one row
LONGEST = 20_000  # characters of one row
MOST_PRINTED = 40  # lines of what an exercise printed
IN_TERMINAL = "edit the cell and save, or `tito module hint {id}`"
AFTER_SHARED = "edit that cell and save"
ELSEWHERE = "`tito module test {id}`"
IN_NOTEBOOK = "edit the cell, or `tito module hint {id}`"
ASCII = str.maketrans(
    {
        "·": "-",
        "×": "x",
        "…": "...",
        "–": "-",
        "—": "-",
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "→": "->",
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
        "²": "^2",
        "√": "sqrt",
        "π": "pi",
        "σ": "sigma",
        "±": "+-",
        "─": "-",
    }
)


def text(verdict, where=None, next_step=None, ascii=False, printed=False):
    """Return what a learner reads about one exercise.

    Args:
        verdict: `checking.Verdict`.
        where: The notebook, such as "modules/01_tensor/tensor.ipynb"; None where that is plain, as in the notebook itself.
        next_step: What to do about a failure; "{id}" is replaced by the exercise's id. None where a command says it itself.
        ascii: Use ASCII characters only.
        printed: Also show what the exercise printed.

    Returns:
        One line for an exercise that passed, is not written yet or is missing, otherwise a block of lines.
    """
    brief = is_well(verdict) or verdict.status == "missing"
    lines = [one_line(verdict)] if brief else block(verdict, where, next_step)
    if printed and verdict.printed:
        shown = verdict.printed.splitlines()[:MOST_PRINTED]
        lines += ["", "  it printed:", *(f"  | {line[: WIDTH - 4]}" for line in shown)]
    return clean("\n".join(lines), ascii)


def is_well(verdict):
    """Return whether nothing is wrong: the exercise passed, or is not written yet."""
    return verdict.status in ("passed", "unwritten")


def one_line(verdict):
    """Return the line about an exercise that passed or could not be checked."""
    if verdict.status == "passed":
        compiled = f" (compiling took {verdict.prepared:.1f} s)" if verdict.prepared >= 0.1 else ""
        return f"{title(verdict)}  passed {verdict.passed} of {verdict.total} cases{compiled}"
    return f"{title(verdict)}  {verdict.failure.rows[0][1] if verdict.failure else 'not written yet'}"


def title(verdict):
    """Return an exercise's id and name."""
    return f"{verdict.id} {verdict.name}"


def block(verdict, where, next_step):
    """Return the lines about an exercise that failed."""
    what = f"module {verdict.id.partition('.')[0]}" if verdict.failure.shared else title(verdict)
    count = [] if verdict.failure.case is None else [f"{verdict.passed} of {verdict.total} cases"]
    if where:
        head, closing = header(what, where), [f"passed {words}." for words in count]
    else:
        head, closing = [f"{what}  {': '.join(['not passed', *(f'{words} pass' for words in count)])}"], []
    if next_step and verdict.failure.culprit:
        next_step = ELSEWHERE.format(id=verdict.failure.culprit)
    elif next_step and verdict.failure.shared:
        next_step = AFTER_SHARED  # a hint for one exercise would not help
    advice = [f"Next: {next_step.format(id=verdict.id)}"] if next_step else []
    return [*head, "", *rows(verdict.failure), *footer(closing + advice)]


def header(title, where):
    """Return the lines that name the exercise and its place."""
    if len(title) + 2 + len(where) <= WIDTH:
        return [title + where.rjust(WIDTH - len(title))]
    return [title, *textwrap.wrap(where, WIDTH, initial_indent="  ", subsequent_indent="  ")]


def rows(failure):
    """Return the lines of a failure."""
    pairs = beside(list(failure.rows))
    if failure.looks_like:
        pairs.append(("looks like", failure.looks_like))
    return [line for label, words in pairs for line in row(label, words)]


def beside(pairs):
    """Put the values of the names in a call on the same line, if they fit."""
    if [label for label, _ in pairs[:2]] == ["called", "with"]:
        joined = f"{pairs[0][1]}    {pairs[1][1]}"
        if len(joined) <= WIDTH - LABEL - 2:
            return [("called", joined), *pairs[2:]]
    return pairs


def row(label, words):
    """Return a label with its text wrapped beside it; without a label the text has the full width."""
    indent = "  " + " " * (LABEL if label else 0)
    words = words[:LONGEST]  # wrapping takes a time that grows with the square of the length
    lines = [line for part in words.splitlines() for line in textwrap.wrap(part, WIDTH - len(indent), tabsize=4)] or [""]
    if len(lines) > MOST_LINES:
        lines[MOST_LINES - 1 :] = ["..."]
    first = f"  {label:<{LABEL if label else 0}}"
    return [f"{first if number == 0 else indent}{line}" for number, line in enumerate(lines)]


def footer(parts):
    """Return the closing sentences, on one line if they fit."""
    whole = "   ".join(["", *parts])[1:]
    lines = [whole] if len(whole) <= WIDTH else [f"  {line}" for line in parts]
    return ["", *lines] if parts else []


def clean(whole, ascii=False):
    """Return text without trailing blanks and control characters, and in ASCII on request.

    Learner code wrote some of it, and an escape sequence in a message could overwrite an instructor's screen.
    """
    lines = [line.expandtabs(4).rstrip() for line in whole.split("\n")]
    whole = "\n".join("".join(c if c.isprintable() else "?" for c in line) for line in lines)
    return whole.translate(ASCII).encode("ascii", "replace").decode("ascii") if ascii else whole


def join(texts):
    """Join reports into one text, with blank lines around blocks of several lines."""
    gaps = ["\n\n\n" if "\n" in before + after else "\n" for before, after in zip(texts, texts[1:])]
    return "".join(piece for pair in zip(texts, [*gaps, ""]) for piece in pair)


def texts(verdicts, where, **options):
    """Return the reports on a module's exercises.

    Args:
        verdicts: `checking.Verdict` of each exercise.
        where: The notebook.
        options: Further arguments of `text`.

    Returns:
        List of texts. A problem of the whole module is reported once.
    """
    shared = next((verdict for verdict in verdicts if verdict.failure and verdict.failure.shared), None)
    reported = [verdict for verdict in verdicts if verdict is shared or not (verdict.failure and verdict.failure.shared)]
    return [text(verdict, where, **options) for verdict in reported]
