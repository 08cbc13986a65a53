"""Pages: stubs with the outputs of the solved notebook, run once and kept until something that they come from changes."""

import json
import re
import sys

import pytest

from tito.book import BookError, execution, site
from tito.curriculum import load

pytest.importorskip("nbclient", reason="the extra `book` is not installed")
pytest.importorskip("ipykernel", reason="the extra `book` is not installed")


@pytest.fixture
def pages(course, tmp_path):
    """Return a function that writes the pages and reads them: the cells' records by module, and what was told."""

    def pages(execute=True):
        folder, told = tmp_path / f"source{len(list(tmp_path.iterdir()))}", []
        site.write_sources(folder, execute, told.append)
        cells = {path.stem: json.loads(path.read_text(encoding="utf-8"))["cells"] for path in folder.glob("modules/*.ipynb")}
        return cells, [line.rpartition(": ")[2] for line in told]

    return pages


def source_of(cell):
    return "".join(cell["source"])


def printed(cell):
    return "".join("".join(output.get("text", "")) for output in cell["outputs"])


def test_a_page_has_stubs_the_card_a_framed_question_and_no_answer(pages, holding, tmp_path):
    cells = pages(execute=False)[0]["01_shapes"]
    stub = next(cell for cell in cells if cell["metadata"].get("exercise"))
    assert source_of(stub).endswith('    raise NotImplementedError("01.1 area")')
    assert any(source_of(cell).startswith("**Exercise 01.1** · 5 minutes") for cell in cells)
    framed = "(question-01-1)=\n::::{admonition} Question 01.1\nHow large is a field of 20 m by 30 m?\n::::"
    assert any(source_of(cell) == framed for cell in cells)
    assert not holding(tmp_path / "source0" / "modules", ["product", "SOLUTION"])
    assert all(cell.get("outputs", []) == [] for cell in cells)


def test_the_title_has_the_modules_number(pages):
    cells = pages(execute=False)[0]
    assert [source_of(cells[name][0]).splitlines()[0][:5] for name in sorted(cells)] == [
        f"# {name[:2]} " for name in sorted(cells)
    ]


@pytest.mark.parametrize("asks, folded", [("", False), (" **Predict** first.", True)])
def test_an_output_below_a_question_is_folded_if_it_asks_for_a_prediction(pages, course, asks, folded):
    question = "How large is a field of 20 m by 30 m?"
    course.edit("01_shapes/shapes.py", question, question + asks)
    cells = pages(execute=False)[0]["01_shapes"]
    number = next(number for number, cell in enumerate(cells) if question in source_of(cell))
    below = cells[number + 1]
    assert below["cell_type"] == "code" and ("hide-output" in below["metadata"].get("tags", [])) == folded


def test_a_guide_can_quote_a_question_as_it_is(pages, tmp_path):
    pages(execute=False)
    quoted = (tmp_path / "source0" / "made-question-01.1.md").read_text(encoding="utf-8")
    assert quoted == "> [Question 01.1](#question-01-1):\n>\n> How large is a field of 20 m by 30 m?\n"


def test_hints_are_folded_after_their_check(pages):
    cells = pages(execute=False)[0]["01_shapes"]
    check = next(number for number, cell in enumerate(cells) if cell["metadata"].get("check"))
    assert source_of(cells[check + 1]) == (
        "::::{dropdown} Hint 1 of 2\nNo area is negative.\n::::\n\n::::{dropdown} Hint 2 of 2\nMultiply first.\n::::"
    )
    assert sum("Multiply first" in source_of(cell) for cell in cells) == 1


def test_outputs_are_those_of_the_solutions_on_what_prerequisites_export(pages, course):
    course.add_colours()
    cells, told = pages()
    assert "a field of 600 m²" in [printed(cell).strip() for cell in cells["01_shapes"] if cell["cell_type"] == "code"]
    assert "litres: 21.0" in [printed(cell).strip() for cell in cells["02_colours"] if cell["cell_type"] == "code"]
    assert told == ["run", "run"]
    assert pages() == (cells, ["unchanged", "unchanged"])


