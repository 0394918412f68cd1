"""Mounting: the system calls that give a mount namespace its file systems."""

from __future__ import annotations

import ctypes
from typing import Final

from pytest_rewardkit.local.guest.libc import LIBC, c_path, call_number, check

# sys/mount.h
MS_RDONLY: Final = 0x1
MS_NOSUID: Final = 0x2
MS_NODEV: Final = 0x4
MS_NOEXEC: Final = 0x8
MS_BIND: Final = 0x1000
MS_MOVE: Final = 0x2000
MS_REC: Final = 0x4000
MS_PRIVATE: Final = 0x40000
MNT_DETACH: Final = 0x2

# linux/mount.h, for mount_setattr
MOUNT_ATTR_RDONLY: Final = 0x1
MOUNT_ATTR_NOSUID: Final = 0x2
MOUNT_ATTR_NODEV: Final = 0x4

_AT_FDCWD: Final = -100
_AT_RECURSIVE: Final = 0x8000


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def mount(source: str | None, target: str, kind: str | None, flags: int = 0, options: str | None = None) -> None:
    """Mount a file system, bind a path, or change a mount's propagation; see mount(2)."""
    result = LIBC.mount(c_path(source), c_path(target), c_path(kind), ctypes.c_ulong(flags), c_path(options))
    check(result, f"mount {kind or source} on {target}")


def unmount(target: str, flags: int = 0) -> None:
    """Unmount; see umount2(2)."""
    check(LIBC.umount2(c_path(target), flags), f"unmount {target}")


def set_mount_attributes(target: str, attributes: int, *, recursive: bool) -> None:
    """Add MOUNT_ATTR_* to a mount, and if `recursive`, to all mounts below it (Linux 5.12)."""
    attr = _MountAttr(attributes, 0, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    call = call_number("mount_setattr")
    result = LIBC.syscall(call, _AT_FDCWD, c_path(target), flags, ctypes.byref(attr), ctypes.sizeof(attr))
    check(result, f"mount_setattr {target}")


def pivot_root(new_root: str, put_old: str) -> None:
    """Make `new_root` the root and put the old one at `put_old`."""
    check(LIBC.syscall(call_number("pivot_root"), c_path(new_root), c_path(put_old)), "pivot_root")
