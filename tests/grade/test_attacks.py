"""Attacks that need no class: what a submission could read, and what would stop or mislead the trusted side.

`test_sandbox.py` has those that run in the sandbox. In both files each attack is shown to succeed with the defence that stops it
switched off: in the same test, or in the one below it. These have no such counterpart, because there is nothing to switch off:

    comments, magics, brackets, copies,   the code that took a time that grows with the square of their number is gone: without
    lines, blanks, ats, marks, percents,  the limits on cells these notebooks take under a second now
    dots
    cells that lie about themselves       the judge never asks them
    a link in a zip                       Python's zipfile never makes one: only another unpacker would
    deeply nested code                    Python's compiler refuses it by itself
"""

import contextlib
import io
import json
import os
import re
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path, PureWindowsPath

import numpy as np
import pytest

from tito.checks import checking, observation, wire
from tito.grading import (
    bubblewrap,
    collecting,
    intake,
    judge,
    marked,
    memory,
    parcel,
    process,
    sandbox,
    similarity,
    verdicts,
    workers,
)
from tito.notebooks import export, refusals, salvage, source
from tito.notebooks.export import export_text

SECRET = "s3cr3t-of-the-instructor"


def inside(script, box="bubblewrap", **limits):
    """Run a script in a sandbox as a worker is started, and return what it printed."""
    return sandbox.trial(box, script, sandbox.Limits(**limits))[1]


# What a submission can read, whatever it is given.

READ_ALL = """
import glob, os
secret, found = b"s3cr" + b"3t-of", []
paths = glob.glob("/proc/[0-9]*/*") + glob.glob("/proc/[0-9]*/task/*/*")
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/usr", "/sys", "/proc", "/dev", "/root")]
    paths += [os.path.join(folder, name) for name in files]
for path in paths:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if secret in file.read(100_000):
                found.append(path)
    except OSError:
        pass
print(sorted(found))
"""


@pytest.mark.every_sandbox
def test_no_file_inside_holds_the_instructors_environment(box, monkeypatch):
    monkeypatch.setenv("TOKEN", SECRET)
    assert inside(READ_ALL, box).strip() == "[]"


def test_with_the_instructors_environment_a_file_inside_holds_it(box, monkeypatch):
    """The defence off: bubblewrap starts with the environment of tito, of which a copy remains in process 1."""
    monkeypatch.setenv("TOKEN", SECRET)
    real = bubblewrap.options
    monkeypatch.setattr(bubblewrap, "options", lambda limits: {**real(limits), "environment": dict(os.environ)})
    assert "/proc/1/environ" in inside(READ_ALL)


@pytest.mark.every_sandbox
def test_the_memory_of_a_submission_is_limited_as_a_whole(box):
    """Ten processes of 100 MB are more than 400 MB, though each is less."""
    attack = """
import os, time
for _ in range(10):
    if os.fork() == 0:
        block = bytearray(b"x") * (100 * 2**20)
        time.sleep(3)
        os._exit(0)
alive = 0
for _ in range(10):
    alive += os.wait()[1] == 0
print("alive", alive)
"""
    assert "alive 10" not in inside(attack, box, memory=400 * 2**20)
    assert "alive 10" in inside(attack, box, memory=1500 * 2**20), "with a higher limit all of them live"


def test_without_control_groups_the_memory_is_watched(box, monkeypatch):
    monkeypatch.setattr(memory, "parents", lambda: [])
    attack = (
        "import os, time\nfor _ in range(5): os.fork()\nblock = bytearray(b'x') * (40 * 2**20)\ntime.sleep(4)\nprint('alive')"
    )
    assert "alive" not in inside(attack, memory=400 * 2**20)
    monkeypatch.setattr(memory.Guard, "look", lambda self, number: None)
    assert "alive" in inside(attack, memory=400 * 2**20), "with the watch off they live"


# Links and archives.


