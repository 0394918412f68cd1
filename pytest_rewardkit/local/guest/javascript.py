"""JavaScript contexts: node, running the driver beside this file; TypeScript if node can strip its types."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# Read at import: in a sandbox this package may be out of sight.
_DRIVER: Final = Path(__file__).with_name("javascript.js").read_text(encoding="utf-8")


def arguments(cells: int, events: int) -> list[str]:
    """Return node's arguments, for the descriptors that it reads cells from and writes events to."""
    return ["-e", _DRIVER, "--", str(cells), str(events)]


def encode(code: str, environment: Mapping[str, str], *, types: bool = False) -> bytes:
    """Return a cell as the driver reads it."""
    return json.dumps({"code": code, "environment": dict(environment), "types": types}).encode("ascii") + b"\n"


def encode_typescript(code: str, environment: Mapping[str, str]) -> bytes:
    """Return a cell whose types the driver strips."""
    return encode(code, environment, types=True)


@cache
def lacks_types(node: str) -> str:
    """Return why this node cannot run TypeScript; "" if it can."""
    question = "process.stdout.write(`${process.version} ${typeof require('module').stripTypeScriptTypes}`)"
    answer = subprocess.run([node, "-e", question], capture_output=True, text=True, env={}, check=False).stdout
    version, _, kind = answer.partition(" ")
    return (
        "" if kind == "function" else f"this machine's node {version} cannot strip types: TypeScript needs node 22.13"
    )
