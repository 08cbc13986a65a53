"""Nothing is left behind: processes and temporary folders that end with tito, however tito ends.

A process that is killed cleans up nothing. So the first of these starts a keeper, a small process that reads what there is from a
pipe. When tito ends, the system closes the pipe, and the keeper ends what is left. It is a program of its own, `keeper.py`.
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

STARTING, KEEPERS = threading.Lock(), []  # this process has one keeper or none
ENDINGS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def end_in_order():
    """Let TERM, and a terminal that is closed, end tito as an exception does, so that every `finally` runs."""
    for number in ENDINGS:
        if signal.getsignal(number) is signal.SIG_DFL:  # `nohup` ignores one of them, and that is to stay
            signal.signal(number, lambda number, frame: sys.exit(128 + number))


@contextlib.contextmanager
def folder(prefix="tito-", parent=None):
    """Make a temporary folder that goes with the `with` block, or with tito.

    Args:
        prefix: How its name begins.
        parent: The folder to make it in; by default the system's for temporary files.

    Returns:
        Context manager; it gives the folder's path.
    """
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent)).resolve()
    with kept("folder", path):
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def run(command, **options):
    """Run a command to its end, as `subprocess.run` does; its process ends with tito.

    Args:
        command: Its words.
        options: Those of `subprocess.Popen`.

    Returns:
        `subprocess.CompletedProcess`.
    """
    with subprocess.Popen(command, **options) as popen, process(popen):
        out, err = popen.communicate()
    return subprocess.CompletedProcess(command, popen.returncode, out, err)


@contextlib.contextmanager
def process(popen, group=False):
    """Have a process end with the `with` block, or with tito.

    Args:
        popen: The `subprocess.Popen`.
        group: Whether it leads a group of processes, which all are to end.
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
    """Tell the keeper of something while the `with` block runs."""
    tell("+", kind, what)
    try:
        yield
    finally:
        tell("-", kind, what)


def tell(sign, kind, what):
    """Write a line to the keeper; without one, tito works as well, and only a kill leaves something behind."""
    with contextlib.suppress(OSError):
        pipe = keeper()
        pipe.write(f"{sign}{kind} {what}\n".encode())
        pipe.flush()


def keeper():
    """Return the pipe to this process's keeper, which is started when it is first needed."""
    with STARTING:
        if not KEEPERS:
            KEEPERS.append(start())
    return KEEPERS[0].stdin


def start():
    """Start a keeper: apart, so that neither Ctrl-C nor the end of the terminal ends it."""
    apart = {"start_new_session": True} if os.name == "posix" else {"creationflags": 0x200 | 0x8000000}  # own group, no window
    script = str(Path(__file__).with_name("keeper.py"))
    command = [sys.executable, "-I", "-S", "-X", "utf8", script]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, stdin=subprocess.PIPE, cwd=tempfile.gettempdir(), **silent, **apart)
