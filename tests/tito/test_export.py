"""Export: what goes into the package, what is refused and where, and how an error finds its way back."""

import os
import re
import stat
import subprocess
import sys
import time
import timeit
from pathlib import Path

import pytest

from tito import files
from tito.files import write_atomically
from tito.notebooks import parts, source, strip
from tito.notebooks.export import ExportRefused, export_text, origin_of

ROOT = Path(__file__).resolve().parents[2]
LABEL = "modules/01_shapes/shapes.ipynb"
SOURCES = [path for path in sorted((ROOT / "modules").glob("[0-9]*/[a-z]*.py")) if path.name != "checks.py"] + [
    Path(__file__).parent / "fixtures" / "modules" / "01_shapes" / "shapes.py"
]
EACH_SOURCE = pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.parent.name)
GIVEN, AREA, CIRCLE, TABLE = 2, 4, 10, 12  # positions of the exported cells in the learner's list of cells


@pytest.fixture
def refused(edited, reference):
    """Change the learner's cells and return the problems for which the export is refused."""

    def problems(change):
        notebook = edited(change)
        with pytest.raises(ExportRefused) as caught:
            export_text(notebook, reference, LABEL)
        return [untitled(str(problem)) for problem in caught.value.problems]

    return problems


def untitled(text):
    """Return a text without the titles of cells, which `test_titles.py` checks."""
    return re.sub(r"(cell \d+) \(.*?\)(?=, line|: |, which|$)", r"\1", text)


def set_text(position, text):
    return lambda cells: cells[position].update(source=text)


def add(position, text, kind="code"):
    return lambda cells: cells.insert(position, {"cell_type": kind, "metadata": {}, "source": text})


def text_of(cell):
    return "".join(cell["source"])


def unlabelled(text):
    """An exported text without what names the notebook that it came from."""
    return re.sub(r"^# (?:Made by tito from|\S+, cell).*$", "#", text, flags=re.MULTILINE)


# What is exported


def test_the_file_names_its_notebook_and_each_cell_in_place_of_its_mark(learner, reference):
    lines = export_text(source.read(learner()), reference, LABEL).split("\n")
    assert lines[:6] == [
        "# Made by tito from modules/01_shapes/shapes.ipynb: edit that file, then run `tito module complete 01`.",
        "",
        "# shapes.ipynb, cell 3",
        '"""Shapes and their areas."""',
        "import math",
        "",
    ]
    assert [line for line in lines if re.match("# shapes.ipynb, cell", line)] == [
        f"# shapes.ipynb, cell {number}" for number in (3, 5, 11, 13)
    ]


def test_only_marked_cells_and_no_marks_are_in_the_file(reference):
    text = export_text(reference, reference, "modules/01_shapes/shapes.py")
    assert "SOLUTION" not in text and "#| export" not in text
    assert "check" not in text and "timeit" not in text and "A small module" not in text
    assert text.endswith('register_shape("circle", Circle)\n')


@EACH_SOURCE
def test_a_solved_notebook_exports_the_reference_s_code(path, tmp_path):
    reference = source.read(path)
    expected = export_text(reference, reference, f"modules/{path.parent.name}/{path.name}")
    for format in ("ipynb", "py"):
        target = tmp_path / path.parent.name / f"{path.stem}.{format}"
        target.parent.mkdir(exist_ok=True)
        strip.write(strip.learner_cells(reference, solved=True), target, format=format)
        text = export_text(source.read(target), reference, f"modules/{path.parent.name}/{target.name}")
        assert unlabelled(text) == unlabelled(expected)


