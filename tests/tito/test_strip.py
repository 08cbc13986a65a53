"""Stripping: stubs, cards, no hints, no answer left, the same bytes each time."""

import json
import re
from pathlib import Path

import jupytext
import nbformat
import pytest

from tito.notebooks import cards, source, strip
from tito.notebooks.source import SourceError

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = Path(__file__).parent / "fixtures" / "modules"
SOURCES = [path for path in sorted((ROOT / "modules").glob("[0-9]*/[a-z]*.py")) if path.name != "checks.py"] + [
    FIXTURES / "01_shapes" / "shapes.py"
]
MARK = re.compile(r"(BEGIN|END).SOLUTION", re.IGNORECASE)


@pytest.fixture
def changed(tmp_path):
    """Read the fixture module with one piece of its text replaced."""

    def read(old, new):
        text = (FIXTURES / "01_shapes" / "shapes.py").read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / "source" / "01_shapes" / "shapes.py"
        path.parent.mkdir(parents=True)
        (path.parent.parent / "curriculum.toml").write_bytes((FIXTURES / "curriculum.toml").read_bytes())
        path.write_text(text.replace(old, new), encoding="utf-8")
        return source.read(path)

    return read


def test_a_solution_becomes_one_stub_and_the_docstring_stays(reference):
    cell = strip.learner_cells(reference)[4]
    assert cell.text == (
        '#| export\ndef area(width, height):\n    """Return the area in m².\n\n'
        '    A marker in a string begins no cell:\n# %%\n    """\n'
        '    raise NotImplementedError("01.1 area")'
    )


def test_each_region_of_a_cell_becomes_a_stub_at_its_own_indentation():
    text = (
        "def f(x):\n    if x:\n        ### BEGIN SOLUTION\n        return 1\n        ### END SOLUTION\n"
        "    y = 2\n    ### BEGIN SOLUTION\n    return y\n    ### END SOLUTION"
    )
    assert strip.stub(text, "01.4 f") == (
        'def f(x):\n    if x:\n        raise NotImplementedError("01.4 f")\n    y = 2\n    raise NotImplementedError("01.4 f")'
    )


def test_the_indentation_is_that_of_the_first_mark():
    assert strip.stub("def f():\n    ### BEGIN SOLUTION\n    return 1\n        ### END SOLUTION", "01.4 f") == (
        'def f():\n    raise NotImplementedError("01.4 f")'
    )


def test_solved_keeps_the_solutions_and_drops_the_marks(reference):
    circle = strip.learner_cells(reference, solved=True)[9]
    assert "        self.radius = radius\n\n    def area(self):" in circle.text
    assert "NotImplementedError" not in circle.text and not MARK.search(circle.text)
    assert circle.text.endswith("self.radius ** 2, LIMIT)")


def test_hints_are_left_out_and_checks_and_questions_stay(reference):
    cells = strip.learner_cells(reference)
    assert [cell.hint for cell in cells if cell.hint] == []
    assert [cell.check for cell in cells if cell.check] == ["01.1", "01.2"]
    assert [cell.question for cell in cells if cell.question] == ["01.1"]
    assert [cell.metadata for cell in cells if cell.exercise] == [
        {"exercise": "01.1", "minutes": 15, "points": 2},
        {"exercise": "01.2", "minutes": 1, "points": 1, "extension": True},
    ]
    assert [cell.index for cell in cells] == list(range(1, len(reference.cells) - 1))


def test_cards_stand_above_the_exercise_and_below_a_heading(reference):
    texts = [cell.text for cell in strip.learner_cells(reference)]
    assert texts[3] == (
        "## The area\n\n**Exercise 01.1** · 15 minutes · core · 2 points\n\nWrite `area` for a width and a height in metres."
    )
    assert texts[8] == "**Exercise 01.2** · 1 minute · extension · 1 point\n\nWrite `Circle`; its two methods are yours."


def test_the_first_prose_says_what_the_module_builds_and_counts_core_minutes_alone(reference):
    first = strip.learner_cells(reference)[0].text
    assert first.startswith("# Shapes\n\nBuilds `tinytorch/shapes.py` · core work 15 minutes\n\nA small module")


def test_the_first_prose_names_all_that_the_module_needs(tmp_path):
    folder = tmp_path / "04_pictures"
    folder.mkdir()
    (tmp_path / "curriculum.toml").write_bytes((FIXTURES / "curriculum.toml").read_bytes())
    (folder / "pictures.py").write_text("# %% [markdown]\n# # Pictures\n", encoding="utf-8")
    cells = strip.learner_cells(source.read(folder / "pictures.py"))
    assert cells[0].text == "# Pictures\n\nBuilds `tinytorch/pictures.py` · core work 0 minutes · needs 01, 02"


