"""The files of a sandbox at one moment, as values, and the patterns that paths match. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file or folder; two are equal when no difference between them is known.

    Parameters:
        digest: of a file's bytes, all of them; None for a folder, and where they were not read.
        obstacle: why they were not read.
        content: the bytes, where they were kept.
        unkept: why they were not kept.
    """

    digest: bytes | None = None
    obstacle: str = ""
    content: bytes | None = field(default=None, compare=False)
    unkept: str = field(default="", compare=False)

    @property
    def is_file(self) -> bool:
        return self.digest is not None or bool(self.obstacle)


Tree = Mapping[str, TreeEntry]
"""Path below the root, with slashes between its steps, to what is there."""


def path_pattern(path: str) -> re.Pattern[str]:
    """Return the expression for a path, in which ``*`` and ``?`` stay within a step, and ``**/`` means any folders."""
    pieces = re.split(r"(\*\*/|\*|\?)", path)
    special = {"**/": "(?:[^/]+/)*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(special.get(piece) or re.escape(piece) for piece in pieces), re.DOTALL)
