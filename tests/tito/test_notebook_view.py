"""A verdict in a notebook: a block where HTML is shown, and the same words everywhere else."""

import re
import subprocess
import sys

import pytest

from tito import notebook_view

REPORT = "01.2 mul  not passed: 0 of 8 cases pass\n\n  expected   [[1, 2], <3>]\n  got        [[0, 2], 3]"
ADVICE = "\n\n  Next: edit the cell, or `tito module hint 01.2`"


@pytest.mark.parametrize(("status", "sign"), [("passed", "✓"), ("unwritten", "·"), ("failed", "✗"), ("timeout", "✗")])
def test_each_verdict_has_a_sign_and_a_colour(status, sign):
    block = notebook_view.Verdict(REPORT, status)._repr_mimebundle_()["text/html"]
    assert f"<b>{sign} 01.2 mul</b> · not passed: 0 of 8 cases pass" in block
    others = [notebook_view.Verdict(REPORT, other).block() for other in ("passed", "unwritten", "failed") if other != status]
    colour = re.search(r"rgb\([^)]*\)", block)[0]
    assert status == "timeout" or all(colour not in other for other in others)


def test_the_block_holds_every_word_and_no_script():
    verdict = notebook_view.Verdict(REPORT + "\n<script>alert(1)</script>", "failed")
    bundle = verdict._repr_mimebundle_()
    assert bundle["text/plain"] == repr(verdict) == verdict.text
    assert "<script" not in bundle["text/html"] and "&lt;script&gt;" in bundle["text/html"]
    assert "  expected   [[1, 2], &lt;3&gt;]\n  got        [[0, 2], 3]" in bundle["text/html"], "as it is laid out"


def test_what_to_do_next_stands_out():
    block = notebook_view.Verdict(REPORT + ADVICE, "failed").block()
    assert block.endswith("<b>Next:</b> edit the cell, or <code>tito module hint 01.2</code></div></div>")
    assert "Next" not in re.search("<pre.*?</pre>", block, re.DOTALL)[0]


def test_without_ipython_it_is_printed(capsys):
    notebook_view.show(REPORT, "failed")
    assert capsys.readouterr().out == REPORT + "\n"


def test_an_exercise_that_is_not_written_yet_is_one_line_and_other_errors_are_whole():
    pytest.importorskip("IPython", reason="the extra `notebook` is not installed")
    script = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(colors="NoColor")
from tito import notebook_view
notebook_view.shorten_stubs()
shell.run_cell("def relu(a):\\n    raise NotImplementedError('02.1 relu')\\nrelu(1)")
print("=" * 5)
shell.run_cell("raise NotImplementedError('something else')")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    stub, other = done.stdout.split("=====\n")
    assert "02.1 relu is not written yet" in stub and "Traceback" not in stub and len(stub.splitlines()) == 1
    assert "Traceback" in other and "something else" in other
