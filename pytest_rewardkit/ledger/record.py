"""The record of a test that has run, and its JSON form, in which it reaches the process where results end."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.ledger.model_use import ModelUse
from pytest_rewardkit.ledger.reward_fields import add_reward, reward_from_fields, said
from pytest_rewardkit.ledger.shortening import shortened
from pytest_rewardkit.ledger.step import SandboxStep
from pytest_rewardkit.text import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_rewardkit.reward import Reward

VERSION: Final = 1
WIRE_LIMIT: Final = 48_000
"""The greatest length of a record's wire form in characters, whatever a candidate printed."""

# Fields whose value is valid JSON as it is.
_PLAIN: Final = frozenset(("threshold", "group", "must_pass", "row", "params", "task", "reduce", "left_out", "fault"))

_UNSAID: Final[tuple[object, ...]] = (None, False, {})

# The encoded values are created here and contain no cycles.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), check_circular=False)
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class SandboxUse:
    """A sandbox that was created for a test: seconds in the queue, seconds until it had started, its own limits."""

    waited: float
    start: float
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """What a test leaves behind each time that it runs. Users' hooks may change it.

    Parameters:
        reward: the test's reward; None if it has none, and only used sandboxes.
        threshold, weight, group, must_pass: from the test's marker.
        row: the id of the test's dataset row.
        params: the test's parameters, by name, as far as they are plain.
        task: for one of several attempts at a task, their common node id; None for any other test.
        reduce: how their rewards become one number.
        sandboxes: the sandboxes that were created for it.
        asked: its use of models; None if no use is known.
        steps: the steps in its sandbox, as far as they were traced.
        left_out: how many of the reward's parts did not fit into the wire form.
        fault: whether this package itself failed while it scored.
        running: seconds that all parts took, including those left out; None if none was left out.
    """

    reward: Reward | None
    threshold: float | None = None
    weight: float = 1.0
    group: str | None = None
    must_pass: bool = False
    row: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    task: str | None = None
    reduce: str | None = None
    sandboxes: tuple[SandboxUse, ...] = ()
    asked: ModelUse | None = None
    steps: tuple[SandboxStep, ...] = ()
    left_out: int = 0
    fault: bool = False
    running: float | None = field(default=None, compare=False)

    def to_wire(self) -> str:
        """Return the record as one line of ASCII JSON of at most `WIRE_LIMIT` characters."""
        if self.reward is None:
            return self._encoded()
        reward = shortened(self.reward, WIRE_LIMIT, lambda reward: len(self._with(reward)._encoded()))
        return self._with(reward)._encoded()

    @classmethod
    def from_wire(cls, wire: str) -> Record:
        """Return the record that `to_wire` wrote. Raises ValueError for any other text."""
        data, end = _DECODER.raw_decode(wire)
        if not isinstance(data, dict) or data.get("v") != VERSION or end != len(wire):
            raise ValueError(f"this is no record of version {VERSION}: {excerpt(wire, 80)!r}")
        return cls.from_fields(data)

    def to_fields(self) -> dict[str, Any]:
        """Return the record as the fields of a JSON object, without defaults."""
        # Written for speed: it runs for each test, and most tests have few fields.
        fields: dict[str, Any] = {"weight": float(self.weight)}
        if self.threshold is not None:
            fields["threshold"] = float(self.threshold)
        self._say(fields, ("group", "row", "params", "task", "reduce", "must_pass"))
        if self.reward is not None:
            add_reward(fields, self.reward)
        self._say(fields, ("fault", "left_out"))
        if timings := self._timings():
            fields["timings"] = timings
        if self.sandboxes:
            fields["sandboxes"] = [_use_to_fields(use) for use in self.sandboxes]
        if self.steps:
            fields["steps"] = [step.to_fields() for step in self.steps]
        if self.asked is not None:
            fields["asked"] = self.asked.to_fields()
        return fields

    @classmethod
    def from_fields(cls, data: Mapping[str, Any]) -> Record:
        """Return the record with these fields. Raises KeyError, TypeError or ValueError."""
        record = cls(reward_from_fields(data) if "verdict" in data else None, weight=data.get("weight", 1.0))
        for name, value in data.items():
            if name in _PLAIN:
                setattr(record, name, value)
        if "sandboxes" in data:
            record.sandboxes = tuple(SandboxUse(**use) for use in data["sandboxes"])
        if "steps" in data:
            record.steps = tuple(map(SandboxStep.from_fields, data["steps"]))
        if "asked" in data:
            record.asked = ModelUse.from_fields(data["asked"])
        if record.left_out and "running" in (timings := dict(data.get("timings", {}))):
            record.running = float(timings["running"])
        return record

    @property
    def running_time(self) -> float:
        """Seconds that all parts of the reward took."""
        if self.running is not None or self.reward is None or not self.reward.parts:
            return self.running or 0.0
        return math.fsum(part.duration or 0.0 for part in self.reward.parts)

    def _say(self, fields: dict[str, Any], names: Iterable[str]) -> None:
        """Add to `fields` the named attributes that differ from their defaults."""
        for name in names:
            if (value := getattr(self, name)) not in _UNSAID:
                fields[name] = value

    def _timings(self) -> dict[str, float]:
        """Return the seconds by purpose; the waits for several sandboxes may overlap."""
        if not self.sandboxes and not self.running_time:
            return {}
        timings = {
            "waiting": math.fsum(use.waited for use in self.sandboxes),
            "creating": math.fsum(use.start for use in self.sandboxes),
            "running": self.running_time,
        }
        return {name: round(seconds, 6) for name, seconds in timings.items() if seconds}

    def _with(self, reward: Reward) -> Record:
        """Return the record with a shortened reward, and with the number and the time of the omitted parts."""
        if self.reward is None or reward is self.reward:
            return self
        left_out = self.left_out + len(self.reward.parts) - len(reward.parts)
        return replace(self, reward=reward, left_out=left_out, running=self.running_time)

    def _encoded(self) -> str:
        return _ENCODER.encode({"v": VERSION, **self.to_fields()})


def _use_to_fields(use: SandboxUse) -> dict[str, Any]:
    return said({"waited": use.waited, "start": use.start, "limits": dict(use.limits) or None})
