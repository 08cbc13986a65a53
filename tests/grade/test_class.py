"""A class that is killed, spread over a cluster, or kept in another database: no mark is lost, and none is entered twice."""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from tito.grading import assignment

pytestmark = pytest.mark.slow  # minutes

MARKER = """
'Run tito in a copy of this process for each line of the input: all imports are done, so that a copy marks at once.'
import base64, os, sys, time
from tito.cli import main
from tito.commands.grade import autograde, release
from tito.grading import gradebook, judge, marked, report, verdicts, workers
import nbgrader.apps, nbgrader.preprocessors, nbgrader.coursedir

log, output, sys.argv = sys.argv[1], sys.argv[2], ["tito", *sys.argv[3:]]


def mark(job, exercises):
    'Mark at once, by the text of the submission, which is the name of the student; and tell that it was marked.'
    name = base64.b64decode(job["data"]).decode()
    with open(log, "a") as file:
        file.write(name + "\\n")
    lines = [{**each, "points": each["worth"] * ((len(name) + int(name[1:]) + at) % 2)} for at, each in enumerate(exercises)]
    record = workers.nothing(exercises, None)
    for line, empty in zip(lines, record["exercises"]):
        empty.update(points=line["points"], status="passed" if line["points"] else "failed")
    return {**record, "points": sum(line["points"] for line in lines)}


workers.mark, judge.draw_seeds = mark, lambda module, **options: (0, 1)
for _ in sys.stdin:
    number = os.fork()
    if not number:
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 1)
        status = 1
        try:
            main()
        except SystemExit as error:
            status = error.code or 0
        finally:
            sys.stdout.flush()
            os._exit(status)
    print(number, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]), flush=True)
"""


def family(number):
    """Return a process and its descendants, each with the time of its start: numbers are used again."""
    known, children = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            known[int(path.parent.name)] = fields[19] if fields[0] != "Z" else None
            children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    members = [number]
    for member in members:
        members += children.get(member, ())
    return {(member, known.get(member)) for member in members}


def alive(members):
    """Return which of some processes still run."""
    return {(number, start) for number, start in members if start and (number, start) in family(number)}


def command(name):
    """Return a process's command, its words apart by zeros."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{name}/cmdline").read_bytes()
    return b""


def until(condition, seconds, what):
    """Wait for a condition, and return its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return value