@EACH_SOURCE
def test_a_stripped_notebook_exports_the_reference_s_code_but_for_the_stubs(path, tmp_path):
    """The reference, with its regions stubbed by a few lines of this test's own, is what the learner starts from."""
    reference = source.read(path)
    target = tmp_path / path.parent.name / f"{path.stem}.ipynb"
    target.parent.mkdir()
    strip.write(strip.learner_cells(reference), target)
    stubbed = path.read_text(encoding="utf-8")
    for exercise in reference.exercises():
        before = reference.cells[exercise.cell - 1].text
        after = re.sub(
            r"( *)### BEGIN SOLUTION\n(?s:.*?)### END SOLUTION", rf'\1raise NotImplementedError("{exercise.label}")', before
        )
        assert before in stubbed
        stubbed = stubbed.replace(before, after)
    other = tmp_path / path.name
    other.write_text(stubbed, encoding="utf-8")
    texts = [export_text(source.read(file), reference, "m/01_x/x.py") for file in (target, other)]
    assert unlabelled(texts[0]) == unlabelled(texts[1])
    assert texts[0].count("raise NotImplementedError") >= len(reference.exercises())


@EACH_SOURCE
def test_an_export_takes_less_than_half_a_second(path):
    def export():
        reference = source.read(path)
        export_text(reference, reference, f"modules/{path.parent.name}/{path.name}")

    assert min(timeit.repeat(export, number=1, repeat=3)) < 0.5  # the best of three: other tests run beside it


def test_the_same_notebook_gives_the_same_text(learner, reference):
    path = learner()
    assert export_text(source.read(path), reference, LABEL) == export_text(source.read(path), reference, LABEL)


def test_neither_nbformat_nor_jupytext_is_loaded(learner):
    code = (
        f"import sys; from tito.notebooks import source, export; reference = source.read({str(SOURCES[-1])!r})\n"
        f"export.export_text(source.read({str(learner())!r}), reference, {LABEL!r})\n"
        "print(sorted({'nbformat', 'jupytext', 'numpy', 'rich'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-W", "error::EncodingWarning", "-c", code],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert run.stdout.strip() == "[]"


def test_exporting_warns_of_nothing(edited, reference, recwarn):
    notebook = edited(add(AREA, '#| export\nPATTERN = "\\d"\n\n\ndef same(x):\n    return x is 1'))
    export_text(notebook, reference, LABEL)
    assert [str(warning.message) for warning in recwarn] == []


def test_a_helper_of_the_learner_s_own_is_exported(edited, reference):
    text = export_text(edited(add(AREA, "#| export\ndef half(x):\n    return x / 2")), reference, LABEL)
    assert "def half(x):" in text


def test_cells_in_another_order_are_exported_in_that_order(edited, reference):
    text = export_text(edited(lambda cells: cells.insert(GIVEN + 1, cells.pop(CIRCLE))), reference, LABEL)
    assert text.index("class Circle") < text.index("def area")


def test_lost_metadata_and_deleted_checks_and_prose_do_not_matter(edited, reference):
    def only_bare_code(cells):
        cells[:] = [{**cell, "metadata": {}} for cell in cells if text_of(cell).startswith("#| export")]

    text = export_text(edited(only_bare_code), reference, LABEL)
    assert unlabelled(text) == unlabelled(export_text(reference, reference, "modules/01_shapes/shapes.py"))


def test_an_unwritten_exercise_is_exported(learner, reference):
    text = export_text(source.read(learner(solved=False)), reference, LABEL)
    assert '    raise NotImplementedError("01.1 area")' in text


def test_an_exported_cell_that_is_empty_is_left_out(edited, reference):
    assert "cell 6" not in export_text(edited(add(5, "#| export\n\n")), reference, LABEL)


@pytest.mark.parametrize(
    "statement",
    [
        "import os",
        "from os import path",
        "x = 1",
        "x: int = 1",
        "x = y = 2",
        "LIMIT += 1",
        "async def f(): pass",
        "@staticmethod\ndef f(): pass",
        "class A(dict): pass",
        "register_shape('x', None)",
        "math.register_it(1)",
        "a.b.register(c=1)",
        '"""Words."""',
    ],
)
def test_what_a_cell_may_hold_at_its_top(edited, reference, statement):
    assert statement in export_text(edited(add(TABLE + 1, f"#| export\n{statement}")), reference, LABEL)


