"""The result of a run of `pytest --rewardkit` in another environment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_rewardkit.local.guest.plan import Level

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """A run that wrote its results.

    Parameters:
        isolation: how its sandboxes were isolated, according to the results file.
        outcomes: outcome and reward of each test with a reward.
        status: the exit status.
        printed: its whole output.
    """

    isolation: str
    outcomes: dict[str, tuple[str, float | None]]
    status: int
    printed: str

    @classmethod
    def read(cls, folder: Path, done: subprocess.CompletedProcess[str]) -> Run:
        """The run that ended with `done`, and left `results.jsonl` in the folder."""
        printed = done.stdout + done.stderr
        results = folder / "results.jsonl"
        assert results.exists(), printed
        lines = [json.loads(line) for line in results.read_text("utf-8").splitlines()]
        attempts = [line for line in lines if line["type"] == "attempt"]
        outcomes = {line["node_id"]: (line["outcome"], line["reward"]) for line in attempts}
        return cls(lines[0]["sandboxes"]["isolation"], outcomes, done.returncode, printed)

    @property
    def level(self) -> Level:
        """The isolation level of local sandboxes."""
        return Level(self.isolation)


def at_least(level: Level, least: Level) -> bool:
    strongest_first = list(Level)
    return strongest_first.index(level) <= strongest_first.index(least)
