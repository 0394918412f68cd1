"""URLs without the names and passwords in them, which must stand in no text that others see. Pure."""

from __future__ import annotations

import re
from typing import Final

_USER_INFO: Final = re.compile(r"(?<=://)[^\s/]+@")


def without_credentials(text: str) -> str:
    """Return a text with `****` for what stands before the host in its URLs."""
    return _USER_INFO.sub("****@", text)
