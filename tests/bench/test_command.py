"""`tito bench` from end to end, with the shortest of runs."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tito import machine
from tito.app import app
from tito.bench import cases, imports, terminal
from tito.bench.recording import Bench, BenchFailed, compared
from tito.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
CLOCK = {"median": float, "low": float, "high": float}
VARIANT = {"check": [float], "first_s": float, "fallbacks": [str], "samples": int, "cpu_ms": CLOCK, "wall_ms": CLOCK}
RESULT = {"clock": str, "absent": {}, "variants": {}, "fastest_pytorch": (str, type(None)), "ratios": {}}
RECORD = {
    "schema": int,
    "date": str,
    "machine": {"processor": str, "cores": int, "system": str, "python": str, "settings": {}},
    "libraries": {"numpy": {"version": str, "blas": str}},
    "threads": [int],
    "cases": [{"case": str, "title": str, "threads": {}}],
}


def conforms(value, schema, path="record"):
    """Assert that a value has the types that a schema asks for: a type, a list of one schema, or a dict of what must be there."""
    if isinstance(schema, dict):
        assert isinstance(value, dict) and set(schema) <= set(value), f"{path} lacks {set(schema) - set(value)}"
        for key in schema:
            conforms(value[key], schema[key], f"{path}.{key}")
    elif isinstance(schema, list):
        assert isinstance(value, list), path
        for number, one in enumerate(value):
            conforms(one, schema[0], f"{path}[{number}]")
    else:
        assert isinstance(value, schema), f"{path} is {value!r}"


def conforms_all(record):
    """Assert that a record has the form that the page and the table read."""
    conforms(record, RECORD)
    for entry in record["cases"]:
        for result in entry["threads"].values():
            conforms(result, RESULT)
            for variant in result["variants"].values():
                conforms(variant, VARIANT)


def test_without_its_peers_it_measures_ourselves_and_says_how_to_add_them(bench):
    record, printed = bench("cross-entropy", "import", "--threads", 1, "--steps", 1, without=("torch", "tinygrad"))
    conforms_all(record)
    assert [entry["size"] for entry in record["cases"]] == ["(128, 10)", "(1024, 1000)"]
    result = record["cases"][0]["threads"]["1"]
    assert (
        result["absent"]["PyTorch"] == "torch is not installed" and result["fastest_pytorch"] is None and result["ratios"] == {}
    )
    assert {"tinytorch numpy", "by hand numpy"} <= set(result["variants"])
    for name in ("torch", "tinygrad"):
        assert printed.count(f'{name} is not installed, so it is left out; to add it: pip install "tinytorch-course[bench]"') == 1
    assert "without tinygrad" not in printed and "PyTorch" not in record["imports"]["variants"]
    assert record["imports"]["variants"]["tinytorch"]["wall_ms"]["median"] > 0
    assert printed.isascii() and max(map(len, printed.splitlines())) <= 100


def test_a_training_step_is_recorded_with_what_bounds_it(bench):
    record, printed = bench("mnist-mlp", "--threads", 1, "--steps", 1, "--seconds", 0, without=("torch", "tinygrad"))
    conforms_all(record)
    profile = record["cases"][0]["threads"]["1"]["roofline"]
    row = {"op": str, "kernels": str, "calls": int, "ms": float, "flops": int, "bytes": int}
    conforms(profile, {"machine": dict.fromkeys(("flops", "memory", "cache"), float), "kernels": {"numpy": [row]}})
    assert 1e9 < profile["machine"]["flops"] < 1e13 and 1e8 < profile["machine"]["memory"] < 1e13
    said = [line for line in printed.splitlines() if "roofs" in line or "products" in line]
    assert len(said) == 2 and max(map(len, said)) <= 80


def test_with_pytorch_ratios_are_to_its_fastest_and_both_numbers_of_threads_are_measured(bench):
    pytest.importorskip("torch", reason="the extra `bench` is not installed")
    record, printed = bench("--case", "matmul", "--steps", 2, without=("tinygrad",))
    conforms_all(record)
    (entry,) = record["cases"]
    assert list(entry["threads"]) == ["1", "2"] and [one["clock"] for one in entry["threads"].values()][1] == "wall"
    for result in entry["threads"].values():
        clock = f"{result['clock']}_ms"
        medians = {name: one[clock]["median"] for name, one in result["variants"].items()}
        assert {"tinytorch numpy", "PyTorch"} <= set(medians)
        fastest = min((name for name in medians if name.startswith("PyTorch")), key=medians.get)
        assert result["fastest_pytorch"] == fastest and result["ratios"][fastest] == 1
        assert result["ratios"]["tinytorch numpy"] == pytest.approx(medians["tinytorch numpy"] / medians[fastest], abs=1e-4)
        assert {one["samples"] for name, one in result["variants"].items()} <= {1, 2}
    assert "1 thread" in printed and "2 threads" in printed and "PyTorch 2." in printed


def test_memory_is_that_of_a_process_for_each(bench):
    space = Workspace(ROOT)
    found = Bench(space, ["06"], threads=(1,)).memory(cases.find("cifar10-mlp"))
    ours = found["variants"]["tinytorch numpy"]
    assert ours["absent"] is None and ours["imported_mb"] + 40 < ours["peak_mb"] < 600, (
        "3.8 million weights, their gradients and Adam's two means"
    )
    assert "PyTorch channels_last" not in found["variants"], "a network of linear layers has no memory format of images"


def test_imports_are_of_what_is_written_and_of_numba_apart():
    found = imports.statements(Workspace(ROOT))
    assert found["tinytorch"] == "import tinytorch" and "tinytorch.optim" in found["tinytorch, all but kernels"]
    assert "kernels" not in found["tinytorch, all but kernels"] and "tinytorch.kernels_cpu" in found["tinytorch and numba"]


def test_every_library_is_limited_to_the_threads_that_the_table_says(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    environment = Bench(Workspace(ROOT), []).environment(2)
    assert {environment[name] for name in machine.LIMITS} == {"2"} and "OMP_NUM_THREADS" in machine.LIMITS
    assert environment["DEV"] == "CPU", "where there is a GPU, tinygrad would take that"
    assert environment["TINYTORCH_WORKSPACE"] == str(ROOT)


def test_the_fastest_pytorch_is_that_of_the_clock_that_counts():
    variants = {"tinytorch numpy": (3.0, 6.0), "PyTorch": (2.0, 9.0), "PyTorch fused": (4.0, 8.0)}
    result = {
        "variants": {name: {"cpu_ms": {"median": cpu}, "wall_ms": {"median": wall}} for name, (cpu, wall) in variants.items()}
    }
    found = compared({**result, "clock": "cpu"})
    assert found["fastest_pytorch"] == "PyTorch" and found["ratios"]["tinytorch numpy"] == 1.5
    found = compared({**result, "clock": "wall"})
    assert found["fastest_pytorch"] == "PyTorch fused" and found["ratios"]["tinytorch numpy"] == 0.75


@pytest.fixture(scope="module")
def learner(tmp_path_factory):
    """A learner's workspace, in which nothing is written yet."""
    folder = tmp_path_factory.mktemp("learner") / "mine"
    subprocess.run([sys.executable, "-m", "tito", "init", str(folder)], check=True, capture_output=True, cwd=ROOT)
    return folder


