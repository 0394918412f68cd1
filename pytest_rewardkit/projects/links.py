"""Symbolic links among a project's files: replaced by their targets. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

File = TypeVar("File")

MAX_LINKS: Final = 40
"""Most links in a chain of links, as in Linux."""


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link and its target, relative to its folder."""

    target: str


def without_links(entries: Mapping[str, File | Link]) -> Iterator[tuple[str, File]]:
    """Each file by its path, and by the path of each link to it or to a folder of it; other links lead nowhere."""
    files = {path: entry for path, entry in entries.items() if not isinstance(entry, Link)}
    yield from files.items()
    for path, entry in entries.items():
        if isinstance(entry, Link):
            end = _end_of(path, entries)
            if end in files:
                yield path, files[end]
            else:
                below = (it for it in files if it.startswith(f"{end}/"))
                yield from ((f"{path}{it.removeprefix(end)}", files[it]) for it in below)


def _end_of(path: str, entries: Mapping[str, object]) -> str:
    for _ in range(MAX_LINKS):
        entry = entries.get(path)
        if not isinstance(entry, Link):
            break
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.target))
    return path