def test_an_underscore_may_be_defined_as_often_as_one_likes(edited, reference):
    cell = "#| export\n@register_shape\ndef _(a):\n    return a"
    assert (
        export_text(edited(lambda cells: [add(TABLE + 1, cell)(cells) for _ in range(2)]), reference, LABEL).count("def _(a)")
        == 2
    )


# What is refused


@pytest.mark.parametrize(
    "statement, shown",
    [
        ("print(1)", "print(1)"),
        ("area(1, 2)", "area(1, 2)"),
        ("for i in range(3):\n    pass", "for i in range(3):"),
        ("if True:\n    x = 1", "if True:"),
        ("if __name__ == '__main__':\n    pass", "if __name__ == '__main__':"),
        ("with open('x') as f: pass", "with open('x') as f:"),
        ("try:\n    x = 1\nexcept E: pass", "try:"),
        ("del math", "del math"),
        ("assert True", "assert True"),
        ("raise E", "raise E"),
        ("pass", "pass"),
        ("x\n1", "x"),
        ("return 1", "return 1"),
        ("math.unregister(1)", "math.unregister(1)"),
        ("registry['x'](1)", "registry['x'](1)"),
        ("await x", "await x"),
        ("x = 1\n'words below the top'", "'words below the top'"),
    ],
)
def test_a_statement_that_does_something_on_import_is_refused(refused, statement, shown):
    problem = refused(add(TABLE + 1, f"#| export\n\n{statement}"))[0]
    line = 4 if statement.startswith("x = 1") else 3
    assert problem == (
        f"shapes.ipynb, cell 14, line {line}: `{shown}` would run whenever the package is imported: "
        "move it to a cell without `#| export`"
    )


def test_a_long_statement_is_shown_in_fifty_characters(refused):
    shown = ["f(" + "a" * 47 + ")", "f(" + "b" * 48 + ")"]
    problems = refused(add(TABLE + 1, "\n".join(["#| export", *shown])))
    assert [re.search("`(.*?)`", problem)[1] for problem in problems] == [shown[0], "f(" + "b" * 45 + "..."]


@pytest.mark.parametrize(
    "line", ["%timeit f(1)", "%matplotlib inline", "!ls -l", "area?", "?area", "area??", "x = !ls", "x = %pwd", "%%time"]
)
def test_a_magic_is_refused_with_its_line(refused, line):
    assert refused(add(TABLE + 1, f"#| export\nx = 1\n{line}\ny = 1")) == [
        f"shapes.ipynb, cell 14, line 3: `{line}` works only in notebooks: move it to a cell without `#| export`"
    ]


def test_every_magic_of_a_cell_is_reported_and_what_else_is_wrong(refused):
    problems = refused(add(TABLE + 1, "#| export\n%pwd\ndef f():\n    !ls\n    return 1\nprint(1)\n%pwd"))
    assert [re.search("line (.*?):", problem)[1] for problem in problems] == ["2", "4", "6", "7"]


def test_a_remainder_at_the_start_of_a_line_is_no_magic(edited, reference):
    assert "% b" in export_text(
        edited(add(AREA, "#| export\ndef rest(a, b):\n    return (a\n            % b)")), reference, LABEL
    )


@pytest.mark.parametrize(
    "body, line, reason",
    [
        ("def f(:\n    pass", 2, "invalid syntax"),
        ("x = 1\ny = (2", 3, "'(' was never closed"),
        ('x = """Is it?', 2, "unterminated triple-quoted string literal"),
        ("def f():\nreturn 1", 3, "expected an indented block"),
        ("    x = 1", 2, "unexpected indent"),
        ("x = 1\n\0", None, "null bytes"),
        ("x = " + "(" * 500, None, "too many nested parentheses"),
        ("x = '\ud800'", None, "surrogates not allowed"),
    ],
)
def test_a_syntax_error_names_cell_and_line(refused, body, line, reason):
    (problem,) = refused(add(TABLE + 1, f"#| export\n{body}"))
    assert problem.startswith(f"shapes.ipynb, cell 14, line {line or ''}") and "is not Python: " in problem and reason in problem


