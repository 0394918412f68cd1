"""Seccomp's user notifications: system calls that wait until another process answers them. See seccomp_unotify(2)."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
from typing import Final, NamedTuple

# linux/seccomp.h: struct seccomp_notif (id, pid, flags, data) with struct seccomp_data (nr, arch, ip, args).
_NOTIFICATION: Final = struct.Struct("=QIIiIQ6Q")
# struct seccomp_notif_resp (id, val, error, flags)
_ANSWER: Final = struct.Struct("=QqiI")
# struct seccomp_notif_addfd (id, flags, srcfd, newfd, newfd_flags)
_DESCRIPTOR: Final = struct.Struct("=QIIII")
_FLAG_REPLACE: Final = 1
_FLAG_CONTINUE: Final = 1
_FD_SYNC_WAKE_UP: Final = 1

_IOC_READ_WRITE: Final = 3
_IOC_WRITE: Final = 1
_MAGIC: Final = ord("!")


def _request(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | _MAGIC << 8 | number


_RECEIVE: Final = _request(_IOC_READ_WRITE, 0, _NOTIFICATION.size)
_SEND: Final = _request(_IOC_READ_WRITE, 1, _ANSWER.size)
_ADD_DESCRIPTOR: Final = _request(_IOC_WRITE, 3, _DESCRIPTOR.size)
_SET_FLAGS: Final = _request(_IOC_WRITE, 4, 8)
_LOW_WORD: Final = 0xFFFFFFFF
_ZEROS: Final = bytes(_NOTIFICATION.size)


class Notification(NamedTuple):
    """A system call that waits.

    Attributes:
        key: identifies the call in its answer.
        thread: the number of the calling thread.
        call: the number of the system call.
        arguments: its six arguments.
    """

    key: int
    thread: int
    call: int
    arguments: tuple[int, ...]


class Listener:
    """The other end of a filter with notifications.

    Parameters:
        descriptor: the filter's descriptor, which this object owns.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        # The caller continues at once, on the processor of the process that answers (Linux 6.6).
        with contextlib.suppress(OSError):
            fcntl.ioctl(descriptor, _SET_FLAGS, struct.pack("=Q", _FD_SYNC_WAKE_UP))

    def receive(self) -> Notification | None:
        """Return a call that waits; None if its caller has gone meanwhile."""
        try:
            data = fcntl.ioctl(self.descriptor, _RECEIVE, _ZEROS)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):
                return None
            raise
        key, thread, _, call, _, _, *arguments = _NOTIFICATION.unpack(data)
        return Notification(key, thread, call, tuple(arguments))

    def let_pass(self, key: int) -> None:
        """Have a call made unchanged."""
        self._answer(key, 0, _FLAG_CONTINUE)

    def refuse(self, key: int, code: int) -> None:
        """Have a call fail with an error number."""
        self._answer(key, -code, 0)

    def return_value(self, key: int, value: int) -> None:
        """Have a call return without being made."""
        self._answer(key, 0, 0, value)

    def replace_descriptor(self, key: int, number: int, descriptor: int) -> None:
        """Replace the caller's descriptor `number` by one of this process, and have its call return 0.

        Raises:
            OSError: the kernel cannot (before Linux 5.9), the caller has no such descriptor, or it has gone.
        """
        word = _DESCRIPTOR.pack(key, _FLAG_REPLACE, descriptor, number & _LOW_WORD, os.O_CLOEXEC)
        fcntl.ioctl(self.descriptor, _ADD_DESCRIPTOR, word)
        self._answer(key, 0, 0)

    def close(self) -> None:
        """Take no more calls; those that wait fail."""
        os.close(self.descriptor)

    def _answer(self, key: int, error: int, flags: int, value: int = 0) -> None:
        try:
            fcntl.ioctl(self.descriptor, _SEND, _ANSWER.pack(key, value, error, flags))
        except OSError as failure:
            if failure.errno != errno.ENOENT:  # the caller has gone
                raise
