"""What a record looks like: lines of at most 80 columns, ASCII in a pipe, nothing left out in silence."""

import json
import subprocess

import pytest

from tito import console
from tito.bench import cases, table, terminal
from tito.bench.recording import BenchFailed


def lines_of(record):
    """Return all lines that a record gives."""
    found = [line for entry in record["cases"] if entry["threads"] for line in table.times(entry)]
    found += [*table.imports(record["imports"]), *table.memory(record["memory"])]
    return [part for line in found for part in line.split("\n")]


@pytest.mark.parametrize("plain", [True, False])
def test_no_line_is_longer_than_80_columns_and_nothing_is_cut(record, plain, monkeypatch):
    monkeypatch.setattr(table, "plain", lambda: plain)
    lines = lines_of(record)
    assert max(map(len, lines)) <= 80, max(lines, key=len)
    assert not [line for line in lines if "…" in line]
    assert all(line.isascii() for line in map(console.to_ascii, lines))


def test_columns_stand_below_each_other(record):
    lines = [line for line in table.times(record["cases"][0]) if line.startswith(("tinytorch", "by hand", "PyTorch"))]
    assert len(lines) == 2 * 8, "four threads need a second table"
    assert len({len(line) for line in lines[:8]}) == 1


def test_a_row_has_time_spread_and_ratio(record):
    result = record["cases"][0]["threads"]["1"]
    result["variants"]["PyTorch"]["cpu_ms"] = {"median": 2.0, "low": 1.9, "high": 2.1}
    result["ratios"]["PyTorch"] = 0.756
    assert table.cells(result, "PyTorch") == ["2.00", "±5%", "0.76"]
    assert table.cells(result, "tinygrad") == ["", "", ""]


def test_memory_is_told_with_what_came_after_the_imports(record):
    assert table.memory_rows(record["memory"])[0] == ["tinytorch numpy"] + ["1234 (+696)"] * 3
    del record["memory"][0]["variants"]["PyTorch"]
    assert [row[0] for row in table.memory_rows(record["memory"])] == list(record["memory"][1]["variants"]), (
        "in the order of the case"
    )
    assert table.peak({"peak_mb": 100.2, "imported_mb": None, "absent": None}) == "100"
    assert table.peak({"peak_mb": 100.2, "imported_mb": 50.0, "absent": "torch is not installed"}) == table.peak(None) == ""


@pytest.mark.parametrize("ms, text", [(1234.5, "1234"), (123.4, "123"), (12.345, "12.3"), (1.2345, "1.23"), (0.01234, "0.012")])
def test_times_have_three_digits(ms, text):
    assert table.amount(ms) == text


def test_notes_say_what_numba_gains_who_waited_and_who_failed(record):
    entry = {"title": "", "threads": {"1": record["cases"][0]["threads"]["1"]}}
    variants = entry["threads"]["1"]["variants"]
    variants["tinytorch numpy"]["cpu_ms"]["median"] = 2 * variants["tinytorch numba"]["cpu_ms"]["median"]
    notes = table.notes(entry)
    assert "1 thread, tinytorch: numba is 2.00 x as fast as numpy" in notes
    assert any("a busy machine: wall time up to 8.1 x CPU time" in note for note in notes)
    assert any(note.startswith("without tinygrad: ValueError") for note in notes)
    assert not any("torch is not installed" in note for note in notes), "that is said once, above the tables"


def test_a_quiet_machine_is_not_called_busy(record):
    result = record["cases"][0]["threads"]["1"]
    for one in result["variants"].values():
        one["wall_ms"] = one["cpu_ms"]
    assert list(table.waits(result)) == []


def test_speed_is_told_where_the_work_is_counted(record):
    result = {
        **record["cases"][0]["threads"]["1"],
        "variants": {"PyTorch": {"cpu_ms": {"median": 20.0}, "wall_ms": {"median": 1.0}}},
    }
    assert list(table.speeds(result, 2e9)) == ["GFLOP/s: PyTorch 100"] and list(table.speeds(result, None)) == []