def test_outputs_are_those_of_this_interpreter_and_not_of_the_shell(pages, course, monkeypatch, tmp_path):
    monkeypatch.setenv("TINYTORCH_WORKSPACE", str(tmp_path))
    course.edit(
        "01_shapes/shapes.py",
        'print("a field of", area(20, 30), "m²")',
        "import os, sys\nprint(sys.executable, os.environ['TINYTORCH_WORKSPACE'])\nprint('noise', file=sys.stderr)",
    )
    cell = pages()[0]["01_shapes"][-1]
    executable, space = printed(cell).strip().rsplit(" ", 1)
    assert executable == sys.executable and space != str(tmp_path) and len(cell["outputs"]) == 1


@pytest.mark.parametrize(
    "change, stale",
    [
        (lambda course: course.edit("01_shapes/shapes.py", "# Write it.", "# Write it now."), {"01", "02"}),
        (lambda course: course.edit("02_colours/colours.py", "litres:", "buckets:"), {"02"}),
        (lambda course: course.write("02_colours/checks.py", "rtol_mix = 1"), {"02"}),
        (lambda course: course.write("03_light/light.py", "# %%\n"), set()),
        (lambda course: (course.root / "tinytorch" / "given" / "op.py").write_text("# Changed.", encoding="utf-8"), {"01", "02"}),
        (lambda course: (course.root / "tinytorch" / "shapes.py").write_text("", encoding="utf-8"), set()),
    ],
    ids=["prerequisite", "module", "checks", "another module", "given file", "exported file"],
)
def test_outputs_are_kept_until_what_they_come_from_changes(course, change, stale):
    course.add_colours()
    curriculum = load(course.root / "modules" / "curriculum.toml")
    before = {one.number: execution.fingerprint(one, curriculum) for one in curriculum.modules[:2]}
    change(course)
    after = {one.number: execution.fingerprint(one, curriculum) for one in curriculum.modules[:2]}
    assert {number for number in before if before[number] != after[number]} == stale


def test_outputs_that_cannot_be_read_are_made_again(pages, course):
    expected = pages()
    (kept,) = (course.root / "book" / "_build" / "outputs").iterdir()
    kept.write_text("[[", encoding="utf-8")
    assert pages() == expected


def test_a_cell_that_fails_is_named(pages, course):
    course.edit("01_shapes/shapes.py", "assert area(3, -4) == 12", "1 / 0")
    with pytest.raises(
        BookError, match=r"^shapes.ipynb, cell 4 \(.*\) fails although it is solved: ZeroDivisionError: division by zero$"
    ):
        pages()


def test_a_module_whose_prerequisite_is_not_written_cannot_run(pages, course):
    course.add_colours()
    (course.root / "modules" / "01_shapes" / "shapes.py").unlink()
    with pytest.raises(BookError, match="^module 02 colours cannot run: it needs 01 shapes, not written yet"):
        pages()
    assert "02_colours" in pages(execute=False)[0]


def test_the_table_of_contents_grows_with_the_folders(course, tmp_path):
    def chapters(folder):
        site.write_sources(folder, execute=False)
        toc = json.loads((folder / "_toc.yml").read_text(encoding="utf-8"))
        return [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]], (folder / "map.md").read_text(
            encoding="utf-8"
        )

    files, drawn = chapters(tmp_path / "one")
    pages = lambda drawn: re.findall(r'<a href="([^"]+)"', drawn)
    assert files == ["modules/01_shapes", "milestones", "commands"] and pages(drawn) == 2 * ["modules/01_shapes.html"]
    assert drawn.count("Module 03, Light: not in this release yet.") == 2  # on a wide screen and on a phone
    course.add_colours()
    (course.root / "book" / "setup.md").write_text("# Set up", encoding="utf-8")
    files, drawn = chapters(tmp_path / "two")
    assert files == ["setup", "modules/01_shapes", "modules/02_colours", "milestones", "commands"]
    assert pages(drawn) == 2 * ["modules/01_shapes.html", "modules/02_colours.html"]
    assert "Module 02, Colours: 5 min · 1 exercise. " in drawn and drawn.count("tt-map-edge") == 4
