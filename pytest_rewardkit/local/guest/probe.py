"""Finds out which isolation layers work here, by trying each in a forked process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.guest import identity, landlock, libc, mounts, network, seccomp, syscalls, tracing
from pytest_rewardkit.local.guest.descriptors import is_readable
from pytest_rewardkit.local.guest.layout import environment_paths
from pytest_rewardkit.local.guest.levels import Feature, MachineFindings
from pytest_rewardkit.local.guest.overlays import lay_over
from pytest_rewardkit.local.guest.plan import MountRight
from pytest_rewardkit.local.guest.root import replace_root

if TYPE_CHECKING:
    from collections.abc import Callable

_SOME_USER_ID: Final = 65533
_NAMESPACES: Final = syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS
_OWN_USER: Final = syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNET
_MAX_REASON: Final = 500
_TRIAL_SECONDS: Final = 30.0
_INNER_SECONDS: Final = 20.0
"""The limit for trials in namespaces: it is shorter, so that the process that waits is still there to end the trial."""


def probe(*, thorough: bool = False) -> MachineFindings:
    """Try each layer in a process of its own. It takes some 10 ms in a small process, and changes nothing in this one.

    Parameters:
        thorough: whether to also try layers that stronger ones make unnecessary.
    """
    if not sys.platform.startswith("linux") or not libc.supported_machine():
        nowhere = f"not on {sys.platform} on {os.uname().machine}"
        return MachineFindings(False, MountRight.USER_OF_NAMESPACE, 0, dict.fromkeys(Feature, nowhere))
    root = os.geteuid() == 0 and not _failure(_become_somebody)
    obstacles = {
        Feature.SECCOMP: _failure(_filter_calls),
        Feature.USER_NAMESPACES: _failure(lambda: _own_network(_OWN_USER)),
    }
    late_flags = syscalls.CLONE_NEWNET if obstacles[Feature.USER_NAMESPACES] else _OWN_USER
    right, obstacles[Feature.MOUNTS] = _mount_right(root, late_flags)
    obstacles[Feature.OVERLAYS] = obstacles[Feature.MOUNTS] or _failure(
        lambda: _build_root(right, late_flags, lay_over)
    )
    obstacles[Feature.PROCFS] = obstacles[Feature.MOUNTS] or _failure(lambda: _mount_procfs(right))
    if thorough or obstacles[Feature.PROCFS]:
        obstacles[Feature.NAMESPACES] = _failure(_namespaces_without_capabilities)
        obstacles[Feature.PATHS] = obstacles[Feature.SECCOMP] or _failure(_translate_paths)
        obstacles[Feature.INTERPRETER] = _failure(_read_interpreter_as_somebody) if root else ""
    found = {trial: reason for trial, reason in obstacles.items() if reason}
    return MachineFindings(root, right, landlock.abi_version(), found)


def take_mount_right(right: MountRight) -> None:
    """Move this process into its own mount namespace, in which it may mount."""
    if right is MountRight.ROOT:
        syscalls.unshare(syscalls.CLONE_NEWNS)
    else:
        every_id = right is MountRight.ROOT_OF_NAMESPACE
        identity.become_root_of_user_namespace(syscalls.CLONE_NEWNS, every_id=every_id)


def _failure(attempt: Callable[[], object]) -> str:
    """Return why an attempt fails in a process of its own; "" if it succeeds."""
    return _outcome(os.fork, attempt, seconds=_TRIAL_SECONDS)


def _outcome(
    fork: Callable[[], int],
    attempt: Callable[[], object],
    meanwhile: Callable[[int], object] | None = None,
    *,
    seconds: float,
) -> str:
    reader, writer = os.pipe()
    pid = fork()
    if pid == 0:
        os.close(reader)
        _tell_outcome(attempt, writer)
    os.close(writer)
    if meanwhile is not None:
        meanwhile(pid)
    with open(reader, "rb") as pipe:
        if is_readable(reader, seconds):
            reason = pipe.read(_MAX_REASON).decode(errors="replace")
        else:
            reason = f"it was not done within {seconds:g} s"
            os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return "" if status == 0 else reason or f"the process that tried ended with status {status}"


def _tell_outcome(attempt: Callable[[], object], writer: int) -> None:
    try:
        attempt()
        os._exit(0)
    except OSError as error:
        os.write(writer, (error.strerror or str(error)).encode())
    except BaseException as error:
        os.write(writer, repr(error).encode())
    finally:
        os._exit(1)


def _mount_right(root: bool, late_flags: int) -> tuple[MountRight, str]:
    """Return how to get the right to mount, and why that fails; "" if it works."""
    rights = [MountRight.ROOT, MountRight.ROOT_OF_NAMESPACE] if root else [MountRight.USER_OF_NAMESPACE]
    first_reason = ""
    for right in rights:
        reason = _failure(partial(_build_root, right, late_flags))
        if not reason:
            return right, ""
        first_reason = first_reason or reason
    return rights[0], first_reason


def _become_somebody() -> None:
    os.setgroups([])
    os.setresgid(_SOME_USER_ID, _SOME_USER_ID, _SOME_USER_ID)
    os.setresuid(_SOME_USER_ID, _SOME_USER_ID, _SOME_USER_ID)


def _read_interpreter_as_somebody() -> None:
    _become_somebody()
    for path in (sys.executable, *environment_paths()):
        if not os.access(path, os.R_OK):
            raise PermissionError(path)


def _build_root(right: MountRight, late_flags: int, change: Callable[[str], object] | None = None) -> None:
    """Do on a small scale what the fork server and a sandbox do, except for /proc.

    Parameters:
        change: what the sandbox does to a directory of the host.
    """
    take_mount_right(right)
    mounts.mount(None, "/", None, mounts.MS_REC | mounts.MS_PRIVATE)
    mounts.mount("tmpfs", "/tmp", "tmpfs")
    for name in ("library", "new", "run"):
        os.mkdir(f"/tmp/{name}")
    mounts.mount(os.path.dirname(os.__file__), "/tmp/library", None, mounts.MS_BIND | mounts.MS_REC)
    mounts.set_mount_attributes("/tmp/library", mounts.MOUNT_ATTR_RDONLY, recursive=True)
    os.chdir("/tmp")
    replace_root()
    first = late_flags if right is MountRight.USER_OF_NAMESPACE else 0

    def be_sandbox() -> None:
        if change is not None:
            change("/library")
        mounts.mount("tmpfs", "/new", "tmpfs")
        _own_network(late_flags & ~first)

    _in_namespaces(first, be_sandbox)


def _mount_procfs(right: MountRight) -> None:
    take_mount_right(right)
    mounts.mount(None, "/", None, mounts.MS_REC | mounts.MS_PRIVATE)
    first = syscalls.CLONE_NEWUSER if right is MountRight.USER_OF_NAMESPACE else 0
    _in_namespaces(first, lambda: mounts.mount("proc", "/proc", "proc"))


def _in_namespaces(more_flags: int, attempt: Callable[[], object]) -> None:
    reason = _outcome(lambda: syscalls.clone(_NAMESPACES | more_flags), attempt, seconds=_INNER_SECONDS)
    if reason:
        raise OSError(reason)


def _own_network(flags: int) -> None:
    if flags:
        syscalls.unshare(flags)
    network.lead_all_to_loopback()


def _namespaces_without_capabilities() -> None:
    child_end, parent_end = socket.socketpair()

    def act_as_user() -> None:
        parent_end.close()
        syscalls.drop_capabilities()
        child_end.recv(1)
        if os.getuid() != identity.GUEST_ID:
            raise OSError("a process without capabilities could not be given its user id")

    def write_maps(pid: int) -> None:
        with contextlib.suppress(OSError):
            identity.write_maps(pid, os.getuid(), os.getgid())
        parent_end.close()

    namespaces = _NAMESPACES | _OWN_USER
    reason = _outcome(lambda: syscalls.clone(namespaces), act_as_user, write_maps, seconds=_INNER_SECONDS)
    if reason:
        raise OSError(reason)


def _filter_calls() -> None:
    syscalls.set_no_new_privileges()
    syscalls.load_seccomp_program(seccomp.compile_program((), datagram_pairs=False))


def _translate_paths() -> None:
    """Do on a small scale what a sandbox's guest does to a call with a path."""
    syscalls.drop_capabilities()
    syscalls.set_no_new_privileges()
    if reason := _failure(lambda: syscalls.load_seccomp_listener(seccomp.compile_waiting(()))):
        raise OSError(reason)
    memory = tracing.ProcessMemory()
    text = ctypes.create_string_buffer(b"/tmp")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    try:
        with tracing.HeldThread(pid):
            if memory.text(pid, ctypes.addressof(text)) != text.value:
                raise OSError("the memory of a child cannot be read")
    finally:
        os.close(writer)
        os.waitpid(pid, 0)
