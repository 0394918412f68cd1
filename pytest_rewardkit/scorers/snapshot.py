"""Takes the files of a sandbox, by the provider's own files API and not by the candidate's interpreter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.errors import SandboxSpoilt, SandboxUnavailable
from pytest_rewardkit.scorers.interpreter import CUT_OFF, sandbox_failures
from pytest_rewardkit.scorers.tree import Entry, Tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2b import EntryInfo
    from e2b_code_interpreter import Sandbox

FILE_LIMIT: Final = 10_000_000
"""Bytes of a file that are read."""

MOST_FILES: Final = 5_000
"""Files of a tree that are read; what a candidate makes beyond them is not looked at."""

DEEPEST: Final = 32
"""Levels of folders that are listed."""


def take_tree(sandbox: Sandbox, root: str, wanted: Callable[[str], bool]) -> Tree:
    """Return what is below the folder `root`, with the contents of those files whose path is `wanted`.

    Raises SandboxUnavailable.
    """
    from e2b import FileType

    tree: dict[str, Entry] = {}
    read = 0
    for entry in _listed(sandbox, root):
        path = entry.path.removeprefix(root.rstrip("/") + "/")
        if entry.type is FileType.DIR:
            tree[path] = Entry()
        elif not wanted(path):
            tree[path] = Entry(obstacle="not read")
        elif read >= MOST_FILES:
            tree[path] = Entry(obstacle=f"more than {MOST_FILES:,} files")
        else:
            read += 1
            tree[path] = _read(sandbox, entry)
    return tree


def _listed(sandbox: Sandbox, root: str) -> list[EntryInfo]:
    try:
        with sandbox_failures():
            return list(sandbox.files.list(root, depth=DEEPEST))
    except SandboxSpoilt as error:
        if _is_gone(sandbox, error):
            return []  # the candidate has removed it
        raise


def _read(sandbox: Sandbox, entry: EntryInfo) -> Entry:
    """Read a file, which may be anything: endless, unreadable, gone meanwhile."""
    content = bytearray()
    try:
        with sandbox_failures():
            for chunk in sandbox.files.read(entry.path, format="stream"):
                content += chunk
                if len(content) > FILE_LIMIT:
                    # Size and time stand for the bytes, so that a change is noticed as a rule.
                    return Entry(obstacle=f"it is too large, with {entry.size:,} bytes of {entry.modified_time}")
    except SandboxSpoilt as error:
        return Entry(obstacle=str(error))
    except SandboxUnavailable as error:
        if type(error.__cause__).__name__ in CUT_OFF and _has_changed(sandbox, entry):
            return Entry(obstacle=str(error))
        raise
    return Entry(bytes(content))


def _has_changed(sandbox: Sandbox, entry: EntryInfo) -> bool:
    """Whether a file changed while it was read, and so is itself the reason why it could not be."""
    try:
        with sandbox_failures():
            now = sandbox.files.get_info(entry.path)
    except SandboxSpoilt as error:
        return _is_gone(sandbox, error)
    return (now.size, now.modified_time) != (entry.size, entry.modified_time)


def _is_gone(sandbox: Sandbox, error: SandboxSpoilt) -> bool:
    """Whether a file is not there in a sandbox that is; a proxy may say the same of a sandbox that is gone."""
    from e2b import NotFoundException

    with sandbox_failures():
        return isinstance(error.__cause__, NotFoundException) and bool(sandbox.is_running())
