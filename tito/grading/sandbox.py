"""Where submissions run: in bubblewrap, or in a container of podman or docker. The first that works here is used.

Each of the three has `missing()`, which returns why it cannot be used here, or None, and `options(limits)`, the arguments of
`runner.observe` that run learner code in it. What they show and allow is the same; `probe` tries to get out of each.
"""

import contextlib
import os
import socket
import subprocess
import tempfile
import textwrap

from tito import leftovers, workspace
from tito.grading import bubblewrap
from tito.grading.container import Engine
from tito.grading.limits import MIB, Limits

PATIENCE = 60.0  # seconds for a script that tries a sandbox
SANDBOXES = {"bubblewrap": bubblewrap, "podman": Engine("podman"), "docker": Engine("docker")}


class NoSandbox(Exception):
    """No sandbox works here; the message says why for each."""


def choose(name=None):
    """Return the name of the sandbox to use.

    Args:
        name: The one that is wanted; by default the first that works here.

    Raises:
        NoSandbox: It does not work here, or none does.
    """
    reasons = {}
    for each in [name] if name else SANDBOXES:
        reasons[each] = problem(each)
        if reasons[each] is None:
            return each
    raise NoSandbox("\n".join(line(each, reason) for each, reason in reasons.items()))


def line(name, text):
    """Return what is to be said about a sandbox, in lines of at most 80 characters."""
    return textwrap.fill(text, 79, initial_indent=f"  {name:12}", subsequent_indent=14 * " ", break_on_hyphens=False)


def options(name, limits=Limits()):
    """Return the arguments of `runner.observe` that run learner code in a sandbox."""
    return SANDBOXES[name].options(limits)


def problem(name):
    """Try a sandbox, and return why it cannot run code here, or None."""
    missing = SANDBOXES[name].missing()
    if missing:
        return missing
    status, said = trial(name, "import numpy")
    if status:
        return not_run(status, said)
    limits = Limits(memory=192 * MIB)
    script = TOO_MUCH.replace("{count}", str(limits.processes + 5)).replace("{size}", str(limits.memory // 3))
    status, said = trial(name, script, limits)
    if "processes: " not in said:
        return not_run(status, said)
    boundless = " and ".join(what for what in ("processes", "memory") if f"{what}: all" in said)
    return f"does not limit the {boundless} of a submission here" if boundless else None


def not_run(status, said):
    """Say why a script did not run, from its exit status and what it printed."""
    return f"does not run code here: {(said.strip() or f'exit status {status}').splitlines()[-1]}"


@contextlib.contextmanager
def started(name, script, limits, stdin):
    """Yield a process that runs a script in a sandbox, started as `runner.py` starts its workers; kill it at the end."""
    about = options(name, limits)
    with leftovers.folder() as closed, about.get("guard", contextlib.nullcontext)() as guard:
        job = closed / "job"
        job.mkdir()
        (job / "answers").touch()
        about["prepare"](job)
        words = [*(guard.prefix if guard else ()), *(word.replace("{job}", str(job)) for word in about["command_prefix"])]
        command = [*words, about["python"], "-c", f"import sys\nsys.stdout = sys.stderr\n{script}"]
        how = {"stdin": stdin, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "env": about["environment"], "cwd": job}
        how |= {"start_new_session": True} if os.name == "posix" else {}
        with subprocess.Popen(command, **how) as popen, leftovers.process(popen, group=True):
            if guard:
                guard.watch(popen.pid)
            yield popen


def trial(name, script, limits=Limits()):
    """Run a script in a sandbox, and return its exit status and what it printed, or its end."""
    reading, holding = os.pipe()  # a container ends with its input, so it must not end before the script
    try:
        with started(name, script, limits, reading) as popen:
            _, said = popen.communicate(timeout=PATIENCE)
            return popen.returncode, said.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        return 1, f"it did not end within {PATIENCE:.0f} s"
    finally:
        os.close(reading)
        os.close(holding)


LOOK = """
import ctypes, glob, os, socket
leaks = []
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        leaks += ["it sees the environment outside"] if b"TITO_PROBE" in open(path, "rb").read() else []
    except OSError:
        pass
leaks += [f"it can read {path}" for path in {paths} if os.path.exists(path)]
leaks += ["it runs as root"] if os.getuid() == 0 else []
try:
    open("/usr/tito-probe", "w")
    leaks.append("it can change the system")
except OSError:
    pass
try:
    socket.create_connection(("127.0.0.1", {port}), timeout=1)
    leaks.append("it reaches the network")
except OSError:
    pass
child = os.fork()
if not child:
    os._exit(ctypes.CDLL(None).unshare(0x10000000) != 0)
leaks += ["it can make itself a namespace of users"] if os.wait()[1] == 0 else []
print("; ".join(leaks) or "tight")
"""
TOO_MUCH = """
import os, time


def together(what, count, size):
    # Start processes that hold memory at the same time, and tell if none of them was stopped.
    children = 0
    try:
        for _ in range(count):
            if not os.fork():
                block = bytearray(b"x") * size
                time.sleep(0.5)
                os._exit(0)
            children += 1
    except OSError:
        pass
    ended = [os.wait()[1] for _ in range(children)]
    print(f"{what}: {'all' if ended == [0] * count else 'not all'}", flush=True)


together("processes", {count}, 0)
together("memory", 4, {size})
"""


def probe(name):
    """Run code in a sandbox that tries to get out of it, and return what it could do, "" if nothing."""
    with tempfile.NamedTemporaryFile() as file, socket.create_server(("127.0.0.1", 0)) as server:
        paths = [file.name, str(workspace.course_dir() / "modules")]
        script = LOOK.replace("{paths}", str(paths)).replace("{port}", str(server.getsockname()[1]))
        os.environ["TITO_PROBE"] = "1"
        try:
            said = trial(name, script)[1].strip()[-300:] or "it ended without a word"
        finally:
            del os.environ["TITO_PROBE"]
    return "" if said == "tight" else said