def test_a_folder_that_is_a_link_is_no_submission(tmp_path, module):
    victim = tmp_path / "victim" / module.folder
    victim.mkdir(parents=True)
    (victim / "tensor.ipynb").write_text("{}", encoding="utf-8")
    (tmp_path / "mallory").symlink_to(tmp_path / "victim")
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / module.folder).symlink_to(victim)
    assert intake.folders(tmp_path) == ["eve", "victim"] and intake.folders(tmp_path / "eve") == []
    assert {path.parent.name for path in tmp_path.glob(f"*/{module.folder}")} == {"eve", "mallory", "victim"}, "glob follows them"


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_file_is_not_opened(tmp_path, module, kind):
    path = tmp_path / "tensor.ipynb"
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    began = time.monotonic()
    with pytest.raises(intake.Unreadable, match="link|not a file|not submitted|was not"):
        intake.content(path)
    with pytest.raises(intake.Unreadable, match="was not submitted"):
        intake.read(tmp_path, module)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_opened_like_any_file_they_do_harm(tmp_path, kind):
    """The defence off: another's file is read, the class waits for ever, or an error ends it."""
    path = tmp_path / "tensor.ipynb"
    if kind == "link":
        path.symlink_to("/etc/passwd")
        assert b"root:" in path.read_bytes()
    elif kind == "pipe":
        os.mkfifo(path)
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(["cat", path], timeout=0.3, check=False)
    else:
        path.mkdir()
        with pytest.raises(IsADirectoryError):
            path.read_bytes()


def zipped(*entries):
    """Return a zip of (name, data) or (ZipInfo, data)."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    data.seek(0)
    return data


def link(name, target):
    about = zipfile.ZipInfo(name)
    about.create_system, about.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return about, target


@pytest.mark.parametrize(
    "name",
    ["../../gradebook.db", "/etc/cron.d/x.ipynb", "..\\..\\x.ipynb", "a/../../b.ipynb", "C:\\x.ipynb", "\u202e\x1b[2Jx.ipynb", "x" * 5000 + ".ipynb"],
)  # fmt: skip
def test_a_name_in_a_zip_never_is_a_path_here(name, tmp_path, classroom, module):
    notebooks, _ = parcel.unpack(zipped((name, "{}")).getvalue(), [])
    submission = collecting.Submission()
    for each, content in notebooks.items():
        collecting.take(submission, each, content, [], "mallory")
    before = {path for path in classroom.folder.rglob("*") if path.is_file()}
    if submission.files:
        collecting.store(classroom, module, "mallory", submission)
    new = {path for path in classroom.folder.rglob("*") if path.is_file()} - before
    assert all(path.parent == classroom.path("submitted", module, "mallory") for path in new)
    assert all(len(path.name) < 130 and path.name.isprintable() for path in new)


@pytest.mark.parametrize("name", ["../../../gradebook.db", "/etc/cron.d/x.ipynb", "a/../../../../b.ipynb", "\u202e\x1b[2Jx.ipynb", "x" * 5000 + ".ipynb"])  # fmt: skip
def test_a_name_in_a_zip_that_is_used_as_it_is_leads_elsewhere(name, tmp_path, classroom, module, monkeypatch):
    """The defence off: names are used as they are. Those with backslashes lead elsewhere on Windows alone, as its paths show."""
    monkeypatch.setattr(collecting, "safe_file", lambda name: name)
    name = f"{tmp_path}{name}" if name.startswith("/") else name
    submission = collecting.Submission()
    collecting.take(submission, name, b"stolen", [], "mallory")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    if len(name) > 1000:
        with pytest.raises(OSError):
            collecting.store(classroom, module, "mallory", submission)
        return
    collecting.store(classroom, module, "mallory", submission)
    changed = [path for path in tmp_path.rglob("*") if path.is_file() and before.get(path) != path.read_bytes()]
    at_home = [
        path for path in changed if path.parent == classroom.path("submitted", module, "mallory") and path.name.isprintable()
    ]
    assert changed and not at_home


@pytest.mark.parametrize("name", ["..\\..\\x.ipynb", "C:\\x.ipynb"])
def test_backslashes_lead_elsewhere_on_windows(name):
    folder = PureWindowsPath("D:/class/submitted/mallory")
    assert not (folder / name).is_relative_to(folder) or ".." in (folder / name).parts


def test_a_link_in_a_zip_is_not_made(tmp_path):
    skipped = []
    assert parcel.unpack(zipped(link("tensor.ipynb", "/etc/passwd")).getvalue(), skipped)[0] == {}
    assert "is a link" in skipped[0]


def test_a_zip_bomb_stops_at_the_limit(monkeypatch):
    monkeypatch.setattr(intake, "LARGEST", 2**20)
    skipped = []
    assert parcel.unpack(zipped(("tensor.ipynb", bytes(50 * 2**20))).getvalue(), skipped)[0] == {}
    assert "has more than" in skipped[0]
    monkeypatch.setattr(intake, "LARGEST", 2**30)
    assert parcel.unpack(zipped(("tensor.ipynb", bytes(50 * 2**20))).getvalue(), [])[0], "with a higher limit it is unpacked"


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06" + b"\xff" * 18, b"not a zip" * 100])
def test_what_is_no_zip_is_refused(data):
    with pytest.raises(parcel.Refused):
        parcel.unpack(data, [])


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06" + b"\xff" * 18, b"not a zip" * 100])
def test_what_is_no_zip_would_end_the_collecting(data):
    """The defence off: Python's own error, which no one catches."""
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(data)).infolist()


