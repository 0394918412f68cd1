"""Detects variables that point to an ended local server, as an `export` in a shell leaves them behind."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

_PATIENCE = 1.0


def ended_server() -> str:
    """Return advice if `E2B_API_URL` points to a port of this machine on which nothing listens; else ""."""
    url = os.environ.get("E2B_API_URL", "")
    try:
        address = urlsplit(url)
        host, port = address.hostname, address.port
    except ValueError:
        return ""
    if host not in ("127.0.0.1", "localhost", "::1") or port is None:
        return ""
    try:
        socket.create_connection((host, port), timeout=_PATIENCE).close()
    except ConnectionRefusedError:
        return f"nothing listens at {url}, where E2B_API_URL leads: unset it, or run `pytest-rewardkit serve` again"
    except OSError:
        return ""
    return ""
