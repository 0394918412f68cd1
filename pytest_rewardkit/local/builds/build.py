"""One build: the template that it makes, its log, and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence

    from pytest_rewardkit.local.server.snapshots import Snapshot

MAX_ENTRIES: Final = 100
"""The entries of the log in one answer; the SDK asks for more until there are none."""


@dataclass(slots=True)
class Build:
    """A build, and the template that it makes.

    Parameters:
        id: the build's name, and the name of its environment.
        template: the template's name.
        names: the names by which sandboxes request it.
        tags: the tags that the caller gave.
        memory_mb: the memory of its sandboxes; None for the server's setting.
        status: `waiting`, `building`, `ready` or `error`.
        log: the time and the text of each entry.
        reason: why it failed.
        step: the step at which it failed.
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
        """Return its state in E2B's terms, with the log from an entry on."""
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
