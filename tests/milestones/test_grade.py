"""The verdict on a milestone: what passes, and what is refused however good it looks."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner

from tito.curriculum import Curriculum
from tito.evidence import passed, verdict

ROOT = Path(__file__).resolve().parents[2]
MNIST = Curriculum.load(ROOT / "modules" / "curriculum.toml").milestone("mnist-mlp")
ABOUT = {"milestone": "mnist-mlp", "seed": 0, "choices": {"hidden": 256, "gradients": "autograd"}, "gradients": "autograd"}
ACCURACY, MOVED, SLOPES = "test accuracy", "training changed every parameter", "gradients match finite differences"
SHAPES, REACHED, RUNS = "weights of the milestone's network", "a gradient reaches every parameter", "your package runs"
ALONE = "an image is classified on its own"


@pytest.fixture(scope="module")
def given():
    """Stand in for MNIST: ten pictures with noise; the test examples are as many as a second can train on."""
    rng = np.random.default_rng(0)
    pictures, labels = rng.integers(0, 200, (10, 28, 28)), rng.integers(0, 10, 1064)
    images = (pictures[labels] + rng.integers(0, 56, (1064, 28, 28))).astype(np.uint8)
    return {"test_images": images[64:], "test_labels": labels[64:], "images": images[:64], "labels": labels[:64]}


def initial(hidden=256, seed=0):
    """The weights that a network starts with: bounds and order of draws are those of module 03."""
    rng, found = np.random.default_rng(seed), {}
    for place, fan_in, fan_out in ((0, 784, hidden), (2, hidden, 10)):
        bound = 1 / np.sqrt(fan_in)
        for name, shape in ((f"{place}.weight", (fan_out, fan_in)), (f"{place}.bias", (fan_out,))):
            found[name] = rng.random(shape, np.float32) * np.float32(2 * bound) - np.float32(bound)
    return found


def trained(given, layers=(0, 2), hidden=256):
    """Train some layers on the stand-in, by hand and in NumPy."""
    weights = initial(hidden)
    w1, b1, w2, b2 = weights.values()
    x = (given["test_images"].reshape(-1, 784) / 255 - 0.1307) / 0.3081
    for _ in range(40):
        h = np.maximum(x @ w1.T + b1, 0)
        z = h @ w2.T + b2
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        p[np.arange(len(p)), given["test_labels"]] -= 1
        p /= len(p)
        back = (p @ w2) * (h > 0)
        for place, w, b, grad, seen in ((0, w1, b1, back, x), (2, w2, b2, p, h)):
            if place in layers:
                w -= 0.1 * (grad.T @ seen)
                b -= 0.1 * grad.sum(0)
    return weights


def failed(weights, given, package_parent=ROOT, about=ABOUT, seconds=120):
    """Return what did not pass, a dict from what was looked at to what was found."""
    rows = verdict.judge(MNIST, verdict.Saved(weights, about), given, package_parent, seconds)
    assert rows
    return {row.what: row.found for row in rows if not row.passed}


@pytest.mark.parametrize("gradients", ["autograd", "manual"])
def test_what_was_learned_passes(given, gradients):
    rows = verdict.judge(MNIST, verdict.Saved(trained(given), {**ABOUT, "gradients": gradients}), given, ROOT)
    assert [row for row in rows if not row.passed] == []
    assert [row.what for row in rows] == [SHAPES, REACHED, SLOPES, MOVED, ALONE, ACCURACY]
    assert "1,000 of 1,000" in rows[-1].found


def test_random_weights_are_refused(given):
    assert list(failed(initial(seed=1), given)) == [ACCURACY]


def test_gradients_are_looked_at_where_training_began(given):
    dead = {name: np.zeros_like(array) for name, array in initial().items()}
    assert list(failed(dead, given)) == [ACCURACY], "no gradient reaches the first layer there"


def test_weights_of_another_network_are_refused(given):
    found = failed(trained(given, hidden=128), given, about={**ABOUT, "choices": {"hidden": 128}})
    assert list(found) == [SHAPES]
    assert "(128, 784), not (256, 784)" in found[SHAPES]


def test_a_parameter_that_is_no_number_is_refused(given):
    weights = trained(given)
    weights["2.bias"][3] = np.nan
    assert SHAPES in failed(weights, given)


def test_a_log_that_says_99_percent_counts_nothing(given, tmp_path):
    path = tmp_path / "weights.safetensors"
    claims = {**ABOUT, "test_accuracy": 0.99, "history": [{"test_accuracy": 0.99}]}
    save_file(initial(seed=1), path, {name: json.dumps(value) for name, value in claims.items()})
    (tmp_path / "metrics.json").write_text('{"test_accuracy": 0.99}', encoding="utf-8")
    saved = verdict.read(path, MNIST)
    found = failed(saved.weights, given, about=saved.about)
    assert list(found) == [ACCURACY] and "99" not in found[ACCURACY].split("%")[0]


def test_a_first_layer_that_never_moved_is_refused(given):
    found = failed(trained(given, layers=(2,)), given)
    assert found == {MOVED: "0.bias, 0.weight did not"}, "the stand-in is so easy that its last layer alone can learn it"


@pytest.mark.parametrize(
    ("gradients", "file", "old", "new", "where"),
    [
        ("autograd", "autograd.py", "return grad * (out != 0)", "return 2 * grad * (out != 0)", "0."),
        ("autograd", "autograd.py", "weight, bias=None: grad @ weight,", "weight, bias=None: 2 * (grad @ weight),", "0."),
        ("manual", "losses.py", "grad /= len(labels)\n    return grad", "grad /= len(labels)\n    return 2 * grad", ""),
    ],
)
def test_a_package_whose_backward_is_wrong_by_a_factor_of_two_is_refused(given, package, gradients, file, old, new, where):
    found = failed(trained(given), given, package(file, old, new), {**ABOUT, "gradients": gradients})
    assert list(found) == [SLOPES] and found[SLOPES].startswith(where)
    assert "is 2 times the finite difference" in found[SLOPES]


def test_a_gradient_that_ends_on_the_way_is_refused(given, package):
    found = failed(trained(given), given, package("autograd.py", "return grad * (out != 0)", "return grad * 0"))
    assert set(found) == {REACHED, SLOPES}
    assert found[REACHED] == "none reaches 0.bias, 0.weight"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("while True: pass", "did not finish in 5 s"),
        ("import os; os._exit(3)", "exit status 3"),
        ("raise ZeroDivisionError('mine')", "ZeroDivisionError: mine"),
    ],
)
def test_a_package_that_does_not_run_is_refused(given, package, line, said):
    parent = package("losses.py", "import numpy as np\n", f"import numpy as np\n{line}\n")
    assert said in failed(trained(given), given, parent, seconds=5)[RUNS]


def test_weights_that_pytorch_trained_are_refused(given):
    assert "pytorch" in failed(trained(given), given, about={**ABOUT, "gradients": "pytorch"})["trained by your package"]


def test_the_package_never_sees_the_true_classes(given, monkeypatch):
    sent = {}
    monkeypatch.setattr(
        verdict, "observe", lambda job, inputs, seconds: sent.update(inputs) or verdict.observing.part("initial", {})
    )
    failed(trained(given), given)
    assert "test_images" in sent and "test_labels" not in sent


def test_a_damaged_file_and_another_milestones_are_no_evidence(tmp_path):
    path = tmp_path / "weights.safetensors"
    with pytest.raises(verdict.NoEvidence, match="does not exist"):
        verdict.read(path, MNIST)
    path.write_bytes(b"no weights")
    with pytest.raises(verdict.NoEvidence, match="not a complete safetensors file"):
        verdict.read(path, MNIST)
    save_file(initial(), path, {"milestone": '"cifar10-mlp"'})
    with pytest.raises(verdict.NoEvidence, match="not saved by mnist-mlp"):
        verdict.read(path, MNIST)


@pytest.mark.parametrize(("seed", "status"), [(None, 0), (1, 1)])
def test_the_command_ends_with_the_verdict(given, tmp_path, monkeypatch, seed, status):
    from tito.app import app

    monkeypatch.setenv("TINYTORCH_WORKSPACE", str(ROOT))
    monkeypatch.setattr(verdict, "examples", lambda milestone, data_dir: given)
    kept = []
    monkeypatch.setattr(passed, "keep", lambda space, milestone, rows, caveats, path: kept.append((milestone.name, caveats)))
    weights = trained(given) if seed is None else initial(seed=seed)
    save_file(weights, tmp_path / "weights.safetensors", {name: json.dumps(value) for name, value in ABOUT.items()})
    done = CliRunner().invoke(app, ["milestone", "grade", "mnist-mlp", "--run", str(tmp_path)])
    assert done.exit_code == status, done.output
    assert len(re.findall("^  [+✓] passed", done.output, re.MULTILINE)) == 6 - status
    assert ("mnist-mlp is passed, subject to the notes above" in done.output) == (status == 0)
    assert "the run did not record which files trained these weights" in done.output
    assert [name for name, _ in kept] == ["mnist-mlp"] * (status == 0)
    assert max(map(len, done.output.splitlines()[1:])) <= 80, "all but the path"
    assert "Next: tito" in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mnist-mlp", "--run", "nothing"], "tito milestone run mnist-mlp"),
        (["mnist-mpl"], "did you mean mnist-mlp?"),
        (["lenet5", "--run", "nothing"], "tito milestone run lenet5"),
    ],
)
def test_the_command_says_what_is_missing(tmp_path, arguments, said):
    done = subprocess.run(
        [sys.executable, "-m", "tito", "milestone", "grade", *arguments], cwd=ROOT, encoding="utf-8", capture_output=True
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_data_that_are_not_there_are_no_evidence(tmp_path):
    with pytest.raises(verdict.NoEvidence, match="MNIST needs"):
        verdict.examples(MNIST, tmp_path)


def test_a_floor_is_a_floor(given):
    rows = verdict.judge(dataclasses.replace(MNIST, floor=100.1), verdict.Saved(trained(given), ABOUT), given, ROOT)
    assert [row.what for row in rows if not row.passed] == [ACCURACY]


def test_a_run_on_the_pictures_that_come_along_is_not_graded_and_told_why(tmp_path):
    about = {"milestone": '"mnist-mlp"', "choices": '{"dataset": "mnist-5k"}'}
    save_file(initial(), tmp_path / "weights.safetensors", about)
    with pytest.raises(verdict.NoEvidence, match="a grade counts on all of MNIST only") as refused:
        verdict.read(tmp_path / "weights.safetensors", MNIST)
    assert refused.value.remedy == "tito milestone run mnist-mlp --data mnist"


@pytest.mark.parametrize(
    ("about", "reason", "command"),
    [
        ({"epochs": 1, "usual_epochs": 5}, "Train longer: 1 epoch was not enough.", "tito milestone run mnist-mlp"),
        ({"epochs": 5, "usual_epochs": 5}, "Train longer: 5 epochs were not enough.", "tito milestone run mnist-mlp --epochs 10"),
        ({}, "", "tito milestone run mnist-mlp"),
    ],
)
def test_too_few_epochs_are_said_to_be(about, reason, command):
    from tito.commands.milestone.grade import again

    rows = [verdict.Row("training changed every parameter", "4 of them", True), verdict.Row("test accuracy", "94 %", False)]
    assert again(MNIST, rows, about) == (reason, command)
    broken = [verdict.Row("training changed every parameter", "2 did not", False), *rows]
    assert again(MNIST, broken, about) == ("", "tito milestone run mnist-mlp")


def test_a_pass_says_what_it_passed_with_and_the_map_shows_it(tmp_path):
    from tito import scaffold, standing, workspace
    from tito.commands.overview import stage

    scaffold.write(tmp_path / "space")
    space = workspace.Workspace(tmp_path / "space")
    modules = space.curriculum.prerequisites(MNIST)
    for module in modules:
        space.exported(module).write_text(f"# {module}", encoding="utf-8")
    digests = {module.exports: standing.digest(space.exported(module)) for module in modules}
    assert passed.caveats(space, MNIST, {"package": digests}) == []
    standing.borrow(space, modules[0])
    space.exported(modules[-1]).write_text("# another", encoding="utf-8")
    found = passed.caveats(space, MNIST, {"package": digests})
    assert found == [
        f"borrowed from the reference: {modules[0]}",
        f"tinytorch/{modules[-1].exports} (module {modules[-1]}) is not the file that trained these weights",
    ]
    (tmp_path / "weights").write_bytes(b"x")
    passed.keep(space, MNIST, [("test accuracy", "97.60 ± 0.15 %, 9,760 of 10,000")], found, tmp_path / "weights")
    state, words = stage(space, MNIST, standing.standings(space))
    assert state == "passed" and words.startswith("passed with 97.60 %, 2") and words.endswith("on borrowed modules")
    (space.root / ".tito" / "milestones" / "mnist-mlp.json").write_text('{"when": 5}', encoding="utf-8")
    assert stage(space, MNIST, standing.standings(space))[0] == "ready"
