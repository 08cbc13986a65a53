"""The file that a profile writes: what the Trace Event Format asks of it, and that it says the same as the profile's table."""

import collections
import json
import math

import numpy as np
import pytest

import tinytorch as tt
from tinytorch.data import DataLoader, TensorDataset
from tinytorch.given.profiling import for_viewer
from tinytorch.given.state import watchers
from tinytorch.layers import Linear, ReLU, Sequential
from tinytorch.losses import cross_entropy
from tinytorch.optim import Adam
from tinytorch.profiler import profile, record_function
from tinytorch.tensor import Tensor, mul


def scaled(images, rng):
    with record_function("load"):
        return images.astype(np.float32) / 255


def trained():
    """Return the profile of three steps of a network, the batches of which a second thread makes ready."""
    rng = np.random.default_rng(0)
    model = Sequential(Linear(20, 12, rng=rng), ReLU(), Linear(12, 5, rng=rng))
    images, labels = rng.integers(0, 256, (24, 20), dtype=np.uint8), rng.integers(0, 5, 24)
    optimizer = Adam(model.parameters())
    loader = DataLoader(TensorDataset(images, labels, transform=scaled), batch_size=8, prefetch=2)
    with profile() as p:
        for batch, truth in loader:
            with record_function("step"):
                cross_entropy(model(batch), truth).backward()
                optimizer.step()
    return p


def written(p, folder):
    """Return the events of the file that a profile writes."""

    def refuse(word):
        raise AssertionError(f"{word} is not JSON")  # Python's reader takes NaN, others do not

    p.export_chrome_trace(folder / "trace.json")
    return json.loads((folder / "trace.json").read_text(encoding="utf-8"), parse_constant=refuse)["traceEvents"]


def complaints(events):
    """Return what is wrong with the events of a trace, as texts; Perfetto drops a slice that overlaps another without lying in it."""
    found, named = (
        [],
        {(event["name"], event["pid"], event.get("tid")): event["args"]["name"] for event in events if event["ph"] == "M"},
    )
    threads = collections.defaultdict(list)
    for event in events:
        if event["ph"] == "M":
            found += [f"no name: {event}"] * (not event["args"]["name"])
            continue
        missing = {"name", "cat", "ph", "ts", "dur", "pid", "tid", "args"} - set(event)
        found += [f"no {', '.join(sorted(missing))}: {event}"] * bool(missing)
        if missing:
            continue
        found += [f"{event['ph']} is no complete event: {event}"] * (event["ph"] != "X")
        if not all(
            isinstance(event[key], (int, float)) and math.isfinite(event[key]) and event[key] >= 0 for key in ("ts", "dur")
        ):
            found.append(f"no time: {event}")
            continue
        found += [f"the process has no name: {event}"] * (("process_name", event["pid"], None) not in named)
        found += [f"the thread has no name: {event}"] * (("thread_name", event["pid"], event["tid"]) not in named)
        threads[event["pid"], event["tid"]].append((nanoseconds(event["ts"]), -nanoseconds(event["dur"]), event["name"]))
    for slices in threads.values():
        ends = []
        for began, negative, name in sorted(slices):
            while ends and ends[-1] <= began:
                ends.pop()
            if ends and began - negative > ends[-1]:
                found.append(f"overlaps: {name} at {began} ns")
            ends.append(began - negative)
    return found


def nanoseconds(microseconds):
    """Return a time as the whole number of nanoseconds that a viewer makes of it."""
    whole = round(1e3 * microseconds)
    assert abs(whole - 1e3 * microseconds) < 1e-4, f"{microseconds} us is no whole number of nanoseconds"
    return whole


def test_a_viewer_has_nothing_to_complain_of(tmp_path):
    events = written(trained(), tmp_path)
    assert complaints(events) == []
    assert {event["cat"] for event in events if event["ph"] == "X"} == {"kernel", "rule", "walk", "mark"}


def test_slices_lie_where_the_ops_ran(tmp_path):
    """In the step, the walk back; in that, the rules; in those, their products."""
    slices = [event for event in written(trained(), tmp_path) if event["ph"] == "X"]

    def around(inner):
        return [
            one["name"]
            for one in slices
            if one["tid"] == inner["tid"]
            and one is not inner
            and one["ts"] <= inner["ts"]
            and inner["ts"] + inner["dur"] <= one["ts"] + one["dur"]
        ]

    paths = {" / ".join([*around(event), event["name"]]) for event in slices}
    assert {
        "step / relu",
        "step / backward / relu backward",
        "step / backward / linear backward / reduce_sum",
        "step / adam_update",
        "load",
    } <= paths
    assert any(path.startswith("step / backward / ") and path.endswith(" backward / matmul") for path in paths)
    assert not any("note" in path for path in paths)


