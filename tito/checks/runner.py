"""Run learner code in a separate process, with limits, and collect what it returned. Trusted side."""

import ast
import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tito import leftovers
from tito.checks import checking, files, learner_process, observation, wire, wording
from tito.checks.checking import SEEDS
from tito.checks.observation import Observations, place_in, read_error, read_places
from tito.files import copy_folder

GIB = 2**30
STARTUP = 60.0  # seconds to import NumPy: a cold disk or a virus scanner is not the learner's fault
ONE_THREAD = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}

one_parser = threading.Lock()  # Python 3.11 counts the depth of its parser for all threads together: two at once can fail


class RunnerError(Exception):
    """The process that runs learner code could not start; the message quotes its output."""


@dataclass(frozen=True)
class Setting:
    """How a worker is started, and what it may use.

    Args:
        timeout: Seconds for one exercise, and for importing the module.
        memory: Bytes that the worker may use, where the system can limit it; None for no limit.
        command_prefix: Words before the command, such as a sandbox and its options; "{job}" is replaced by the job folder,
            which the sandbox must show, with the file `answers` in it writable.
        python: The interpreter, as the sandbox sees it.
        copy_package: Copy the package into the job folder, so that the sandbox shows only that folder.
        prepare: Function called with each job folder before its worker starts, such as to give it to another user.
        environment: The environment of the worker; by default this process's own, with one BLAS thread.
        guard: Function that returns a context manager, which yields a limit of the worker, such as `memory.Guard`, or None.
        inside: The job folder's path in the sandbox; by default the same as outside.
        stdin: The input of the worker, as for `subprocess.Popen`. A pipe ends when this process does, however it is killed.
    """

    timeout: float = 10.0
    memory: int | None = 4 * GIB
    command_prefix: Sequence[str] = ()
    python: str = sys.executable
    copy_package: bool = False
    prepare: Callable = lambda folder: None
    environment: dict | None = None
    guard: Callable = contextlib.nullcontext
    inside: str = "{job}"
    stdin: int = subprocess.DEVNULL


@dataclass(frozen=True)
class Job:
    """What every worker of one run needs."""

    package_parent: Path
    module: str
    observers: str
    cases: dict
    setting: Setting
    hear: Callable
    begin: Callable
    deadline: float  # of the monotonic clock, for the whole job

    def patience(self, seconds):
        """Return how long to wait for something that may take ``seconds``: less if the whole job has less time left."""
        return max(0.0, min(seconds, self.deadline - time.monotonic()))


def check(package_parent, module, checks_path, exercises, seeds=SEEDS, tell=None, **limits):
    """Draw, run and judge the exercises of a module.

    Args:
        package_parent: Folder that contains the `tinytorch` package to test.
        module: The module's name in it, such as "tinytorch.tensor".
        checks_path: The module's checks, a file or a folder.
        exercises: Objects with `id` and `name`, in order.
        seeds: Seeds to draw the cases with.
        tell: Function called with each `checking.Verdict` as soon as it is known, in the order of the exercises.
        limits: `whole` and `begin` of `observe`, and the fields of a `Setting`.

    Returns:
        List with a `checking.Verdict` for each exercise.

    Raises:
        ValueError: There is no exercise, so nothing would be checked.
        RunnerError: The worker did not start.
    """
    if not exercises:
        raise ValueError(f"no exercises of {module} were given, so nothing would be checked")
    names = tuple(exercise.name for exercise in exercises)
    drawn = dict(zip((exercise.id for exercise in exercises), draw(Path(checks_path), names, tuple(seeds))))
    judged = {}

    def hear(exercise, seen):
        check, cases = drawn[exercise.id]
        judged[exercise.id] = checking.verdict(exercise, check, cases, seen)
        if tell:
            tell(judged[exercise.id])

    cases = {name: some for name, (_, some) in drawn.items()}
    observe(package_parent, module, checks_path, exercises, cases, hear=hear, **limits)
    return [judged[exercise.id] for exercise in exercises]


def draw(checks_path, names, seeds):
    """Return the check and the cases of each exercise: drawn once, and their answers computed once, for a whole class.

    Args:
        checks_path: The module's checks, a file or a folder.
        names: Tuple of the exercises' names.
        seeds: Tuple of seeds.
    """
    written = max(path.stat().st_mtime_ns for path in [*checks_path.parent.glob("*.py"), *files.of(checks_path)])
    return [_drawn(checks_path, name, seeds, written) for name in names]


@functools.lru_cache(maxsize=64)
def _drawn(checks_path, name, seeds, written):
    check = _loaded(checks_path, written).check(name)
    return check, checking.all_cases(check, seeds)


@functools.lru_cache(maxsize=4)
def _loaded(checks_path, written):
    return checking.load(checks_path)


