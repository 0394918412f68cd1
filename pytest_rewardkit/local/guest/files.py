"""File operations of a guest, in its sandbox's own view of the file system.

The guest has only the sandbox's rights, so whatever a path leads to is the candidate's anyway.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import os
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.local.errors import Code, RequestError
from pytest_rewardkit.local.guest import layout
from pytest_rewardkit.local.guest.identity import GUEST_NAME
from pytest_rewardkit.local.guest.os_errors import from_os_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_rewardkit.local.guest.homes import Directories

Entry = dict[str, Any]
"""A file as envd describes it: EntryInfo in proto3 JSON."""

_FILE: Final = "FILE_TYPE_FILE"
_DIRECTORY: Final = "FILE_TYPE_DIRECTORY"
_SYMLINK: Final = "FILE_TYPE_SYMLINK"
_METADATA: Final = "user.e2b."
# A user namespace shows users that have no number in it as this one; in a sandbox it stands for the host's root.
_OVERFLOW_ID: Final = 65534
_NEW_FILE_MODE: Final = 0o644
_NANOSECONDS: Final = 10**9


class SandboxFiles:
    """The file operations, on the paths that the guest uses.

    Parameters:
        directories: where the sandbox's own directories really are.
    """

    def __init__(self, directories: Directories) -> None:
        self._directories = directories

    def real_path(self, path: Any) -> str:
        """Return where a path of a request really is; relative paths are below the home directory."""
        if not isinstance(path, str) or "\0" in path:
            raise RequestError(Code.INVALID_ARGUMENT, f"not a path: {path!r}")
        if path.startswith("~") and path != "~" and not path.startswith("~/"):
            raise RequestError(Code.INVALID_ARGUMENT, f"cannot resolve the home directory in '{path}'")
        below_home = path[1:].lstrip("/") if path.startswith("~") else path
        # normpath keeps two slashes at the front, which mean the same as one.
        absolute = "/" + os.path.normpath(os.path.join(layout.HOME, below_home)).lstrip("/")
        return self._directories.real_path(absolute)

    def guest_path(self, real: str) -> str:
        """Return the guest's name of a real path, as text that every reader can decode."""
        return text(self._directories.guest_path(real))

    def stat(self, path: Any) -> Entry:
        """Return the entry of one file or directory."""
        real = self.real_path(path)
        try:
            return self._entry(real)
        except OSError as error:
            raise self._failure(error, real) from error

    def list(self, path: Any, depth: Any = 1) -> list[Entry]:
        """Return the entries below a directory, each before its own children, by name; links are not followed.

        Parameters:
            depth: how many levels; 0 means 1.
        """
        real = self.real_path(path)
        if not isinstance(depth, int) or isinstance(depth, bool) or depth < 0:
            raise RequestError(Code.INVALID_ARGUMENT, f"depth must be a whole number from 0, not {depth!r}")
        if os.path.lexists(real) and not os.path.isdir(real):
            raise RequestError(Code.INVALID_ARGUMENT, f"path '{self.guest_path(real)}' is not a directory")
        try:
            return [self._entry(child) for child in _walk(real, depth or 1)]
        except OSError as error:
            raise self._failure(error, real) from error

    def mkdir(self, path: Any) -> Entry:
        """Make a directory and its parents."""
        real = self.real_path(path)
        if os.path.isdir(real):
            raise RequestError(Code.ALREADY_EXISTS, f"directory already exists: '{self.guest_path(real)}'")
        if os.path.lexists(real):
            raise RequestError(
                Code.INVALID_ARGUMENT, f"path already exists but it is not a directory: '{self.guest_path(real)}'"
            )
        try:
            os.makedirs(real)
            return self._entry(real)
        except OSError as error:
            raise self._failure(error, real) from error

    def move(self, source: Any, destination: Any) -> Entry:
        """Move a file or directory; make the destination's parents."""
        old, new = self.real_path(source), self.real_path(destination)
        if not os.path.lexists(old):
            raise RequestError(Code.NOT_FOUND, f"source '{self.guest_path(old)}' does not exist")
        try:
            os.makedirs(os.path.dirname(new), exist_ok=True)
            try:
                os.rename(old, new)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise error
                shutil.move(old, new)
            return self._entry(new)
        except OSError as error:
            raise self._failure(error, old) from error

    def remove(self, path: Any) -> None:
        """Remove a file, or a directory with all in it. If nothing is there, that is fine too."""
        real = self.real_path(path)
        try:
            if os.path.isdir(real) and not os.path.islink(real):
                # rm copes with any depth; shutil.rmtree runs out of stack.
                subprocess.run(["rm", "-rf", "--", real], stdin=subprocess.DEVNULL, check=False)
                if os.path.lexists(real):
                    raise RequestError(Code.FAILED_PRECONDITION, f"cannot remove all of '{self.guest_path(real)}'")
            else:
                os.unlink(real)
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._failure(error, real) from error

    def open(self, path: Any, mode: Any, metadata: Any = None) -> tuple[Entry, int]:
        """Open a regular file for the server to read or write.

        Parameters:
            mode: "r", or "w" to make the file and its parents, or empty it.
            metadata: with "w", the new extended attributes of the file, which replace those that it had.

        Returns:
            the entry and the descriptor, which the caller owns.
        """
        real = self.real_path(path)
        try:
            match mode:
                case "r":
                    descriptor = self._open_regular(real, os.O_RDONLY)
                case "w":
                    descriptor = self._open_emptied(real, metadata)
                case _:
                    raise RequestError(Code.INVALID_ARGUMENT, f"mode must be 'r' or 'w', not {mode!r}")
        except OSError as error:
            raise self._failure(error, real) from error
        try:
            return self._entry(real), descriptor
        except OSError as error:
            os.close(descriptor)
            raise self._failure(error, real) from error

    def _open_emptied(self, real: str, metadata: Any) -> int:
        os.makedirs(os.path.dirname(real), exist_ok=True)
        new = not os.path.lexists(real)
        descriptor = self._open_regular(real, os.O_WRONLY | os.O_CREAT)
        try:
            if new:
                # So watchers see the same events as with envd, which hands a new file over to the user.
                os.fchmod(descriptor, _NEW_FILE_MODE)
            else:
                os.ftruncate(descriptor, 0)
            _set_metadata(descriptor, metadata)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _open_regular(self, real: str, flags: int) -> int:
        # Without O_NONBLOCK, opening a pipe that nobody else has open would wait forever.
        descriptor = os.open(real, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, _NEW_FILE_MODE)
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISREG(kind):
            return descriptor
        os.close(descriptor)
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        raise RequestError(Code.INVALID_ARGUMENT, f"path '{self.guest_path(real)}' is not a regular file")

    def _entry(self, real: str) -> Entry:
        status = os.lstat(real)
        kind = status.st_mode
        entry: Entry = {
            "name": text(os.path.basename(real)),
            "path": self.guest_path(real),
            "size": str(status.st_size),
            "mode": stat.S_IMODE(kind),
            "permissions": stat.filemode(kind),
            "owner": _owner(status.st_uid, os.getuid()),
            "group": _owner(status.st_gid, os.getgid()),
            "modifiedTime": _timestamp(status.st_mtime_ns),
        }
        if stat.S_ISLNK(kind):
            entry["symlinkTarget"] = self.guest_path(os.path.realpath(real))
            try:
                kind = os.stat(real).st_mode
            except OSError:
                entry["type"] = _SYMLINK
                return entry
        entry["type"] = _DIRECTORY if stat.S_ISDIR(kind) else _FILE
        if metadata := _metadata(real):
            entry["metadata"] = metadata
        return entry

    def _failure(self, error: OSError, real: str) -> RequestError:
        if isinstance(error, FileNotFoundError):
            return RequestError(Code.NOT_FOUND, f"path '{self.guest_path(real)}' does not exist")
        if isinstance(error, IsADirectoryError):
            return RequestError(Code.INVALID_ARGUMENT, f"path '{self.guest_path(real)}' is a directory")
        return from_os_error(error, f"path '{self.guest_path(real)}'")


