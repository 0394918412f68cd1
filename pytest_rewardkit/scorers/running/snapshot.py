"""Takes the files of a sandbox, through the provider's files API and not the candidate's interpreter."""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.errors import SandboxSpoilt, SandboxUnavailable
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.scorers.running.cell_execution import CUT_OFF
from pytest_rewardkit.scorers.running.failures import sandbox_failures
from pytest_rewardkit.scorers.running.tree import Tree, TreeEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2b import EntryInfo
    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.scorers.own_time import OwnTime

FILE_LIMIT: Final = 10_000_000
"""Bytes up to which a file's content is kept."""

KEPT_LIMIT: Final = 50_000_000
"""Bytes kept of all files of a tree together."""

READ_LIMIT: Final = 250_000_000
"""Bytes read of all files of a tree together."""

MAX_FILES: Final = 5_000
"""Files read of a tree; files that a candidate makes beyond them are ignored."""

MAX_DEPTH: Final = 32
"""Levels of folders listed."""


class Need(Enum):
    """How much must be known about a file."""

    NAME = "that it is there"
    DIGEST = "whether it stays as it is"
    CONTENT = "what is in it"


def take_tree(sandbox: Sandbox, root: str, need: Callable[[str], Need], own_time: OwnTime) -> Tree:
    """Return the entries below the folder `root`, with as much known about each file as `need` says.

    Raises SandboxUnavailable.
    """
    from e2b import FileType

    tree: dict[str, TreeEntry] = {}
    reader = _FileReader(sandbox, own_time)
    for entry in _listed(sandbox, root):
        path = entry.path.removeprefix(root.rstrip("/") + "/")
        if entry.type is FileType.DIR:
            tree[path] = TreeEntry()
        elif (wanted := need(path)) is Need.NAME:
            tree[path] = TreeEntry(obstacle="not read")
        else:
            tree[path] = reader.read(entry, keep=wanted is Need.CONTENT)
    return tree


def _listed(sandbox: Sandbox, root: str) -> list[EntryInfo]:
    try:
        with sandbox_failures():
            return again(lambda: list(sandbox.files.list(root, depth=MAX_DEPTH)))
    except SandboxSpoilt as error:
        if _is_gone(sandbox, error):
            return []  # the candidate has removed it
        raise


class _FileReader:
    """Reads files that may be anything: endless, unreadable, removed meanwhile, or a thousand links to one file.

    Parameters:
        own_time: when to stop.
    """

    def __init__(self, sandbox: Sandbox, own_time: OwnTime) -> None:
        self._sandbox = sandbox
        self._own_time = own_time
        self._files = MAX_FILES
        self._bytes = READ_LIMIT
        self._kept = KEPT_LIMIT

    def read(self, entry: EntryInfo, *, keep: bool) -> TreeEntry:
        """Read a file, and keep its content if it is not too large. Raises SandboxUnavailable."""
        if reason := self._exhausted():
            # Size and time stand in for the bytes, so that a change is usually noticed.
            return TreeEntry(obstacle=f"{reason}; it has {entry.size:,} bytes of {entry.modified_time}")
        self._files -= 1
        try:
            with sandbox_failures():
                return again(lambda: self._taken(entry, min(FILE_LIMIT, self._kept) if keep else 0))
        except SandboxSpoilt as error:
            return TreeEntry(obstacle=str(error))
        except SandboxUnavailable as error:
            if type(error.__cause__).__name__ in CUT_OFF and _has_changed(self._sandbox, entry):
                return TreeEntry(obstacle=str(error))
            raise

    def _taken(self, entry: EntryInfo, keep: int) -> TreeEntry:
        digest, content = hashlib.blake2b(), bytearray()
        size = 0
        for chunk in self._sandbox.files.read(entry.path, format="stream"):
            size += len(chunk)
            self._bytes -= len(chunk)
            if reason := self._exhausted():
                return TreeEntry(obstacle=f"{reason}; it has {entry.size:,} bytes of {entry.modified_time}")
            digest.update(chunk)
            if size <= keep:
                content += chunk
        if size < entry.size and not entry.symlink_target and not _has_changed(self._sandbox, entry):
            raise SandboxUnavailable(f"of a file with {entry.size:,} bytes, {size:,} came")
        if size > keep:
            return TreeEntry(digest.digest(), unkept=f"it is too large, with {size:,} bytes")
        self._kept -= size
        return TreeEntry(digest.digest(), content=bytes(content))

    def _exhausted(self) -> str:
        if self._files <= 0:
            return f"there are more than {MAX_FILES:,} files"
        if self._bytes <= 0:
            return f"the files have more than {READ_LIMIT:,} bytes"
        return self._own_time.reason if self._own_time.used_up else ""


def _has_changed(sandbox: Sandbox, entry: EntryInfo) -> bool:
    """Whether a file changed while it was read, and so is itself the reason why the read failed."""
    try:
        with sandbox_failures():
            now = again(lambda: sandbox.files.get_info(entry.path))
    except SandboxSpoilt as error:
        return _is_gone(sandbox, error)
    return (now.size, now.modified_time) != (entry.size, entry.modified_time)


def _is_gone(sandbox: Sandbox, error: SandboxSpoilt) -> bool:
    """Whether a file is missing in a sandbox that exists; a proxy may say the same of a sandbox that is gone."""
    from e2b import NotFoundException

    with sandbox_failures():
        return isinstance(error.__cause__, NotFoundException) and bool(again(sandbox.is_running))
