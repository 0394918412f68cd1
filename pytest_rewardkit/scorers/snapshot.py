"""Takes the files of a sandbox, by the provider's own files API and not by the candidate's interpreter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.errors import SandboxUnavailable
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
    from e2b import NotFoundException

    with sandbox_failures():
        try:
            return list(sandbox.files.list(root, depth=DEEPEST))
        except NotFoundException:
            if sandbox.is_running():
                return []  # the candidate has removed it
            raise


def _read(sandbox: Sandbox, entry: EntryInfo) -> Entry:
    """Read a file, which may be anything: endless, unreadable, gone meanwhile."""
    from e2b import InvalidArgumentException

    content = bytearray()
    try:
        with sandbox_failures():
            for chunk in sandbox.files.read(entry.path, format="stream"):
                content += chunk
                if len(content) > FILE_LIMIT:
                    # Size and time stand for the bytes, so that a change is noticed as a rule.
                    return Entry(obstacle=f"it is too large, with {entry.size:,} bytes of {entry.modified_time}")
    except InvalidArgumentException as error:
        return Entry(obstacle=str(error))
    except SandboxUnavailable as error:
        if _is_of_file(sandbox, entry, error.__cause__):
            return Entry(obstacle=str(error))
        raise
    return Entry(bytes(content))


def _is_of_file(sandbox: Sandbox, entry: EntryInfo, error: BaseException | None) -> bool:
    """Whether the file is the reason why it could not be read: it may not be, is gone, or changes while it is read."""
    from e2b import NotFoundException, SandboxException

    if isinstance(error, SandboxException) and str(error).startswith("403:"):
        return True
    with sandbox_failures():
        if isinstance(error, NotFoundException):
            return bool(sandbox.is_running())  # the SDK raises the same for a sandbox that is gone
        if type(error).__name__ not in CUT_OFF:
            return False
        try:
            now = sandbox.files.get_info(entry.path)
        except NotFoundException:
            return bool(sandbox.is_running())
    return (now.size, now.modified_time) != (entry.size, entry.modified_time)