@pytest.mark.parametrize(
    "body, line",
    [
        ("x = 1\ndef f():\n    nonlocal y\n    return y\nz = 1", 4),
        ("def f():\n    x = await g()\n    return x", 3),
        ("from __future__ import annotations\nx = 1", 2),
    ],
)
def test_what_only_the_whole_file_shows_names_cell_and_line(refused, body, line):
    (problem,) = refused(add(TABLE + 1, f"\n#| export\n{body}"))
    assert problem.startswith(f"shapes.ipynb, cell 14, line {line + 1}: is not Python: ")


def test_relative_imports_are_refused_at_any_depth(refused):
    problems = refused(add(TABLE + 1, "#| export\nfrom .tensor import x\n\n\ndef f():\n    from .. import y"))
    assert [problem.partition(": ")[0] for problem in problems] == [
        "shapes.ipynb, cell 14, line 2",
        "shapes.ipynb, cell 14, line 6",
    ]
    assert "`from .tensor import x` works only inside a package" in problems[0]


def test_a_missing_exercise_is_refused(refused):
    assert refused(lambda cells: cells.pop(AREA)) == ["shapes.ipynb: exercise 01.1 area is missing: no cell defines it"]


def test_an_exercise_that_lost_its_mark_is_told_from_a_missing_one(refused):
    def unmark(cells):
        cells[AREA]["source"] = "\n" + text_of(cells[AREA]).replace("#| export\n", "# note\n")

    assert refused(unmark) == [
        "shapes.ipynb, cell 5, line 3: exercise 01.1 area is not in an exported cell: "
        "the first line of this cell must be `#| export`"
    ]


def test_an_exercise_in_a_cell_turned_to_prose_is_told_from_a_missing_one(refused):
    assert refused(lambda cells: cells[CIRCLE].update(cell_type="markdown")) == [
        "shapes.ipynb, cell 11, line 2: exercise 01.2 Circle is in a markdown cell: turn it back into code"
    ]


def test_a_mark_below_the_first_line_is_refused(refused):
    def lower(cells):
        cells[AREA]["source"] = "# my solution\n" + text_of(cells[AREA])

    assert refused(lower) == [
        "shapes.ipynb, cell 5, line 2: `#| export` must be the first line of its cell",
        "shapes.ipynb, cell 5, line 3: exercise 01.1 area is not in an exported cell: the first line of this cell must be `#| export`",
    ]


def test_a_duplicated_cell_names_both(refused):
    assert refused(lambda cells: cells.insert(CIRCLE, cells[AREA])) == [
        "shapes.ipynb, cell 11, line 2: `area` is already defined in cell 5: keep one of the two"
    ]


@pytest.mark.parametrize("body", ["def area(a):\n    pass", "class area: pass", "area = 1", "area: int = 1", "x, area = 1, 2"])
def test_a_name_defined_twice_is_refused_whatever_defines_it(refused, body):
    assert "cell 14, line 2: `area` is already defined in cell 5" in refused(add(TABLE + 1, f"#| export\n{body}"))[0]


def test_a_name_defined_twice_in_one_cell_is_refused(refused):
    assert "cell 14, line 3: `x` is already defined in cell 14" in refused(add(TABLE + 1, "#| export\nx = 1\nx = 2"))[0]


def test_a_given_name_that_is_gone_is_refused(refused):
    def rename(cells):
        cells[GIVEN]["source"] = text_of(cells[GIVEN]).replace("LIMIT = 1e6", "BOUND = 1e6")

    assert refused(rename) == ["shapes.ipynb: `LIMIT`, which the course gives, is missing: no cell defines it"]


