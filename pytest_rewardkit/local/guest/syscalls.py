"""Linux system calls that Python has no function for, on x86_64 and aarch64."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from typing import Final

# linux/sched.h
CLONE_NEWNS: Final = 0x00020000
CLONE_NEWCGROUP: Final = 0x02000000
CLONE_NEWUTS: Final = 0x04000000
CLONE_NEWIPC: Final = 0x08000000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWPID: Final = 0x20000000
CLONE_NEWNET: Final = 0x40000000
CLONE_NEWTIME: Final = 0x00000080
_CLONE_INTO_CGROUP: Final = 0x200000000

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

# sys/inotify.h
IN_MODIFY: Final = 0x2
IN_ATTRIB: Final = 0x4
IN_MOVED_FROM: Final = 0x40
IN_MOVED_TO: Final = 0x80
IN_CREATE: Final = 0x100
IN_DELETE: Final = 0x200
IN_IGNORED: Final = 0x8000
IN_ONLYDIR: Final = 0x1000000
IN_ISDIR: Final = 0x40000000

# linux/prctl.h
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_KEEPCAPS: Final = 8
_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4

_AT_FDCWD: Final = -100
_AT_RECURSIVE: Final = 0x8000
_SA_NOCLDSTOP: Final = 1
_CAPABILITY_VERSION_3: Final = 0x20080522
_SECCOMP_SET_MODE_FILTER: Final = 1
_FILTER_NEW_LISTENER: Final = 8
_FILTER_WAIT_KILLABLE: Final = 32
_SOCK_FILTER_BYTES: Final = 8

_NUMBERS: Final = {
    "x86_64": {"clone": 56, "clone3": 435, "pivot_root": 155, "seccomp": 317, "mount_setattr": 442}
    | {"tgkill": 234, "pidfd_getfd": 438},
    "aarch64": {"clone": 220, "clone3": 435, "pivot_root": 41, "seccomp": 277, "mount_setattr": 442}
    | {"tgkill": 131, "pidfd_getfd": 438},
}


_MACHINE: Final = os.uname().machine


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


class _CloneArguments(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_uint64)
        for name in (
            *("flags", "pidfd", "child_tid", "parent_tid", "exit_signal", "stack"),
            *("stack_size", "tls", "set_tid", "set_tid_size", "cgroup"),
        )
    )


class _SigAction(ctypes.Structure):
    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_uint8 * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapData(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


class _SockFprog(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


_CAP_HEADER: Final = _CapHeader(_CAPABILITY_VERSION_3, 0)
_NO_CAPABILITIES: Final = (_CapData * 2)()

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
# PyDLL keeps the interpreter lock, which must not be let go between the two halves of a fork.
_libc_with_lock = ctypes.PyDLL(None, use_errno=True)
_libc_with_lock.syscall.restype = ctypes.c_long


def supported_machine() -> bool:
    """Return whether the numbers of the system calls are known for this machine."""
    return _MACHINE in _NUMBERS


def clone(flags: int, group: int | None = None) -> int:
    """Fork into new namespaces, as ``os.fork`` does it for the interpreter's own state.

    Parameters:
        flags: CLONE_NEW* flags.
        group: the directory of a control group of version 2 to fork into (Linux 5.7); None for this process's own.

    Returns:
        0 in the child, the child's pid in the parent.
    """
    ctypes.pythonapi.PyOS_BeforeFork()
    pid: int
    if group is None:
        pid = _libc_with_lock.syscall(_number("clone"), ctypes.c_ulong(flags | signal.SIGCHLD), 0, 0, 0, 0)
    else:
        arguments = _CloneArguments(flags=flags | _CLONE_INTO_CGROUP, exit_signal=signal.SIGCHLD, cgroup=group)
        pid = _libc_with_lock.syscall(_number("clone3"), ctypes.byref(arguments), ctypes.sizeof(arguments))
    code = ctypes.get_errno()
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(code, f"clone: {os.strerror(code)}")
    return pid


def unshare(flags: int) -> None:
    """Move this process into new namespaces (a new pid namespace holds only its later children)."""
    _check(_libc.unshare(flags), "unshare")


def mount(source: str | None, target: str, kind: str | None, flags: int = 0, options: str | None = None) -> None:
    """Mount a file system, bind a path, or change a mount's propagation; see mount(2)."""
    result = _libc.mount(_path(source), _path(target), _path(kind), ctypes.c_ulong(flags), _path(options))
    _check(result, f"mount {kind or source} on {target}")


def unmount(target: str, flags: int = 0) -> None:
    """Unmount; see umount2(2)."""
    _check(_libc.umount2(_path(target), flags), f"unmount {target}")


