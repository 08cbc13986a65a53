"""Wait for tito's end, then end the processes and remove the folders that it left. `leftovers.py` runs it, and tells it of them.

Each line that it reads adds (`+folder PATH`) or takes away (`-folder PATH`) one thing. Usually nothing is left at the end.
"""

import os
import sys


def main():
    """Read to the end, which is tito's; then clean up: processes first, because they write into the folders."""
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
    """Kill a process, or a group of them."""
    import signal
    import subprocess

    try:
        if os.name == "nt":
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(number)], capture_output=True, check=False)
        elif group and hasattr(os, "killpg"):
            os.killpg(number, signal.SIGKILL)
        else:
            os.kill(number, signal.SIGKILL)
    except OSError:  # it has ended already
        pass


def remove(folder):
    """Remove a folder; a process that dies in it may hold a file for a moment yet."""
    import shutil
    import time

    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        time.sleep(0.1)


if __name__ == "__main__":
    main()
