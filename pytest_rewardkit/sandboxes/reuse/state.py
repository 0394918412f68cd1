"""What is in a sandbox: processes and files, as its kernel tells; and what of it is not as it was. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

INIT: Final = 1

# Of /proc/PID/stat, behind the name in parentheses.
_STATE, _PARENT, _THREADS, _BEGAN = 0, 1, 17, 19

PROCESS_FIELDS: Final = 3
FILE_FIELDS: Final = 7

DIRECTORY: Final = "d"


@dataclass(frozen=True, slots=True)
class SeenProcess:
    """A process.

    Parameters:
        began: when, as the kernel counts; with its number it is no other's.
        is_own: whether it is of the user that candidates run as.
    """

    pid: int
    parent: int
    began: int
    is_own: bool


@dataclass(frozen=True, slots=True)
class State:
    """What is in a sandbox.

    Parameters:
        files: by path, what a change to them changes; of directories, not what is in them.
    """

    processes: frozenset[SeenProcess]
    files: Mapping[str, tuple[str, ...]]


def read_processes(text: str, *, but: int) -> frozenset[SeenProcess]:
    """The processes of a listing: for each its number, whether it is the user's own, and its stat, each before a NUL.

    Parameters:
        but: the process that has listed them.

    Raises:
        ValueError: it is no such listing.
    """
    found = set()
    for pid, own, stat in _records(text, PROCESS_FIELDS):
        # A name may hold anything, closing parentheses too; behind it there are numbers alone.
        words = stat.rpartition(")")[2].split()
        # One whose first thread has ended looks dead, and is not while others of it live.
        if not words or (words[_STATE] in "ZX" and int(words[_THREADS]) <= 1):
            continue
        found.add(SeenProcess(int(pid), int(words[_PARENT]), int(words[_BEGAN]), own == "1"))
    if but not in {process.pid for process in found}:
        raise ValueError("it does not list itself")
    return frozenset(process for process in found if process.pid != but)


def read_files(text: str) -> dict[str, tuple[str, ...]]:
    """The files of a listing: for each path, type, owner, mode, inode, size and time of change, each before a NUL.

    Raises:
        ValueError: it is no such listing.
    """
    return {
        path: (kind, owner, mode, inode) if kind == DIRECTORY else (kind, owner, mode, inode, size, changed)
        for path, kind, owner, mode, inode, size, changed in _records(text, FILE_FIELDS)
    }


def strange_processes(now: Iterable[SeenProcess], before: State) -> list[SeenProcess]:
    """The processes that have no business to be there.

    The user's own may be of a candidate, whenever they began. Among them are interpreters of a server that goes on: it
    belongs to another user, and no candidate can become its child, since orphans go to the first process.
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
    """The uppermost paths that were not there."""
    new = now.files.keys() - before.files.keys()
    return sorted(path for path in new if str(PurePosixPath(path).parent) not in new)


def changed_paths(now: State, before: State) -> list[str]:
    """The paths that are gone, or no longer what they were."""
    return sorted(path for path, stamp in before.files.items() if now.files.get(path) != stamp)


def _records(text: str, length: int) -> Iterator[Sequence[str]]:
    *fields, rest = text.split("\0")
    if rest or len(fields) % length:
        raise ValueError("a listing is cut")
    for start in range(0, len(fields), length):
        yield fields[start : start + length]
