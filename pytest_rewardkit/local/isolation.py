"""What protects the host from a sandbox, as the fork server found out by trying."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Isolation:
    """A fork server's findings.

    Parameters:
        level: the name of the level.
        layers: what was found about each layer.
        gaps: what the layers leave open, in words.
        boot_ms: how long the fork server took to be ready.
        refusals: why stronger levels cannot be had.
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
            ValueError: they are not all there.
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
        """Whether sandboxes have a network of their own, out of which only the server can lead."""
        return bool(self.layers.get("private root") and self.layers.get("network namespace"))

    @property
    def confined(self) -> bool:
        """Whether sandboxes are kept from the machine's network."""
        return self.level != "none"

    def table(self) -> str:
        """The findings for people."""
        width = max(map(len, self.layers), default=0)
        lines = [f"Isolation level: {self.level}", ""]
        lines += [f"  {name:<{width}}  {_words(value)}" for name, value in self.layers.items()]
        if self.refusals:
            lines += ["", "What cannot be had here:"]
            lines += [f"  - {name}: {reason}" for name, reason in self.refusals.items()]
        lines += ["", "What it leaves open:", *(f"  - {gap}" for gap in self.gaps)]
        if fixes := self._fixes():
            lines += ["", "What would give more:", *(f"  - {fix}" for fix in fixes)]
        lines += ["", f"The fork server was ready after {self.boot_ms:.0f} ms."]
        return "\n".join(lines)

    def _fixes(self) -> list[str]:
        found = [fix for names, fix in _FIXES.items() if any(self.layers.get(name) in _MISSING for name in names)]
        return found if self.level != "none" else []


_MISSING = (False, 0, "watchdog")
_FIXES = {
    ("private root", "process namespace", "network namespace"): (
        "namespaces and mounts: run as root, or let users have user namespaces "
        "(on Ubuntu, sysctl kernel.apparmor_restrict_unprivileged_userns=0; "
        "in Docker, --cap-add SYS_ADMIN --security-opt apparmor=unconfined)"
    ),
    ("landlock abi",): "Landlock: a kernel from 5.13 on (6.12 for all of it), with landlock among its lsm=",
    ("seccomp",): "seccomp: a kernel with CONFIG_SECCOMP_FILTER",
    ("memory in all",): (
        "a limit on memory in all: control groups that the server may make, as root has them, "
        "and others under systemd-run --user --scope"
    ),
}
"""What to do about layers that are missing."""


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
