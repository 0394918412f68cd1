"""The record of a test that has run, and the JSON in which it travels from where tests run to where results end."""

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
"""Characters that a record's wire form has at most, whatever a candidate printed."""

# Fields whose JSON is the value itself.
_PLAIN: Final = frozenset(("threshold", "group", "must_pass", "row", "params", "task", "reduce", "left_out", "fault"))

_UNSAID: Final[tuple[object, ...]] = (None, False, {})

# What is encoded is made here and has no circles.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), check_circular=False)
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class SandboxUse:
    """A sandbox that was created for a test: seconds waited for its turn, seconds until it had started, own limits."""

    waited: float
    start: float
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """What a test leaves behind each time that it runs. Users' hooks may change it.

    Parameters:
        reward: the test's reward; None when the test has to do with none, and only used sandboxes.
        threshold, weight, group, must_pass: what the test's marker says.
        row: the id of the dataset's row that the test is about.
        params: the test's parameters, by name, as far as they are plain.
        task: of one of several attempts at a task, the node id that they have in common; None for any other test.
        reduce: how their rewards become one number.
        sandboxes: the sandboxes that were created for it.
        asked: what was asked of models for it; None where nothing is known to be.
        steps: what was done in its sandbox, as far as that was traced.
        left_out: how many of the reward's parts did not fit into the wire form.
        fault: whether this package itself failed while it scored.
        running: seconds that all parts took, those that were left out among them; None where none was.
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
        """Return the record that `to_wire` wrote. Raises ValueError for what it did not write."""
        data = _DECODER.decode(wire)
        if not isinstance(data, dict) or data.get("v") != VERSION:
            raise ValueError(f"this is no record of version {VERSION}: {excerpt(wire, 80)!r}")
        return cls.from_fields(data)

    def to_fields(self) -> dict[str, Any]:
        """Return the record as the fields of a JSON object; what has its default is left out."""
        # Made for each test of a run, most of which have little to say.
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
        """Return the record that has these fields. Raises KeyError, TypeError or ValueError."""
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
        """Add to `fields` those that `names` lists, but for defaults."""
        for name in names:
            if (value := getattr(self, name)) not in _UNSAID:
                fields[name] = value

    def _timings(self) -> dict[str, float]:
        """Return seconds by what they went to; several sandboxes may have been waited for at the same time."""
        if not self.sandboxes and not self.running_time:
            return {}
        timings = {
            "waiting": math.fsum(use.waited for use in self.sandboxes),
            "creating": math.fsum(use.start for use in self.sandboxes),
            "running": self.running_time,
        }
        return {name: round(seconds, 6) for name, seconds in timings.items() if seconds}

    def _with(self, reward: Reward) -> Record:
        """Return the record with its reward shortened, and what is known of the parts that this has lost."""
        if self.reward is None or reward is self.reward:
            return self
        left_out = self.left_out + len(self.reward.parts) - len(reward.parts)
        return replace(self, reward=reward, left_out=left_out, running=self.running_time)

    def _encoded(self) -> str:
        return _ENCODER.encode({"v": VERSION, **self.to_fields()})


def _use_to_fields(use: SandboxUse) -> dict[str, Any]:
    return said({"waited": use.waited, "start": use.start, "limits": dict(use.limits) or None})
