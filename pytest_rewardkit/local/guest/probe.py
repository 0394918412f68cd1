"""Finds out which isolation layers work here, by trying each in a forked process."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from typing import TYPE_CHECKING

from pytest_rewardkit.local.guest import identity, landlock, seccomp, syscalls
from pytest_rewardkit.local.guest.levels import Findings
from pytest_rewardkit.local.guest.root import environment_paths

if TYPE_CHECKING:
    from collections.abc import Callable

_SOME_USER_ID = 65533
_NAMESPACES = syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS
_NAMESPACES_AND_NETWORK = _NAMESPACES | syscalls.CLONE_NEWNET


def probe(*, thorough: bool = False) -> Findings:
    """Try the layers, each in a process of its own; takes some 10 ms in a small process. Nothing of this one changes.

    Parameters:
        thorough: whether to try layers too that stronger ones make superfluous.
    """
    if not sys.platform.startswith("linux") or not syscalls.supported_machine():
        return Findings(False, False, False, False, False, 0, False)
    root = os.geteuid() == 0 and _works(_become_somebody)
    mounts = _works(_mount_as_root if root else _mount_as_user)
    weaker = thorough or not mounts
    return Findings(
        root=root,
        readable_interpreter=root and weaker and _works(_read_interpreter_as_somebody),
        mounts=mounts,
        user_namespaces=_works(lambda: syscalls.unshare(syscalls.CLONE_NEWUSER)),
        namespaces=weaker and _works(_namespaces_without_capabilities),
        landlock_abi=landlock.abi_version(),
        seccomp=_works(_filter_calls),
    )


def _works(attempt: Callable[[], None]) -> bool:
    pid = os.fork()
    if pid == 0:
        _exit_with_outcome(attempt)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _exit_with_outcome(attempt: Callable[[], None]) -> None:
    code = 1
    with contextlib.suppress(BaseException):
        attempt()
        code = 0
    os._exit(code)


def _become_somebody() -> None:
    os.setgroups([])
    os.setresgid(_SOME_USER_ID, _SOME_USER_ID, _SOME_USER_ID)
    os.setresuid(_SOME_USER_ID, _SOME_USER_ID, _SOME_USER_ID)


def _read_interpreter_as_somebody() -> None:
    _become_somebody()
    for path in (sys.executable, *environment_paths()):
        if not os.access(path, os.R_OK):
            raise PermissionError(path)


def _mount_as_root() -> None:
    syscalls.unshare(syscalls.CLONE_NEWNS)
    _mount_in(0)


def _mount_as_user() -> None:
    identity.become_root_of_user_namespace(syscalls.CLONE_NEWNS)
    _mount_in(syscalls.CLONE_NEWUSER)


def _mount_in(more_flags: int) -> None:
    syscalls.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount("tmpfs", "/tmp", "tmpfs")
    syscalls.set_mount_attributes("/tmp", syscalls.MOUNT_ATTR_RDONLY, recursive=True)
    pid = syscalls.clone(_NAMESPACES_AND_NETWORK | more_flags)
    if pid == 0:
        _exit_with_outcome(lambda: syscalls.mount("proc", "/proc", "proc"))
    if os.waitpid(pid, 0)[1] != 0:
        raise OSError("a sandbox could not mount /proc")


def _namespaces_without_capabilities() -> None:
    child_end, parent_end = socket.socketpair()
    pid = syscalls.clone(_NAMESPACES_AND_NETWORK | syscalls.CLONE_NEWUSER)
    if pid == 0:
        parent_end.close()

        def act_as_user() -> None:
            syscalls.drop_capabilities()
            child_end.recv(1)
            if os.getuid() != identity.GUEST_ID:
                raise OSError("the user id was not mapped")

        _exit_with_outcome(act_as_user)
    child_end.close()
    with contextlib.suppress(OSError):
        identity.write_maps(pid, os.getuid(), os.getgid())
    parent_end.close()
    if os.waitpid(pid, 0)[1] != 0:
        raise OSError("a process without capabilities could not be given its user id")


def _filter_calls() -> None:
    syscalls.set_no_new_privileges()
    syscalls.load_seccomp_program(seccomp.compile_program((), datagram_pairs=False))