def test_a_given_registration_that_is_gone_is_refused(refused):
    def drop(cells):
        cells[TABLE]["source"] = text_of(cells[TABLE]).replace('register_shape("circle", Circle)', "")

    assert refused(drop) == ["shapes.ipynb: `register_shape('circle')`, which the course gives, is missing: no cell defines it"]


def test_a_given_registration_may_be_written_in_other_words(edited, reference):
    def reformat(cells):
        cells[TABLE]["source"] = text_of(cells[TABLE]).replace(
            'register_shape("circle", Circle)', "register_shape(\n  'circle',\n  shape=Circle)"
        )

    assert "shape=Circle" in export_text(edited(reformat), reference, LABEL)


def test_what_a_cell_that_does_not_parse_seems_to_define_is_not_called_missing(refused):
    def unclose(cells):
        cells[AREA]["source"] = text_of(cells[AREA]).replace("return width * height", "return (width * height")

    (problem,) = refused(unclose)
    assert "cell 5, line 10: is not Python: '(' was never closed" in problem


@pytest.mark.parametrize("cell", ["import numpy as np", "%matplotlib inline\nimport numpy as np", "np = 1"])
def test_exported_code_that_leans_on_a_cell_left_behind_is_refused(refused, cell):
    def lean(cells):
        add(1, cell)(cells)
        cells[AREA + 1]["source"] = text_of(cells[AREA + 1]).replace("return width", "return np.array(width)")

    assert refused(lean) == [
        "shapes.ipynb, cell 6, line 10: `np` comes from cell 2, which is not exported: define or import it in an exported cell"
    ]


def test_prose_defines_nothing_to_lean_on(edited, reference):
    def lean(cells):
        add(1, "np = 1", kind="markdown")(cells)
        add(AREA, "#| export\ndef helper(width):\n    return np")(cells)

    assert "def helper" in export_text(edited(lean), reference, LABEL)


@pytest.mark.parametrize(
    "use", ["width = np", "def inner(np):\n        return np", "[np for np in (1,)]", "import numpy as np\n    np.pi"]
)
def test_a_local_name_leans_on_nothing(edited, reference, use):
    def lean(cells):
        add(1, "np = rest = 1")(cells)
        body = f"np = 2\n    {use}" if use == "width = np" else use
        add(AREA, f"#| export\ndef helper(width):\n    {body}")(cells)

    assert "def helper" in export_text(edited(lean), reference, LABEL)


def test_everything_is_reported_together_in_the_notebook_s_order(refused):
    def wreck(cells):
        cells[GIVEN]["source"] = text_of(cells[GIVEN]) + "\n%pwd"
        cells[CIRCLE]["source"] = text_of(cells[CIRCLE]).replace("#| export\n", "")
        add(TABLE + 1, "#| export\nprint(1)\nfrom . import x\nLIMIT = 2")(cells)
        del cells[AREA]

    problems = refused(wreck)
    assert [re.match(r"shapes.ipynb(?:, cell (\d+), line (\d+))?", problem).groups() for problem in problems] == [
        (None, None),
        ("3", "6"),
        ("10", "1"),
        ("13", "2"),
        ("13", "3"),
        ("13", "4"),
    ]


@pytest.mark.parametrize("format", ["ipynb", "py"])
def test_an_empty_notebook_misses_everything(tmp_path, reference, format):
    path = tmp_path / f"shapes.{format}"
    path.write_text(
        '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}' if format == "ipynb" else "", encoding="utf-8"
    )
    with pytest.raises(ExportRefused) as caught:
        export_text(source.read(path), reference, LABEL)
    assert len(caught.value.problems) == 6 and str(caught.value).count("\n") == 5
    assert "exercise 01.1 area is missing" in str(caught.value)


def test_a_percent_file_is_refused_in_the_same_words(learner, reference):
    path = learner("py")
    path.write_text(path.read_text(encoding="utf-8").replace("return width", "return (width"), encoding="utf-8")
    with pytest.raises(ExportRefused, match=r"shapes.py, cell 5 \(def area\), line 10: is not Python: '\(' was never closed"):
        export_text(source.read(path), reference, "modules/01_shapes/shapes.py")


