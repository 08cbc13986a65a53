"""What a learner reads, to the letter."""

import textwrap

import pytest

from tito.checks import layout
from tito.checks.checking import Failure, Verdict

WHERE = "modules/01_tensor/tensor.ipynb"
ROWS = (
    ("called", "matmul(a, b)"),
    ("with", "a (4, 1, 2, 3) float32; b (6, 3, 5) float32"),
    ("expected", "shape (4, 6, 2, 5)"),
    ("got", "shape (4, 1, 2, 5)"),
)
BATCH = "the batch dimensions were not broadcast: only the first matrix of b was used"


def failed(*rows, status="failed", **more):
    return Verdict("01.4", "matmul", status, 2, 4, Failure(rows, **more))


def block(text):
    return textwrap.dedent(text).strip("\n")


def test_a_wrong_shape():
    assert layout.text(failed(*ROWS, case=2, looks_like=BATCH), next_step=layout.IN_NOTEBOOK) == block("""
        01.4 matmul  not passed: 2 of 4 cases pass

          called            matmul(a, b)    a (4, 1, 2, 3) float32; b (6, 3, 5) float32
          expected          shape (4, 6, 2, 5)
          got               shape (4, 1, 2, 5)
          looks like        the batch dimensions were not broadcast: only the first
                            matrix of b was used

          Next: edit the cell, or `tito module hint 01.4`
    """)


def test_a_long_call_has_its_arrays_below_it():
    rows = (("called", "reduce_sum(a, dim=-1)"), ROWS[1], ("got", "1"))
    assert layout.text(failed(*rows, case=1)).split("\n")[2:5] == [
        "  called            reduce_sum(a, dim=-1)",
        "  with              " + ROWS[1][1],
        "  got               1",
    ]


def test_a_terminal_names_the_notebook_and_a_notebook_the_verdict():
    verdict = failed(*ROWS, case=2)
    notebook, terminal = layout.text(verdict, next_step=layout.IN_NOTEBOOK), layout.text(verdict, WHERE, layout.IN_TERMINAL)
    assert notebook.splitlines()[1:-2] == terminal.splitlines()[1:-3]
    assert terminal.startswith(f"01.4 matmul{WHERE:>69}\n")
    assert terminal.endswith("  passed 2 of 4 cases.\n  Next: edit the cell and save, or `tito module hint 01.4`")


def test_a_command_says_what_is_next_itself():
    assert layout.text(failed(*ROWS, case=2), WHERE).endswith("\n\n  passed 2 of 4 cases.")
    assert layout.text(failed(("raised", "it ended"))).endswith("it ended")


def test_one_line_each():
    assert layout.text(Verdict("01.4", "matmul", "passed", 8, 8), WHERE) == "01.4 matmul  passed 8 of 8 cases"
    assert layout.text(Verdict("01.4", "matmul", "unwritten", 0, 8), WHERE) == "01.4 matmul  not written yet"
    needs = failed(("", "needs 01.2 mul, which is not written yet"), status="unwritten")
    assert layout.text(needs, WHERE) == "01.4 matmul  needs 01.2 mul, which is not written yet"
    missing = failed(("", "is not defined in tinytorch.tensor"), status="missing")
    assert layout.text(missing, WHERE) == "01.4 matmul  is not defined in tinytorch.tensor"


def test_no_cases_are_counted_where_none_ran():
    text = layout.text(failed(("got nothing", "it ended the process: SIGSEGV"), status="error"), WHERE, layout.IN_TERMINAL)
    assert "cases" not in text and text.endswith("\n\n  Next: edit the cell and save, or `tito module hint 01.4`")


def test_what_stops_the_whole_module_is_told_once_and_under_its_name():
    broken = [
        Verdict(f"01.{i}", "f", "error", 0, 4, Failure((("", "importing tinytorch.tensor failed"),), shared=True))
        for i in (1, 2, 3)
    ]
    (text,) = layout.texts(broken, WHERE)
    assert text.startswith("module 01  ") and text.partition("\n")[0].endswith("modules/01_tensor/tensor.ipynb")
    verdicts = [Verdict("01.1", "f", "passed", 1, 1), failed(*ROWS, case=2)]
    assert len(layout.texts(verdicts, WHERE, ascii=True)) == 2


@pytest.mark.parametrize(
    "row",
    [
        ("raised", "ValueError: " + "long words " * 200),
        ("got", "x" * 500),
        ("got", "[" + "0.1, " * 90 + "]"),
        ("", "words " * 50),
        ("raised", "\n".join(["SyntaxError", "  a b", "    ^"] * 9)),
        ("got", "a\tb" * 60),
        ("got", ""),
    ],
)
def test_eighty_columns_whatever_it_says(row):
    text = layout.text(failed(row, case=1, looks_like=BATCH), "modules/" + "very_long_folder/" * 6 + "x.ipynb, cell 1")
    assert max(map(len, text.split("\n"))) <= 80
    assert len(text.split("\n")) < 30
    assert not any(line != line.rstrip() for line in text.split("\n"))


def test_a_message_of_many_lines_keeps_their_indentation():
    text = layout.text(failed(("raised", "SyntaxError: invalid\n  a b\n    ^"), case=1))
    assert f"SyntaxError: invalid\n{' ' * 20}  a b\n{' ' * 20}    ^" in text


def test_ascii_only_on_request():
    verdict = failed(("got", "2 × 3 → “six” ≠ 7 … 🙂"), case=1)
    assert "2 × 3 → “six” ≠ 7 … 🙂" in layout.text(verdict)
    assert '2 x 3 -> "six" != 7 ... ?' in layout.text(verdict, ascii=True)


def test_control_characters_of_a_message_do_not_reach_the_screen():
    text = layout.text(failed(("raised", "ValueError: \x1b[2J\x07\r passed"), case=1))
    assert "\x1b" not in text and "\r" not in text and "\x07" not in text


def test_what_was_printed_is_shown_on_request():
    verdict = Verdict("01.4", "matmul", "passed", 1, 1, None, "here\n" + "x" * 200 + "\n" * 100)
    assert "here" not in layout.text(verdict)
    text = layout.text(verdict, printed=True)
    assert text.startswith("01.4 matmul  passed 1 of 1 cases\n\n  it printed:\n  | here\n  | xxx")
    assert max(map(len, text.split("\n"))) <= 80 and text.count("\n") < 50


def test_reports_are_joined_with_space_around_blocks():
    assert layout.join(["a", "b", "c\nd", "e"]) == "a\nb\n\n\nc\nd\n\n\ne"
    assert layout.join(["a"]) == "a" and layout.join([]) == ""
