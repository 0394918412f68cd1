"""The protection of the host from a sandbox, as the fork server found out by trying."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Isolation:
    """A fork server's findings.

    Parameters:
        level: the name of the level.
        layers: the findings about each layer.
        gaps: what the layers leave open, in words.
        boot_ms: how long the fork server took to be ready.
        refusals: why stronger levels are not possible.
    """

    level: str
    layers: Mapping[str, object]
    gaps: tuple[str, ...]
    boot_ms: float
    refusals: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Isolation:
        """The findings in a fork server's first message.

        Raises:
            ValueError: some are missing.
        """
        level, layers = message.get("level"), message.get("layers")
        gaps, boot_ms = message.get("gaps", []), message.get("boot_ms", 0)
        if not isinstance(level, str) or not isinstance(layers, dict):
            raise ValueError("a fork server must say its level and layers")
        if not isinstance(gaps, list) or not isinstance(boot_ms, int | float):
            raise ValueError("a fork server must say what its layers leave open, and how long it took")
        refusals = message.get("refusals", {})
        if not isinstance(refusals, dict):
            raise ValueError("a fork server must say why stronger levels cannot be had")
        reasons = {str(name): str(reason) for name, reason in refusals.items()}
        return cls(level, layers, tuple(map(str, gaps)), float(boot_ms), reasons)

    @property
    def relayed(self) -> bool:
        """Whether sandboxes have their own network, which only the server can connect to others."""
        return bool(self.layers.get("private root") and self.layers.get("network namespace"))

    @property
    def confined(self) -> bool:
        """Whether sandboxes are kept from the machine's network."""
        return self.level != "none"

    @property
    def difference(self) -> str:
        """How it differs from `full` for its users, in a few words; "" at `full`."""
        if self.level == "none":
            return "NO SECURITY BOUNDARY: run nothing that you do not trust"
        if self.layers.get("private root"):
            return "" if self.layers.get("own procfs") else "sandboxes have no /proc of their own"
        lacks = ["sandboxes have no terminals, ports or internet, and disk use is limited for each file"]
        if not self.layers.get("translated paths"):
            lacks.append("code cannot use /home/user and /tmp")
        if self.level == "weak":
            lacks.append("candidates can disturb each other and the server")
        return "; ".join(lacks)

    def table(self, advice: Sequence[str] = ()) -> str:
        """The findings for people.

        Parameters:
            advice: possible improvements.
        """
        width = max(map(len, self.layers), default=0)
        lines = [f"Isolation level: {self.level}", ""]
        lines += [f"  {name:<{width}}  {_words(value)}" for name, value in self.layers.items()]
        if self.refusals:
            lines += ["", "What does not work here:"]
            lines += [f"  - {name}: {reason}" for name, reason in self.refusals.items()]
        lines += ["", "What it leaves open:", *(f"  - {gap}" for gap in self.gaps)]
        if advice:
            lines += ["", "What would give more:", *(f"  - {line}" for line in advice)]
        lines += ["", f"The fork server was ready after {self.boot_ms:.0f} ms."]
        return "\n".join(lines)


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
