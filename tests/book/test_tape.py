"""The page of a training step, kernel by kernel: two tables that name ops and hold no answer."""

from pathlib import Path

import pytest

from tito.book import contents, tape

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_page_has_every_op_of_a_step_and_no_function_that_an_exercise_would_call():
    pytest.importorskip("numba")
    page = tape.pages(ROOT)["tape.md"]
    mlp, lenet5 = page.split("\n## ")[1:]
    ops = [row.split("`")[1] for row in mlp.splitlines() if row.startswith("| `")]
    forward = ["linear", "relu", "linear", "cross_entropy", "cross_entropy_gradient"]
    assert [op for op in ops if op in forward] == forward and ops[-8:] == ["count", "sgd_update"] * 4
    assert "relu_backward" in ops and {"conv2d_weight", "max_pooling_backward", "adam_update"} <= {
        row.split("`")[1] for row in lenet5.splitlines() if row.startswith("| `")
    }
    assert not any(word in page for word in ("ufunc", "not_equal", "np.", "<locals>"))
    assert "| 128x784, 256x784, 256 | 128x256 |" in mlp


def test_a_course_without_the_package_has_no_such_page(tmp_path):
    assert tape.pages(tmp_path) == {}
    assert "tape" in contents.AFTER["The whole"]
