"""Watches directories for changes of files, as envd's WatchDir and CreateWatcher do."""

from __future__ import annotations

import contextlib
import os
import struct
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.local.errors import Code, RequestError
from pytest_rewardkit.local.guest import inotify
from pytest_rewardkit.local.guest.files import text
from pytest_rewardkit.local.guest.os_errors import from_os_error

if TYPE_CHECKING:
    from pytest_rewardkit.local.guest.files import SandboxFiles

Change = dict[str, Any]
"""A change as envd reports it: FilesystemEvent in proto3 JSON."""

MAX_CHANGES: Final = 4096
"""How many changes are kept. If there are more, the oldest are lost; if the kernel's own queue is full, the newest."""
MAX_WATCHERS: Final = 64
MAX_DIRECTORIES: Final = 4096
"""How many directories one watcher watches; changes in deeper or later ones are not seen."""

_CREATE: Final = "EVENT_TYPE_CREATE"
_TYPES: Final = {
    inotify.IN_CREATE: _CREATE,
    inotify.IN_MOVED_TO: _CREATE,
    inotify.IN_MODIFY: "EVENT_TYPE_WRITE",
    inotify.IN_ATTRIB: "EVENT_TYPE_CHMOD",
    inotify.IN_DELETE: "EVENT_TYPE_REMOVE",
    inotify.IN_MOVED_FROM: "EVENT_TYPE_RENAME",
}
_MASK: Final = sum(_TYPES)
_HEADER: Final = struct.Struct("iIII")
_READ_BYTES: Final = 65536


class DirectoryWatcher:
    """Collects the changes below one directory.

    Parameters:
        files: the file operations, for paths and entries.
        path: the directory, as the guest calls it.
        recursive: whether to also watch the directories below it, including later ones.
        entries: whether changes carry the file's entry, if it has one.
    """

    def __init__(self, files: SandboxFiles, path: Any, *, recursive: bool, entries: bool) -> None:
        self._files = files
        self._top = files.real_path(path)
        self._recursive = recursive
        self._entries = entries
        self._directories: dict[int, str] = {}
        self._changes: deque[Change] = deque(maxlen=MAX_CHANGES)
        # Names found by looking into a new directory; the kernel may report them again.
        self._found: set[str] = set()
        if os.path.lexists(self._top) and not os.path.isdir(self._top):
            raise RequestError(Code.INVALID_ARGUMENT, f"path '{files.guest_path(self._top)}' is not a directory")
        try:
            self._descriptor = inotify.open_queue()
        except OSError as error:
            raise from_os_error(error, "watch") from error
        try:
            self._watch("")
            self._watch_below("")
        except OSError as error:
            self.close()
            raise from_os_error(error, f"path '{files.guest_path(self._top)}'") from error

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._descriptor

    def take(self) -> list[Change]:
        """Return what the kernel has reported up to now, oldest first."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._descriptor, _READ_BYTES):
                self._parse(data)
        self._found.clear()
        changes = list(self._changes)
        self._changes.clear()
        return changes

    def close(self) -> None:
        """Stop watching."""
        os.close(self._descriptor)

    def _watch(self, directory: str) -> None:
        mask = _MASK | inotify.IN_ONLYDIR
        self._directories[inotify.watch(self._descriptor, self._real(directory), mask)] = directory

    def _watch_below(self, top: str) -> list[str]:
        """Watch the directories below one, if asked to; return all that is there, parents first."""
        found: list[str] = []
        pending = deque([top] if self._recursive else [])
        while pending and len(self._directories) < MAX_DIRECTORIES:
            directory = pending.popleft()
            with contextlib.suppress(OSError):
                self._watch(directory)
                for entry in sorted(os.scandir(self._real(directory)), key=lambda entry: entry.name):
                    found.append(os.path.join(directory, entry.name))
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(found[-1])
        return found

    def _real(self, name: str) -> str:
        return os.path.join(self._top, name) if name else self._top

    def _parse(self, data: bytes) -> None:
        offset = 0
        while offset < len(data):
            number, mask, _, length = _HEADER.unpack_from(data, offset)
            offset += _HEADER.size
            name = os.fsdecode(data[offset : offset + length].rstrip(b"\0"))
            offset += length
            if mask & inotify.IN_IGNORED:
                self._directories.pop(number, None)
            elif name and number in self._directories:
                self._report(os.path.join(self._directories[number], name), mask)

    def _report(self, name: str, mask: int) -> None:
        kind = next(kind for bit, kind in _TYPES.items() if mask & bit)
        if kind == _CREATE and name in self._found:
            self._found.discard(name)
            return
        self._add(name, kind)
        if kind == _CREATE and mask & inotify.IN_ISDIR:
            # Entries that were made in it before it was watched.
            for inside in self._watch_below(name):
                self._found.add(inside)
                self._add(inside, _CREATE)

    def _add(self, name: str, kind: str) -> None:
        change: Change = {"name": text(name), "type": kind}
        if self._entries:
            with contextlib.suppress(RequestError):
                change["entry"] = self._files.stat(self._files.guest_path(self._real(name)))
        self._changes.append(change)
