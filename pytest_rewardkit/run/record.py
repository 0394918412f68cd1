"""The record of one attempt at a test, and the form in which it travels from where tests run to where results end."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from pytest_rewardkit.evidence import Evidence
from pytest_rewardkit.reward import TEXT_LIMIT, Part, Reward, Verdict
from pytest_rewardkit.text import excerpt

VERSION: Final = 1
WIRE_LIMIT: Final = 48_000
"""Characters that a record's wire form has at most, whatever a candidate printed."""

# Texts give way before parts do, and parts that passed before parts that failed.
_TEXT_LIMITS: Final = (1000, 250, 60, 0)


@dataclass(frozen=True, slots=True)
class SandboxUse:
    """A sandbox that was created for a test: seconds waited for its turn, and seconds until it had started."""

    waited: float
    start: float


@dataclass(slots=True)
class Record:
    """What one attempt at a test leaves behind.

    Parameters
    ----------
    reward: the test's reward; None when the test has to do with none, and only used sandboxes.
    threshold, weight, group, must_pass: what the test's marker says.
    row: the id of the dataset's row that the test is about.
    reduce: how its reward and those of the other attempts become one number; None for a test without other attempts.
    sandboxes: the sandboxes that were created for it.
    left_out: how many of the reward's parts did not fit into the wire form.
    """

    reward: Reward | None
    threshold: float | None = None
    weight: float = 1.0
    group: str | None = None
    must_pass: bool = False
    row: str | None = None
    reduce: str | None = None
    sandboxes: tuple[SandboxUse, ...] = ()
    left_out: int = 0

    def to_wire(self) -> str:
        """Return the record as one line of ASCII JSON of at most `WIRE_LIMIT` characters."""
        parts, evidence = ((), ()) if self.reward is None else (self.reward.parts, self.reward.evidence)
        images = any(item.images for item in evidence)
        evidence = tuple(_with_excerpts(item, TEXT_LIMIT) for item in evidence)
        wire = self._dump(parts, evidence, left_out=self.left_out)
        if images and self.reward is not None and len(wire) < WIRE_LIMIT:
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
        data = json.loads(wire)
        if not isinstance(data, dict) or data.get("v") != VERSION:
            raise ValueError(f"this is no record of version {VERSION}: {excerpt(wire, 80)!r}")
        reward = data.get("reward")
        return cls(
            reward=None if reward is None else _reward_from_wire(reward),
            threshold=data.get("threshold"),
            weight=data.get("weight", 1.0),
            group=data.get("group"),
            must_pass=data.get("must_pass", False),
            row=data.get("row"),
            reduce=data.get("reduce"),
            sandboxes=tuple(SandboxUse(**use) for use in data.get("sandboxes", ())),
            left_out=data.get("left_out", 0),
        )

    def _dump(self, parts: tuple[Part, ...], evidence: tuple[Evidence, ...] = (), *, left_out: int) -> str:
        data = {
            "v": VERSION,
            "reward": None if self.reward is None else _reward_to_wire(self.reward, parts, evidence),
            "threshold": self.threshold,
            "weight": self.weight,
            "group": self.group,
            "must_pass": self.must_pass or None,
            "row": self.row,
            "reduce": self.reduce,
            "sandboxes": [asdict(use) for use in self.sandboxes] or None,
            "left_out": left_out or None,
        }
        return _dumps(_said(data))


def part_to_wire(part: Part) -> dict[str, Any]:
    """Return `part` as a JSON object; what has its default is left out."""
    data = {
        "name": part.name,
        "value": part.value,
        "weight": part.weight,
        "verdict": part.verdict.value,
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


def _reward_to_wire(reward: Reward, parts: tuple[Part, ...], evidence: tuple[Evidence, ...]) -> dict[str, Any]:
    data = {
        "value": reward.value,
        "verdict": reward.verdict.value,
        "reason": reward.reason or None,
        "parts": [part_to_wire(part) for part in parts] or None,
        "evidence": [evidence_to_wire(item) for item in evidence] or None,
    }
    return _said(data)


def _reward_from_wire(data: dict[str, Any]) -> Reward:
    parts = tuple(part_from_wire(part) for part in data.get("parts", ()))
    evidence = tuple(evidence_from_wire(item) for item in data.get("evidence", ()))
    return Reward(data.get("value"), parts, Verdict(data["verdict"]), data.get("reason", ""), evidence)


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
        room -= len(_dumps(part_to_wire(parts[index]))) + 1
        if room < 0:
            break
        kept.add(index)
    return tuple(part for index, part in enumerate(parts) if index in kept)


def _said(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value is not None}


def _dumps(data: object) -> str:
    return json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
