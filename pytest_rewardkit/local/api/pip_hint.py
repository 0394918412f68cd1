"""A hint for pip's failures in a sandbox without internet, because pip does not know that reason."""

from __future__ import annotations

import re
from typing import Final

HINT: Final = (
    "This sandbox has no internet, so pip finds no packages: describe a template with them in pyproject.toml "
    "([tool.rewardkit.templates.NAME]), or create the sandbox with allow_internet_access=True "
    "(isolation levels full and no-procfs).\n"
)

# All parts are bounded, because the text may be arbitrary.
_PIP: Final = re.compile(
    r"\bpip3?\s{1,9}(\S{1,60}\s{1,9}){0,5}?(install|download)\b|[\"']pip3?[\"'],\s{0,9}[\"']install"
)
_NOTHING: Final = re.compile(r"No matching distribution found|Temporary failure in name resolution|dns error")
_LONGEST: Final = 64


class PipHint:
    """Watches the output of a command or of code, which may be arbitrary.

    Parameters:
        source: the command or the code.
        internet: whether its sandbox has internet.
    """

    def __init__(self, source: str, *, internet: bool) -> None:
        self._watches = not internet and _PIP.search(source[:100_000]) is not None
        self._end = ""
        self._failed = False

    def see(self, text: str) -> None:
        """Take the next output."""
        if self._watches and not self._failed:
            self._failed = _NOTHING.search(self._end + text) is not None
            self._end = text[-_LONGEST:]

    @property
    def text(self) -> str:
        """The hint to add to standard error at the end; mostly empty."""
        return HINT if self._failed else ""
