"""Gives a sandbox without a root of its own Unix sockets, bound and connected only below its own directories.

A candidate's calls of bind and connect wait for the guest, and the candidate itself never makes them. An address may
change between reading and calling, and sockets of the machine, such as a container engine's, must stay out of reach.
The guest reads the address once, and makes another socket to replace the candidate's. It follows no link on the way to
a socket that it connects to, and connects to the very file that it has found.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import ElsewhereError
from pytest_rewardkit.local.guest.descriptors import open_without_links

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_rewardkit.local.guest.notifications import Notification
    from pytest_rewardkit.local.guest.paths import Paths
    from pytest_rewardkit.local.guest.tracing import ProcessMemory

# sys/un.h: struct sockaddr_un, a family and a path
_FAMILY_BYTES: Final = 2
_PATH_BYTES: Final = 108
_MAX_LONG: Final = 64
_MAX_NAME: Final = 80


class Sockets:
    """Makes the sockets of one sandbox.

    Parameters:
        paths: the guest's names of paths and the real ones.
        memory: reads candidates' memory.
    """

    def __init__(self, paths: Paths, memory: ProcessMemory) -> None:
        self._paths = paths
        self._memory = memory
        # The places whose real names are too long for an address, by the names that the kernel has for them.
        self._long: dict[bytes, bytes] = {}

    def bound(self, waiting: Notification) -> socket.socket:
        """Return a socket, bound as the candidate asks for.

        Raises:
            ElsewhereError: its address is not one that a candidate may have.
            OSError: it cannot be bound.
        """
        names = self._way(waiting)
        # If links lead elsewhere, Landlock refuses to make the file, as it would for the candidate.
        place = b"/".join((self._paths.top, *names))
        if len(place) < _PATH_BYTES:
            return _socket(lambda made: made.bind(place))
        if len(self._long) >= _MAX_LONG or len(names[-1]) > _MAX_NAME:
            raise OSError(errno.ENAMETOOLONG, "no shorter name for it")
        # Kept open, so that its number stays the name of this place.
        directory = open_without_links(self._paths.top, names[:-1])
        name = b"/proc/self/fd/%d/%s" % (directory, names[-1])
        try:
            made = _socket(lambda made: made.bind(name))
        except BaseException:
            os.close(directory)
            raise
        self._long[name] = place
        return made

    def blocks(self, waiting: Notification) -> bool:
        """Return whether a candidate's socket should block; if its process cannot be seen, assume that it should."""
        try:
            with open(f"/proc/{waiting.thread}/fdinfo/{waiting.arguments[0]}") as file:
                flags = next(line for line in file if line.startswith("flags:"))
        except OSError:
            return True
        return not int(flags.split()[1], 8) & os.O_NONBLOCK

    def guest_name(self, address: bytes) -> bytes | None:
        """Return the guest's name of an address; None if it is the same."""
        family, path = address[:_FAMILY_BYTES], address[_FAMILY_BYTES:].partition(b"\0")[0]
        if int.from_bytes(family, sys.byteorder) != socket.AF_UNIX:
            return None
        renamed = self._paths.guest(self._long.get(path, path))
        return None if renamed == path else family + renamed + b"\0"

    def connected(self, waiting: Notification) -> socket.socket:
        """Return a socket, connected as the candidate asks for.

        Raises:
            ElsewhereError: its address is not one that a candidate may have.
            BlockingIOError: too many connections wait at the other end.
            OSError: it cannot be connected.
        """
        found = open_without_links(self._paths.top, self._way(waiting))
        try:
            if not stat.S_ISSOCK(os.fstat(found).st_mode):
                raise ConnectionRefusedError(errno.ECONNREFUSED, "not a socket")
            return _socket(lambda made: made.connect(f"/proc/self/fd/{found}"))
        finally:
            os.close(found)

    def _way(self, waiting: Notification) -> list[bytes]:
        """Return the names that lead from the sandbox's directory to an address."""
        path = self._address(waiting)
        if path and not path.startswith(b"/"):
            # In a namespace the number may belong to another process here, whose directory is not the sandbox's.
            path = os.path.join(os.readlink(b"/proc/%d/cwd" % waiting.thread), path)
        found = self._paths.below_top(path)
        if found is None:
            raise ElsewhereError(errno.EACCES, "not below the sandbox's own directories")
        return found.split(b"/")

    def _address(self, waiting: Notification) -> bytes:
        _, place, length, *_ = waiting.arguments
        length &= 0xFFFFFFFF
        if not _FAMILY_BYTES < length <= _FAMILY_BYTES + _PATH_BYTES:
            raise ElsewhereError(errno.EINVAL, "not the length of a path")
        data = self._memory.read(waiting.thread, place, length)
        if data is None or len(data) < length:
            raise OSError(errno.EFAULT, "an address that cannot be read")
        if int.from_bytes(data[:_FAMILY_BYTES], sys.byteorder) != socket.AF_UNIX:
            raise ElsewhereError(errno.EINVAL, "another family")
        return data[_FAMILY_BYTES:].partition(b"\0")[0]  # empty for an abstract name


def _socket(use: Callable[[socket.socket], None]) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        use(made)
    except BaseException:
        made.close()
        raise
    return made