# What the trusted side reads.


def notebook(*texts, **about):
    cells = [{"cell_type": "code", "source": text, "metadata": {}, "outputs": []} for text in texts]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells, **about})


def read(text, name="tensor.ipynb"):
    return intake.notebook(intake.Handed(name, text.encode() if isinstance(text, str) else text))


@pytest.fixture(scope="module")
def solved(notebooks):
    return json.loads(notebooks["solved"])


def quickly(function, *words, seconds=5.0):
    """Call a function, and require that it takes no more processor time than this."""
    began = time.process_time()
    answer = function(*words)
    assert time.process_time() - began < seconds
    return answer


@pytest.mark.parametrize(
    "cells",
    [
        ["#| export\n" + "# a comment\n" * 400_000],
        ["#| export\n" + "".join(f"def broadcast_shap{cell}{number}(): pass\n" for number in range(2500)) for cell in range(4)],
        ["#| export\n" + "%timeit x\n" * 15_000],
        ["#| export\n" + "(" * 150_000],
        ["#| export\n" + "x = 1\n" * 30_000] * 5,
        ["#| export\ndef add(): pass"] * 3000,
        ["#| export\n" + "\n" * 190_000],
        ["#| export\n" + " " * 190_000],
        ["#| export\n" + "@" * 150_000],
        ["#| export\n'''" + "# %%\n" * 30_000],
        ["%" * 150_000],
        ["#| export\n" + "a." * 60_000 + "b"],
    ],
    ids=[
        "comments",
        "near names",
        "magics",
        "brackets",
        "statements",
        "copies",
        "lines",
        "blanks",
        "ats",
        "marks",
        "percents",
        "dots",
    ],
)
def test_no_notebook_takes_long_to_be_repaired(reference, solved, cells):
    extra = [{"cell_type": "code", "source": text, "metadata": {}, "outputs": []} for text in cells]
    written, _ = read(json.dumps({**solved, "cells": solved["cells"] + extra}))
    saved = quickly(salvage.salvage, written, reference, "01_tensor/tensor.ipynb", seconds=20)
    assert "matmul" not in saved.lost and len("".join(map(str, saved.problems))) < 10**6
    compile(saved.text, "tensor.py", "exec")


def test_near_names_without_a_limit_are_all_compared(reference, solved, monkeypatch):
    """The defence off: every near-miss name is compared with every missing one."""
    text = "#| export\n" + "".join(f"def broadcast_shap{number}(): pass\n" for number in range(2900))
    cells = [cell for cell in solved["cells"] if "def broadcast_shape" not in "".join(cell["source"])]
    written, _ = read(json.dumps({**solved, "cells": [*cells, {"cell_type": "code", "source": text, "metadata": {}}]}))
    compared = []

    def nearest(name, names, most):
        compared.append(len(names))
        return []

    monkeypatch.setattr(refusals.difflib, "get_close_matches", nearest)
    salvage.salvage(written, reference, "01_tensor/tensor.ipynb")
    assert max(compared) == refusals.MOST_NAMES
    monkeypatch.setattr(refusals, "MOST_NAMES", 10**9)
    salvage.salvage(written, reference, "01_tensor/tensor.ipynb")
    assert max(compared) == 2900


