"""Measure `tito grade autograde` on a whole class, beside nbgrader's own autograde of the same release.

    python benchmarks/grading.py --submissions 200 --workers 2 --nbgrader 8

A class of made-up students hands in module 03: most of them the right solution, a few something odd. It is marked in the sandbox.
Then nbgrader's own serial autograde marks a few of the right submissions of the same release. The result, with the peak of the
memory and every mark that is not as expected, goes to `benchmarks/results/grading.json`. It needs the extra `grade`, bubblewrap
and Linux.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date
from pathlib import Path

from tito import workspace
from tito.grading.gradebook import Classroom
from tito.notebooks import source, strip

MODULE = workspace.Workspace(workspace.course_dir()).curriculum.module("03")
RIGHT = "out = matmul.forward(x, weight.T)"
PRINTED = json.dumps({"output_type": "stream", "name": "stdout", "text": "x" * (40 * 2**20)})
ODD = {  # what an odd submission does, in linear or at import, or what its file is; and the share of the points that it keeps
    "endless": lambda text: text.replace(RIGHT, "while True: pass"),
    "exit": lambda text: text.replace(RIGHT, "import os; os._exit(0)"),
    "memory": lambda text: text.replace(RIGHT, "block = bytearray(b'x') * (8 * 2**30)"),
    "forks": lambda text: text.replace(RIGHT, "import os; [os.fork() for _ in range(10)]"),
    "prints": lambda text: text.replace(RIGHT, "print('x' * (10 * 2**20)); " + RIGHT),
    "syntax": lambda text: text.replace(RIGHT, "out = = 1"),
    "stub": None,
    "outputs": lambda text: text.replace('"outputs": []', f'"outputs": [{PRINTED}]', 1),
    "json": lambda text: text[: len(text) // 2],
    "utf-16": lambda text: text.encode("utf-16"),
}
LOSES_NOTHING = {"prints", "outputs", "utf-16"}


def solved(release):
    """Return a release's notebook, a text, with the solutions of the course in it."""
    document = json.loads(release)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{MODULE.name}.ipynb"
        strip.write(strip.learner_cells(source.read(workspace.course_source(MODULE)), solved=True), path)
        theirs = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for cell, right in zip(document["cells"], theirs, strict=True):
        cell["source"] = right["source"]
    return json.dumps(document)


def hand_in(classroom, count, odd):
    """Write the submissions of a class: `odd` of each odd kind, and right ones."""
    stub = (classroom.path("release", MODULE) / f"{MODULE.name}.ipynb").read_text(encoding="utf-8")
    right = solved(stub)
    names = [f"{kind}-{number}" for kind in ODD for number in range(odd)]
    names += [f"right-{number:03}" for number in range(count - len(names))]
    for name in names:
        kind = name.rpartition("-")[0]
        change = ODD.get(kind, lambda text: text)
        text = stub if change is None else change(right)
        data = text if isinstance(text, bytes) else text.replace("# # ", f"# # {name} ", 1).encode()
        folder = classroom.path("submitted", MODULE, name)
        folder.mkdir(parents=True)
        (folder / f"{MODULE.name}.ipynb").write_bytes(data)
    return names


class Watch(threading.Thread):
    """Read every 0.2 s what a process and all its descendants use; it keeps the peaks, in MB."""

    def __init__(self, number):
        super().__init__(daemon=True)
        self.number, self.own, self.all, self.processes, self.over = number, 0.0, 0.0, 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.2):
            sizes = {each: proportional(each) for each in family(self.number)}
            self.own = max(self.own, sizes.get(self.number, 0.0))
            self.all, self.processes = max(self.all, sum(sizes.values())), max(self.processes, len(sizes))


def family(number):
    """Return a process and its descendants."""
    children = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    members = [number]
    for member in members:
        members += children.get(member, ())
    return members


def proportional(number):
    """Return the memory of a process in MB, with its share of what it shares."""
    try:
        lines = Path(f"/proc/{number}/smaps_rollup").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0.0


