"""Has an interpreter report the content of the figures that a candidate makes in it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.scorers.guest import figure_charts, figures
from pytest_rewardkit.scorers.running.shipping import call

if TYPE_CHECKING:
    from pytest_rewardkit.scorers.running.interpreter import Interpreter

_READING: Final = (figure_charts, figures)


def begin_reading(interpreter: Interpreter, *, limit: float) -> None:
    """Make each figure shown from now on carry a reading (figures.py). Raises SandboxUnavailable."""
    call(interpreter, _READING, "install", limit=limit)


def read_unshown(interpreter: Interpreter, *, limit: float) -> list[str]:
    """Return the readings of figures left open: a backend such as Agg shows none. Raises SandboxUnavailable."""
    if not interpreter.alive:
        return []
    nonce = secrets.token_hex(16)
    value = call(interpreter, _READING, "Unshown", repr(nonce), limit=limit).value
    return value.removeprefix(nonce).splitlines() if value is not None and value.startswith(nonce) else []
