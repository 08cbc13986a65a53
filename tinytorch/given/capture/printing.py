"""What `step.tape()` shows: every call of a recorded step. Given."""

import statistics
import time

import numpy as np

from tinytorch.given.capture.recording import refs

FORMS = {
    "prepared": "kernel, prepared",
    "out": "NumPy, into its place",
    "in place": "in place",
    "copied": "kernel, then copied",
    "choice": "checked: as recorded",
    "upload": "copied to the device",
    "launches": "launched",
}


class Table:
    """A recorded step, line by line.

    Args:
        tape: The `tape.Tape`.

    Its attribute ``lines`` is a list with a dict for each line: ``name``, ``shapes``, ``bytes``, ``microseconds``, ``form`` (how
    its result gets to its place), ``code`` (the function that runs) and ``line`` (of the step). ``entries`` has one for each op.
    ``arena``, ``scratch``, ``results`` and ``inputs`` are bytes.
    """

    def __init__(self, tape):
        self.arena, self.scratch = tape.player.bytes, sum(tape.player.scratch_sizes)
        self.inputs = sum(array.nbytes for array in tape.buffers)
        made = {entry.out.root: entry.out.root.nbytes for entry in tape.player.entries if entry.out is not None}
        self.results = sum(nbytes for root, nbytes in made.items() if not root.stays)
        shown = [line for line in tape.player.lines if line.calls]
        self.lines = [described(line, seconds) for line, seconds in zip(shown, timed(tape, shown))]
        self.entries = list(whole(tape.player))

    def __repr__(self):
        head = ["kernel", "result", "bytes", "us", "how", "code"]
        rows = [
            [each["name"], each["result"], f"{each['bytes']:,}", f"{each['microseconds']:.1f}", FORMS[each["form"]], each["code"]]
            for each in self.lines
        ]
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        total = sum(each["microseconds"] for each in self.lines)
        end = (
            f"{len(rows)} lines, {total:.0f} us; arena {self.arena:,} bytes, of which gradients outlive the step; "
            f"buffers of the inputs {self.inputs:,}"
        )
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in [head, *rows]]
        return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], end])


def whole(player):
    """Yield what the table shows of each entry, which may be several lines."""
    lines = iter(player.lines)
    for entry, parts in player.groups:
        own = [next(lines) for _ in parts]
        if any(line.calls for line in own):
            yield described(own[0]._replace(entry=entry), 0.0)


def timed(tape, lines, rounds=5):
    """Return the seconds of each line of a tape: the medians of some replays, after which everything is as before.

    Args:
        tape: The tape.
        lines: Its lines that make calls.
        rounds: Number of replays.
    """
    before = tape.snapshot()
    seconds = [[] for _ in lines]
    try:
        for _ in range(rounds):
            for line, times in zip(lines, seconds):
                began = time.perf_counter()
                for call in line.calls:
                    call()
                times.append(time.perf_counter() - began)
    finally:
        before.restore()
    return [statistics.median(times) for times in seconds]


def described(line, seconds):
    """Return what the table shows of a line."""
    entry = line.entry
    inputs = refs((entry.inputs, entry.settings))
    out = entry.out or (inputs[0] if inputs else None)
    function = getattr(entry.function, "function", entry.function)
    name = entry.op.name if entry.op else getattr(function, "__name__", "a function")
    code = getattr(function, "__wrapped__", function)
    return {
        "name": name,
        "shapes": [ref.shape for ref in inputs],
        "result": "x".join(map(str, out.shape)) if out is not None and out.shape else "one number",
        "bytes": sum(
            int(np.prod(ref.shape)) * ref.dtype.itemsize
            for ref in {id(r): r for r in [*inputs, *([entry.out] * bool(entry.out))]}.values()
        ),
        "microseconds": 1e6 * seconds,
        "form": line.form,
        "code": name if "<locals>" in getattr(code, "__qualname__", "<locals>") else code.__qualname__,
        "line": entry.line,
    }
