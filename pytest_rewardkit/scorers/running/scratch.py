"""Where in a sandbox our own files are: at places that nobody can guess."""

from __future__ import annotations

import secrets


def scratch_path() -> str:
    """Return a path for a file or folder of ours in a sandbox; nothing is there yet."""
    return f"/tmp/rewardkit_{secrets.token_hex(16)}"  # noqa: S108 - in the sandbox, which nobody shares