def observe(
    package_parent,
    module,
    checks_path,
    exercises,
    cases,
    hear=lambda exercise, seen: None,
    begin=lambda exercise: None,
    whole=float("inf"),
    **setting,
):
    """Run the cases of a module's exercises on learner code.

    Args:
        package_parent: Folder that contains the `tinytorch` package to test.
        module: The module's name in it, such as "tinytorch.tensor".
        checks_path: The module's checks, a file or a folder. The worker receives its observing functions, never an oracle.
        exercises: Objects with `id` and `name`, in order.
        cases: Dict from id to a list of `checking.DrawnCase` or `ExampleCase`.
        hear: Function called with each exercise and its `checking.Observations` as soon as they arrive.
        begin: Function called with each exercise before its answer is waited for and read.
        whole: Seconds for all exercises together; those that are left when they are used up count as endless.
        setting: The fields of a `Setting`.

    Returns:
        Dict from id to `checking.Observations`, one for every exercise.

    Raises:
        RunnerError: The worker did not start.
    """
    with one_parser:
        observers = observers_source(files.joined(Path(checks_path)))
    encoded = {exercise.id: [case.encoded for case in cases[exercise.id]] for exercise in exercises}
    parent, deadline = Path(package_parent).resolve(), time.monotonic() + whole
    job = Job(parent, module, observers, encoded, Setting(**setting), hear, begin, deadline)
    seen, waiting = {}, list(exercises)
    while waiting:
        if time.monotonic() > job.deadline:
            late = Observations(problem="timeout", text=wording.no_time_left(whole))
            for exercise in waiting:
                job.hear(exercise, late)
            return {**seen, **{exercise.id: late for exercise in waiting}}
        seen.update(attempt(job, waiting))
        waiting = [exercise for exercise in waiting if exercise.id not in seen]
    return seen


def observers_source(checks):
    """Return the text of a checks.py with everything blanked that observing functions do not need, such as the answers.

    Lines keep their numbers.
    """
    statements, lines = ast.parse(checks).body, checks.split("\n")
    keep = {node for node in statements if isinstance(node, (ast.Import, ast.ImportFrom))}
    wanted = {name for node in statements for name in defined(node) if name.startswith(("observe_", "prepare_"))}
    while needed := [node for node in statements if node not in keep and defined(node) & wanted]:
        keep.update(needed)
        wanted |= {name.id for node in needed for name in ast.walk(node) if isinstance(name, ast.Name)}
    kept = set()
    for node in keep:
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
        kept.update(range(first, node.end_lineno + 1))
    return "\n".join(line if number in kept else "" for number, line in enumerate(lines, 1))


def defined(node):
    """Return the names that a top-level statement defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}


class Inbox:
    """A worker's answers: lines of a name and JSON data in a growing file. Learner code may write to it too."""

    def __init__(self, path):
        self.path, self.position, self.rest, self.lines, self.problem = path, 0, b"", {}, None

    def has(self, name):
        """Return whether an answer has arrived."""
        try:
            data = wire.read_from(self.path, self.position)
        except wire.WireError as error:
            self.problem, data = error, b""
        self.position += len(data)
        *whole, self.rest = (self.rest + data).split(b"\n")
        self.lines.update(line.partition(b" ")[::2] for line in whole)
        if len(self.rest) > wire.LIMIT:
            self.problem = f"it is larger than {wire.LIMIT} bytes"
        return self.text(name) is not None

    def text(self, name):
        """Return the JSON text of an answer, or None if there is none."""
        return self.lines.get(name.encode())


def attempt(job, waiting):
    """Run one worker on the waiting exercises until it ends or times out.

    Each worker has its own folder, so learner code cannot damage the files of the next one.

    Returns:
        Dict from id to `Observations` of at least one exercise: up to the one that ended the worker or timed out.
    """
    with leftovers.folder() as closed, job.setting.guard() as guard:
        folder = closed / "job"  # which `prepare` may open to another user, for no one but this user comes this far
        folder.mkdir()
        fill(folder, job, waiting)
        process = start(folder, job, guard.prefix if guard else ())
        with leftovers.process(process, group=True):
            if guard:
                guard.watch(process.pid)
            return follow(Inbox(folder / "answers"), job, process, waiting)


def fill(folder, job, waiting):
    """Write what a worker needs into its job folder."""
    for source in (wire.__file__, learner_process.__file__):
        shutil.copyfile(source, folder / Path(source).name)
    (folder / "observers.py").write_text(job.observers, encoding="utf-8")
    (folder / "answers").touch()
    (folder / "scratch").mkdir()
    if job.setting.copy_package:
        copy_folder(job.package_parent / "tinytorch", folder / "package" / "tinytorch", shutil.ignore_patterns("__pycache__"))
    package_parent = "package" if job.setting.copy_package else str(job.package_parent)
    wire.write(folder / "cases.json", {exercise.id: job.cases[exercise.id] for exercise in waiting})
    wire.write(
        folder / "job.json",
        {
            "package_parent": package_parent,
            "module": job.module,
            "memory": job.setting.memory,
            "timeout": job.setting.timeout,
            "exercises": [{"id": exercise.id, "name": exercise.name} for exercise in waiting],
        },
    )
    job.setting.prepare(folder)


