"""The C library, and the numbers of system calls that it has no function for, on x86_64 and aarch64."""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Final

_NUMBERS: Final = {
    "x86_64": {"clone": 56, "clone3": 435, "pivot_root": 155, "seccomp": 317, "mount_setattr": 442}
    | {"tgkill": 234, "pidfd_getfd": 438},
    "aarch64": {"clone": 220, "clone3": 435, "pivot_root": 41, "seccomp": 277, "mount_setattr": 442}
    | {"tgkill": 131, "pidfd_getfd": 438},
}


_MACHINE: Final = os.uname().machine


LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
# PyDLL keeps the interpreter lock, which must not be released between the two halves of a fork.
LIBC_WITH_LOCK = ctypes.PyDLL(None, use_errno=True)
LIBC_WITH_LOCK.syscall.restype = ctypes.c_long


def supported_machine() -> bool:
    """Return whether the numbers of the system calls are known for this machine."""
    return _MACHINE in _NUMBERS


def call_number(name: str) -> int:
    """Return the number of a system call; OSError if it is not known for this machine."""
    if not supported_machine():
        raise OSError(errno.ENOSYS, f"{name}: its number on {_MACHINE} is unknown")
    return _NUMBERS[_MACHINE][name]


def c_path(path: str | None) -> bytes | None:
    """Return a path in C's form."""
    return None if path is None else os.fsencode(path)


def check(result: int, what: str) -> None:
    """Raise OSError if a call has failed; `what` names the call, for people."""
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
