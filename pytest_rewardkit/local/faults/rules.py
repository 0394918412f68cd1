"""The calls to spoil, how, and how often: parses the text of `--faults`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NONE: Final = "none"

CONTROL_CALLS: Final = ("create", "connect", "list", "info", "kill", "timeout")
TRAFFIC_CALLS: Final = ("execute", "contexts", "read", "write", "commands", "filesystem", "health", "ports")
CALLS: Final = (*CONTROL_CALLS, "control", *TRAFFIC_CALLS, "traffic", "any")
"""The calls that can be spoilt: calls of the control plane, calls to sandboxes, all of either kind, and all."""

LEAST_STATUS: Final = 400
MOST_STATUS: Final = 599

PLAIN: Final = ("reset", "lost", "half", "hang")
MEASURED: Final[dict[str, float | None]] = {
    "delay": 0.1,
    "slow": 1000.0,
    "vanish": 0.05,
    "expire": 1.0,
    "at-once": None,
    "rate": None,
}
"""Faults that take a number, and its default; None if the number is required."""

OF_CREATE: Final = ("at-once", "rate")

PRESETS: Final = {
    "hobby": "create:at-once/20,create:rate/1",
    "pro": "create:at-once/100,create:rate/5",
}
"""The limits that E2B set for its accounts of these names in November 2026."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One fault.

    Parameters:
        call: the calls that it happens to, of `CALLS`.
        kind: the fault: a status, or one of `PLAIN` or `MEASURED`.
        number: the number that belongs to it; for a status, the seconds of `Retry-After`; None if there is none.
        share: the share of these calls that it happens to, in (0, 1].
    """

    call: str
    kind: str
    number: float | None
    share: float

    @property
    def status(self) -> int | None:
        """The status of the answer; None if the fault is not a status."""
        return int(self.kind) if self.kind.isdecimal() else None

    def __str__(self) -> str:
        number = "" if self.number is None else f"/{self.number:g}"
        return f"{self.call}:{self.kind}{number}:{self.share:g}"


def parse(text: str) -> tuple[Rule, ...]:
    """The rules of a text such as ``execute:reset:0.05,create:429/2:0.1,hobby``.

    Raises:
        ValueError: the text is not valid; the message says which part.
    """
    if text in ("", NONE):
        return ()
    parts = [part.strip() for word in text.split(",") for part in PRESETS.get(word.strip(), word).split(",")]
    return tuple(map(_rule, parts))


def _rule(text: str) -> Rule:
    call, _, rest = text.partition(":")
    what, _, share = rest.partition(":")
    kind, slash, number = what.partition("/")
    if call not in CALLS:
        wanted = ", ".join((*PRESETS, *CALLS))
        raise ValueError(f"faults: {text!r} must begin with a call, as in create:429:0.1; calls are {wanted}")
    if not _is_kind(kind):
        wanted = ", ".join((*PLAIN, *MEASURED))
        raise ValueError(f"faults: {text!r} must have a status from 400 to 599 or one of {wanted} after its call")
    if kind in OF_CREATE and call != "create":
        raise ValueError(f"faults: {text!r}: {kind} can be for create alone")
    if slash and kind in PLAIN:
        raise ValueError(f"faults: {text!r}: {kind} takes no number")
    value = _positive(number, text) if slash else MEASURED.get(kind)
    if value is None and kind in MEASURED:
        raise ValueError(f"faults: {text!r} must say how many, as in create:{kind}/20")
    portion = _positive(share, text) if share else 1.0
    if portion > 1:
        raise ValueError(f"faults: {text!r}: the share must be a number over 0 and up to 1")
    return Rule(call, kind, value, portion)


def _is_kind(kind: str) -> bool:
    if kind.isascii() and kind.isdecimal():
        return LEAST_STATUS <= int(kind[:4]) <= MOST_STATUS
    return kind in PLAIN or kind in MEASURED


def _positive(text: str, rule: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError(f"faults: {rule!r}: {text!r} must be a number over 0")
    return number
