"""The steps in a sandbox, for example by an agent. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.text import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STEPS: Final = 200
"""How many steps of a test are kept; if there are more, the first and the last ones."""
TEXT_LIMIT: Final = 20_000
"""Characters of a step's input, and of its output."""
_TOGETHER: Final = 20_000
"""Characters of all steps of a test in its record, as JSON."""


@dataclass(frozen=True, slots=True)
class SandboxStep:
    """One step in a sandbox.

    Parameters:
        kind: cell, command or file.
        given: the code, the command, or the file's path and content.
        got: the result.
    """

    kind: str
    given: str
    got: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "given", excerpt(self.given, TEXT_LIMIT))
        object.__setattr__(self, "got", excerpt(self.got, TEXT_LIMIT))

    def to_fields(self) -> dict[str, str]:
        """Return it as the fields of a JSON object."""
        return {"kind": self.kind, "given": self.given, **({"got": self.got} if self.got else {})}

    @classmethod
    def from_fields(cls, data: Mapping[str, Any]) -> SandboxStep:
        """Return the step from the fields that `to_fields` wrote. Raises KeyError or TypeError."""
        for name in ("kind", "given"):
            if not isinstance(data[name], str):
                raise TypeError(f"a step's {name} must be a text, not {data[name]!r}")
        return cls(data["kind"], data["given"], str(data.get("got", "")))


def kept(steps: Sequence[SandboxStep]) -> tuple[SandboxStep, ...]:
    """Return the steps of a test that fit into its record, shortened if necessary."""
    if len(steps) > STEPS:
        left_out = SandboxStep("left out", f"{len(steps) - STEPS:,} steps")
        steps = [*steps[: STEPS // 2], left_out, *steps[-STEPS // 2 :]]
    limit = _TOGETHER
    while True:
        found = tuple(replace(step, given=excerpt(step.given, limit), got=excerpt(step.got, limit)) for step in steps)
        # Encoded, one character may take up to twelve.
        if limit <= 1 or len(json.dumps([step.to_fields() for step in found])) <= _TOGETHER:
            return found
        limit //= 2


def told(steps: Sequence[SandboxStep]) -> str:
    """Return steps as one text for people."""
    return "\n\n".join(
        f"[{number}] {step.kind}\n{step.given}" + (f"\n--- gave\n{step.got}" if step.got else "")
        for number, step in enumerate(steps, 1)
    )