def test_a_docstring_that_is_never_closed_is_blamed_on_its_own_cell(learner, reference):
    path = learner("py")
    path.write_text(
        path.read_text(encoding="utf-8").replace('"""Return the area in m².\n\n', '"Return the area.\n\n', 1), encoding="utf-8"
    )
    with pytest.raises(ExportRefused) as caught:
        export_text(source.read(path), reference, "modules/01_shapes/shapes.py")
    assert {problem.cell for problem in caught.value.problems if problem.cell} == {5}


# Finding the way back


def test_cell_of_finds_the_exported_cell(learner, edited):
    assert parts.cell_of(source.read(learner()), "Circle") == 11
    assert parts.cell_of(edited(lambda cells: cells.pop(AREA)), "area") is None


def check_origins(root, notebook, reference):
    """Export into a package, and compare the place of each exported line with the notebook's own line."""
    label = notebook.path.relative_to(root).as_posix()
    exported = root / "tinytorch" / "shapes.py"
    exported.parent.mkdir(exist_ok=True)
    write_atomically(exported, export_text(notebook, reference, label))
    checked = 0
    for number, line in enumerate(exported.read_text(encoding="utf-8").split("\n"), 1):
        place = untitled(origin_of(exported, number) or "")
        if line.strip() and not re.match(r"# (Made by|\S+, cell)", line):
            cell, row = map(int, re.fullmatch(rf"{notebook.path.name}, cell (\d+), line (\d+)", place).groups())
            assert notebook.cells[cell - 1].text.split("\n")[row - 1] == line
            checked += 1
    return checked


@pytest.mark.parametrize("format", ["ipynb", "py"])
def test_every_exported_line_is_traced_to_the_learner_s_line(learner, reference, tmp_path, format):
    assert check_origins(tmp_path, source.read(learner(format)), reference) > 20


def test_solution_marks_and_blank_lines_above_the_mark_shift_nothing(reference, tmp_path):
    path = tmp_path / "modules" / "01_shapes" / "shapes.py"
    path.parent.mkdir(parents=True)
    text = reference.path.read_text(encoding="utf-8").replace("#| export\ndef area", "\n\n#| export\ndef area")
    path.write_text(text, encoding="utf-8")
    assert check_origins(tmp_path, source.read(path), reference) > 20


@pytest.mark.parametrize("path", [SOURCES[0], *(pytest.param(path, marks=pytest.mark.slow) for path in SOURCES[1:])])
def test_every_line_of_each_module_is_traced(path, tmp_path):
    target = tmp_path / "modules" / path.parent.name / path.name
    target.parent.mkdir(parents=True)
    target.write_bytes(path.read_bytes())
    notebook = source.read(target)
    assert check_origins(tmp_path, notebook, notebook) > 20


def test_without_the_notebook_the_comment_alone_tells_the_line(learner, reference, tmp_path):
    path = learner()
    exported = tmp_path / "tinytorch" / "shapes.py"
    exported.parent.mkdir()
    exported.write_text(export_text(source.read(path), reference, LABEL), encoding="utf-8")
    lines = range(1, exported.read_text(encoding="utf-8").count("\n") + 1)
    before = [origin_of(exported, number) for number in lines]
    path.unlink()
    assert [origin_of(exported, number) for number in lines] == before
    path.write_text("not a notebook any more", encoding="utf-8")
    assert [origin_of(exported, number) for number in lines] == before


def test_the_notebook_is_looked_for_below_a_given_root(reference, tmp_path):
    exported = tmp_path / "elsewhere" / "shapes.py"
    exported.parent.mkdir()
    exported.write_text(export_text(reference, reference, "modules/01_shapes/shapes.py"), encoding="utf-8")
    line = exported.read_text(encoding="utf-8").split("\n").index("    if width < 0:") + 1
    assert untitled(origin_of(exported, line, root=Path(__file__).parent / "fixtures")) == "shapes.py, cell 5, line 9"
    assert origin_of(exported, line) == "shapes.py, cell 5 (def area), line 8"


