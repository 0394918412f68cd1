"""The files of a sandbox at one moment, as values, and the patterns that paths match. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder.

    Parameters
    ----------
    content: a file's bytes; None for a folder, and where the bytes could not be read.
    obstacle: why they could not be read.
    """

    content: bytes | None = None
    obstacle: str = ""

    @property
    def is_file(self) -> bool:
        return self.content is not None or bool(self.obstacle)


Tree = Mapping[str, Entry]
"""Path below the root, with slashes between its steps, to what is there."""


def path_pattern(path: str) -> re.Pattern[str]:
    """Return the expression for a path, in which ``*`` and ``?`` stay within a step, and ``**/`` means any folders."""
    pieces = re.split(r"(\*\*/|\*|\?)", path)
    special = {"**/": "(?:[^/]+/)*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(special.get(piece) or re.escape(piece) for piece in pieces), re.DOTALL)
