"""What bounds a step: the sums, and the words for them in a terminal and in the book."""

import pytest

from tito.bench import bounds, figure, table


@pytest.fixture
def result(record):
    """A step of 1300 ms with numba, 1500 ms with numpy, beside a PyTorch of 2000 ms."""
    found = record["cases"][0]["threads"]["1"]
    for name, ms in (("tinytorch numpy", 1500.0), ("tinytorch numba", 1300.0), ("PyTorch", 2000.0)):
        found["variants"][name] = {
            clock: {"median": ms * slower, "low": ms, "high": ms} for clock, slower in (("cpu_ms", 1), ("wall_ms", 5))
        }
    return {**found, "fastest_pytorch": "PyTorch"}


def test_an_op_is_bound_by_what_takes_longer():
    machine = {"flops": 2e9, "cache": 1e9, "memory": 1e6}
    assert bounds.limit({"flops": 4e6, "bytes": 1e6}, machine) == (2.0, "arithmetic")
    assert bounds.limit({"flops": 4e6, "bytes": 3e6}, machine) == (3.0, "bytes"), "at the rate of the cache"
    assert bounds.limit({"flops": 0, "bytes": 0}, machine) == (0.0, "bytes")


def test_a_step_is_divided_into_products_other_ops_and_what_is_outside(result):
    step = bounds.steps(result)["numba"]
    assert step.heavy == ("matmul", "linear") and (step.ms, step.products, step.others) == (1300, 900, 80)
    assert step.outside == 320 and step.products_roof == pytest.approx(500) and step.others_roof == pytest.approx(10 + 1)
    assert step.roof == pytest.approx(511)
    assert bounds.steps(result)["numpy"].outside == 1500 - 1100


def test_ops_that_were_slower_under_the_profile_leave_nothing_outside(result):
    result["variants"]["tinytorch numba"]["cpu_ms"]["median"] = 900.0
    assert bounds.steps(result)["numba"].outside == 0


def test_the_fastest_kernel_set_is_shown(result):
    assert bounds.fastest(result).kernels == "numba" and bounds.peer(result) == 2000
    result["variants"]["tinytorch numba"]["cpu_ms"]["median"] = 1501.0
    assert bounds.fastest(result).kernels == "numpy"


def test_nothing_is_said_of_a_record_without_profiles(result):
    del result["roofline"]
    assert bounds.steps(result) == {} and bounds.fastest(result) is None and list(table.limits(result)) == []
    assert figure.profiled({"threads": {"1": result}}) is None


def test_a_terminal_gets_two_short_lines(result):
    lines = list(table.limits(result))
    assert lines == [
        "at the machine's roofs: 511 ms, 0.39 of ours, 0.26 of PyTorch's",
        "numba: products 0.45, other ops 0.04, rest 0.16 of PyTorch's step",
    ]
    assert max(len(f"  1 thread, {line}") for line in lines) <= table.WIDTH
    entry = {"title": "", "threads": {"1": result}}
    assert [line for line in table.times(entry) if "roofs" in line] == [f"  1 thread, {lines[0]}"]


def test_without_pytorch_the_parts_are_of_our_step(result):
    assert list(table.limits({**result, "fastest_pytorch": None})) == [
        "at the machine's roofs: 511 ms, 0.39 of ours",
        "numba: products 0.69, other ops 0.06, rest 0.25 of our step",
    ]


def test_why_there_is_no_roofline_is_said(result):
    result["roofline"] = {"failed": "tinytorch.profiler is built in module 09"}
    assert list(table.limits(result)) == ["no roofline: tinytorch.profiler is built in module 09"]
    assert bounds.fastest(result) is None


def test_the_book_shows_where_the_time_goes_and_how_little_it_could_be(result):
    image, rows, words = figure.paragraphs(result, "rooflines/one.svg")
    assert image.startswith("![Roofline") and image.endswith("](rooflines/one.svg)")
    assert rows.split("\n") == [
        "| 1 thread, ms | tinytorch numpy | tinytorch numba | numba at the roofs |",
        "| --- | ---: | ---: | ---: |",
        "| products: `matmul`, `linear` | 900 | 900 | 500 |",
        "| other ops | 200 | 80.0 | 11.0 |",
        "| outside of ops | 400 | 320 |  |",
        "| the step | 1500 | 1300 | 511 |",
        "| ratio | 0.75 | 0.65 | 0.26 |",
    ]
    assert words == (
        "With each op at its roof, 2 GFLOP/s or 1 GB/s, the step would take 511 ms: 0.39 of what it takes and 0.26 of the "
        "fastest PyTorch's. The products alone, which reach 1 GFLOP/s in it, take 0.45 of PyTorch's step; at the "
        "roof they would take 0.25. With numba it is 1.15 x as fast as with numpy; at the roofs it would be 2.9 x. "
        "Ops that do no arithmetic have no dot: `pooling` (30.0 ms)."
    )


def test_a_book_without_pytorch_and_numba_says_what_is_left(result):
    del result["roofline"]["kernels"]["numba"]
    _, rows, words = figure.paragraphs({**result, "fastest_pytorch": None}, "rooflines/one.svg")
    assert "ratio" not in rows and "numba" not in rows
    assert words == "With each op at its roof, 2 GFLOP/s or 1 GB/s, the step would take 510 ms: 0.34 of what it takes."