def test_a_long_row_of_prerequisites_is_a_range():
    assert strip._numbers(["01", "02", "03"]) == "01 to 03"
    assert strip._numbers(["01", "02", "04"]) == "01, 02, 04"


def test_nothing_but_stubs_and_cards_differs_from_the_source(reference):
    kept = [cell for cell in reference.cells if cell.hint is None]
    for theirs, ours in zip(kept, strip.learner_cells(reference), strict=True):
        if theirs.kind == "code" and not theirs.exercise:
            assert ours.text == theirs.text
        if theirs.kind == "markdown":
            lines = ours.text.split("\n")
            assert all(line in lines for line in theirs.text.split("\n"))


# Fails closed


@pytest.mark.parametrize(
    "old, new, reason",
    [
        ('    ### END SOLUTION\n\n# %% check="01.1"', '\n# %% check="01.1"', "BEGIN SOLUTION has no END SOLUTION"),
        ("    ### BEGIN SOLUTION\n    if width", "    if width", "END SOLUTION is where the other mark is expected"),
        ("    if width", "    ### BEGIN SOLUTION\n    if width", "BEGIN SOLUTION is where the other mark is expected"),
        ("    if width", "    #BEGIN_SOLUTION\n    if width", None),
        ("    ### BEGIN SOLUTION\n    if", "    ### begin solution\n    if", "END SOLUTION is where"),
        ("def area(width, height):", "def area(width, height):  # END SOLUTION", "a solution mark is left"),
        ("# Multiply.", "# Multiply.\n\n# %%\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION", "in a cell that is not an exercise"),
        ("# Write `area`", "# ### BEGIN SOLUTION\n# Write `area`", "in a cell that is not an exercise"),
        ("# Write `area`", "# <!-- BEGIN SOLUTION --> Write `area`", "a solution mark is left"),
        ("    ### BEGIN SOLUTION\n    if width < 0:", "    if width < 0:", "END SOLUTION is where"),
        ("minutes=15 points=2\n#| export\n", "minutes=15 points=2\n#| export\n### BEGIN SOLUTION\n", "where the other mark"),
        ("# Write `Circle`; its two methods are yours.", "# Words.\n\n# %%\nx = 1", "needs a markdown cell directly before it"),
        ('exercise="01.2" minutes=1', 'exercise="01.2"', "needs a whole number: minutes"),
    ],
)
def test_a_source_that_could_leak_or_lacks_a_card_is_refused(changed, old, new, reason):
    notebook = changed(old, new)
    for solved in (False, True):
        if reason is None:
            assert not MARK.search("".join(cell.text for cell in strip.learner_cells(notebook)))
            break
        with pytest.raises(SourceError, match=reason):
            strip.learner_cells(notebook, solved=solved)


def test_an_exercise_without_a_solution_is_refused(changed):
    notebook = changed("        ### BEGIN SOLUTION\n", "")
    path = notebook.path
    path.write_text(path.read_text(encoding="utf-8").replace("        ### END SOLUTION\n", ""), encoding="utf-8")
    with pytest.raises(SourceError, match="exercise 01.2 has no solution between marks"):
        strip.learner_cells(source.read(path))


def test_marks_around_the_whole_definition_are_refused(changed):
    notebook = changed("class Circle:", "### BEGIN SOLUTION\nclass Circle:")
    path = notebook.path
    lines = [line for line in path.read_text(encoding="utf-8").split("\n") if not line.startswith("        ### ")]
    text = "\n".join(lines).replace("LIMIT)\n", "LIMIT)\n### END SOLUTION\n")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match="the stub of 01.2 no longer defines Circle"):
        strip.learner_cells(source.read(path))


# Writing


@pytest.mark.parametrize("format", ["ipynb", "py"])
def test_writing_twice_gives_the_same_bytes_with_line_feeds(reference, tmp_path, format):
    paths = [tmp_path / side / "01_shapes" / f"shapes.{format}" for side in "ab"]
    for path in paths:
        path.parent.mkdir(parents=True)
        strip.write(strip.learner_cells(reference), path, format=format)
    first, second = (path.read_bytes() for path in paths)
    assert first == second and b"\r" not in first and first.endswith(b"\n") and not first.endswith(b"\n\n")


def test_the_notebook_is_valid_and_exactly_what_jupyter_would_save(learner):
    path = learner(solved=False)
    document = nbformat.read(path, as_version=4)
    nbformat.validate(document)
    assert nbformat.writes(document) + "\n" == path.read_text(encoding="utf-8")
    assert document.metadata.kernelspec.name == "python3"
    assert (document.nbformat, document.nbformat_minor) == (4, 5)
    assert [cell.id for cell in document.cells[:3]] == [
        "shapes-builds-tinytorch-shapes-py-core-work-15",
        "from-tito-import-notebook-check-notebook-01",
        "shapes-and-their-areas-import-math-limit-1e6",
    ]
    named = {cell.metadata.get("exercise"): cell.id for cell in document.cells}
    assert named["01.1"] == "exercise-01-1-area" and named["01.2"] == "exercise-01-2-circle"
    assert len({cell.id for cell in document.cells}) == len(document.cells)
    assert all(cell.outputs == [] and cell.execution_count is None for cell in document.cells if cell.cell_type == "code")


