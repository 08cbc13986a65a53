"""Run learner code in a process of its own, with limits, and bring back what it returned. Trusted side."""
import ast
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from tito import checking, observation, wire, worker
from tito.checking import SEEDS
from tito.observation import Observations, place_in, read_error

GIB = 2**30
STARTUP = 60.0  # seconds until NumPy is imported: a cold disk or a virus scanner is not the learner's fault
ONE_THREAD = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}

ENDINGS = {"SIGSEGV": ", a crash in compiled code", "SIGKILL": ", killed from outside, perhaps for the memory it used"}


class RunnerError(Exception):
    """The process that runs learner code could not start; the message holds what it said."""


@dataclass
class Job:
    """A folder for one run, and how to start a worker on it."""

    folder: Path
    package_parent: Path
    module: str
    timeout: float
    memory: int | None
    command: list[str]
    found: dict[str, Observations] = field(default_factory=dict)


def observe(package_parent, module, checks_path, exercises, cases, timeout=10.0, memory=4 * GIB,
            command_prefix=(), python=sys.executable, copy_package=False):
    """Run the cases of a module's exercises on learner code.

    Args:
        package_parent: Folder that holds the `tinytorch` package to test.
        module: The module's name in it, such as "tinytorch.tensor".
        checks_path: The module's checks.py. The worker receives its observing functions, never an oracle.
        exercises: Objects with `id` and `name`, in order.
        cases: Dict from id to a list of `checking.Case`.
        timeout: Seconds for one exercise, and for importing the module.
        memory: Bytes that the worker may hold, where the system can limit it; None for no limit.
        command_prefix: Words before the command, such as a sandbox and its options; "{job}" stands for the job folder,
            which the sandbox must show, writable, at the same place.
        python: The interpreter, as the sandbox sees it.
        copy_package: Copy the package into the job folder, so that the sandbox need show nothing else.

    Returns:
        Dict from id to `checking.Observations`, one for every exercise.

    Raises:
        RunnerError: The worker did not start.
    """
    with tempfile.TemporaryDirectory(prefix="tito-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        command = [word.replace("{job}", str(folder)) for word in command_prefix]
        command += [str(python), "-P", "-X", "utf8", str(folder / "worker.py"), str(folder)]
        job = Job(folder, Path(package_parent).resolve(), module, timeout, memory, command)
        fill(job, checks_path, exercises, cases, copy_package)
        waiting = list(exercises)
        while waiting:
            waiting = attempt(job, waiting, "package" if copy_package else str(job.package_parent))
        return job.found


def check(package_parent, module, checks_path, exercises, seeds=SEEDS, **limits):
    """Draw, run and judge the exercises of a module.

    Args:
        package_parent: Folder that holds the `tinytorch` package to test.
        module: The module's name in it, such as "tinytorch.tensor".
        checks_path: The module's checks.py.
        exercises: Objects with `id` and `name`, in order.
        seeds: Seeds to draw the cases with.
        limits: Further arguments of `observe`.

    Returns:
        List of one `checking.Verdict` for each exercise.

    Raises:
        ValueError: There is no exercise: nothing would be checked, and that is no success.
    """
    if not exercises:
        raise ValueError(f"no exercises of {module} were given, so nothing would be checked")
    checks = checking.load(Path(checks_path))
    drawn = {one.id: checking.cases(checks.check(one.name), seeds) for one in exercises}
    seen = observe(package_parent, module, checks_path, exercises, drawn, **limits)
    return [checking.verdict(one, checks.check(one.name), drawn[one.id], seen.get(one.id)) for one in exercises]


def fill(job, checks_path, exercises, cases, copy_package):
    """Write into the job folder what stays the same for every worker."""
    for source in (wire.__file__, worker.__file__):
        shutil.copy(source, job.folder)
    (job.folder / "observers.py").write_text(observers_source(Path(checks_path)), encoding="utf-8")
    (job.folder / "scratch").mkdir()
    encoded = {exercise.id: [case.encoded for case in cases[exercise.id]] for exercise in exercises}
    wire.write(job.folder / "cases.json", encoded)
    if copy_package:
        shutil.copytree(job.package_parent / "tinytorch", job.folder / "package" / "tinytorch",
                        ignore=shutil.ignore_patterns("__pycache__"))


def observers_source(checks_path):
    """Return checks.py with everything blanked that no observing function needs: above all the answers.

    Lines keep their numbers.
    """
    text = checks_path.read_text(encoding="utf-8")
    statements = ast.parse(text).body
    keep = {id(node) for node in statements if isinstance(node, (ast.Import, ast.ImportFrom))}
    wanted = {name for node in statements for name in defined(node) if name.startswith("observe_")}
    while found := [node for node in statements if id(node) not in keep and defined(node) & wanted]:
        keep |= {id(node) for node in found}
        wanted |= {name.id for node in found for name in ast.walk(node) if isinstance(name, ast.Name)}
    lines = [""] * len(text.splitlines())
    for node in statements:
        if id(node) in keep:
            first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
            lines[first - 1:node.end_lineno] = text.splitlines()[first - 1:node.end_lineno]
    return "\n".join(lines) + "\n"


def defined(node):
    """Return the names that a top-level statement defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}


def attempt(job, waiting, package_parent):
    """Start a worker on the exercises that wait, and follow it to its end or to the end of our patience.

    Returns:
        The exercises that still wait: none, or those after the one that ended or outlasted the worker.
    """
    for name in ("started", "import.json", "now"):
        (job.folder / name).unlink(missing_ok=True)
    wire.write(job.folder / "job.json", {"package_parent": package_parent, "module": job.module, "memory": job.memory,
                                         "exercises": [{"id": one.id, "name": one.name} for one in waiting]})
    process = start(job)
    try:
        return follow(job, process, waiting)
    finally:
        end(process)


def start(job):
    """Start a worker in a process group of its own."""
    group = {"start_new_session": True} if os.name == "posix" else {"creationflags": 0x200}  # CREATE_NEW_PROCESS_GROUP
    with (job.folder / "stderr.txt").open("wb") as stderr:
        return subprocess.Popen(job.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                                cwd=job.folder / "scratch", env={**os.environ, **ONE_THREAD}, **group)


def end(process):
    """Kill a worker and what it has started."""
    if hasattr(os, "killpg"):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
    elif os.name == "nt" and process.poll() is None:
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
    process.kill()
    process.wait()


def follow(job, process, waiting):
    """Collect results as they come; see `attempt`."""
    reached(job, process, "started", STARTUP)
    ready = reached(job, process, "import.json", job.timeout)
    problem = import_problem(job, process, ready)
    if problem:
        job.found.update((one.id, problem) for one in waiting)
        return []
    for position, one in enumerate(waiting):
        if not reached(job, process, f"result-{one.id}.json", job.timeout):
            job.found[one.id] = replace(stopped(job, process), case=current_case(job))
            return waiting[position + 1:]
        job.found[one.id] = read_result(job, one)
    return []


def reached(job, process, name, patience):
    """Wait until a file is there; False if the worker ended, or took too long, without it."""
    path, deadline = job.folder / name, time.monotonic() + patience
    while not path.exists() and time.monotonic() < deadline:
        try:
            process.wait(timeout=0.005)
        except subprocess.TimeoutExpired:
            continue
        break
    if name == "started" and not path.exists():
        raise RunnerError(f"the process that runs the checks did not start: {last_words(job)}")
    return path.exists()


def last_words(job):
    """Return the end of what the worker wrote to its standard error."""
    with (job.folder / "stderr.txt").open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 2000))
        return file.read().decode("utf-8", "replace").strip() or "it said nothing"


def stopped(job, process, during="it "):
    """Return the observation of a worker that gave no result: it ended, or it runs on and on."""
    if process.poll() is None:
        return Observations(problem="timeout", text=f"{during}did not finish in {job.timeout:g} s: "
                                                    "is there a loop that never ends?")
    return Observations(problem="ended", text=f"{during}ended the process: {how_it_ended(process.returncode)}")


def how_it_ended(code):
    """Say what an exit status means."""
    names = {-number: number.name for number in signal.Signals}
    if code in names:
        return f"{names[code]}{ENDINGS.get(names[code], '')}"
    return f"exit status {code}"


def current_case(job):
    """Return the index of the case that a worker was at, None if that is not known."""
    try:
        return int((job.folder / "now").read_text(encoding="utf-8")[:9])
    except (OSError, ValueError):
        return None


def import_problem(job, process, ready):
    """Return why the learner's module could not be imported, None if it could."""
    importing = f"importing {job.module} "
    if not ready:
        return replace(stopped(job, process, importing), shared=True)
    try:
        error = read_error(wire.read(job.folder / "import.json")["error"], place_in(job.package_parent))
    except (KeyError, TypeError, ValueError):
        return Observations(problem="ended", text=f"{importing}gave an answer that cannot be read", shared=True)
    return Observations(problem="import", text=f"importing {job.module} failed, so nothing could be checked", error=error, shared=True) if error else None


def read_result(job, exercise):
    """Return what a worker wrote about one exercise."""
    try:
        answer = wire.read(job.folder / f"result-{exercise.id}.json")
    except wire.WireError as error:
        return Observations(problem="ended", text=f"it gave an answer that cannot be read: {error}")
    seen = observation.read_result(answer, place_in(job.package_parent))
    if seen.problem == "missing":
        return Observations(problem="missing", text=f"{exercise.name} is not defined in {job.module}")
    return seen
