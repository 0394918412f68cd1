"""Removes meaningless differences between two runs of the same cell."""

from __future__ import annotations

import re
from typing import Any

_RULES = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"0x[0-9a-f]{6,}"), "0xADDRESS"),
    (re.compile(r"/tmp/ipykernel_\d+/\d+\.py"), "/tmp/ipykernel_PID/HASH.py"),
    (re.compile(r"\(\d+\.py, line"), "(HASH.py, line"),
    (re.compile(r"\b\d+(\.\d+)? (ns|µs|us|ms|s)\b"), "DURATION"),
    (re.compile(r"(/[\w.+-]+)+/site-packages/"), "SITE/"),
    (re.compile(r"(/[\w.+-]+)+/lib/python3\.\d+/"), "STDLIB/"),
)


def normalise(value: Any) -> Any:
    """`value` with addresses, process ids, durations and installation paths replaced by words."""
    if isinstance(value, str):
        for pattern, word in _RULES:
            value = pattern.sub(word, value)
        return value
    if isinstance(value, dict):
        return {key: normalise(item) for key, item in value.items()}
    if isinstance(value, list):
        return [normalise(item) for item in value]
    return value
