"""Paths for our own files in a sandbox, which nobody can guess."""

from __future__ import annotations

import secrets


def scratch_path() -> str:
    """Return an unused path for a file or folder of ours in a sandbox."""
    return f"/tmp/rewardkit_{secrets.token_hex(16)}"  # noqa: S108 - in the sandbox, which nobody shares