def measured(command, **options):
    """Run a command, and return its seconds, its output, and the watch over its memory."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", **options)
    watch = Watch(process.pid)
    output, _ = process.communicate()
    watch.over.set()
    return time.monotonic() - began, output, process.returncode, watch


def unexpected(classroom, names):
    """Return the students whose points are not as expected: a dict to (points, lowest, highest)."""
    scores = classroom.scores(MODULE)
    wrong = {}
    for name in names:
        kind, most = name.rpartition("-")[0], sum(classroom.points(MODULE).values())
        lowest, highest = (most, most) if kind == "right" or kind in LOSES_NOTHING else (0, most - 1)
        points = scores[name]["score"] if name in scores else None
        if points is None or not lowest <= points <= highest:
            wrong[name] = points, lowest, highest
    return wrong


def tito_class(count, odd, workers):
    """Mark a class with tito, and return what was measured."""
    with tempfile.TemporaryDirectory(prefix="class-") as folder:
        classroom = released(Path(folder) / "class")
        names = hand_in(classroom, count, odd)
        command = [sys.executable, "-m", "tito", "grade", "autograde", MODULE.number, "--course", str(classroom.folder)]
        seconds, output, status, watch = measured([*command, "--workers", str(workers)])
        if status:
            print(output[-3000:])
        again, _, _, _ = measured(command)
        return {
            "submissions": count,
            "odd": odd * len(ODD),
            "workers": workers,
            "seconds": round(seconds, 1),
            "seconds_each": round(seconds / count, 3),
            "status": status,
            "unexpected": unexpected(classroom, names),
            "peak_mb_of_tito": round(watch.own),
            "peak_mb_of_all": round(watch.all),
            "most_processes": watch.processes,
            "seconds_of_a_rerun": round(again, 1),
        }


def nbgrader_class(count):
    """Mark right submissions with nbgrader's own autograde, and return what was measured."""
    with tempfile.TemporaryDirectory(prefix="class-") as folder:
        space, classroom = Path(folder) / "mine", released(Path(folder) / "class")
        tito = [sys.executable, "-m", "tito"]
        subprocess.run([*tito, "init", str(space)], check=True, capture_output=True)
        for number in ("01", "02"):
            subprocess.run([*tito, "module", "complete", number, "--borrow"], cwd=space, check=True, capture_output=True)
        names = hand_in(classroom, count, 0)
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        environment = {**os.environ, "TINYTORCH_WORKSPACE": str(space), "PATH": programs}
        command = [sys.executable, "-m", "nbgrader", "autograde", MODULE.folder]
        seconds, output, status, watch = measured(command, cwd=classroom.folder, env=environment)
        if status:
            print(output[-3000:])
        return {
            "submissions": count,
            "seconds": round(seconds, 1),
            "seconds_each": round(seconds / count, 3),
            "status": status,
            "unexpected": unexpected(classroom, names),
            "peak_mb_of_all": round(watch.all),
        }


def released(folder):
    """Return a new class with a release of the module."""
    command = [sys.executable, "-m", "tito", "grade", "release", MODULE.number, "--course", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return Classroom(folder)


def main():
    """Measure, write, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--odd", type=int, default=1, help="submissions of each odd kind")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--nbgrader", type=int, default=8, help="submissions that nbgrader marks")
    parser.add_argument("--to", type=Path, default=Path(__file__).parent / "results" / "grading.json")
    options = parser.parse_args()
    found = {
        "date": date.today().isoformat(),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load_before": os.getloadavg()[0]},
        "module": MODULE.folder,
        "nbgrader": nbgrader_class(options.nbgrader),
        "tito": tito_class(options.submissions, options.odd, options.workers),
    }
    found["machine"]["load_after"] = os.getloadavg()[0]
    found["times_the_rate"] = round(found["nbgrader"]["seconds_each"] / found["tito"]["seconds_each"], 1)
    options.to.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
