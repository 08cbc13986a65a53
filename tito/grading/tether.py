"""Process 1 of a container: run a command, and end with it, or as soon as the input of this process ends.

The input ends with the tito that holds it, however that is killed. Killing the program that started a container does not end the
container. Standard library only, and not imported by tito: `container.py` copies this file into the job's folder.
"""

import ctypes
import os
import subprocess
import sys
import threading

SHOWN = 2000  # bytes of what the command wrote to its standard error
SET_DUMPABLE, SET_SECCOMP, SET_NO_NEW_PRIVILEGES = 4, 22, 38  # of the system call prctl
NEW_USER_NAMESPACE = 0x10000000  # among the flags of clone
MACHINES = {"x86_64": (0xC000003E, 56, 272), "aarch64": (0xC00000B7, 220, 97)}  # its number, and those of clone and unshare
CLONE3, OTHER_TABLE = 435, 0x40000000  # a system call, and the first number of x86_64's second table of them
REFUSE, UNKNOWN, ALLOW = 0x50000 + 1, 0x50000 + 38, 0x7FFF0000  # EPERM, and ENOSYS, after which the C library calls clone


def main(command):
    """Run a command, and exit with its status; 128 and the number of the signal that killed it, as a shell does."""
    lock()
    threading.Thread(target=end_with_input, daemon=True).start()
    with open(os.path.expanduser("~/.errors"), "w+b") as kept:  # a file of limited size: what is passed on would fill a disk
        worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=kept)
        status = wait(worker.pid)
        kept.seek(max(0, kept.seek(0, os.SEEK_END) - SHOWN))
        os.write(2, kept.read(SHOWN))
    os._exit(status if status >= 0 else 128 - status)


def lock():
    """Keep code of the same user from this process's memory and files, and from namespaces in which it would have rights."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(SET_DUMPABLE, 0, 0, 0, 0)
    instructions = system_calls(os.uname().machine)
    code = b"".join(
        word.to_bytes(2, sys.byteorder) + bytes(jumps) + value.to_bytes(4, sys.byteorder) for word, *jumps, value in instructions
    )

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]

    prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if instructions and prctl(SET_SECCOMP, 2, ctypes.byref(Program(len(instructions), code)), 0, 0):
        sys.exit(f"the filter of system calls was refused: {os.strerror(ctypes.get_errno())}")


def system_calls(machine):
    """Return a filter of system calls, as the kernel reads it: (instruction, jump if true, jump if false, value)."""
    if machine not in MACHINES:
        return []
    number, clone, unshare = MACHINES[machine]
    load, equal, at_least, any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    return [
        (load, 0, 0, 4),  # the machine: a 32-bit program on a 64-bit system has other numbers
        (equal, 0, 8, number),
        (load, 0, 0, 0),  # the system call
        (at_least, 6, 0, OTHER_TABLE),
        (equal, 6, 0, CLONE3),
        (equal, 4, 0, unshare),
        (equal, 0, 2, clone),
        (load, 0, 0, 16),  # its first argument
        (any_bit, 1, 0, NEW_USER_NAMESPACE),
        (answer, 0, 0, ALLOW),
        (answer, 0, 0, REFUSE),
        (answer, 0, 0, UNKNOWN),
    ]


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
