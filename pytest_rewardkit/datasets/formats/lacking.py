"""Libraries that a row's own code needs and the sandbox lacks, found in compiler and interpreter output. Pure."""

from __future__ import annotations

import re
from typing import Final

# Each group is the library's name as in the row's code.
_SAID: Final = (
    re.compile(r"Can't locate ([\w/]+)\.pm in @INC"),
    re.compile(r"cannot load such file -- ([\w/.-]+)"),
    re.compile(r"error: package ([\w.]+) does not exist"),
    re.compile(r"(?:cannot find package|no required module provides package) \"?([\w./-]+)"),
    re.compile(r"unresolved import `(\w+)`|use of undeclared crate or module `(\w+)`"),
    re.compile(r"fatal error: ([\w./+-]+): No such file"),
    re.compile(r"Cannot find module '([\w./@:-]+)'"),
)


def lacking_in(said: str, own: str) -> str:
    """Return the first library that is reported missing and that the row's own code names; "" for none."""
    for pattern in _SAID:
        for match in pattern.finditer(said):
            name = str(next(filter(None, match.groups())))
            written = name.replace("/", "::") if ".pm" in match[0] else name
            if re.search(rf"(?<![\w.]){re.escape(written)}\b", own):
                return name
    return ""
