"""What a profile does with spans: put them around ops, add them up and print them. Given.

Module 09 writes the spans, the logs and the sums; its `profile` is a `Watch` that has them.
"""

import json
import threading
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinytorch.given.dispatch import fallbacks
from tinytorch.given.state import watchers

NOTE = {"kind": "note"}  # the details of a span of the profile's own work


class Row(NamedTuple):
    """An op under one kernel set: total seconds, FLOPs and bytes, calls, and how many calls fell back to NumPy."""

    name: str
    seconds: float
    flops: float = 0
    moved: float = 0
    calls: int = 0
    kernels: str = ""
    fallbacks: int = 0

    op = property(lambda self: self.name.rpartition(": ")[2])  # the op's name, without its caller's

    def cells(self, total):
        """Return the row's cells as strings; an unknown value stays empty."""
        rates = [f"{x / self.seconds / 1e9:.1f}" if x and self.seconds > 0 else "" for x in (self.flops, self.moved)]
        share = f"{100 * self.seconds / total:.1f}" if total else ""
        return [
            shortened(self.name),
            self.kernels + " *" * bool(self.fallbacks),
            str(self.calls or ""),
            f"{1e3 * self.seconds:.2f}",
            share,
            *rates,
        ]


def shortened(name, most=34):
    """Return a name short enough for a column: the caller's name is cut, the op's is kept."""
    if len(name) <= most:
        return name
    reason, colon, op = name.rpartition(": ")
    return f"{reason[: max(0, most - len(op) - 5)]}...{colon}{op}"[:most]


class Averages(list):
    """The rows of a profile, slowest first; their seconds add up to the time of the with block."""

    def table(self, row_limit=20):
        """Return the rows as text of at most 80 columns.

        Args:
            row_limit: How many ops to show; one more row sums up the others. None shows all.

        Returns:
            Text: milliseconds, their share of the total, and FLOPs and bytes per second of the op's own time.
        """
        ops, others = [row for row in self if row.calls], [row for row in self if not row.calls]
        shown, rest = ops[:row_limit], ops[row_limit:] if row_limit else []
        more = [Row(f"{len(rest)} more", sum(row.seconds for row in rest))] if rest else []
        total = sum(row.seconds for row in self)
        head = ["op", "kernels", "calls", "ms", "%", "GFLOP/s", "GB/s"]
        cells = [head, *(row.cells(total) for row in [*shown, *more, *others, Row("in all", total)])]
        lines = ["{:<34} {:<8} {:>6} {:>9} {:>5} {:>7} {:>5}".format(*texts) for texts in cells]
        lines[1:1] = lines[-1:-1] = ["-" * len(lines[0])]
        fell = sum(row.fallbacks for row in self)
        return "\n".join([*lines, f"* {fell} calls fell back to NumPy: the kernel set has no kernel for them"] if fell else lines)

    __str__ = __repr__ = table


class Watch:
    """Puts spans around kernels, gradient rules and the backward walk while its with block runs.

    Args:
        clock: Function that returns the time in seconds.
    """

    def __init__(self, clock=time.perf_counter):
        self.clock, self.logs, self.names, self.main, self.began, self.ended = clock, {}, {}, None, 0.0, 0.0

    def __enter__(self):
        self.logs, self.names, self.main = {}, {}, threading.get_ident()
        self.log()
        watchers.append(self)
        self.began = self.ended = self.clock()
        return self

    def __exit__(self, *error):
        self.ended = self.clock()
        watchers.remove(self)

    def log(self):
        """Return the calling thread's log."""
        thread = threading.get_ident()
        if thread not in self.logs:
            self.names[thread] = threading.current_thread().name
            self.logs[thread] = self.new_log(self.clock)
        return self.logs[thread]

    def part(self, function, name):
        """Put a span around the backward walk, and around no other part."""
        return self.around(function, name, "walk") if name == "backward" else function

    def numbers(self, numbers):
        return numbers

    def random(self, generator):
        return generator

    def whole(self, function):
        return function

    def question(self, function):
        return function

    def upload(self, function):
        return function

    def download(self, function):
        return function

    def rule(self, rule, op):
        """Put a span around a gradient rule."""
        return self.around(rule, f"{op.name} backward", "rule")

    def around(self, function, name, kind):
        """Return a function that does the same inside a span."""

        def run(*inputs, **settings):
            log, started = self.log(), self.clock()
            with self.span(log, name, {"kind": kind}):
                out = function(*inputs, **settings)
            self.note(log, started)
            return out

        return run

    def note(self, log, started):
        """Append to a log the time that the profile itself spent around the last span."""
        done = log.spans[-1]
        log.spans.append(done._replace(name="note", began=done.ended - (done.began - started), ended=self.clock(), details=NOTE))

    def kernel(self, kernel, op, kernels, fallback=False):
        """Put a span around a kernel, and record its work; the time for recording is counted separately."""
        details = {"kind": "kernel", "kernels": kernels, "fallback": fallback}

        def run(*arrays, **settings):
            log, before, started = self.log(), fallbacks[op.name], self.clock()
            with self.span(log, op.name, details):
                out = kernel(*arrays, **settings)
            if fallbacks[op.name] > before:  # the kernel does not cover these inputs
                details.update(kernels="numpy", fallback=True)
            details.update(self.cost(op, out, arrays, {**op.defaults, **settings}))
            self.note(log, started)
            return out

        return run

    def cost(self, op, out, arrays, settings):
        """Return the work of one run of an op: its FLOPs, its bytes, and the input shapes."""
        flops = op.flops(out, *arrays, **settings) if op.flops else 0
        moved = (
            op.moved(out, *arrays, **settings)
            if op.moved
            else self.bytes_moved(*arrays)
            if out is None
            else self.bytes_moved(out, *arrays)
        )
        shapes = [x.shape if isinstance(x, np.ndarray) else str(x) for x in arrays]  # JSON has no nan
        return {"flops": int(flops), "bytes": int(moved), "inputs": shapes}

    def key_averages(self):
        """Return a row for each op and kernel set, and one for the time between them.

        Returns:
            `Averages`, a list that prints as a table. Ops of other threads have rows too, on top of this thread's time.
        """
        rows, between, notes = {}, self.ended - self.began, 0.0
        for thread, log in self.logs.items():
            for span, own, label in zip(log.spans, self.self_times(log.spans), labels(log.spans)):
                kind = span.details["kind"]
                if kind in ("kernel", "mark"):
                    add_up(rows, label, own, span.details)
                notes += own if thread == self.main and kind == "note" else 0.0
                between -= own if thread == self.main and kind in ("kernel", "mark", "note") else 0.0
        rest = [Row("Python between the ops", between), Row("the profile's own notes", notes)]
        return Averages([*sorted(rows.values(), key=lambda row: -row.seconds), *rest])

    def export_chrome_trace(self, path):
        """Write all spans to a file that https://ui.perfetto.dev opens.

        Args:
            path: Name of the file, such as ``"trace.json"``.
        """
        events = [{"name": "process_name", "ph": "M", "pid": 0, "args": {"name": "tinytorch"}}]
        for number, (thread, log) in enumerate(self.logs.items()):
            events.append({"name": "thread_name", "ph": "M", "pid": 0, "tid": number, "args": {"name": self.names[thread]}})
            spans = [span for span in log.spans if span.details is not NOTE]
            events += map(for_viewer, self.trace_events(spans, self.began, number))
        Path(path).write_text(json.dumps({"traceEvents": events}), encoding="utf-8")

    def __repr__(self):
        return self.key_averages().table()


