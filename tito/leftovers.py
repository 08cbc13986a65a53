"""Processes and temporary folders that go away when tito ends, even if it is killed.

A killed process cannot clean up. So the first use starts a keeper (`keeper.py`), a small process that reads the list of them from
a pipe. When tito ends, the system closes the pipe, and the keeper cleans up what is left.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from tito.keeper import end

STARTING, KEEPERS = threading.Lock(), []  # at most one keeper for this process
ENDINGS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


# Options of a process that Ctrl-C does not reach: its own session, or on Windows its own group, without a window.
APART = {"start_new_session": True} if os.name == "posix" else {"creationflags": 0x200 | 0x8000000}


def end_in_order():
    """Make SIGTERM and SIGHUP end tito by an exception, so that every `finally` runs."""
    for number in ENDINGS:
        if signal.getsignal(number) is signal.SIG_DFL:  # keep it ignored under `nohup`
            signal.signal(number, lambda number, frame: sys.exit(128 + number))


@contextlib.contextmanager
def folder(prefix="tito-", parent=None):
    """Make a temporary folder that is removed at the end of the `with` block, or when tito ends.

    Args:
        prefix: Beginning of its name.
        parent: The folder to make it in; by default the system's folder for temporary files.

    Returns:
        Context manager that yields the folder's path.
    """
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent)).resolve()
    with kept("folder", path):
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def run(command, **options):
    """Run a command like `subprocess.run`; its process is killed when tito ends.

    Args:
        command: The command, a list of words.
        options: Options of `subprocess.Popen`.

    Returns:
        `subprocess.CompletedProcess`.
    """
    with subprocess.Popen(command, **options) as popen, process(popen):
        out, err = popen.communicate()
    return subprocess.CompletedProcess(command, popen.returncode, out, err)


@contextlib.contextmanager
def process(popen, group=False):
    """Kill a process at the end of the `with` block, or when tito ends.

    Args:
        popen: The `subprocess.Popen`.
        group: Whether to kill its whole process group.
    """
    with kept("group" if group else "process", popen.pid):
        try:
            yield
        finally:
            if group or popen.poll() is None:  # a group may outlive its leader
                end(popen.pid, group)
                popen.wait()


@contextlib.contextmanager
def kept(kind, what):
    """Register an entry with the keeper while the `with` block runs."""
    tell("+", kind, what)
    try:
        yield
    finally:
        tell("-", kind, what)


def tell(sign, kind, what):
    """Write a line to the keeper. If that fails, tito still works, but a kill would leave something behind."""
    with contextlib.suppress(OSError):
        pipe = keeper()
        pipe.write(f"{sign}{kind} {what}\n".encode())
        pipe.flush()


def keeper():
    """Return the pipe to the keeper, and start it on first use."""
    with STARTING:
        if not KEEPERS:
            KEEPERS.append(start())
    return KEEPERS[0].stdin


def start():
    """Start a keeper in its own session, so that neither Ctrl-C nor closing the terminal ends it."""
    script = str(Path(__file__).with_name("keeper.py"))
    command = [sys.executable, "-I", "-S", "-X", "utf8", script]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, stdin=subprocess.PIPE, cwd=tempfile.gettempdir(), **silent, **APART)
