"""Run untrusted code in bubblewrap, which hides the rest of the machine.

Inside are `/usr`, the interpreter, NumPy, numba, the job's folder and an empty `/tmp`: no network, no home, no course, no other
process. Bubblewrap itself starts with an empty environment, because it is process 1 inside, and `/proc/1/environ` can be read
there, and without the keys of the session (`apart.py`). When root starts it, the sandbox first becomes the user nobody, because
the limit on processes does not apply to root. The user nobody cannot reach an interpreter below `/root`, so an outer bubblewrap
mounts everything that is needed below `/tmp`.
"""

import os
import shutil
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from tito import workspace
from tito.grading import apart, memory
from tito.grading.limits import JOB, NOBODY, PACKAGES, VARIABLES

PROGRAMS = ("bwrap", "prlimit", "setpriv")
SITE = "/site"
USR = Path("/usr")
ISOLATED = (
    f"--unshare-all --unshare-user --disable-userns --die-with-parent --new-session --clearenv "
    f"--uid {NOBODY} --gid {NOBODY} --cap-drop ALL"
).split()
NEEDED = (
    "it needs bubblewrap and util-linux, on Linux or in WSL2: `apt install bubblewrap util-linux`, "
    "`dnf install bubblewrap util-linux`"
)


def options(limits):
    """Return the arguments of `runner.observe` that run learner code in bubblewrap."""
    return {
        "command_prefix": command_prefix(limits),
        "python": python(),
        "copy_package": True,
        "prepare": hand_over,
        "memory": limits.memory,
        "environment": {},
        "guard": partial(memory.guarded, limits.memory),
        "whole": limits.whole,
        "inside": JOB,
    }


def missing():
    """Return which programs are not installed, and how to install them, or None."""
    absent = [name for name in PROGRAMS if not shutil.which(name)]
    return f"{', '.join(absent)} not found: {NEEDED}" if absent else None


def command_prefix(limits):
    """Return the prefix that runs a command in the sandbox; `{job}` is replaced by the job's folder."""
    shown = [("--ro-bind", source, target) for source, target in [*read_only(), ("{job}", JOB)]]
    shown.append(("--bind", "{job}/answers", f"{JOB}/answers"))  # the only place to write on the disk: one file of limited size
    without_keys = [sys.executable, "-I", "-S", apart.__file__]
    if os.geteuid() != 0:
        return [*without_keys, *jail(shown, limits)]
    laid_out = [(how, source, f"/tmp/{number}") for number, (how, source, _) in enumerate(shown)]
    from_there = [(how, f"/tmp/{number}", target) for number, (how, _, target) in enumerate(shown)]
    return [
        *without_keys,
        program("bwrap"),
        "--die-with-parent",
        "--dev-bind",
        "/",
        "/",
        "--tmpfs",
        "/tmp",
        *flat(laid_out),
        "--",
        program("setpriv"),
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        "--",
        *jail(from_there, limits),
    ]


def jail(shown, limits):
    """Return the bubblewrap command that shows only these folders. A cover comes before the folders inside it."""
    scratch = ["--size", str(limits.scratch), "--tmpfs", "/tmp"]
    variables = {**VARIABLES, "PATH": "/usr/bin", "PYTHONPATH": SITE}
    return [
        program("bwrap"),
        *ISOLATED,
        *system(),
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--remount-ro",
        "/dev",
        *scratch,
        *flat(shown),
        *covers(),
        *flat(("--setenv", name, value) for name, value in variables.items()),
        "--chdir",
        "/tmp",
        "--remount-ro",
        "/",
        "--",
        *limiter(limits),
    ]


def system():
    """Return the options that show `/usr` and the links to it in `/`."""
    options = [
        "--ro-bind",
        "/usr",
        "/usr",
        "--ro-bind-try",
        "/etc/alternatives",
        "/etc/alternatives",
        "--ro-bind-try",
        "/etc/ld.so.cache",
        "/etc/ld.so.cache",
    ]
    for path in map(Path, ("/bin", "/lib", "/lib32", "/lib64")):
        if path.is_symlink():
            options += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            options += ["--ro-bind", str(path), str(path)]
    return options


def read_only():
    """Return what else to show: pairs of a path outside and the path inside."""
    base = Path(sys.base_prefix).resolve()
    folders = [] if base.is_relative_to(USR) else [path for path in (base / "bin", base / "lib") if path.is_dir()]
    pairs = [(str(path), str(path)) for path in folders]  # at the same path: a Python that was moved does not find libpython
    for name in filter(find_spec, PACKAGES):
        folder = Path(find_spec(name).origin).parent
        libraries = folder.with_name(f"{name}.libs")
        pairs += [(str(path), f"{SITE}/{path.name}") for path in (folder, libraries) if path.is_dir()]
    return pairs


def covers():
    """Return the options that hide parts of the folders shown: installed packages, the course."""
    base = Path(sys.base_prefix).resolve()
    packages = {path.resolve() for path in base.glob("lib*/python3*/*-packages")}  # Debian uses dist-packages
    hidden = [*sorted(packages), workspace.course_dir().resolve()]
    if not base.is_relative_to("/usr/local"):
        hidden.append(Path("/usr/local"))
    shown = [path for path in hidden if path.is_dir() and (path.is_relative_to(USR) or path.is_relative_to(base))]
    return flat(("--size", "4096", "--tmpfs", str(path), "--remount-ro", str(path)) for path in shown)


def limiter(limits):
    """Return the command that limits a process and its children."""
    return [
        "/usr/bin/prlimit",
        f"--as={limits.memory}",
        f"--cpu={limits.cpu}",
        f"--fsize={limits.file_size}",
        f"--nproc={limits.processes}",
        f"--nofile={limits.files}",
        "--core=0",
        "--",
    ]


def python():
    """Return the path of the interpreter in the sandbox: a virtual environment's is a link, broken there."""
    version = sys.version_info
    return str(Path(sys.base_prefix).resolve() / "bin" / f"python{version.major}.{version.minor}")


def hand_over(folder):
    """Make the sandbox's user the owner of a job's folder, which is closed to everyone else."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, int(NOBODY), int(NOBODY))


def program(name):
    """Return the path of a program; with an empty environment there is no PATH to search."""
    return shutil.which(name) or name


def flat(groups):
    """Flatten groups of words into one list."""
    return [word for group in groups for word in group]
