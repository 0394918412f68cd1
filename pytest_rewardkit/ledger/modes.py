"""The modes of the self-check. This module is loaded in every session."""

from __future__ import annotations

from typing import Final

REFERENCES: Final = "references"
ATTACKS: Final = "attacks"
MUTANTS: Final = "mutants"
FLAKES: Final = "flakes"

CHECKS: Final = (ATTACKS, MUTANTS, FLAKES)
"""Modes that try a grader with many candidates, and give it a reward."""
MODES: Final = (REFERENCES, *CHECKS)

PARAMETER: Final = "rewardkit_selfcheck"
"""The parameter of a test that names the check."""


def parse_modes(value: str) -> tuple[str, ...] | None:
    """Return the modes that an option names, in the order of `MODES`; None if it names none. Raises ValueError."""
    names = {name.strip() for name in value.lower().split(",")}
    if names <= {"0", "false", "no", "off"}:
        return None
    names = {REFERENCES if name in ("1", "true", "yes", "on") else name for name in names}
    for name in sorted(names):
        if name not in MODES:
            from pytest_rewardkit.errors import did_you_mean

            raise ValueError(
                f"unknown check {name!r}{did_you_mean(name, MODES)}; paths and other options stand before it, or "
                f"write {REFERENCES}"
            )
    return tuple(mode for mode in MODES if mode in names)
