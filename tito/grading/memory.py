"""Limit the memory of a submission as a whole: all its processes together, however many it starts.

A limit of each process does not do this: forty processes may each use it up. The kernel does, with a control group, where this
user may make one (root; or a user session with delegation). Elsewhere a thread adds up what the processes use, and kills them.
"""

import contextlib
import itertools
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
LIMIT_FILES = {"memory.max": "memory.swap.max", "memory.limit_in_bytes": "memory.memsw.limit_in_bytes"}  # version 2, version 1
INTERVAL = 0.05  # seconds between two looks at what the processes use
NUMBERS = itertools.count()


@dataclass
class Guard:
    """The limit of one worker: the words before its command, and what to do once it runs."""

    prefix: tuple = ()
    limit: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def watch(self, number):
        """Kill a process and its children when together they use more than the limit."""
        if not self.prefix:
            threading.Thread(target=self.look, args=(number,), daemon=True).start()

    def look(self, number):
        from tito.keeper import end

        while not self.stop.wait(INTERVAL):
            if used(number) > self.limit:
                end(number, group=True)
                return


@contextlib.contextmanager
def guarded(limit):
    """Yield the `Guard` of one worker.

    Args:
        limit: Bytes, of the worker and everything that it starts.
    """
    group = make_group(limit)
    guard = Guard(joining(group) if group else (), limit)
    try:
        yield guard
    finally:
        guard.stop.set()
        if group:
            remove(group)


def joining(group):
    """Return the words that put a command into a control group: a shell that joins it, and becomes the command."""
    return ("/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs"))


def make_group(limit):
    """Make a control group with a limit, and return its folder, or None if this user may not."""
    for parent in parents():
        clear(parent)
        group = parent / f"tito-{os.getpid()}-{next(NUMBERS)}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            name = next(name for name in LIMIT_FILES if (group / name).exists())
            (group / name).write_text(str(limit), encoding="utf-8")
            with contextlib.suppress(OSError):  # kernels without an account of swap
                (group / LIMIT_FILES[name]).write_text("0" if name == "memory.max" else str(limit), encoding="utf-8")
            return group
        except (OSError, StopIteration):
            remove(group)
    return None


def parents():
    """Return the folders in which a control group may be made: this process's own, and in version 2 the one above it."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    folders = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            folders += [CGROUPS / "memory" / path.strip("/"), CGROUPS / "memory"]
        elif not controllers:
            own = CGROUPS / path.strip("/")
            folders += [own.parent, own] if own != CGROUPS else [own]
    return [folder for folder in folders if (folder / "cgroup.procs").exists() and os.access(folder, os.W_OK)]


def clear(parent):
    """Remove the empty groups of a tito that was killed."""
    for group in parent.glob("tito-*"):
        owner = group.name.split("-")[1]
        if owner.isdecimal() and not Path("/proc", owner).exists():
            remove(group)


def remove(group):
    """Kill what is left in a group, and remove it."""
    for _ in range(50):
        with contextlib.suppress(OSError):
            for number in (group / "cgroup.procs").read_text(encoding="utf-8").split():
                with contextlib.suppress(OSError):
                    os.kill(int(number), 9)
            group.rmdir()
            return
        threading.Event().wait(0.02)


def used(number):
    """Return the bytes that a process and all its descendants use."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            parent = int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    total, waiting = 0, [number]
    while waiting:
        process = waiting.pop()
        waiting += children.get(process, ())
        total += own_memory(process)
    return total


def own_memory(number):
    """Return the bytes of a process that are its own or shared with its children, not those of files."""
    with contextlib.suppress(OSError, ValueError):
        status = Path(f"/proc/{number}/status").read_text(encoding="utf-8")
        for_kinds = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        return sum(int(for_kinds.get(kind, "0").split()[0]) * 1024 for kind in ("RssAnon", "RssShmem"))
    return 0