def set_mount_attributes(target: str, attributes: int, *, recursive: bool) -> None:
    """Add MOUNT_ATTR_* to a mount, and with `recursive` to all mounts below it (Linux 5.12)."""
    attr = _MountAttr(attributes, 0, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    number = _number("mount_setattr")
    result = _libc.syscall(number, _AT_FDCWD, _path(target), flags, ctypes.byref(attr), ctypes.sizeof(attr))
    _check(result, f"mount_setattr {target}")


def pivot_root(new_root: str, put_old: str) -> None:
    """Make `new_root` the root and put the old one at `put_old`."""
    _check(_libc.syscall(_number("pivot_root"), _path(new_root), _path(put_old)), "pivot_root")


def drop_capabilities() -> None:
    """Give up every capability of this thread, for good once no_new_privs is set."""
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    _check(_libc.capset(ctypes.byref(_CAP_HEADER), _NO_CAPABILITIES), "capset")


def become_user_with_capabilities(user_id: int) -> None:
    """Change the user and group id, root's, to another's, and keep the capabilities."""
    _prctl(_PR_SET_KEEPCAPS, 1)
    os.setresgid(user_id, user_id, user_id)
    os.setresuid(user_id, user_id, user_id)
    data = (_CapData * 2)()
    _check(_libc.capget(ctypes.byref(_CAP_HEADER), data), "capget")
    for part in data:
        part.effective = part.permitted
    _check(_libc.capset(ctypes.byref(_CAP_HEADER), data), "capset")


def set_no_new_privileges() -> None:
    """From here on no program that is executed gains privileges (set-uid bits, file capabilities)."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def set_parent_death_signal(number: int) -> None:
    """Have this process sent a signal when its parent ends. Changing user or capabilities clears it again."""
    _prctl(_PR_SET_PDEATHSIG, number)


def set_child_subreaper() -> None:
    """Become the parent of descendants whose own parent ended."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def set_dumpable(dumpable: bool) -> None:
    """Let, or do not let, processes of the same user trace this one and read its memory and /proc entries."""
    _prctl(_PR_SET_DUMPABLE, int(dumpable))


def load_seccomp_program(program: bytes) -> None:
    """Filter this thread's system calls with an assembled BPF program; no_new_privs must be set."""
    _check(_load_seccomp(program, 0), "seccomp")


def load_seccomp_listener(program: bytes) -> int:
    """Load such a program of which other processes are told, and return the descriptor by which they are."""
    # Where the kernel can (Linux 5.19), no signal but a deadly one ends the wait for an answer.
    descriptor = _load_seccomp(program, _FILTER_NEW_LISTENER | _FILTER_WAIT_KILLABLE)
    if descriptor < 0 and ctypes.get_errno() == errno.EINVAL:
        descriptor = _load_seccomp(program, _FILTER_NEW_LISTENER)
    _check(descriptor, "seccomp listener")
    return descriptor


def _load_seccomp(program: bytes, flags: int) -> int:
    buffer = ctypes.create_string_buffer(program, len(program))
    fprog = _SockFprog(len(program) // _SOCK_FILTER_BYTES, ctypes.addressof(buffer))
    result: int = _libc.syscall(_number("seccomp"), _SECCOMP_SET_MODE_FILTER, flags, ctypes.byref(fprog))
    return result


def copy_descriptor(thread: int, number: int) -> int:
    """Return a copy of another process's descriptor (Linux 5.6), by one of its threads.

    Raises:
        PermissionError: it may not be had.
        OSError: there is none.
    """
    process = os.pidfd_open(_process(thread))
    try:
        copy: int = _libc.syscall(_number("pidfd_getfd"), process, number, 0)
        _check(copy, "pidfd_getfd")
    finally:
        os.close(process)
    return copy


def _process(thread: int) -> int:
    """Return the process of a thread, which mostly has the same number or one a little below."""
    call = _number("tgkill")
    processes = range(thread, 0, -1)
    return next((process for process in processes if _libc.syscall(call, process, thread, 0) == 0), thread)


def mute_stops_of_children() -> None:
    """Have SIGCHLD, whose handler stays, tell of children's ends alone."""
    action = _SigAction()
    _check(_libc.sigaction(signal.SIGCHLD, None, ctypes.byref(action)), "sigaction")
    action.flags |= _SA_NOCLDSTOP
    _check(_libc.sigaction(signal.SIGCHLD, ctypes.byref(action), None), "sigaction")


def inotify_open() -> int:
    """Return a descriptor that reports changes of files; it does not block and programs do not inherit it."""
    descriptor: int = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    _check(descriptor, "inotify_init1")
    return descriptor


def inotify_watch(descriptor: int, path: str, mask: int) -> int:
    """Have a directory's changes (IN_*) reported; return the number by which they are."""
    number: int = _libc.inotify_add_watch(descriptor, _path(path), mask)
    _check(number, f"inotify_add_watch {path}")
    return number


def _number(name: str) -> int:
    if not supported_machine():
        raise OSError(errno.ENOSYS, f"{name}: its number on {_MACHINE} is unknown")
    return _NUMBERS[_MACHINE][name]


def _path(path: str | None) -> bytes | None:
    return None if path is None else os.fsencode(path)


def _prctl(option: int, value: int) -> None:
    _check(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")


def _check(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
