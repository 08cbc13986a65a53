"""Mark many submissions at once: on this machine, or on a Dask cluster. The same function, `mark`, does both.

It keeps a process of its own (`process.py`), which reads and compares within limits. A submission that is too much for it ends
that process, not the class: a new one starts, and what was too much earns nothing.
"""

import base64
import concurrent.futures
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading

from tito import leftovers
from tito.checks.runner import ONE_THREAD

MOST_RESTARTS = 3  # for one submission
PATIENCE = 120.0  # seconds without a word from the process, besides what the sandbox may take
TOO_MUCH = "what it returned could not be read and compared within the limits of time and memory"
UNREADABLE = "it could not be read within the limits of time and memory: clear its outputs, and shorten what is extraordinary"
HERE, RUNNING, STOPPING = threading.local(), set(), threading.Event()


class NotMarked(Exception):
    """The machine failed, not the submission: nothing is known about it."""


def job(module, handed, seeds, timeout, sandbox, own=None):
    """Return a submission as JSON data for `mark`.

    Args:
        module: The module.
        handed: The submitted file, as `intake.Handed`.
        seeds: Seeds to draw the inputs with.
        timeout: Seconds for each exercise.
        sandbox: Name of the sandbox to run it in; None for none.
        own: Dict from the names of files of the package to the student's own texts, for a second run without points.
    """
    data = base64.b64encode(handed.data).decode("ascii")
    about = {"name": handed.name, "data": data, "notes": list(handed.notes)}
    how = {"seeds": list(seeds), "timeout": timeout, "sandbox": sandbox, "spared": {}, "own": own or {}}
    return {**about, "module": module.number, **how}


def mark(job, exercises):
    """Mark a submission.

    Args:
        job: From `job`.
        exercises: List of dicts with the id, name and points of each exercise, for what cannot be judged at all.

    Returns:
        The record of `judge.record`.

    Raises:
        NotMarked: The machine failed, such as a sandbox that does not start.
    """
    spared, own = {}, job["own"]
    for _ in range(MOST_RESTARTS + 1):
        at = None
        process = helper()
        try:
            process.give({**job, "spared": spared, "own": own})
            for said in process.answers(PATIENCE + 2 * job["timeout"]):
                if "record" in said:
                    return said["record"]
                if "failed" in said:
                    raise NotMarked(said["failed"])
                at = said["at"]
        except OSError:
            pass
        process.close()
        HERE.process = None
        if at is None:
            raise NotMarked("the process that marks submissions did not start")
        if at in ("reading", "reporting"):
            return nothing(exercises, UNREADABLE)
        if at == "own":
            own = {}
        else:
            spared[at] = TOO_MUCH
    return nothing(exercises, UNREADABLE)


def nothing(exercises, reason):
    """Return the record of a submission that could not be judged."""
    empty = {"points": 0, "status": "unread", "passed": 0, "total": 0, "looks_like": None, "report": ""}
    lines = [{**each, **empty} for each in exercises]
    maximum = sum(each["worth"] for each in exercises)
    about = {"reason": reason, "points": 0, "maximum": maximum, "notes": [], "flags": [], "text": "", "answers": {}, "pieces": {}}
    return {**about, "exercises": lines}


def helper():
    """Return this thread's process, and start it if needed."""
    process = getattr(HERE, "process", None)
    if process is None or process.popen.poll() is not None:
        if process is not None:
            process.close()
        if STOPPING.is_set():
            raise NotMarked("tito is ending")
        HERE.process = Process()
    return HERE.process


class Process:
    """A process that marks submissions one after the other."""

    def __init__(self):
        command = [sys.executable, "-P", "-X", "utf8", "-m", "tito.grading.process"]
        apart = {"start_new_session": True} if os.name == "posix" else {"creationflags": 0x200}  # CREATE_NEW_PROCESS_GROUP
        self.popen = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env={**os.environ, **ONE_THREAD},
            **apart,
        )
        self.lines = queue.Queue()
        self.stack = contextlib.ExitStack()
        self.stack.enter_context(leftovers.process(self.popen, group=True))
        RUNNING.add(self)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.popen.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def give(self, job):
        self.popen.stdin.write(json.dumps(job) + "\n")
        self.popen.stdin.flush()

    def answers(self, patience):
        """Yield what the process says, until it ends or is silent for too long."""
        while True:
            try:
                line = self.lines.get(timeout=patience)
            except queue.Empty:
                return
            if line is None:
                return
            yield json.loads(line)

    def close(self):
        """End the process and what it started."""
        RUNNING.discard(self)
        self.stack.close()


@contextlib.contextmanager
def local(count):
    """Yield a function that marks jobs in `count` processes of this machine: (key, job) pairs in, (key, future) pairs out."""
    pool = concurrent.futures.ThreadPoolExecutor(count)
    STOPPING.clear()

    def each(jobs, exercises):
        """Yield (key, future) as they finish; no more jobs are read than can be worked on soon, which bounds the memory."""
        waiting, jobs = {}, iter(jobs)
        while True:
            for key, some in jobs:
                waiting[pool.submit(mark, some, exercises)] = key
                if len(waiting) >= 2 * count:
                    break
            if not waiting:
                return
            done, _ = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                yield waiting.pop(future), future

    try:
        yield each
    finally:
        STOPPING.set()
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(RUNNING):
            process.close()


@contextlib.contextmanager
def cluster(address):
    """Yield the same function for a Dask cluster; its workers need tito, and the sandbox, as this machine does.

    Raises:
        NotMarked: Dask is not installed, or there is no scheduler at the address.
    """
    try:
        from distributed import Client
    except ImportError:
        raise NotMarked('a Dask cluster needs Dask: pip install "distributed"') from None
    try:
        client = Client(address, timeout=20)
    except OSError as error:
        raise NotMarked(f"no Dask scheduler at {address}: {error}") from None

    def each(jobs, exercises):
        from distributed import as_completed

        keys, jobs = {}, iter(jobs)
        running = as_completed()

        def add():
            for key, some in jobs:
                future = client.submit(mark, some, exercises, pure=False, retries=3)
                keys[future.key] = key
                running.add(future)
                return

        for _ in range(4 * max(1, sum(client.nthreads().values()))):
            add()
        for future in running:
            yield keys.pop(future.key), future
            add()

    with client:
        yield each
