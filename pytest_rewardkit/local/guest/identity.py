"""The users of a sandbox's processes: user 1000 inside, and outside a user id that nobody else has."""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import random
import socket
from typing import Final

from pytest_rewardkit.local.guest import syscalls

GUEST_ID: Final = 1000
"""User and group id of `user` in a sandbox, as in E2B."""
GUEST_NAME: Final = "user"

# Ids above those of containers and below those that systemd hands out; see systemd's UIDS-GIDS.
_FIRST_FREE_ID: Final = 0x70000000
_FREE_IDS: Final = 0x10000
# In a container with few mapped ids: the upper ones, but not nobody (65534) and its neighbour.
_FEW_IDS: Final = 16384
_HIGHEST_USABLE_OF_FEW: Final = 65532


# Linux gives a user 128 instances.
_MAX_OF_NAMESPACE: Final = {"max_inotify_instances": 32, "max_inotify_watches": 8192, "max_fanotify_groups": 0}


class HostUserIds:
    """Hands out user ids of the host that no account has, one for each sandbox.

    Several servers may run at once, so each starts at another place in the range.
    """

    def __init__(self) -> None:
        self._taken = {entry.pw_uid for entry in pwd.getpwall()}
        self._range = _unused_range()
        self._next = random.randrange(len(self._range))

    def take(self) -> int:
        """Return an id that is free.

        Raises:
            LookupError: all ids are in use.
        """
        for _ in range(len(self._range)):
            user_id = self._range[self._next]
            self._next = (self._next + 1) % len(self._range)
            if user_id not in self._taken:
                self._taken.add(user_id)
                return user_id
        raise LookupError("no user id is left for another sandbox")

    def give_back(self, user_id: int) -> None:
        """Make an id free again; no process and no file of it may be left."""
        self._taken.discard(user_id)


def write_maps(pid: int, user_id: int, group_id: int) -> None:
    """Map user and group 1000 of a child's new user namespace to `user_id` and `group_id` of this namespace."""
    _write(f"/proc/{pid}/setgroups", "deny")
    _write(f"/proc/{pid}/uid_map", f"{GUEST_ID} {user_id} 1")
    _write(f"/proc/{pid}/gid_map", f"{GUEST_ID} {group_id} 1")


def limit_user_namespace() -> None:
    """Limit the resources that the kernel counts for this user namespace's owner, who has other processes too."""
    for name, most in _MAX_OF_NAMESPACE.items():
        # If this file may not be written, the owner's own limits remain.
        with contextlib.suppress(OSError):
            _write(f"/proc/sys/user/{name}", str(most))


def become_root_of_user_namespace(more_flags: int, *, every_id: bool) -> None:
    """Move this process into a new user namespace, and others by `more_flags`; in it, it is root and may mount.

    Parameters:
        every_id: whether to map all ids of this namespace, for which this process must be root; else only its own.
    """
    if every_id:
        _become_root_with_every_id(more_flags)
        return
    user_id, group_id = os.getuid(), os.getgid()
    syscalls.unshare(syscalls.CLONE_NEWUSER | more_flags)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"0 {user_id} 1")
    _write("/proc/self/gid_map", f"0 {group_id} 1")


def _become_root_with_every_id(more_flags: int) -> None:
    # Only a process outside may map more than one id.
    here, outside = socket.socketpair()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            here.close()
            if outside.recv(1):
                _write(f"/proc/{parent}/uid_map", _identity_map("/proc/self/uid_map"))
                _write(f"/proc/{parent}/gid_map", _identity_map("/proc/self/gid_map"))
                os._exit(0)
        finally:
            os._exit(1)
    try:
        outside.close()
        syscalls.unshare(syscalls.CLONE_NEWUSER | more_flags)
        here.sendall(b"!")
    finally:
        here.close()
        status = os.waitpid(pid, 0)[1]
    if status:
        raise PermissionError(errno.EPERM, "user ids could not be mapped")


def _identity_map(path: str) -> str:
    return "\n".join(f"{first} {first} {count}" for first, _, count in _extents(path))


def _unused_range() -> range:
    extents = _extents("/proc/self/uid_map")
    for first, _, count in extents:
        if first <= _FIRST_FREE_ID and first + count >= _FIRST_FREE_ID + _FREE_IDS:
            return range(_FIRST_FREE_ID, _FIRST_FREE_ID + _FREE_IDS)
    first, _, count = max(extents, key=lambda extent: extent[2])
    end = min(first + count, _HIGHEST_USABLE_OF_FEW)
    return range(max(first + 1, end - _FEW_IDS), end)


def _extents(path: str) -> list[list[int]]:
    with open(path, encoding="ascii") as lines:
        return [[int(field) for field in line.split()] for line in lines]


def _write(path: str, text: str) -> None:
    # The kernel wants all of it in one write.
    with open(path, "wb", buffering=0) as file:
        file.write(text.encode("ascii"))
