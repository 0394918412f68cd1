"""The processes and files in a sandbox, as its kernel reports them, and their differences from before. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

INIT: Final = 1

# Indexes into /proc/PID/stat, after the name in parentheses.
_STATE, _PARENT, _THREADS, _BEGAN = 0, 1, 17, 19

PROCESS_FIELDS: Final = 3
FILE_FIELDS: Final = 7

DIRECTORY: Final = "d"


@dataclass(frozen=True, slots=True)
class SeenProcess:
    """A process.

    Parameters:
        began: the start time in the kernel's units; together with the number it identifies the process.
        is_own: whether it belongs to the user that candidates run as.
    """

    pid: int
    parent: int
    began: int
    is_own: bool


@dataclass(frozen=True, slots=True)
class State:
    """The processes and files of a sandbox.

    Parameters:
        files: for each path, values that change with the file; for a directory, not its contents.
    """

    processes: frozenset[SeenProcess]
    files: Mapping[str, tuple[str, ...]]


def read_processes(text: str, *, but: int) -> frozenset[SeenProcess]:
    """Return the processes of a listing: for each its number, whether it is the user's, its stat, each before a NUL.

    Parameters:
        but: the process that made the listing.

    Raises:
        ValueError: `text` is not such a listing.
    """
    found = set()
    for pid, own, stat in _records(text, PROCESS_FIELDS):
        # A name may contain anything, even closing parentheses; after it come only numbers.
        words = stat.rpartition(")")[2].split()
        # A process whose first thread has ended looks dead, but lives as long as another of its threads.
        if not words or (words[_STATE] in "ZX" and int(words[_THREADS]) <= 1):
            continue
        found.add(SeenProcess(int(pid), int(words[_PARENT]), int(words[_BEGAN]), own == "1"))
    if but not in {process.pid for process in found}:
        raise ValueError("it does not list itself")
    return frozenset(process for process in found if process.pid != but)


def read_files(text: str) -> dict[str, tuple[str, ...]]:
    """Return the files of a listing: for each path, type, owner, mode, inode, size and change time, each before a NUL.

    Raises:
        ValueError: `text` is not such a listing.
    """
    return {
        path: (kind, owner, mode, inode) if kind == DIRECTORY else (kind, owner, mode, inode, size, changed)
        for path, kind, owner, mode, inode, size, changed in _records(text, FILE_FIELDS)
    }


def strange_processes(now: Iterable[SeenProcess], before: State) -> list[SeenProcess]:
    """Return the processes that should not be there.

    Any process of the user may belong to a candidate, whenever it began. Interpreters of a server that goes on are not
    strange: the server belongs to another user, and no candidate can become its child, because orphans go to the first
    process.
    """
    servers = {process.pid for process in before.processes if not process.is_own} - {INIT}
    return sorted(
        (
            process
            for process in now
            if process.pid != INIT
            and process.parent not in servers
            and (process.is_own or process not in before.processes)
        ),
        key=lambda process: process.pid,
    )


def new_paths(now: State, before: State) -> list[str]:
    """Return the topmost paths that did not exist before."""
    new = now.files.keys() - before.files.keys()
    return sorted(path for path in new if str(PurePosixPath(path).parent) not in new)


def changed_paths(now: State, before: State) -> list[str]:
    """Return the paths that are gone or changed."""
    return sorted(path for path, stamp in before.files.items() if now.files.get(path) != stamp)


def _records(text: str, length: int) -> Iterator[Sequence[str]]:
    *fields, rest = text.split("\0")
    if rest or len(fields) % length:
        raise ValueError("a listing is cut")
    for start in range(0, len(fields), length):
        yield fields[start : start + length]