def started(*words, **options):
    return subprocess.Popen(
        [sys.executable, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", **options
    )


def stored(classroom, module):
    """Return the points in the gradebook of the students who have all of them, by student and cell."""
    with classroom.opened() as gradebook:
        everybody = {
            entry.student.id: {grade.name: grade.auto_score for notebook in entry.notebooks for grade in notebook.grades}
            for entry in gradebook.assignment_submissions(module.folder)
        }
    assert not [name for name, marks in everybody.items() if None in marks.values() and set(marks.values()) != {None}]
    return {name: marks for name, marks in everybody.items() if None not in marks.values()}


def whole(folder):
    """Require that the gradebook is not damaged, and that no file is half written."""
    with contextlib.closing(sqlite3.connect(folder / "gradebook.db")) as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
    for path in [*folder.glob("verdicts/*/*.json"), *folder.glob("autograded/*/*/*.ipynb")]:
        json.loads(path.read_text(encoding="utf-8"))


def expected(name, module):
    """Return the points that `MARKER` gives."""
    return {
        assignment.grade_id(each.id): each.points * ((len(name) + int(name[1:]) + at) % 2)
        for at, each in enumerate(assignment.exercises(module))
    }


def test_a_writer_that_is_killed_fifty_times_loses_no_mark_and_marks_none_twice(classroom, module, tmp_path):
    names, log, output, chance = [f"s{number}" for number in range(400)], tmp_path / "log", tmp_path / "output", random.Random(17)
    for name in names:
        folder = classroom.path("submitted", module, name)
        folder.mkdir(parents=True)
        (folder / "tensor.ipynb").write_text(name, encoding="utf-8")
    words = ["grade", "autograde", "01", "--course", classroom.folder, "--unsafe-no-sandbox", "--workers", "2"]
    server = started("-c", MARKER, log, output, *words, cwd=tmp_path, stdin=subprocess.PIPE)
    log.touch()

    def begin():
        server.stdin.write("go\n")
        server.stdin.flush()
        return int(server.stdout.readline())

    def settled():
        return {path.stem for path in (classroom.folder / "verdicts" / module.folder).glob("*.json")}

    try:
        kept, done, inside = {}, set(), 0
        for _ in range(50):
            calls = log.read_text(encoding="utf-8").split()
            writer, wanted = begin(), chance.randint(0, 3)
            until(
                lambda: len(settled() - done) >= wanted and len(log.read_text(encoding="utf-8").split()) > len(calls),
                60,
                "nothing is marked",
            )
            time.sleep(chance.uniform(0, 0.1))
            os.kill(writer, signal.SIGKILL)
            assert int(server.stdout.readline()) == -signal.SIGKILL, "it ended before it was killed: hand in more"
            whole(classroom.folder)
            assert not done & set(log.read_text(encoding="utf-8").split()[len(calls) :]), "marked though it was recorded"
            marks = stored(classroom, module)
            assert kept.items() <= marks.items(), "a recorded mark is gone, or has changed"
            assert all(points == expected(name, module) for name, points in marks.items())
            kept, done = marks, settled()
            assert done <= set(marks), "the verdict comes last"
            inside += bool({path.parts[-3] for path in classroom.folder.glob("autograded/*/*/*.ipynb")} - done)
        assert len(done) < len(names) and inside, "some kill came while a mark was recorded, before the verdict"
        begin()
        assert int(server.stdout.readline()) == 0, output.read_text(encoding="utf-8")
    finally:
        server.kill()
        server.communicate()
    assert stored(classroom, module) == {name: expected(name, module) for name in names}
    extra = len(log.read_text(encoding="utf-8").split()) - len(names)
    assert extra <= 50 * (2 * 2 + 1), "a kill costs no more than what was being marked"


def hand_in(classroom, module, names, submission, change=lambda text: text):
    for name in names:
        submission(change=change, path=classroom.path("submitted", module, name) / "tensor.ipynb")


def test_the_real_judge_killed_three_times_goes_on_where_it_was(confined, classroom, module, submission, tmp_path):
    names = [f"s{number}" for number in range(8)]
    hand_in(classroom, module, names, submission)
    words = ["-m", "tito", "grade", "autograde", "01", "--course", classroom.folder, "--workers", "2"]
    kept = {}
    for _ in range(3):
        process = started(*words, cwd=tmp_path)
        until(lambda: " of 10 " in process.stdout.readline(), 120, "no submission was marked")
        process.kill()
        process.communicate()
        whole(classroom.folder)
        marks = stored(classroom, module)
        assert kept.items() <= marks.items() and len(marks) > len(kept)
        kept = marks
    assert len(kept) < len(names)
    output, _ = started(*words, cwd=tmp_path).communicate(timeout=300)
    assert f"{len(kept)} of 8 have not changed" in output
    points = assignment.points(module)
    assert stored(classroom, module) == dict.fromkeys(names, points)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGKILL"])
def test_no_process_outlives_tito_by_ten_seconds(confined, classroom, module, submission, tmp_path, name):
    hand_in(classroom, module, ["s0", "s1"], submission, lambda text: text.replace("return a * b", "while True: pass"))
    process = started(
        "-m", "tito", "grade", "autograde", "01", "--course", classroom.folder, "--workers", "2", "--timeout", "100"
    )

    def both_run():
        members = family(process.pid)
        words = [command(number).split(b"\0") for number, _ in members]
        inside = [one for one in words if b"python" in one[0] and any(word.endswith(b"learner_process.py") for word in one)]
        return members if len(inside) >= 2 else None

    members = set()
    try:
        members = until(both_run, 120, "the submissions do not run")
        time.sleep(2)  # into the endless loops
        members |= family(process.pid)
        process.send_signal(getattr(signal, name))
        until(lambda: not alive(members - {(process.pid, None)}), 10, "processes are left")
    finally:
        for number, _ in alive(members):
            with contextlib.suppress(OSError):
                os.kill(number, signal.SIGKILL)
        process.kill()
        process.communicate()


@contextlib.contextmanager
def running(*words, **options):
    """Run a program for the length of a `with` block."""
    process = subprocess.Popen([*map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_cluster_that_loses_a_worker_marks_everybody_once(confined, classroom, module, submission, tmp_path):
    if find_spec("distributed") is None:
        pytest.skip('Dask is not installed: pip install "distributed"')
    names = [f"s{number}" for number in range(10)]
    hand_in(classroom, module, names, submission)
    hand_in(classroom, module, ["s7"], submission, lambda text: text.replace("return a * b", "return a + b"))
    with contextlib.ExitStack() as stack:
        file = tmp_path / "scheduler.json"
        stack.enter_context(
            running(
                sys.executable,
                "-m",
                "distributed.cli.dask_scheduler",
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                "--no-dashboard",
                "--no-show",
                "--scheduler-file",
                file,
            )  # fmt: skip
        )
        until(file.exists, 60, "the scheduler did not start")
        address = until(
            lambda: json.loads(file.read_text(encoding="utf-8") or "{}").get("address"), 60, "the scheduler has no address"
        )
        first, _ = [
            stack.enter_context(
                running(
                    sys.executable,
                    "-m",
                    "distributed.cli.dask_worker",
                    address,
                    "--no-nanny",
                    "--nthreads",
                    "1",
                    "--no-dashboard",
                    "--local-directory",
                    tmp_path / name,
                )  # fmt: skip
            )
            for name in ("one", "two")
        ]
        from distributed import Client

        with Client(address) as client:
            client.wait_for_workers(2, timeout=60)
        process = started("-m", "tito", "grade", "autograde", "01", "--course", classroom.folder, "--scheduler", address)
        stack.callback(process.kill)
        said = []
        while sum(line.startswith("s") and " of " in line for line in said) < 2:
            said.append(process.stdout.readline())
            assert said[-1], "".join(said)
        members = family(first.pid)
        assert len(members) > 1, "the worker that is to be killed marks something"
        first.kill()
        output, _ = process.communicate(timeout=300)
        output = "".join(said) + output
        assert process.returncode == 0, output
        assert sorted(line.split()[0] for line in output.splitlines() if line[:1] == "s" and line[1:2].isdecimal()) == names
        until(lambda: not alive(members - {(first.pid, None)}), 10, "the killed worker left processes")
    points = assignment.points(module)
    wrong = {**points, "check-01-2": 0, "check-01-10": 0}
    assert stored(classroom, module) == {name: wrong if name == "s7" else points for name in names}


PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


@pytest.fixture
def postgres():
    """The URL of a PostgreSQL server that runs as long as the test."""
    if PROGRAMS is None or find_spec("psycopg") is None:
        pytest.skip('no PostgreSQL here: apt install postgresql, pip install "psycopg[binary]"')
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    try:
        if as_user:
            shutil.chown(folder, "postgres", "postgres")
        data, options = folder / "data", f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/"}
        subprocess.run([*as_user, PROGRAMS / "initdb", "-D", data, "-A", "trust", "-U", "grader", "-E", "UTF8"], **quiet)
        subprocess.run([*as_user, PROGRAMS / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start"], **quiet)
        try:
            yield f"postgresql+psycopg://grader@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*as_user, PROGRAMS / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **quiet)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_gradebook_in_postgresql(confined, nbgrader, postgres, module, submission, tito, tmp_path):
    from tito.grading.gradebook import Classroom

    course = tmp_path / "class"
    classroom = Classroom(course)
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text(encoding="utf-8") + f"c.CourseDirectory.db_url = {postgres!r}\n", encoding="utf-8")
    classroom = Classroom(course)

    def ran(*words):
        done = tito("grade", *words, "--course", course, cwd=tmp_path)
        assert done.returncode == 0, done.stdout
        return done.stdout

    ran("release", "01", "--due", "2026-01-10")
    hand_in(classroom, module, ["alice"], submission)
    hand_in(classroom, module, ["bob"], submission, lambda text: text.replace("return a * b", "return a + b"))
    ran("autograde", "01")
    points = assignment.points(module)
    assert stored(classroom, module) == {"alice": points, "bob": {**points, "check-01-2": 0, "check-01-10": 0}}
    ran("override", "01.2", "bob", "1")
    assert "2 of 2 have not changed" in ran("autograde", "01")
    ran("autograde", "01", "--student", "bob", "--force")
    ran("feedback", "01")
    ran("export", "01")
    assert f"bob,,,,{sum(points.values()) - points['check-01-10']:g}," in (course / "grades_01_plain.csv").read_text(
        encoding="utf-8"
    )
    assert not (course / "gradebook.db").exists()
