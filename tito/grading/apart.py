"""Run a command without the keys of this login session, such as Kerberos tickets: `python apart.py COMMAND...`.

Linux keeps them in a keyring that every process inherits, and a namespace does not hide it. Standard library only.
"""

import ctypes
import errno
import os
import sys

JOIN = 1  # a new keyring, without a name
CALLS = {"x86_64": 250, "aarch64": 219, "riscv64": 219, "ppc64le": 271, "s390x": 280}  # the number of keyctl


def main(command):
    """Leave the keyring, and become the command."""
    machine = os.uname().machine
    if machine not in CALLS:
        sys.exit(f"this program cannot leave the keyring of the user on {machine}: the number of keyctl there is not known")
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    failed = call(CALLS[machine], JOIN, None) < 0 and ctypes.get_errno()
    if failed not in (False, errno.ENOSYS, errno.EPERM):  # a system without keys, or one that lets nobody use them
        sys.exit(f"this program could not leave the keyring of the user: {os.strerror(failed)}")
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
