"""Wait until tito ends, then kill the processes and remove the folders that it left behind. `leftovers.py` starts it.

Each line of its input adds (`+folder PATH`) or removes (`-folder PATH`) an entry. Usually the list is empty at the end.
"""

import os
import sys


def main():
    """Read the input until tito ends, then clean up: processes first, because they write into the folders."""
    left = {}
    for line in sys.stdin:
        sign, entry = line[0], line[1:].rstrip("\n")
        if sign == "+":
            left[entry] = entry.partition(" ")[::2]
        else:
            left.pop(entry, None)
    for kind, what in left.values():
        if kind != "folder":
            end(int(what), kind == "group")
    for kind, what in left.values():
        if kind == "folder":
            remove(what)


def end(number, group):
    """Kill a process or a process group."""
    import signal
    import subprocess

    try:
        if os.name == "nt":
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(number)], capture_output=True, check=False)
        elif group and hasattr(os, "killpg"):
            os.killpg(number, signal.SIGKILL)
        else:
            os.kill(number, signal.SIGKILL)
    except OSError:  # it has already ended
        pass


def remove(folder):
    """Remove a folder; retry, because a dying process may still hold a file open."""
    import shutil
    import time

    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        time.sleep(0.1)


if __name__ == "__main__":
    main()
