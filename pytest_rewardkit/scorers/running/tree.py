"""The files of a sandbox at one moment, as values, and patterns for paths. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file or folder; two are equal if no difference between them is known.

    Parameters:
        digest: of all the file's bytes; None for a folder, and if the file was not read.
        obstacle: why the file was not read.
        content: the bytes, if they were kept.
        unkept: why the bytes were not kept.
    """

    digest: bytes | None = None
    obstacle: str = ""
    content: bytes | None = field(default=None, compare=False)
    unkept: str = field(default="", compare=False)

    @property
    def is_file(self) -> bool:
        return self.digest is not None or bool(self.obstacle)


Tree = Mapping[str, TreeEntry]
"""Maps each path below the root, with slashes between its steps, to its entry."""


def path_pattern(path: str) -> re.Pattern[str]:
    """Return the pattern for a path, in which ``*`` and ``?`` stay within a step, and ``**/`` means any folders."""
    pieces = re.split(r"(\*\*/|\*|\?)", path)
    special = {"**/": "(?:[^/]+/)*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(special.get(piece) or re.escape(piece) for piece in pieces), re.DOTALL)
