"""Symbolic links among a project's files: what they lead to takes their place. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

File = TypeVar("File")

MAX_LINKS: Final = 40
"""Links that lead to links, as Linux has it."""


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link, and where it leads from its folder."""

    target: str


def without_links(entries: Mapping[str, File | Link]) -> Iterator[tuple[str, File]]:
    """Each file by its path, also by that of a link that leads to it or to a folder of it; other links lead nowhere."""
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