def for_viewer(event):
    """Return a trace event with what a viewer shows when you click it: a line for each fact, and the rates.

    Args:
        event: Dict with the keys of `trace_events`.

    Returns:
        Dict with the same keys, and ``cat``, its category: ``kernel``, ``rule``, ``walk`` or ``mark``. Times are whole ns.

    Example:
        >>> details = {"kind": "kernel", "kernels": "numpy", "flops": 3000, "bytes": 24, "inputs": [(2, 3), "4.0"]}
        >>> for_viewer({"name": "mul", "ts": 5.0, "dur": 1.5, "args": details})["args"]
        {'kernels': 'numpy', 'inputs': '(2, 3), 4.0', 'FLOPs': 3000, 'bytes': 24, 'GFLOP/s': 2.0, 'GB/s': 0.016}
    """
    details, nanoseconds = event["args"], round(1e3 * event["dur"])
    args = {"kernels": details["kernels"]} if "kernels" in details else {}
    if details.get("fallback"):
        args["fallback"] = "the kernel set has no kernel for these inputs"
    if "inputs" in details:  # missing if the kernel raised an error
        args.update(inputs=", ".join(map(str, details["inputs"])), FLOPs=details["flops"], bytes=details["bytes"])
        if nanoseconds:
            args |= {"GFLOP/s": round(details["flops"] / nanoseconds, 3), "GB/s": round(details["bytes"] / nanoseconds, 3)}
    return {**event, "cat": details["kind"], "ts": round(event["ts"], 3), "dur": nanoseconds / 1e3, "args": args}


def labels(spans):
    """Return each span's name, after the name of the innermost gradient rule around it, or else of the backward walk.

    Args:
        spans: List of spans of one thread, in the order in which they ended.

    Returns:
        List of texts, such as ``"matmul"``, ``"relu backward: mul"`` and ``"backward: add"``.
    """
    outer, names = [], []
    for span in reversed(spans):  # so that a span comes before those inside it
        outer = [other for other in outer if other.depth < span.depth]
        around = [other.name for other in outer if other.details["kind"] in ("rule", "walk")]
        names.append(": ".join([*around[-1:], span.name]))
        outer.append(span)
    return names[::-1]


def add_up(rows, label, seconds, details):
    """Add one call to the row of its label, kernel set and fallback, in a dict of rows."""
    kernels, fell = details.get("kernels", ""), details.get("fallback", False)
    row = rows.get((label, kernels, fell), Row(label, 0.0, kernels=kernels))
    rows[label, kernels, fell] = row._replace(
        seconds=row.seconds + seconds,
        flops=row.flops + details.get("flops", 0),
        moved=row.moved + details.get("bytes", 0),
        calls=row.calls + 1,
        fallbacks=row.fallbacks + fell,
    )


def held(array):
    """Return how many bytes of memory an array refers to; a broadcast axis counts once.

    Args:
        array: NumPy array of any shape.

    Returns:
        Python int.

    Example:
        >>> row = np.ones((1, 4), np.float32)
        >>> held(row), held(np.broadcast_to(row, (100, 4)))
        (16, 16)
    """
    count = array.itemsize
    for size, stride in zip(array.shape, array.strides):
        count *= size if stride or size == 0 else 1
    return count
