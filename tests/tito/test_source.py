"""Reading notebooks: both formats, whatever an editor did to them, and refusals that name the place."""

import json
import time
from pathlib import Path

import jupytext
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tito.notebooks import ipynb, percent, source
from tito.notebooks.parts import exported_parts
from tito.notebooks.refusals import refusals
from tito.notebooks.source import Cell, SourceError, read

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "modules").glob("[0-9]*/[a-z]*.py"))
SOURCES = [path for path in MODULES if path.name != "checks.py"] + [
    Path(__file__).parent / "fixtures" / "modules" / "01_shapes" / "shapes.py"
]


def notebook(tmp_path, *cells, **top):
    """Write a notebook of code cells given as text, or of whole records."""
    records = [cell if isinstance(cell, dict) else {"cell_type": "code", "source": cell, "metadata": {}} for cell in cells]
    path = tmp_path / "tensor.ipynb"
    path.write_text(json.dumps({"cells": records, "metadata": {}, "nbformat": 4, "nbformat_minor": 4} | top), encoding="utf-8")
    return path


def percent_file(tmp_path, text):
    path = tmp_path / "tensor.py"
    path.write_bytes(text.encode("utf-8"))
    return path


def refusal(path):
    with pytest.raises(SourceError) as caught:
        read(path)
    return str(caught.value)


# Both formats


def test_source_may_be_text_or_a_list_of_lines_and_ids_may_lack(tmp_path):
    lines = {"cell_type": "code", "source": ["x = 1\n", "y = 2"], "metadata": {}}
    assert [cell.text for cell in read(notebook(tmp_path, lines, "x = 1\ny = 2")).cells] == ["x = 1\ny = 2"] * 2