def test_a_case_that_needs_more_modules_says_which(learner, bench):
    record, printed = bench("lenet5", "--steps", 1, "--threads", 1, without=("torch", "tinygrad"), cwd=learner)
    assert "lenet5: needs 06, 12" in printed
    assert record["cases"] == [{"case": "lenet5", "title": cases.find("lenet5").title, "needs": ["06", "12"], "threads": {}}]


@pytest.fixture
def product(learner):
    """Return a function that writes the line by which the learner's package multiplies matrices."""
    subprocess.run(
        [sys.executable, "-m", "tito", "module", "complete", "01", "--borrow"], cwd=learner, capture_output=True, check=True
    )
    path = learner / "tinytorch" / "tensor.py"
    text = path.read_text(encoding="utf-8")
    assert text.count("    return a @ b\n") == 1
    yield lambda line: path.write_text(text.replace("    return a @ b\n", f"    {line}\n"), encoding="utf-8")
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "line, without, variants, said",
    [
        ("return a @ b", ("torch", "tinygrad"), ["tinytorch numpy"], ""),
        ("raise ValueError('not like this')", ("torch", "tinygrad"), [], "without tinytorch numpy: ValueError: not like this"),
        ("return (a @ b) * 2", ("tinygrad",), ["PyTorch"], "without tinytorch numpy: computes something else"),
    ],
)
def test_the_learners_own_package_is_measured_and_a_wrong_one_gets_no_time(
    learner, product, bench, line, without, variants, said
):
    if "torch" not in without:
        pytest.importorskip("torch", reason="the extra `bench` is not installed")
    product(line)
    record, printed = bench("matmul", "--steps", 1, "--threads", 1, without=without, cwd=learner)
    assert list(record["cases"][0]["threads"]["1"]["variants"]) == variants and said in printed


def test_an_unknown_case_gets_the_nearest(tito):
    done = tito("bench", "lenet")
    assert done.returncode == 2 and "there is no case 'lenet': did you mean lenet5?" in done.stdout


def test_the_list_names_every_case(tito):
    done = tito("bench", "--list")
    assert done.returncode == 0 and max(map(len, done.stdout.splitlines())) <= 80
    for name in (*(case.name for case in cases.CASES), "import", "memory"):
        assert f"  {name} " in done.stdout


def test_tito_imports_no_peer_and_no_package_to_show_its_help():
    code = (
        "import sys, tito.app, tito.bench.terminal\n"
        "print([name for name in ('torch', 'tinygrad', 'numba', 'tinytorch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=ROOT)
    assert done.stdout == "[]\n", done.stderr


def test_a_process_that_ends_without_an_answer_is_an_error_with_its_last_words(tmp_path):
    bench = Bench(Workspace(tmp_path), [])
    with pytest.raises(BenchFailed, match="KeyError"):
        bench.work({"kind": "nothing"}, threads=1)


def test_no_more_threads_are_measured_than_there_are_cores(monkeypatch, capsys):
    measured = []
    monkeypatch.setattr(machine, "cores", lambda: 2)
    monkeypatch.setattr(terminal, "measure", lambda bench, *more: measured.append(bench.threads) or {"cases": []})
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(app, ["bench", "import", "--threads", "1", "--threads", "1000", "--threads", "3"])
    assert done.exit_code == 0 and measured == [(1, 2)]
    assert "1000 threads are more than the 2 cores" in done.stdout