@pytest.mark.slow
def test_many_statements_without_a_limit_take_long(reference, solved, monkeypatch):
    """The defence off: a fifth of the attack already takes far longer than all of it takes with the limits."""
    text = "#| export\n" + "x = 1\n" * 6000
    cells = [{"cell_type": "code", "source": text, "metadata": {}, "outputs": []}] * 5
    written, _ = read(json.dumps({**solved, "cells": solved["cells"] + cells}))

    def seconds():
        began = time.process_time()
        salvage.salvage(written, reference, "01_tensor/tensor.ipynb")
        return time.process_time() - began

    limited = seconds()
    monkeypatch.setattr(salvage, "LARGEST_CELL", 10**9)
    monkeypatch.setattr(salvage, "MOST_LINES", 10**9)
    assert seconds() > 5 * limited


METADATA = [
    '{"x": ' + "9" * 5000 + "}",
    '{"x": 1e999}',
    '{"x": NaN}',
    '{"nbgrader": {"points": ' + "9" * 6000 + "}}",
    '{"x": "\\ud800"}',
]


@pytest.mark.parametrize("metadata", METADATA)
def test_odd_values_in_the_metadata_are_no_obstacle(module, solved, metadata):
    text = notebook("x = 1").replace('"metadata": {}', f'"metadata": {metadata}', 1)
    written, _ = read(text)
    assert len(written.cells) == 1


