"""Run untrusted code in a container of podman or docker. Its image holds Python, NumPy and numba, and nothing of the course.

Nothing is downloaded here: `tito grade sandbox --build` makes the image, with the versions that are installed. A container has no
network and no rights, sees the job's folder and nothing else of this machine, and is removed when it ends. Its process 1
(`tether.py`) ends with tito.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from tito.grading import tether
from tito.grading.limits import JOB, NOBODY, PACKAGES, VARIABLES

LABEL = "tito-sandbox"
MOST_OF_A_USER = 4096  # processes; those of one container have a limit of their own
PROXIES = [word for name in ("HTTP", "HTTPS", "FTP", "NO", "ALL") for word in (f"{name}_PROXY", f"{name}_proxy".lower())]
# What the program that starts containers needs of the environment. It passes none of it on, but it runs without the rest.
ITS_OWN = {"HOME", "PATH", "USER", "LOGNAME", "TMPDIR", "DBUS_SESSION_BUS_ADDRESS"}
ITS_OWN |= {"SYSTEMROOT", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "TEMP"}  # on Windows
PATIENCE = 60.0  # seconds for the program to answer


@dataclass(frozen=True)
class Engine:
    """A program that runs containers: podman or docker."""

    name: str

    def missing(self):
        """Return why there is no container to be had, or None."""
        if not shutil.which(self.name):
            return "not installed"
        for words in (("info",), ("image", "inspect", image())):
            try:
                done = subprocess.run(
                    [self.name, *words], capture_output=True, encoding="utf-8", errors="replace", check=False, timeout=PATIENCE
                )
            except subprocess.TimeoutExpired:
                return f"does not answer: `{self.name} {words[0]}` did not end within {PATIENCE:.0f} s"
            if done.returncode and words == ("info",):
                return f"does not answer: {(done.stderr.strip() or 'it printed nothing').splitlines()[-1]}"
            if done.returncode:
                return f"has no image with the versions installed here: make it with `tito grade sandbox --build {self.name}`"
        return None

    def options(self, limits):
        """Return the arguments of `runner.observe` that run learner code in a container."""
        return {
            "command_prefix": self.command_prefix(limits),
            "python": "python3",
            "copy_package": True,
            "prepare": hand_over,
            "memory": limits.memory,
            "environment": environment(),
            "whole": limits.whole,
            "inside": JOB,
            "stdin": subprocess.PIPE,
        }

    def command_prefix(self, limits):
        """Return the prefix that runs a command in a new container; `{job}` is replaced by the job's folder."""
        sizes = {
            "cpu": limits.cpu,
            "fsize": limits.file_size,
            "nofile": limits.files,
            "nproc": MOST_OF_A_USER,
            "core": 0,
            "msgqueue": 0,
        }
        relabel = ",Z" if Path("/sys/fs/selinux/enforce").exists() else ""
        variables = {**VARIABLES, **dict.fromkeys(PROXIES, "")}  # docker hands on the proxies of its configuration
        return [
            *(shutil.which(self.name) or self.name, "run", "--rm", "--interactive", "--pull=never", f"--label={LABEL}"),
            *("--network=none", "--ipc=none", "--hostname=sandbox", "--log-driver=none"),
            *(f"--user={NOBODY}:{NOBODY}", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
            *("--read-only", *(["--read-only-tmpfs=false"] if self.name == "podman" else [])),
            *(f"--tmpfs=/tmp:size={limits.scratch},mode=1777", "--workdir=/tmp"),
            *(f"--memory={limits.memory}", f"--memory-swap={limits.memory}", f"--pids-limit={limits.processes}"),
            *(f"--ulimit={name}={size}:{size}" for name, size in sizes.items()),
            *(f"--volume={{job}}:{JOB}:ro{relabel}", f"--volume={{job}}/answers:{JOB}/answers:rw{relabel}"),
            *(f"--env={name}={value}" for name, value in variables.items()),
            *("--entrypoint=python3", image(), "-I", f"{JOB}/tether.py"),
        ]

    def build(self, base):
        """Make the image, and return the exit status; what it downloads, and the progress, the program itself prints."""
        command = [self.name, "build", f"--tag={image()}", "-"]
        return subprocess.run(command, input=containerfile(base), encoding="utf-8", check=False).returncode


def installed():
    """Return the packages that submissions may import, with the versions that are installed here: a dict."""
    return {name: metadata.version(name) for name in PACKAGES if find_spec(name)}


def image():
    """Return the name of the image, which changes with the versions that are installed."""
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return f"{LABEL}:{'-'.join([python, *(f'{name}{version}' for name, version in installed().items())])}"


def base():
    """Return the image that ours is made of: Python's own, as small as it comes."""
    return f"docker.io/library/python:{sys.version_info.major}.{sys.version_info.minor}-slim"


def containerfile(base):
    """Return the recipe of the image."""
    pinned = " ".join(f"{name}=={version}" for name, version in installed().items())
    return f"FROM {base}\nRUN python3 -m pip install --no-cache-dir --only-binary=:all: {pinned}\n"


def environment():
    """Return the environment of the program that starts containers."""
    kept = ("XDG_", "DOCKER_", "CONTAINER")
    return {name: value for name, value in os.environ.items() if name.upper() in ITS_OWN or name.startswith(kept)}


def hand_over(folder):
    """Let the container's user, who owns nothing here, read a job's folder. Only its owner can enter the folder around it."""
    shutil.copyfile(tether.__file__, folder / "tether.py")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (folder / "answers").chmod(0o666)
