"""A failure that an earlier module causes: the message and the next command name that module."""

import shutil

import pytest

FILES = {
    "01": "tensor",
    "02": "activations",
    "03": "layers",
    "04": "losses",
    "05": "autograd",
    "06": "optim",
    "07": "data",
}


@pytest.fixture
def built(workspace, pytestconfig):
    """Return a workspace with right notebooks, and a package with the exports of modules 01 to 07."""
    folder = workspace("solved")
    for name in FILES.values():
        shutil.copy(pytestconfig.rootpath / "tinytorch" / f"{name}.py", folder / "tinytorch")
    return folder


@pytest.mark.parametrize(
    "earlier, old, new, exercise",
    [
        pytest.param("01", "    return a @ b", "    return a @ b + 1", "05.2", id="a wrong value"),
        pytest.param("01", "    return a @ b", "    raise ValueError(a.shape)", "05.2", id="an error", marks=pytest.mark.slow),
        pytest.param("01", "    return a @ b", "    while True: pass", "05.2", id="no end"),
        pytest.param("02", "import numpy as np", "import nowhere", "03.4", id="nothing can be imported"),
        pytest.param("03", "class Sequential", "class Series", "04.9", id="a name is gone", marks=pytest.mark.slow),
        pytest.param(
            "06",
            "def clip_grad_norm_(",
            "def clip_grad_norm_(*_): return 0.0\n\ndef other(",
            "08.1",
            id="nothing is done",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_the_module_is_named_in_the_message_and_in_the_next_command(built, tito, earlier, old, new, exercise):
    path = built / "tinytorch" / f"{FILES[earlier]}.py"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    done = tito("module", "test", exercise, "--timeout", "2", cwd=built)
    shown = " ".join(done.stdout.split())
    assert done.returncode == 1, shown
    assert f"at fault module {earlier} " in shown, done.stdout
    assert f"(tinytorch/{FILES[earlier]}.py): with the course's own in its place, {exercise} " in shown
    assert done.stdout.rstrip().endswith(f"Next: tito module test {earlier}, which causes this failure")
