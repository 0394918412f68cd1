"""The record of one attempt at a test, and the form in which it travels from where tests run to where results end."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.evidence import Evidence
from pytest_rewardkit.reward import TEXT_LIMIT, Part, Reward, Verdict
from pytest_rewardkit.text import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = 1
WIRE_HEAD: Final = f'{{"v":{VERSION},'
"""How every wire form begins; the rest of it is the better part of a line of a results file."""
WIRE_LIMIT: Final = 48_000
"""Characters that a record's wire form has at most, whatever a candidate printed."""

# Texts give way before parts do, and parts that passed before parts that failed.
_TEXT_LIMITS: Final = (1000, 250, 60, 0)

_DEFAULTED: Final = frozenset(
    ("threshold", "group", "must_pass", "row", "params", "task", "reduce", "left_out", "fault")
)

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
    """What one attempt at a test leaves behind.

    Parameters:
        reward: the test's reward; None when the test has to do with none, and only used sandboxes.
        threshold, weight, group, must_pass: what the test's marker says.
        row: the id of the dataset's row that the test is about.
        params: the test's parameters, by name, as far as they are plain.
        task: of one of several attempts, the node id that they have in common; None for any other test.
        reduce: how their rewards become one number.
        sandboxes: the sandboxes that were created for it.
        left_out: how many of the reward's parts did not fit into the wire form.
        fault: whether this package itself failed while it scored.
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
    left_out: int = 0
    fault: bool = False

    @property
    def has_details(self) -> bool:
        """Whether there is anything that candidates put out, which may be large."""
        return self.reward is not None and bool(self.reward.parts or self.reward.evidence)

    def to_wire(self) -> str:
        """Return the record as one line of ASCII JSON of at most `WIRE_LIMIT` characters."""
        if self.reward is None or not self.has_details:
            return self._dump((), left_out=self.left_out)
        parts, evidence = self.reward.parts, self.reward.evidence
        images = any(item.images for item in evidence)
        evidence = tuple(_with_excerpts(item, TEXT_LIMIT) for item in evidence)
        wire = self._dump(parts, evidence, left_out=self.left_out)
        if images and len(wire) < WIRE_LIMIT:
            evidence = _with_images(evidence, self.reward.evidence, WIRE_LIMIT - len(wire))
            return self._dump(parts, evidence, left_out=self.left_out)
        for limit in _TEXT_LIMITS:
            if len(wire) <= WIRE_LIMIT:
                return wire
            parts = tuple(_with_texts(part, limit) for part in parts)
            evidence = tuple(_with_excerpts(item, limit) for item in evidence) if limit else ()
            wire = self._dump(parts, evidence, left_out=self.left_out)
        if len(wire) <= WIRE_LIMIT:
            return wire
        kept = _fitting(parts, WIRE_LIMIT - len(self._dump((), left_out=self.left_out + len(parts))))
        return self._dump(kept, left_out=self.left_out + len(parts) - len(kept))

    @classmethod
    def from_wire(cls, wire: str) -> Record:
        """Return the record that `to_wire` wrote. Raises ValueError for what it did not write."""
        data, end = _DECODER.raw_decode(wire)
        if not isinstance(data, dict) or data.get("v") != VERSION or end != len(wire):
            raise ValueError(f"this is no record of version {VERSION}: {excerpt(wire, 80)!r}")
        return cls.from_fields(data)

    @classmethod
    def from_fields(cls, data: Mapping[str, Any]) -> Record:
        """Return the record whose wire form has these fields. Raises KeyError, TypeError or ValueError."""
        record = cls(_reward_from_wire(data) if "verdict" in data else None, weight=data.get("weight", 1.0))
        for name in _DEFAULTED & data.keys():
            setattr(record, name, data[name])
        if "sandboxes" in data:
            record.sandboxes = tuple(SandboxUse(**use) for use in data["sandboxes"])
        return record

    def _dump(self, parts: tuple[Part, ...], evidence: tuple[Evidence, ...] = (), *, left_out: int) -> str:
        # Most records have little to say, and each of thousands is written: what has its default is never looked at.
        fields = [f'{WIRE_HEAD}"weight":{_number(self.weight)}']
        if self.threshold is not None:
            fields.append(f'"threshold":{_number(self.threshold)}')
        if self.group is not None:
            fields.append(f'"group":{_ENCODER.encode(self.group)}')
        if self.row is not None or self.params or self.task is not None:
            self._add_place(fields)
        if self.must_pass:
            fields.append('"must_pass":true')
        if self.reward is not None:
            _add_reward(fields, self.reward, parts, evidence)
        if self.fault:
            fields.append('"fault":true')
        if left_out:
            fields.append(f'"left_out":{left_out}')
        if (self.sandboxes or self.has_details) and (timings := self._timings()):
            fields.append(f'"timings":{_ENCODER.encode(timings)}')
        if self.sandboxes:
            fields.append(f'"sandboxes":{_ENCODER.encode([_use_to_wire(use) for use in self.sandboxes])}')
        return ",".join(fields) + "}"

    def _add_place(self, fields: list[str]) -> None:
        """Add what the test is among others of its function."""
        if self.row is not None:
            fields.append(f'"row":{_ENCODER.encode(self.row)}')
        if self.params:
            fields.append(f'"params":{_ENCODER.encode(self.params)}')
        if self.task is not None:
            fields.append(f'"task":{_ENCODER.encode(self.task)},"reduce":{_ENCODER.encode(self.reduce)}')

    def _timings(self) -> dict[str, float]:
        """Return seconds by what they went to; several sandboxes may have been waited for at the same time."""
        timings: dict[str, float] = {}
        if self.sandboxes:
            timings["waiting"] = math.fsum(use.waited for use in self.sandboxes)
            timings["creating"] = math.fsum(use.start for use in self.sandboxes)
        if self.reward is not None and self.reward.parts:
            timings["running"] = math.fsum(part.duration or 0.0 for part in self.reward.parts)
        return {name: round(seconds, 6) for name, seconds in timings.items() if seconds}


def part_to_wire(part: Part) -> dict[str, Any]:
    """Return `part` as a JSON object; what has its default is left out."""
    data = {
        "name": part.name,
        "value": part.value,
        "weight": part.weight,
        "verdict": part.verdict,
        "reason": part.reason or None,
        "expected": part.expected,
        "actual": part.actual,
        "stderr": part.stderr,
        "duration": part.duration,
    }
    return _said(data)


def part_from_wire(data: dict[str, Any]) -> Part:
    """Return the part that `part_to_wire` wrote."""
    fields = dict(data)
    return Part(fields.pop("name"), fields.pop("value", None), **{**fields, "verdict": Verdict(fields["verdict"])})


def evidence_to_wire(evidence: Evidence) -> dict[str, Any]:
    """Return `evidence` as a JSON object, without how to call the scorer again; what has its default is left out."""
    data = {
        "candidate": evidence.candidate or None,
        "stdout": evidence.stdout or None,
        "stderr": evidence.stderr or None,
        "images": list(evidence.images) or None,
    }
    return _said(data)


def evidence_from_wire(data: dict[str, Any]) -> Evidence:
    """Return the evidence that `evidence_to_wire` wrote."""
    return Evidence(
        code=data.get("candidate", ""),
        stdout=data.get("stdout", ""),
        stderr=data.get("stderr", ""),
        images=tuple(data.get("images", ())),
    )


def _use_to_wire(use: SandboxUse) -> dict[str, Any]:
    data: dict[str, Any] = {"waited": use.waited, "start": use.start}
    return {**data, "limits": dict(use.limits)} if use.limits else data


def _add_reward(fields: list[str], reward: Reward, parts: tuple[Part, ...], evidence: tuple[Evidence, ...]) -> None:
    value = "null" if reward.value is None else _number(reward.value)
    fields.append(f'"reward":{value},"verdict":"{reward.verdict}"')
    if reward.reason:
        fields.append(f'"reason":{_ENCODER.encode(reward.reason)}')
    if parts:
        fields.append(f'"parts":{_ENCODER.encode([part_to_wire(part) for part in parts])}')
    if evidence:
        fields.append(f'"evidence":{_ENCODER.encode([evidence_to_wire(item) for item in evidence])}')


def _reward_from_wire(data: Mapping[str, Any]) -> Reward:
    parts = tuple(map(part_from_wire, data["parts"])) if "parts" in data else ()
    evidence = tuple(map(evidence_from_wire, data["evidence"])) if "evidence" in data else ()
    return Reward(data["reward"], parts, Verdict(data["verdict"]), data.get("reason", ""), evidence)


def _with_texts(part: Part, limit: int) -> Part:
    """Return `part` with its texts cut to `limit` characters each; 0 leaves them out."""

    def cut(text: str | None) -> str | None:
        return excerpt(text, limit) if text is not None and limit else None

    return replace(part, expected=cut(part.expected), actual=cut(part.actual), stderr=cut(part.stderr))


def _with_excerpts(evidence: Evidence, limit: int) -> Evidence:
    """Return `evidence` with its texts cut, the candidate to twice `limit`, and without images."""
    return Evidence(
        code=excerpt(evidence.candidate, 2 * limit),
        stdout=excerpt(evidence.stdout, limit),
        stderr=excerpt(evidence.stderr, limit),
    )


def _with_images(excerpts: tuple[Evidence, ...], whole: tuple[Evidence, ...], room: int) -> tuple[Evidence, ...]:
    """Return `excerpts` with as many of the images of `whole`, from the first on, as fit into `room` characters."""
    found = []
    for item, source in zip(excerpts, whole, strict=True):
        kept: list[str] = []
        room -= len(',"images":[]')
        for image in source.images:
            room -= len(image) + len('"",')
            if room < 0:
                break
            kept.append(image)
        found.append(replace(item, images=tuple(kept)))
    return tuple(found)


def _fitting(parts: tuple[Part, ...], room: int) -> tuple[Part, ...]:
    """Return those of `parts`, in their order, that fit into `room` characters, the lowest values first."""
    kept: set[int] = set()
    for index in sorted(range(len(parts)), key=lambda i: -1.0 if (value := parts[i].value) is None else value):
        room -= len(_ENCODER.encode(part_to_wire(parts[index]))) + 1
        if room < 0:
            break
        kept.add(index)
    return tuple(part for index, part in enumerate(parts) if index in kept)


def _number(value: float) -> str:
    """Return `value` as JSON. Raises ValueError for what is not finite, which JSON has not."""
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is no number of JSON")
    return repr(float(value))


def _said(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value is not None}