def _walk(directory: str, depth: int) -> Iterator[str]:
    # A stack of its own: a candidate can nest directories deeper than the interpreter's stack allows.
    pending = [(directory, depth)]
    while pending:
        path, left = pending.pop()
        if path is not directory:
            yield path
        if left and (path is directory or _is_real_directory(path)):
            children = sorted(os.listdir(path), reverse=True)
            pending.extend((os.path.join(path, name), left - 1) for name in children)


def _is_real_directory(path: str) -> bool:
    with contextlib.suppress(OSError):
        return stat.S_ISDIR(os.lstat(path).st_mode)
    return False


def _metadata(real: str) -> dict[str, str]:
    found: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for name in os.listxattr(real, follow_symlinks=False):
            if name.startswith(_METADATA):
                value = os.getxattr(real, name, follow_symlinks=False)
                found[text(name.removeprefix(_METADATA))] = value.decode("utf-8", "backslashreplace")
    return found


def _set_metadata(descriptor: int, metadata: Mapping[str, str] | None) -> None:
    if metadata is not None and not all(isinstance(value, str) for value in metadata.values()):
        raise RequestError(Code.INVALID_ARGUMENT, "metadata must be an object of texts")
    with contextlib.suppress(OSError):
        for name in os.listxattr(descriptor):
            if name.startswith(_METADATA):
                os.removexattr(descriptor, name)
    for key, value in (metadata or {}).items():
        os.setxattr(descriptor, _METADATA + key, value.encode())


def _owner(number: int, own: int) -> str:
    if number == own:
        return GUEST_NAME
    return "root" if number in (0, _OVERFLOW_ID) else str(number)


def _timestamp(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, _NANOSECONDS)
    try:
        moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (OverflowError, ValueError, OSError):
        # A candidate may date its files to any year.
        moment, rest = datetime.datetime.fromtimestamp(0, datetime.UTC), 0
    # strftime does not fill years up to four digits everywhere.
    return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}.{rest:09d}Z"


def text(name: str) -> str:
    """Return a file name as text that every reader can decode."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