def start(folder, job, limiter=()):
    """Start a worker in its own process group, with one BLAS thread.

    Args:
        folder: The job folder.
        job: The `Job`.
        limiter: Words before the whole command.
    """
    setting = job.setting
    script = f"{setting.inside}/learner_process.py"
    words = [*setting.command_prefix, str(setting.python), "-P", "-X", "utf8", script, setting.inside]
    command = [*limiter, *(word.replace("{job}", str(folder)) for word in words)]
    group = {"start_new_session": True} if os.name == "posix" else {"creationflags": 0x200}  # CREATE_NEW_PROCESS_GROUP
    with (folder / "stderr.txt").open("wb") as stderr:
        return subprocess.Popen(
            command,
            stdin=setting.stdin,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            cwd=folder / "scratch",
            env={**os.environ, **ONE_THREAD} if setting.environment is None else setting.environment,
            **group,
        )


def follow(answers, job, process, waiting):
    """Collect results as they arrive; see `attempt`."""
    if not reached(answers, process, STARTUP, "started"):
        raise RunnerError(f"the process that runs the checks did not start: {last_words(answers.path.parent)}")
    answers.path.with_name("go").touch()
    problem = import_problem(answers, job, process)
    seen = {}
    for exercise in waiting:
        job.begin(exercise)
        seen[exercise.id] = problem or result(exercise.id, answers, job, process)
        job.hear(exercise, seen[exercise.id])
        if not problem and seen[exercise.id].problem in ("timeout", "ended"):
            break
    return seen


def result(number, answers, job, process):
    """Wait for the result of one exercise, and return it; the worker may end or time out first."""
    done = f"result-{number}"
    if not reached(answers, process, job.patience(STARTUP), f"ready-{number}", done):
        return stopped(answers, process, STARTUP, wording.COMPILING)
    if not reached(answers, process, job.patience(job.setting.timeout), done):
        return replace(stopped(answers, process, job.setting.timeout), case=current_case(answers), where=place_now(answers, job))
    return read_result(answers.text(done), job)


def reached(answers, process, patience, *names):
    """Wait for one of several answers; return False if the worker ends or takes too long."""
    deadline = time.monotonic() + patience
    while not any(map(answers.has, names)) and not answers.problem and time.monotonic() < deadline:
        try:
            process.wait(timeout=0.005)
        except subprocess.TimeoutExpired:
            continue
        break
    return any(map(answers.has, names))


def last_words(folder):
    """Return the end of the worker's standard error."""
    text = wire.read_bytes(folder / "stderr.txt").decode("utf-8", "replace").strip()
    return text[-2000:] or "it printed nothing"


def stopped(answers, process, patience, what=wording.YOUR_CODE):
    """Return the observation of a worker without a result: it ended, or it is still running."""
    if answers.problem:
        return Observations(problem="ended", text=wording.unreadable(answers.problem))
    if process.poll() is None:
        return Observations(problem="timeout", text=wording.endless(what, patience))
    return Observations(problem="ended", text=wording.ended(what, how_it_ended(process.returncode)))


def how_it_ended(code):
    """Describe an exit status."""
    name = {-number: number.name for number in signal.Signals}.get(code)
    return f"{name}{wording.ENDINGS.get(name, '')}" if name else f"exit status {code}"


def current_case(answers):
    """Return the index of the case that a worker was running, or None if unknown."""
    try:
        return int(answers.text("now")[:9])
    except (TypeError, ValueError):
        return None


def place_now(answers, job):
    """Return where a worker was in the learner's code when most of its time was used up, or None if unknown."""
    try:
        return read_places(wire.parse(answers.text("at")), place_in(job.package_parent))
    except observation.MALFORMED:
        return None


def import_problem(answers, job, process):
    """Return why the learner's module could not be imported, or None if it could."""
    if not reached(answers, process, job.patience(job.setting.timeout), "import"):
        return replace(stopped(answers, process, job.setting.timeout, wording.importing(job.module)), shared=True)
    try:
        error = read_error(wire.parse(answers.text("import"))["error"], place_in(job.package_parent))
    except observation.MALFORMED:
        return Observations(problem="ended", text=wording.unreadable(), shared=True)
    if error is None:
        return None
    return Observations(problem="import", text=wording.not_imported(job.module), error=error, shared=True)


def read_result(text, job):
    """Return what a worker wrote about one exercise."""
    try:
        seen = observation.read_result(wire.parse(text), place_in(job.package_parent))
    except wire.WireError as error:
        return Observations(problem="ended", text=wording.unreadable(error))
    if seen.problem == "missing":
        return replace(seen, text=wording.not_defined(job.module))
    return seen
