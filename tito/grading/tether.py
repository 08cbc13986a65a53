"""Process 1 of a container: run a command, and end with it, or as soon as the input of this process ends.

The input ends with the tito that holds it, however that is killed. Killing the program that started a container does not end the
container. Standard library only, and not imported by tito: `container.py` copies this file into the job's folder.
"""

import ctypes
import os
import subprocess
import sys
import threading

NOT_DUMPABLE = (4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: code of the same user can neither trace this process nor open its files
SHOWN = 2000  # bytes of what the command wrote to its standard error


def main(command, errors="/tmp/.errors"):
    """Run a command, and exit with its status; 128 and the number of the signal that killed it, as a shell does."""
    ctypes.CDLL(None).prctl(*NOT_DUMPABLE)
    threading.Thread(target=end_with_input, daemon=True).start()
    with open(errors, "w+b") as kept:  # a file of limited size: written on, it would fill the disk outside
        worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=kept)
        status = wait(worker.pid)
        kept.seek(max(0, kept.tell() - SHOWN))
        os.write(2, kept.read(SHOWN))
    os._exit(status if status >= 0 else 128 - status)


def end_with_input():
    while os.read(0, 1):
        pass
    os._exit(137)  # as if killed; the kernel kills what is left in the container


def wait(number):
    """Wait for a process, and return its exit status; collect the orphans that end before it."""
    while True:
        ended, status = os.wait()
        if ended == number:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main(sys.argv[1:])
