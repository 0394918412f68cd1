"""Contexts with names from their users: the first code for such a name makes the context, without its own request.

E2B has no such contexts, so their users have to know that the server is the local one.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

_NAME: Final = re.compile(r"rewardkit-[0-9a-f]{32}")


def new_name() -> str:
    """A name for a new context."""
    return f"rewardkit-{secrets.token_hex(16)}"


def is_name(text: object) -> bool:
    """Whether a context is made for this name if it does not exist."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None