def test_a_line_that_no_cell_holds_has_no_origin(learner, reference, tmp_path):
    exported = tmp_path / "shapes.py"
    exported.write_text(export_text(source.read(learner()), reference, LABEL), encoding="utf-8")
    assert [origin_of(exported, number) for number in (1, 2, 1000)] == [None] * 3
    exported.write_text("x = 1\n# shapes.ipynb, cell 3\ny = 1\n", encoding="utf-8")
    assert origin_of(exported, 3) is None


def test_an_exception_is_traced_to_the_line_that_raised_it(learner, reference, tmp_path):
    exported = tmp_path / "tinytorch" / "shapes.py"
    exported.parent.mkdir()
    exported.write_text(export_text(source.read(learner()), reference, LABEL), encoding="utf-8")
    scope = {}
    exec(compile(exported.read_text(encoding="utf-8"), str(exported), "exec"), scope)
    with pytest.raises(ValueError) as caught:
        scope["area"](-1, 1)
    assert untitled(origin_of(exported, caught.traceback[-1].lineno + 1)) == "shapes.ipynb, cell 5, line 9"


# Writing


def test_a_text_that_is_not_python_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "shapes.py"
    path.write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(SyntaxError):
        write_atomically(path, "x = (\n")
    assert path.read_text(encoding="utf-8") == "x = 1\n" and os.listdir(tmp_path) == ["shapes.py"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "shapes.py"
    path.write_text("x = 1\n", encoding="utf-8")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "x = 2\n")
    assert path.read_text(encoding="utf-8") == "x = 1\n" and os.listdir(tmp_path) == ["shapes.py"]


def test_line_ends_are_line_feeds_and_other_files_are_not_compiled(tmp_path):
    write_atomically(tmp_path / "state.json", '{"größe": 1}\n')
    assert (tmp_path / "state.json").read_bytes() == '{"größe": 1}\n'.encode()


def test_the_same_text_is_not_written_again(tmp_path):
    path = tmp_path / "shapes.py"
    write_atomically(path, "x = 1\n")
    os.utime(path, (1, 1))
    write_atomically(path, "x = 1\n")
    assert path.stat().st_mtime == 1
    write_atomically(path, "x = 2\n")
    assert path.stat().st_mtime > 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits beyond read-only")
def test_permissions_are_kept_and_a_new_file_gets_the_usual_ones(tmp_path):
    path, usual = tmp_path / "shapes.py", tmp_path / "usual"
    usual.write_text("", encoding="utf-8")
    write_atomically(path, "x = 1\n")
    assert path.stat().st_mode == usual.stat().st_mode
    path.chmod(0o640)
    write_atomically(path, "x = 2\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "link.py").symlink_to("real.py")
    write_atomically(tmp_path / "link.py", "x = 2\n")
    assert (tmp_path / "link.py").is_symlink() and (tmp_path / "real.py").read_text(encoding="utf-8") == "x = 2\n"


def test_a_kill_at_any_moment_leaves_one_text_or_the_other(tmp_path):
    path = tmp_path / "shapes.py"
    texts = [f"x = {digit}\n" * 20_000 for digit in (1, 2)]
    write_atomically(path, texts[0])
    code = (
        "import itertools, sys; from tito.files import write_atomically\n"
        "for digit in itertools.cycle((1, 2)):\n    write_atomically(sys.argv[1], f'x = {digit}\\n' * 20_000)\n    print(digit, flush=True)"
    )
    for delay in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        writer.stdout.readline()
        time.sleep(0.013 * delay)
        writer.kill()
        writer.communicate()
        assert path.read_text(encoding="utf-8") in texts