def test_every_number_of_the_trace_is_json(tmp_path):
    """NaN or a NumPy number would make a file that no viewer opens."""
    with profile() as p:
        Tensor([1.0]) * np.float32(2.0) + float("nan")
    events = written(p, tmp_path)
    assert [event["args"]["inputs"] for event in events if event["ph"] == "X"] == ["(1,), nan", "(1,), 2.0"]


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda slices: slices[5].pop("tid"), "no tid"),
        (lambda slices: slices[5].pop("cat"), "no cat"),
        (lambda slices: slices[5].update(ph="B"), "no complete event"),
        (lambda slices: slices[5].update(dur=-1.0), "no time"),
        (lambda slices: slices[5].update(ts=float("nan")), "no time"),
        (lambda slices: slices[5].update(tid=9), "the thread has no name"),
        (lambda slices: slices[5].update(pid=9), "the process has no name"),
        (lambda slices: slices[0].update(dur=slices[0]["dur"] // 2), "overlaps"),
        (lambda slices: slices[5].update(dur=slices[5]["dur"] + 1e6), "overlaps"),
    ],
)
def test_a_trace_that_is_spoilt_is_complained_of(spoil, complaint, tmp_path):
    events = written(trained(), tmp_path)
    spoil([event for event in events if event["ph"] == "X"])
    assert any(complaint in text for text in complaints(events))


def test_threads_have_python_s_names(tmp_path):
    events = written(trained(), tmp_path)
    process, *threads = [event for event in events if event["ph"] == "M"]
    assert (process["name"], process["args"]["name"]) == ("process_name", "tinytorch")
    assert {event["tid"]: event["args"]["name"] for event in threads} == {0: "MainThread", 1: "prefetch_0"}
    assert {event["name"] for event in events if event["ph"] == "X" and event["tid"] == 1} == {"load"}


def test_the_trace_holds_the_seconds_flops_and_bytes_of_the_table(tmp_path):
    p = trained()
    sums = collections.defaultdict(lambda: np.zeros(4))
    for event in written(p, tmp_path):
        if event.get("cat") == "kernel":
            sums[event["name"]] += 1e-6 * event["dur"], event["args"]["FLOPs"], event["args"]["bytes"], 1
    rows = collections.defaultdict(lambda: np.zeros(4))
    for row in p.key_averages():
        if row.kernels:
            rows[row.op] += row.seconds, row.flops, row.moved, row.calls
    assert set(sums) == set(rows) and len(rows) >= 5
    for op, row in rows.items():
        np.testing.assert_allclose(sums[op], row, rtol=1e-6, atol=1e-9 * row[-1], err_msg=op)  # a trace has whole nanoseconds


def test_a_fallback_is_seen(tmp_path):
    with tt.use("numba"), profile() as p:
        Tensor([1.0, 2.0]) * 2.0 @ np.ones((2, 1), np.float32)
    args = {event["name"]: event["args"] for event in written(p, tmp_path) if event["ph"] == "X"}
    assert "fallback" in args["matmul"] and args["matmul"]["kernels"] == "numpy"
    assert ("fallback" in args["mul"]) == (args["mul"]["kernels"] == "numpy")


def test_a_kernel_that_raised_is_in_the_trace_without_shapes(tmp_path):
    with profile() as p, pytest.raises(ValueError):
        mul(np.ones(2), np.ones(3))
    (event,) = [event for event in written(p, tmp_path) if event["ph"] == "X"]
    assert (event["name"], event["args"]) == ("mul", {"kernels": "numpy"})
    assert watchers == []


def test_no_rate_where_the_clock_stood_still():
    details = {"kind": "kernel", "kernels": "numpy", "fallback": False, "flops": 3, "bytes": 8, "inputs": [(3,)]}
    event = for_viewer({"name": "relu", "ts": 0.0, "dur": 0.0, "args": details})
    assert event["args"] == {"kernels": "numpy", "inputs": "(3,)", "FLOPs": 3, "bytes": 8}
    json.dumps(event, allow_nan=False)
