"""The book's page of intended differences from PyTorch, made from the differential test's table."""

import tomllib

PAGE = "book/differences.md"
TABLE = "tests/pytorch/differences.toml"
HEAD = f"""<!-- Made by `tito dev export` from {TABLE}. -->

# Where we differ from PyTorch

`python -m pytest -m pytorch` calls every function, method, layer and loss that PyTorch and this course both have. It uses the
same arguments for both, over dtypes, shapes, special values, memory layouts and kernel sets, and compares results and gradients.
The test fails if a difference is missing from this table. "refuses" means that this course raises an error and PyTorch returns a
result. "takes" means that PyTorch raises an error and this course returns a result. "argument" is an argument that only PyTorch
has.

| names | differs in | where | why |
|---|---|---|---|
"""


def files(root):
    """Return the page: a dict from path within the clone to text; empty if there is no table."""
    table = root / TABLE
    return {PAGE: text(tomllib.loads(table.read_text(encoding="utf-8"))["difference"])} if table.is_file() else {}


def text(rows):
    """Return the page in Markdown.

    Args:
        rows: The rows of the table, dicts.
    """
    return HEAD + "".join(f"| {names(row)} | {', '.join(row['kinds'])} | {where(row)} | {row['why']} |\n" for row in rows)


def names(row):
    """Return the names that a row is about."""
    return "all" if row["names"] == ["*"] else ", ".join(f"`{name}`" for name in row["names"])


def where(row):
    """Return the conditions of a row: dtypes, shapes, contents, arguments."""
    parts = [", ".join(row.get("dtypes", []))]
    parts += [", ".join(str(tuple(shape)) for shape in row.get("shapes", []))]
    parts += ["infinities, nan, 0, ends of a range" if row.get("contents") == ["special"] else "", row.get("call", "")]
    parts += [", ".join(f"`{argument}`" for argument in row.get("arguments", []))]
    return "; ".join(part for part in parts if part)