def test_the_head_names_machine_kernels_and_what_slows_mkl(record):
    text = "\n".join(terminal.about(record))
    assert "AMD EPYC" in text and "openblas 0.3.31.188.0 SkylakeX" in text and "PyTorch 2.13.0+cpu, AVX512, MKL" in text
    assert "slower on AMD" in text and "set: OPENBLAS_CORETYPE=Haswell" in text
    assert "those for AVX2 can be faster" in text
    assert "built with CUDA" not in text
    record["machine"]["processor"] = "Intel(R) Xeon(R) Processor (GenuineIntel, family 6, model 143)"
    record["libraries"]["torch"]["version"] = "2.13.0+cu130"
    text = "\n".join(terminal.about(record))
    assert "slower on AMD" not in text and "those for AVX2" not in text and "built with CUDA" in text


@pytest.mark.parametrize("load, warned", [(1.2, True), (0.9, False), (None, False)])
def test_a_busy_machine_is_warned_of(record, load, warned, capsys):
    record["machine"]["load"] = load
    terminal.introduce(record)
    assert ("the machine is busy" in capsys.readouterr().out) == warned


def test_who_is_not_installed_is_named_with_the_way_to_add_it(record, capsys):
    del record["libraries"]["torch"]
    terminal.introduce(record)
    printed = capsys.readouterr().out
    assert 'torch is not installed, so it is left out; to add it: pip install "tinytorch-course[bench]"' in printed
    assert 'tinygrad is not installed, so it is left out; to add it: pip install "tinytorch-course[bench]"' in printed
    assert "numba is not installed" not in printed and max(map(len, printed.splitlines())) <= 100


def test_a_record_is_json_and_back(record, tmp_path):
    terminal.write(tmp_path / "new" / "cpu.json", record)
    assert json.loads((tmp_path / "new" / "cpu.json").read_text(encoding="utf-8")) == record


@pytest.mark.parametrize(
    "value, text",
    [
        ({}, "{}"),
        ([], "[]"),
        ("a, {b}", '"a, {b}"'),
        ([1, 2.5, None], "[1, 2.5, null]"),
        ({"a": 1, "b": "c"}, '{"a": 1, "b": "c"}'),
        ({"a": {}, "b": [[1, 2], 3]}, '{\n "a": {},\n "b": [\n  [1, 2],\n  3\n ]\n}'),
    ],
)
def test_what_holds_nothing_else_stands_on_one_line(value, text):
    assert terminal.laid_out(value) == text and json.loads(text) == value


def test_what_was_measured_outlives_an_interruption(record, tmp_path, capsys):
    """The file holds every table that was shown."""
    path, entry = tmp_path / "cpu.json", record["cases"][0]

    class Interrupted:
        seconds, threads = 8, (1, 2)

        def describe(self):
            return {name: value for name, value in record.items() if name not in ("cases", "imports", "memory")}

        def missing(self, case):
            return []

        def sizes(self, case):
            yield {**entry, "case": case.name}
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        terminal.measure(Interrupted(), ["mnist-mlp", "lenet5"], lambda grown: terminal.write(path, grown))
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert [one["case"] for one in kept["cases"]] == ["mnist-mlp"] and kept["machine"] == record["machine"]


def test_a_case_that_fails_leaves_the_others(record, capsys):
    class Failing:
        seconds, threads = 8, (1, 2)

        def missing(self, case):
            return []

        def sizes(self, case):
            raise BenchFailed({"case": case.name}, subprocess.CompletedProcess([], -9, "", "first\nKilled"))
            yield

    (entry,) = terminal.measured(Failing(), cases.find("adam"))
    assert entry["failed"] == "adam: the measuring process ended with status -9:\nfirst\nKilled" and entry["threads"] == {}
    assert "Killed" in capsys.readouterr().out