@pytest.mark.parametrize("metadata", METADATA)
def test_odd_values_stop_who_reads_and_writes_them_plainly(metadata):
    """The defence off: they cannot be read, or cannot be written again as JSON in UTF-8."""
    with pytest.raises(ValueError):
        json.dumps(json.loads(metadata), ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize(
    "frames",
    [[["tinytorch/tensor.py", 1e999]], [["tinytorch/" + "é" * 190 + ".py", 3]], [["tinytorch/\0.py", 3]], [["../../etc/passwd", 1]], [[None, None]], 7, [[1]]],
)  # fmt: skip
def test_forged_places_of_an_exception_are_no_obstacle(tmp_path, frames):
    (tmp_path / "tinytorch").mkdir()
    answer = {"cases": [{"value": None, "error": {"type": "E", "message": "m", "frames": frames}, "changed": []}]}
    found = observation.read_result(answer, observation.place_in(tmp_path))
    assert found.problem in (None, "ended")
    assert "root:" not in str(found)


@pytest.mark.parametrize(
    "frames",
    [[["tinytorch/tensor.py", 1e999]], [["tinytorch/" + "é" * 190 + ".py", 3]], [["tinytorch/\0.py", 3]], [[None, None]], 7, [[1]]],
)  # fmt: skip
def test_forged_places_that_nobody_catches_stop_the_class(tmp_path, monkeypatch, frames):
    """The defence off: the errors of reading them are not caught, so that no mark is entered, and an older one counts on."""
    (tmp_path / "tinytorch").mkdir()
    monkeypatch.setattr(observation, "MALFORMED", ())
    answer = {"cases": [{"value": None, "error": {"type": "E", "message": "m", "frames": frames}, "changed": []}]}
    with pytest.raises((OverflowError, ValueError, TypeError, OSError)):
        observation.read_result(answer, observation.place_in(tmp_path))


def test_a_place_outside_the_package_would_be_opened(tmp_path, monkeypatch):
    """The defence off: it is not asked whether the file is in the package."""
    outside, opened = tmp_path / "outside.py", []
    outside.touch()
    (tmp_path / "inside" / "tinytorch").mkdir(parents=True)
    monkeypatch.setattr(export, "origin_of", lambda path, line: opened.append(path))
    place = observation.place_in(tmp_path / "inside")
    place("../outside.py", 1)
    assert not opened
    monkeypatch.setattr(Path, "is_relative_to", lambda self, other: True)
    place("../outside.py", 1)
    assert opened == [outside]


def test_an_answer_with_colliding_keys_is_refused():
    """Whole numbers that differ by a multiple of 2**61 - 1 have the same hash, so a dict of them takes quadratic time."""
    pairs = [[number * (2**61 - 1) % 2**62, None] for number in range(4000)]
    with pytest.raises(wire.WireError, match="more than"):
        wire.decode({"dict": pairs})


def test_keys_that_collide_are_possible(monkeypatch):
    monkeypatch.setattr(wire, "KEYS", 10**9)
    collide = [[number * (2**61 - 1), None] for number in range(4)]
    assert len({hash(key) for key, _ in collide}) == 1 and len(wire.decode({"dict": collide})) == 4


def test_a_value_that_says_it_raised_is_no_exception(monkeypatch):
    exercise = type("Exercise", (), {"id": "01.1", "name": "f"})
    case = checking.DrawnCase(checking.Check("f", lambda rng: [], lambda: ("raises", "ValueError"), {}), {})
    told = checking.Observations((checking.Observation(("raises", "ValueError", "x")),))
    verdict = checking.verdict(exercise, case.check, [case], told)
    assert verdict.status == "failed" and verdict.disguised
    real = checking.Observations((checking.Observation(error=checking.Raised("ValueError", "x")),))
    assert checking.verdict(exercise, case.check, [case], real).status == "passed"
    monkeypatch.setattr(checking.Observation, "is_disguised", False)
    assert checking.verdict(exercise, case.check, [case], told).status == "passed", "with the defence off it passes"


def test_a_report_of_a_huge_key_is_short():
    exercise = type("Exercise", (), {"id": "01.1", "name": "f"})
    case = checking.DrawnCase(checking.Check("f", lambda rng: [], lambda: {"a": 1}, {}), {})
    told = checking.Observations((checking.Observation({"k" * 15_000_000: np.ones(3)}),))
    from tito.checks import layout

    verdict = quickly(checking.verdict, exercise, case.check, [case], told)
    assert verdict.status == "failed" and len(quickly(layout.text, verdict)) < 10_000


HTML = [
    "<script>act()</script>",
    "<img src=x onerror=act()>",
    "a <b onclick='act()'>b</b>",
    "</div><iframe src='javascript:act()'>",
    "<!--><script>act()</script>-->",
    "[x](javascript:act())",
    "[x](java&#115;cript:act())",
    "[x][1]\n\n[1]: javascript:act()",
    "$\\href{javascript:act()}{x}$",
    "text\n\n<script\n>act()</script>",
]


def shown(text):
    """Return the page that formgrader shows of an answer."""
    filters = pytest.importorskip("nbconvert.filters.markdown_mistune", reason="nbgrader brings nbconvert")
    return filters.markdown2html_mistune(text)


def acts(page):
    tags = re.findall(r"<(?:script|img|b|iframe|svg)\b", page)
    return bool(tags or re.search(r"(href=.|\\href\{)java", page))


@pytest.mark.parametrize("text", HTML)
def test_an_answer_cannot_act_as_the_teacher_who_reads_it(text, monkeypatch):
    """Formgrader shows it beside the buttons for marks."""
    about = {"grade_id": "answer-01-1", "solution": True}
    cell = {"cell_type": "markdown", "source": ""}
    marked.fill(cell, about, {"answers": {"answer-01-1": text}}, None)
    assert not acts(shown(cell["source"]))
    assert acts(shown(text)), "with the defence off it acts"


def test_an_answer_without_tags_is_shown_as_it_is():
    for text in (
        "a < b, 3<4 and x <= y",
        "`if x < 3:` **bold** $a < b$",
        "- one\n- two\n\n> three",
        "[x](https://example.org)",
        "",
    ):
        assert marked.harmless(text) == text


def lying(text):
    """Make every cell of a notebook claim the same, and far too much."""
    document = json.loads(text)
    claim = {
        "grade_id": "check-01-2",
        "points": 1000,
        "grade": True,
        "solution": True,
        "locked": False,
        "task": False,
        "schema_version": 3,
    }
    for cell in document["cells"]:
        cell["id"] = "same"
        cell["metadata"] = {
            **cell["metadata"],
            "nbgrader": {**claim, "cell_type": cell["cell_type"]},
            "points": "1000",
            "minutes": "-1",
        }
        if "exercise" in cell["metadata"]:
            cell["metadata"]["exercise"] = "01.2"
    return json.dumps(document)


@pytest.mark.parametrize("name", ["solved", "open"])
def test_cells_that_lie_about_themselves_change_no_mark(box, classroom, module, submission, grade, name):
    submission(name, change=lying, path=classroom.path("submitted", module, "mallory") / "tensor.ipynb")
    done = grade("autograde", "01", "--course", classroom.folder)
    assert done.exit_code == 0, done.output
    points = classroom.points(module)
    with classroom.opened() as gradebook:
        handed = gradebook.find_submission(module.folder, "mallory")
        assert handed.max_score == sum(points.values()) and handed.score == (handed.max_score if name == "solved" else 0)


# The process that reads and compares.


def test_a_step_that_takes_too_long_ends_the_process_and_not_the_class(monkeypatch):
    """The kernel ends a process that computes for longer than its step may, even within one call of C code."""
    script = (
        "import sys, tito.grading.process as p\np.SECONDS = 1\np.mark = lambda job, begin: (begin('01.3'), 10 ** 10 ** 8)\n"
        "p.main()"
    )
    monkeypatch.setattr(workers, "PATIENCE", 30)
    monkeypatch.setattr(workers, "MOST_RESTARTS", 1)
    real = subprocess.Popen

    def started(command, **options):
        return real([*command[:-2], "-c", script] if "tito.grading.process" in command else command, **options)

    monkeypatch.setattr(workers.subprocess, "Popen", started)
    workers.STOPPING.clear()
    exercises = [{"id": "01.3", "name": "matmul", "worth": 2}]
    record = workers.mark({"timeout": 1, "own": {}}, exercises)
    assert record["points"] == 0 and record["reason"] == workers.UNREADABLE
    assert process.SECONDS >= 10


@pytest.mark.slow
def test_a_step_without_a_limit_goes_on_when_nobody_waits(monkeypatch):
    script = "import sys, tito.grading.process as p\np.limit_time = lambda: None\np.mark = lambda job, begin: (begin('01.3'), 10 ** 10 ** 8)\np.main()"
    real = subprocess.Popen

    def started(command, **options):
        return real([*command[:-2], "-c", script] if "tito.grading.process" in command else command, **options)

    monkeypatch.setattr(workers.subprocess, "Popen", started)
    monkeypatch.setattr(workers, "MOST_RESTARTS", 0)
    workers.STOPPING.clear()
    monkeypatch.setattr(workers, "PATIENCE", 10)
    close, silent = workers.Process.close, []
    monkeypatch.setattr(workers.Process, "close", lambda self: (silent.append(self.popen.poll()), close(self)))
    workers.mark({"timeout": 1, "own": {}}, [])
    assert silent == [None], "it still computes"


def test_an_exercise_that_is_too_much_is_spared_and_the_rest_is_marked(monkeypatch):
    script = (
        "import sys, os, tito.grading.process as p\n"
        "def mark(job, begin):\n    begin('01.1')\n    if '01.2' not in job['spared']:\n        begin('01.2'); os._exit(1)\n    return job['spared']\n"
        "p.mark = mark\np.main()"
    )
    real = subprocess.Popen
    monkeypatch.setattr(
        workers.subprocess,
        "Popen",
        lambda command, **options: real(
            [*command[:-2], "-c", script] if "tito.grading.process" in command else command, **options
        ),
    )
    workers.STOPPING.clear()
    assert workers.mark({"timeout": 1, "own": {}}, []) == {"01.2": workers.TOO_MUCH}
    monkeypatch.setattr(workers, "MOST_RESTARTS", 0)
    assert workers.mark({"timeout": 1, "own": {}}, [])["reason"], "with the restart off the whole submission is lost"


def test_a_run_on_the_students_own_modules_that_is_too_much_is_left_out(monkeypatch):
    script = (
        "import sys, os, tito.grading.process as p\n"
        "def mark(job, begin):\n    begin('01.1')\n    if job['own']:\n        begin('own'); os._exit(1)\n    return job['spared']\n"
        "p.mark = mark\np.main()"
    )
    real = subprocess.Popen

    def started(command, **options):
        return real([*command[:-2], "-c", script] if "tito.grading.process" in command else command, **options)

    monkeypatch.setattr(workers.subprocess, "Popen", started)
    workers.STOPPING.clear()
    assert workers.mark({"timeout": 1, "own": {"tensor.py": "x = 1"}}, []) == {}, "no exercise is spared for it"


def test_similarity_reads_deeply_nested_code():
    assert similarity.pieces("x = " + "-" * 90 + "1", {}) and similarity.pieces("(" * 1000, {}) == {}


# Broken submissions are read as far as they can be.

PRINTED = json.dumps({"output_type": "stream", "name": "stdout", "text": "x" * 2**20})
DAMAGE = {
    "utf-16": lambda text: text.encode("utf-16"),
    "windows": lambda text: text.replace("\n", "\r\n").encode(),
    "bom": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "bad cell": lambda text: text.replace('"cell_type": "markdown"', '"cell_type": "markdwn"', 1).encode(),
    "edited": lambda text: text.replace('"exercise": "', '"points": 1000, "exercise": "09.9', 1).encode(),
    "kernel": lambda text: json.dumps({**json.loads(text), "metadata": {"kernelspec": {"name": "julia"}}}).encode(),
    "outputs of 30 MB": lambda text: text.replace('"outputs": []', f'"outputs": [{PRINTED}]').encode(),
}


@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_notebook_loses_no_exercise(notebooks, reference, change):
    written, _ = read(change(notebooks["solved"]))
    saved = salvage.salvage(written, reference, "01_tensor/tensor.ipynb")
    assert not saved.lost
    compile(saved.text, "tensor.py", "exec")


@pytest.mark.parametrize(
    "name", ["Tensor.ipynb", "tensor (1).ipynb", "tensor-Copy1.ipynb", "my_tensor_final.ipynb", "homework.ipynb"]
)
def test_a_renamed_notebook_is_found(tmp_path, module, notebooks, name):
    (tmp_path / name).write_text(notebooks["solved"], encoding="utf-8")
    handed = verdicts.hand_in(tmp_path, module)
    assert handed.name == name and f"{name} was marked" in handed.notes[0]


def test_a_script_downloaded_from_jupyter_is_read(solved, reference):
    code = ["".join(cell["source"]) for cell in solved["cells"] if cell["cell_type"] == "code"]
    text = "#!/usr/bin/env python\n# coding: utf-8\n\n" + "\n\n".join(f"# In[ ]:\n\n\n{cell}" for cell in code)
    written, _ = read(text, "tensor.py")
    assert not salvage.salvage(written, reference, "01_tensor/tensor.ipynb").lost


# One slip costs one exercise.


def slips(text):
    """Return changes of the solved notebook, and the exercises that each may cost."""
    return {
        "copied cell": (lambda cells, at: cells.insert(at + 1, {**cells[at]}), set()),
        "markdown": (lambda cells, at: cells[at].update(cell_type="markdown"), set()),
        "syntax error": (lambda cells, at: cells[at].update(source=joined(cells[at]) + "\n    return (("), {"matmul"}),
        "print": (lambda cells, at: cells[at].update(source=joined(cells[at]) + "\nprint('done')"), set()),
        "time": (lambda cells, at: cells[at].update(source=joined(cells[at]).replace("#| export", "#| export\n%%time")), set()),
        "time on top": (lambda cells, at: cells[at].update(source="%%time\n" + joined(cells[at])), set()),
        "no export": (lambda cells, at: cells[at].update(source=joined(cells[at]).replace("#| export\n", "")), set()),
        "deleted": (lambda cells, at: cells.pop(at), {"matmul"}),
        "renamed": (lambda cells, at: cells[at].update(source=joined(cells[at]).replace("def matmul", "def matmull")), {"matmul"}),
        "top-level call": (lambda cells, at: cells[at].update(source=joined(cells[at]) + "\nmatmul(1, 2)"), set()),
        "loop": (lambda cells, at: cells[at].update(source=joined(cells[at]) + "\nfor i in range(3):\n    print(i)"), set()),
        "stub copied below": (lambda cells, at: cells.insert(at + 1, {**cells[at], "source": "#| export\n@op\ndef matmul(a, b):\n    raise NotImplementedError('01.3 matmul')"}), set()),
        "shell": (lambda cells, at: cells[at].update(source=joined(cells[at]) + "\n!pip install x"), set()),
    }[text]  # fmt: skip


def joined(cell):
    return "".join(cell["source"])


@pytest.mark.parametrize(
    "slip",
    ["copied cell", "markdown", "syntax error", "print", "time", "time on top", "no export", "deleted", "renamed", "top-level call", "loop", "stub copied below", "shell"],
)  # fmt: skip
def test_one_slip_costs_no_more_than_its_exercise(reference, solved, slip):
    change, cost = slips(slip)
    cells = [dict(cell) for cell in solved["cells"]]
    change(cells, next(at for at, cell in enumerate(cells) if "def matmul" in joined(cell)))
    written, _ = read(json.dumps({**solved, "cells": cells}))
    saved = salvage.salvage(written, reference, "01_tensor/tensor.ipynb")
    assert set(saved.lost) == cost and saved.problems
    compile(saved.text, "tensor.py", "exec")
    names = {name for part in salvage.exported_parts(saved.notebook) for name, _ in part.provided}
    assert {exercise.name for exercise in reference.exercises()} <= names
    if not cost:
        assert "raise NotImplementedError" not in saved.text


@pytest.mark.parametrize("slip", ["copied cell", "markdown", "syntax error", "print", "time", "time on top", "no export", "deleted", "renamed", "top-level call", "loop", "shell"])  # fmt: skip
def test_without_the_repair_one_slip_costs_everything(reference, solved, slip):
    """The defence off: the export is all or nothing."""
    cells = [dict(cell) for cell in solved["cells"]]
    slips(slip)[0](cells, next(at for at, cell in enumerate(cells) if "def matmul" in joined(cell)))
    written, _ = read(json.dumps({**solved, "cells": cells}))
    with pytest.raises(source.SourceError):
        export_text(written, reference, "01_tensor/tensor.ipynb")


def test_the_judge_flags_what_an_instructor_should_see(module, submission):
    running = "vars(np).update(isclose=max)"  # which no one sees who only reads the assignments
    path = submission(
        code="import numpy as np\nimport sys\n\nnp.allclose = lambda *values: True\n\n\ndef look():\n    return sys._getframe()",
        change=lambda text: text.replace(
            "return a * b", f"if False:\\n        raise NotImplementedError\\n    {running}\\n    return a * b"
        ),
    )
    flags = "\n".join(judge.judge(module, path, checking.SEEDS).flags)
    for words in ("np.allclose", "_getframe", "look (cell", "01.2 mul passes, but its cell", "numpy.isclose (01.2)"):
        assert words in flags
    clean = judge.judge(module, submission(), checking.SEEDS).flags
    assert clean == ()


def test_the_source_reader_still_refuses_what_the_intake_repairs(tmp_path, notebooks):
    path = tmp_path / "tensor.ipynb"
    path.write_bytes(notebooks["solved"].encode("utf-16"))
    with pytest.raises(source.SourceError, match="is not UTF-8"):
        source.read(path)


@pytest.mark.every_sandbox
def test_doctors_probe_finds_nothing_in_a_sandbox(box):
    assert sandbox.probe(box) == ""


def test_doctors_probe_sees_a_sandbox_that_is_open(box, monkeypatch):
    monkeypatch.setattr(bubblewrap, "command_prefix", lambda limits: [])
    monkeypatch.setattr(bubblewrap, "python", lambda: sys.executable)
    monkeypatch.setattr(memory, "guarded", lambda limit: contextlib.nullcontext())
    said = sandbox.probe("bubblewrap")
    assert "it reaches the network" in said and "it can read /" in said and "it can make itself a namespace" in said
    assert sandbox.problem("bubblewrap") == "does not limit the processes and memory of a submission here"
