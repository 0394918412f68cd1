"""One build: what it is to make, what it says meanwhile, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence

    from pytest_rewardkit.local.server.snapshots import Snapshot

MAX_ENTRIES: Final = 100
"""Of the log, in one answer; the SDK asks for more until there are none."""


@dataclass(slots=True)
class Build:
    """A build, and the template that it makes.

    Parameters:
        id: the build's name, and its environment's.
        template: the template's.
        names: what sandboxes ask for it by.
        tags: those that the caller named.
        memory_mb: of its sandboxes; None for the server's.
        status: `waiting`, `building`, `ready` or `error`.
        log: when something was said, and what.
        reason: why it failed.
        step: at which step.
        envs: variables of its sandboxes.
        files: files of its sandboxes; None for none.
        task: makes it.
    """

    id: str
    template: str
    names: Sequence[str]
    tags: Sequence[str]
    memory_mb: int | None = None
    status: str = "waiting"
    log: list[tuple[str, str]] = field(default_factory=list)
    reason: str = ""
    step: str = ""
    envs: Mapping[str, str] = field(default_factory=dict)
    files: Snapshot | None = None
    task: asyncio.Task[None] | None = None

    def say(self, text: str) -> None:
        """Add a line to the log."""
        self.log.append((datetime.now(UTC).isoformat(), text))

    def fail(self, reason: str, step: str) -> None:
        """End it with an error."""
        self.status, self.reason, self.step = "error", reason, step

    def describe(self, offset: int) -> dict[str, Any]:
        """Return its state as E2B words it, with the log from an entry on."""
        entries = [
            {"timestamp": when, "level": "info", "message": text}
            for when, text in self.log[offset : offset + MAX_ENTRIES]
        ]
        described: dict[str, Any] = {
            "buildID": self.id,
            "templateID": self.template,
            "status": self.status,
            "logEntries": entries,
            "logs": [],
        }
        if self.reason:
            described["reason"] = {"message": self.reason, **({"step": self.step} if self.step else {})}
        return described