def test_cells_are_counted_from_one_over_all_kinds(tmp_path):
    prose = {"cell_type": "markdown", "source": "# Title", "metadata": {}}
    raw = {"cell_type": "raw", "source": "raw", "metadata": {}}
    cells = read(notebook(tmp_path, prose, "x = 1", raw)).cells
    assert [(cell.index, cell.kind) for cell in cells] == [(1, "markdown"), (2, "code"), (3, "raw")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_change_nothing(tmp_path, end, mark):
    text = '# %% [markdown]\n# Größe\n\n# %% exercise="01.1" minutes=1 points=1\n#| export\ndef f():\n    return "é"\n'
    plain = read(percent_file(tmp_path, text)).cells
    assert read(percent_file(tmp_path, mark + text.replace("\n", end))).cells == plain
    assert plain[1].text == '#| export\ndef f():\n    return "é"'
    whole = json.dumps(
        {
            "cells": [{"cell_type": "code", "source": plain[1].text.replace("\n", end), "metadata": {}}],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 5,
        },
        indent=1,
    ).replace("\n", end)
    path = tmp_path / "tensor.ipynb"
    path.write_bytes((mark + whole).encode("utf-8"))
    assert read(path).cells[0].text == plain[1].text


@pytest.mark.parametrize(
    "first, exported",
    [
        ("#| export", True),
        ("# | export", True),
        ("#|export  ", True),
        ("\n  \n#| export", True),
        ("#| exported", False),
        ("# export", False),
        ("x = 1\n#| export", False),
        (" #| export", False),
        ("", False),
    ],
)
def test_a_cell_is_exported_when_its_first_line_says_so(first, exported):
    assert Cell(1, "code", f"{first}\nx = 1", {}).exported is exported


def test_prose_is_never_exported():
    assert not Cell(1, "markdown", "#| export\nx = 1", {}).exported


def test_a_notebook_without_cells_is_a_notebook(tmp_path):
    assert read(notebook(tmp_path)).cells == ()
    assert read(percent_file(tmp_path, "")).cells == ()


# What a notebook is not


@pytest.mark.parametrize(
    "text, reason",
    [
        (
            '{"cells": [\n  {"cell_type" "code"}]}',
            "tensor.ipynb, line 2: is not readable JSON: Expecting ':' delimiter, in column 16",
        ),
        ('{"cells": [', "line 1: is not readable JSON"),
        ("", "is empty"),
        (" \n", "is empty"),
        ("[1, 2]", "is JSON, but not a notebook: it has no `nbformat`"),
        ("null", "not a notebook"),
        ('{"nbformat": 4}', "it has no list of `cells`"),
        ('{"nbformat": 4, "cells": {}}', "it has no list of `cells`"),
        ('{"nbformat": 3, "worksheets": []}', "is in notebook format 3, but tito reads format 4: open it in Jupyter and save it"),
        ('{"nbformat": "4", "cells": []}', "not a notebook"),
        ("[" * 100_000, "nested too deeply"),
        ('{\n"a": 1,\n<<<<<<< HEAD\n"b": 2\n=======\n"b": 3\n>>>>>>> theirs\n}', "line 3: there is a merge conflict here"),
    ],
)
def test_what_is_no_notebook_is_refused(tmp_path, text, reason):
    path = tmp_path / "tensor.ipynb"
    path.write_text(text, encoding="utf-8")
    assert reason in refusal(path)


@pytest.mark.parametrize(
    "cell, reason",
    [
        ("text", "tensor.ipynb, cell 2: is not a cell"),
        ({"cell_type": "heading", "source": "", "metadata": {}}, "cell 2: is not a cell: its `cell_type`"),
        ({"cell_type": "code", "metadata": {}}, "cell 2: is not a cell: `source` must be text"),
        ({"cell_type": "code", "source": [1], "metadata": {}}, "cell 2: is not a cell: `source` must be text"),
        ({"cell_type": "code", "source": "", "metadata": []}, "cell 2: is not a cell: `source` must be text"),
        ({"cell_type": "code", "source": "", "metadata": {"incorrectly_encoded_metadata": "exercise=01"}}, "'exercise=01'"),
    ],
)
def test_a_cell_that_is_none_is_refused(tmp_path, cell, reason):
    path = tmp_path / "tensor.ipynb"
    good = {"cell_type": "code", "source": "", "metadata": {}}
    path.write_text(json.dumps({"nbformat": 4, "cells": [good, cell]}), encoding="utf-8")
    assert reason in refusal(path)


def test_all_bad_cells_are_reported_together(tmp_path):
    bad = {"cell_type": "code", "source": "", "metadata": {"incorrectly_encoded_metadata": "x"}}
    with pytest.raises(SourceError) as caught:
        read(notebook(tmp_path, bad, "x = 1", bad))
    assert [problem.cell for problem in caught.value.problems] == [1, 3]


@pytest.mark.parametrize("suffix", ["py", "ipynb"])
def test_bytes_that_are_not_utf8_name_the_line(tmp_path, suffix):
    path = tmp_path / f"tensor.{suffix}"
    path.write_bytes(b"# %%\nx = 1\ny = '\xe9'\n")
    assert refusal(path) == f"tensor.{suffix}, line 3: is not UTF-8: save it with that encoding"


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert "tensor.py: cannot be read" in refusal(tmp_path / "tensor.py")


def test_a_merge_conflict_in_a_percent_file_names_its_lines(tmp_path):
    text = "# %%\n<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> theirs\n"
    assert refusal(percent_file(tmp_path, text)).splitlines()[0].startswith("tensor.py, line 2: there is a merge conflict here")


def test_a_heading_of_equals_signs_is_no_merge_conflict(tmp_path):
    assert len(read(percent_file(tmp_path, "# %%\n'''\nTitle\n=======\n'''\n")).cells) == 1


# The percent format


@pytest.mark.parametrize(
    "header, kind, metadata",
    [
        ("# %%", "code", {}),
        ("#%%", "code", {}),
        ("# %% A title", "code", {}),
        ("# %% [markdown]", "markdown", {}),
        ("# %% [md]", "markdown", {}),
        ("# %% [raw]", "raw", {}),
        ("# %% A title [markdown]", "markdown", {}),
        ('# %% [markdown] hint="01.4"', "markdown", {"hint": "01.4"}),
        (
            '# %% exercise="01.4" minutes=15 points=2 extension=true',
            "code",
            {"exercise": "01.4", "minutes": 15, "points": 2, "extension": True},
        ),
        ('# %% A title tags=["a", "b c"] x={"y": null}', "code", {"tags": ["a", "b c"], "x": {"y": None}}),
        ('# %% {"exercise": "01.4"}', "code", {"exercise": "01.4"}),
        ('# %% check="größe"   ', "code", {"check": "größe"}),
    ],
)
def test_a_header_is_a_kind_and_metadata(tmp_path, header, kind, metadata):
    (cell,) = read(percent_file(tmp_path, f"{header}\n# x\n")).cells
    assert (cell.kind, cell.metadata) == (kind, metadata)


@pytest.mark.parametrize(
    "header",
    [
        "# %% exercise=01.4",
        "# %% exercise='01.4'",
        '# %% exercise="01.4',
        "# %% minutes=",
        "# %% points=2 extension=True",
        '# %% exercise="01.4" points',
        "# %% {bad json",
        '# %% [markdown] hint="01.4" x=',
        '# %% {"a": 1} b',
        "# %% A title {x",
    ],
)
def test_invalid_metadata_is_refused_with_cell_and_line(tmp_path, header):
    text = f"# %%\nx = 1\n\n{header}\ny = 1\n"
    assert "tensor.py, cell 2: the cell's header is not key=value with values in JSON" in refusal(percent_file(tmp_path, text))
    assert "(line 4 of the file)" in refusal(percent_file(tmp_path, text))


def test_a_marker_in_a_string_begins_no_cell(tmp_path):
    text = "# %%\nx = \"\"\"\n# %%\n\"\"\"\n\n# %%\ny = '''a \\''' # %%\n# %% b\n'''\n"
    assert [cell.line for cell in read(percent_file(tmp_path, text)).cells] == [2, 7]


def test_a_string_that_never_ends_does_not_swallow_the_cells_below(tmp_path):
    text = '# %%\ndef f():\n    """Oops.\n\n# %%\ndef g():\n    """Fine."""\n\n# %%\nz = 1\n'
    assert len(read(percent_file(tmp_path, text)).cells) == 3


def test_quotes_in_comments_and_prose_open_no_string(tmp_path):
    text = "# %%\nx = 1  # it's \"\"\" here\n\n# %% [markdown]\n# Don't '''\n\n# %%\ny = \"'''\"\n\n# %%\nz = 1\n"
    assert len(read(percent_file(tmp_path, text)).cells) == 4


def test_lines_are_those_of_the_file(tmp_path):
    path = percent_file(tmp_path, "# ---\n# jupyter: {}\n# ---\n\n# %%\nx = 1\n\n\n\n# %% [markdown]\n# A\n#\n# B\n")
    cells = read(path).cells
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [lines[cell.line - 1] for cell in cells] == ["x = 1", "# A"]
    assert cells[1].text == "A\n\nB"


def test_text_above_the_first_marker_is_a_cell(tmp_path):
    assert [cell.text for cell in read(percent_file(tmp_path, "x = 1\n\n# %%\ny = 1\n")).cells] == ["x = 1", "y = 1"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.parent.name)
def test_jupytext_reads_every_source_alike(path):
    theirs = jupytext.read(path, fmt="py:percent")
    ours = read(path)
    assert [(cell.kind, percent.with_magics(cell.text)) for cell in ours.cells] == [
        (cell.cell_type, cell.source) for cell in theirs.cells
    ]
    assert [cell.metadata for cell in ours.cells] == [
        {key: value for key, value in cell.metadata.items() if key != "lines_to_next_cell"} for cell in theirs.cells
    ]


CODE = st.sampled_from(["x = 1", "def f():\n    return 1", '"""a\n# %%\nb"""', "", "# note", "s = '#'\nt = \"it's\"", "\ny = 2"])
PROSE = st.sampled_from(["Words", "# Title\n\nWords", "- a\n- b", 'it\'s """ here', "äöü", "`# %%`"])
HEADER = st.dictionaries(
    st.sampled_from(["exercise", "minutes", "check"]),
    st.one_of(st.integers(), st.booleans(), st.text(st.characters(categories=["L", "P"]), max_size=5)),
)
CELLS = st.lists(st.one_of(st.tuples(st.just("code"), CODE, HEADER), st.tuples(st.just("markdown"), PROSE, HEADER)), max_size=6)


@settings(
    suppress_health_check=[HealthCheck.too_slow]
)  # the first draw makes the alphabet, which takes seconds on a busy machine
@given(CELLS)
def test_what_is_written_as_percent_is_read_back_here_and_by_jupytext(cells):
    text = percent.render([Cell(index, *fields) for index, fields in enumerate(cells, 1)])
    assert [(kind, body, data) for kind, body, data, _ in percent.parse(Path("x.py"), text)] == cells
    theirs = jupytext.reads(text, fmt="py:percent").cells
    assert [(cell.cell_type, cell.source) for cell in theirs] == [(kind, body) for kind, body, _ in cells]


# Exercises


def test_exercises_carry_header_name_and_cell(reference):
    area, circle = reference.exercises()
    assert (area.id, area.name, area.minutes, area.points, area.extension, area.cell) == ("01.1", "area", 15, 2, False, 5)
    assert (circle.label, circle.extension) == ("01.2 Circle", True)
    assert reference.exercise("01.2") is reference.exercise("Circle") is circle
    assert reference.exercise("01.9") is None


@pytest.mark.parametrize(
    "header, body, reason",
    [
        ('exercise="01.1" points=1', "def f(): 1", "needs a whole number: minutes"),
        ('exercise="01.1" minutes=1', "def f(): 1", "needs a whole number: points"),
        ('exercise="01.1" minutes="1" points=1', "def f(): 1", "needs a whole number: minutes"),
        ('exercise="1.1" minutes=1 points=1', "def f(): 1", "is named like"),
        ("exercise=1.1 minutes=1 points=1", "def f(): 1", "is named like"),
        ('exercise="01.1" minutes=1 points=1', "def f(): 1\ndef g(): 1", "must define one name, not f, g"),
        ('exercise="01.1" minutes=1 points=1', "import os", "must define one name, not none"),
        ('exercise="01.1" minutes=1 points=1', "def f(:", "invalid syntax"),
    ],
)
def test_an_exercise_that_is_not_whole_is_refused(tmp_path, header, body, reason):
    path = percent_file(tmp_path, f"# %%\nx = 1\n\n# %% {header}\n{body}\n")
    with pytest.raises(SourceError, match=rf"tensor.py, cell 2 \(.*\): .*{reason}"):
        read(path).exercises()


def test_an_id_that_stands_twice_is_refused(tmp_path):
    cell = '# %% exercise="01.1" minutes=1 points=1\ndef {}(): 1\n\n'
    with pytest.raises(SourceError, match=r"cell 2 \(def g\): exercise 01.1 is already in cell 1 \(def f\)"):
        read(percent_file(tmp_path, cell.format("f") + cell.format("g"))).exercises()


@pytest.mark.parametrize(
    "statement, names",
    [
        ("a = b = 1", ["a", "b"]),
        ("a, (b, *c) = x", ["a", "b", "c"]),
        ("a.b = a[c] = 1", []),
        ("a: int = 1", ["a"]),
        ("a: int", []),
        ("a += 1", []),
        ("async def f(): pass", ["f"]),
        ("class A: b = 1", ["A"]),
        ("import a", []),
    ],
)
def test_definitions_are_names_of_the_notebook_s_own(statement, names):
    import ast

    assert source.definitions(ast.parse(statement).body[0]) == names


def test_a_module_is_read_in_milliseconds():
    assert takes_under(0.1 * len(SOURCES), lambda: [read(path).exercises() for path in SOURCES])


MEGABYTE = {
    "lines of one cell": "\n# %%\n#| export\n" + "".join(f"x{number} = {number}\n" for number in range(40_000)),
    "functions of one cell": "\n# %%\n#| export\n"
    + "".join(f"def f{number}(a):\n    return a\n\n\n" for number in range(20_000)),
    "comments": "\n# %%\n" + "# a comment of some words\n" * 40_000,
    "blank lines": "\n# %%\n" + "\n" * 500_000,
    "cells": "\n# %%\nx = 1\n" * 40_000,
    "prose": "\n# %% [markdown]\n" + "# it's some words\n" * 50_000,
    "a string that never ends": "\n# %%\nx = '''\n" + "\n# %%\nx = 1\n" * 40_000,
    "a string in each cell": "\n# %%\nx = '''\n" * 40_000,
}


def takes_under(seconds, work):
    """Say whether one of three calls takes less processor time: a busy machine slows one call, not all."""
    for _ in range(3):
        began = time.process_time()
        work()
        if time.process_time() - began < seconds:
            return True
    return False


@pytest.mark.parametrize("what", MEGABYTE)
def test_a_megabyte_is_read_in_seconds(tmp_path, what):
    """A second or so each; what is quadratic takes a minute."""
    path = tmp_path / "shapes.py"
    path.write_text(MEGABYTE[what], encoding="utf-8")
    assert takes_under(4, lambda: source.read(path))
    cells = source.read(path).cells
    path = path.with_suffix(".ipynb")
    path.write_text(ipynb.render(cells), encoding="utf-8")
    assert takes_under(4, lambda: source.read(path))
    assert len(source.read(path).cells) == len(cells)


def test_finding_what_cannot_be_exported_is_linear_too(tmp_path):
    """It was quadratic in the lines of a cell: 56 s for these."""
    path = tmp_path / "shapes.py"
    path.write_text("# %%\nx = 0\n" + MEGABYTE["lines of one cell"], encoding="utf-8")
    notebook = source.read(path)
    began = time.process_time()
    parts = exported_parts(notebook)
    refusals(notebook, parts, notebook)
    assert time.process_time() - began < 10
