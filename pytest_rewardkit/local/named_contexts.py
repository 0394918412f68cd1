"""Contexts that their users name: the first code for such a name makes the context, without a request of its own.

E2B has none of these; whoever names one has to know that the server is ours.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

_NAME: Final = re.compile(r"rewardkit-[0-9a-f]{32}")


def new_name() -> str:
    """A name for a context that is to be made."""
    return f"rewardkit-{secrets.token_hex(16)}"


def is_name(text: object) -> bool:
    """Whether a context is made for this name where there is none."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None
