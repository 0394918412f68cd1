"""System calls that Python has no function for: for processes, their rights, and filters of their calls."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from typing import Final

from pytest_rewardkit.local.guest.libc import LIBC, LIBC_WITH_LOCK, call_number, check

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

# linux/prctl.h
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_KEEPCAPS: Final = 8
_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4

_SA_NOCLDSTOP: Final = 1
_CAPABILITY_VERSION_3: Final = 0x20080522
_SECCOMP_SET_MODE_FILTER: Final = 1
_FILTER_NEW_LISTENER: Final = 8
_FILTER_WAIT_KILLABLE: Final = 32
_SOCK_FILTER_BYTES: Final = 8


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
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


_CAP_HEADER: Final = _CapHeader(_CAPABILITY_VERSION_3, 0)
_NO_CAPABILITIES: Final = (_CapData * 2)()


def clone(flags: int, group: int | None = None) -> int:
    """Fork into new namespaces, from a process with one thread.

    The child skips what ``os.fork`` does for modules and for locks that other threads may hold: that writes on some
    hundred pages, each of which is then copied. Children that it forks with ``os.fork`` do it.

    Parameters:
        flags: CLONE_NEW* flags.
        group: the directory of a control group of version 2 to fork into (Linux 5.7); None for this process's own.

    Returns:
        0 in the child, the child's pid in the parent.
    """
    pid: int
    if group is None:
        pid = LIBC_WITH_LOCK.syscall(call_number("clone"), ctypes.c_ulong(flags | signal.SIGCHLD), 0, 0, 0, 0)
    else:
        arguments = _CloneArguments(flags=flags | _CLONE_INTO_CGROUP, exit_signal=signal.SIGCHLD, cgroup=group)
        pid = LIBC_WITH_LOCK.syscall(call_number("clone3"), ctypes.byref(arguments), ctypes.sizeof(arguments))
    if pid < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"clone: {os.strerror(code)}")
    return pid


def fork() -> int:
    """Fork, from a process with one thread, without what ``os.fork`` does for modules and for others' locks.

    Returns:
        0 in the child, the child's pid in the parent.
    """
    pid: int = LIBC_WITH_LOCK.fork()
    check(pid, "fork")
    return pid


def unshare(flags: int) -> None:
    """Move this process into new namespaces (a new pid namespace holds only its later children)."""
    check(LIBC.unshare(flags), "unshare")


def drop_capabilities() -> None:
    """Give up every capability of this thread, for good once no_new_privs is set."""
    LIBC.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    check(LIBC.capset(ctypes.byref(_CAP_HEADER), _NO_CAPABILITIES), "capset")


def become_user_with_capabilities(user_id: int) -> None:
    """Change the user and group id from root's to another, and keep the capabilities."""
    _prctl(_PR_SET_KEEPCAPS, 1)
    os.setresgid(user_id, user_id, user_id)
    os.setresuid(user_id, user_id, user_id)
    data = (_CapData * 2)()
    check(LIBC.capget(ctypes.byref(_CAP_HEADER), data), "capget")
    for part in data:
        part.effective = part.permitted
    check(LIBC.capset(ctypes.byref(_CAP_HEADER), data), "capset")


def set_no_new_privileges() -> None:
    """Keep programs that are executed from here on from gaining privileges (set-uid bits, file capabilities)."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def set_parent_death_signal(number: int) -> None:
    """Have a signal sent to this process when its parent ends. A change of user or capabilities clears it again."""
    _prctl(_PR_SET_PDEATHSIG, number)


def set_child_subreaper() -> None:
    """Become the parent of descendants whose own parent ended."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def set_dumpable(dumpable: bool) -> None:
    """Allow or forbid processes of the same user to trace this one and read its memory and /proc entries."""
    _prctl(_PR_SET_DUMPABLE, int(dumpable))


def load_seccomp_program(program: bytes) -> None:
    """Filter this thread's system calls with an assembled BPF program; no_new_privs must be set."""
    check(_load_seccomp(program, 0), "seccomp")


def load_seccomp_listener(program: bytes) -> int:
    """Load a filter that notifies another process of calls; return the descriptor that brings the notifications."""
    # If the kernel can (Linux 5.19), only a deadly signal ends the wait for an answer.
    descriptor = _load_seccomp(program, _FILTER_NEW_LISTENER | _FILTER_WAIT_KILLABLE)
    if descriptor < 0 and ctypes.get_errno() == errno.EINVAL:
        descriptor = _load_seccomp(program, _FILTER_NEW_LISTENER)
    check(descriptor, "seccomp listener")
    return descriptor


def _load_seccomp(program: bytes, flags: int) -> int:
    fprog = _SockFprog(len(program) // _SOCK_FILTER_BYTES, program)
    result: int = LIBC.syscall(call_number("seccomp"), _SECCOMP_SET_MODE_FILTER, flags, ctypes.byref(fprog))
    return result


def copy_descriptor(thread: int, number: int) -> int:
    """Return a copy of another process's descriptor (Linux 5.6), given one of its threads.

    Raises:
        PermissionError: copying it is not allowed.
        OSError: there is no such descriptor.
    """
    process = os.pidfd_open(_process(thread))
    try:
        copy: int = LIBC.syscall(call_number("pidfd_getfd"), process, number, 0)
        check(copy, "pidfd_getfd")
    finally:
        os.close(process)
    return copy


def _process(thread: int) -> int:
    """Return the process of a thread, which mostly has the same number or a slightly lower one."""
    call = call_number("tgkill")
    processes = range(thread, 0, -1)
    return next((process for process in processes if LIBC.syscall(call, process, thread, 0) == 0), thread)


def mute_stops_of_children() -> None:
    """Have SIGCHLD, whose handler stays, report only the end of children."""
    action = _SigAction()
    check(LIBC.sigaction(signal.SIGCHLD, None, ctypes.byref(action)), "sigaction")
    action.flags |= _SA_NOCLDSTOP
    check(LIBC.sigaction(signal.SIGCHLD, ctypes.byref(action), None), "sigaction")


def _prctl(option: int, value: int) -> None:
    check(LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")
