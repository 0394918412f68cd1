"""Removes names and passwords from URLs, so that no text for others holds them. Pure."""

from __future__ import annotations

import re
from typing import Final

_USER_INFO: Final = re.compile(r"(?<=://)[^\s/]+@")


def without_credentials(text: str) -> str:
    """Return a text with `****` in place of the credentials before the hosts of its URLs."""
    return _USER_INFO.sub("****@", text)