def test_magics_are_live_in_a_notebook_and_comments_in_python(learner):
    texts = {format: source.read(learner(format)).cells[8].text for format in ("ipynb", "py")}
    assert texts == {"ipynb": "%timeit area(20, 30)\narea(20, 30)", "py": "# %timeit area(20, 30)\narea(20, 30)"}


def test_jupytext_reads_both_formats_alike(learner):
    theirs = [jupytext.read(learner(format)) for format in ("ipynb", "py")]
    for cell in theirs[1].cells:
        cell.metadata.pop("lines_to_next_cell", None)
    first, second = ([(cell.cell_type, cell.source, dict(cell.metadata)) for cell in notebook.cells] for notebook in theirs)
    assert [cell[0] for cell in first] == [cell[0] for cell in second]
    for ours, plain in zip(first, second):
        if "<blockquote" not in ours[1]:
            assert (ours[0], cards.plain(ours[1]), ours[2]) == plain


def test_given_code_says_so_and_names_what_it_defines():
    def dressed(text, **metadata):
        (cell,) = cards.dressed([source.Cell(1, "code", text, metadata)])
        assert cell.exported and cards.plain(cell.text) == text, "the package and an update see the plain line"
        return cell.text.partition("\n")[0]

    assert dressed("#| export\nimport math") == "#| export (given)"
    assert dressed("#| export\ndef area(w): pass\nclass Box: pass") == "#| export (given: area, Box)"
    assert dressed("#| export\ndef area(w): pass", exercise="01.1", minutes=1, points=1) == "#| export"
    many = dressed("#| export\n" + "".join(f"def rectangle_{number}(): pass\n" for number in range(9)))
    assert many.startswith("#| export (given: rectangle_0, rectangle_1, ") and many.endswith(", ...)") and len(many) < 95


def test_a_card_has_no_script_and_says_the_same_without_its_styles(learner):
    text = "".join(cell.text for cell in source.read(learner("ipynb")).cells if "<blockquote" in cell.text)
    assert "<script" not in text and not re.search(r"\bon\w+ *=", text)
    words = re.sub("<[^>]*>", " ", text)
    assert "Your turn: exercise 01.1 · 15 minutes · core · 2 points" in " ".join(words.split())
    assert "tito module hint 01.1" in words and "Question 01.1" in words


def test_every_question_has_a_place_for_its_answer(learner):
    for format in ("ipynb", "py"):
        cells = source.read(learner(format)).cells
        asked = [cell for cell in cells if cell.question]
        assert asked and all(cells[cell.index].metadata == {"answer": cell.question} for cell in asked)


def test_long_given_code_is_folded_and_exercises_never(changed):
    long = "\n".join(f"LINE_{number} = {number}" for number in range(cards.LONG + 1))
    dressed = cards.dressed(strip.learner_cells(changed("import math\n", f"import math\n{long}\n")))
    folded = [cell for cell in dressed if cell.metadata.get("jupyter")]
    assert folded and all(cell.exported and not cell.exercise for cell in folded)
    assert all(cell.metadata["jupyter"] == {"source_hidden": True} for cell in folded)


def test_another_format_is_refused(reference, tmp_path):
    with pytest.raises(ValueError, match="ipynb or py, not 'md'"):
        strip.write(strip.learner_cells(reference), tmp_path / "x.md", format="md")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.parent.name)
def test_no_answer_is_in_any_stripped_module(path, tmp_path):
    """No line that stands in a solution alone stands in the learner's cell."""
    notebook = source.read(path)
    target = tmp_path / path.parent.name / f"{path.stem}.ipynb"
    target.parent.mkdir()
    strip.write(strip.learner_cells(notebook), target)
    cells = [cell["source"] for cell in json.loads(target.read_text(encoding="utf-8"))["cells"]]
    assert not MARK.search("".join(map("".join, cells)))
    for exercise in notebook.exercises():
        given, answers = _split(notebook.cells[exercise.cell - 1].text)
        cell = next("".join(text) for text in cells if f'NotImplementedError("{exercise.label}")' in "".join(text))
        assert answers and not (answers - given) & set(map(str.strip, cell.split("\n")))


def _split(text):
    """The stripped lines outside and inside of solution regions."""
    given, answers, inside = set(), set(), False
    for line in map(str.strip, text.split("\n")):
        if MARK.search(line):
            inside = not inside
        elif line:
            (answers if inside else given).add(line)
    return given, answers
