"""Converts rewards, their parts and their evidence to the fields of JSON objects, without defaults, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.evidence import Evidence
from pytest_rewardkit.reward import Part, Reward, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERDICTS: Final = {verdict.value: verdict for verdict in Verdict}


def add_reward(fields: dict[str, Any], reward: Reward) -> None:
    """Add a record's reward to its fields."""
    # An unscored reward is null, which has a meaning.
    fields["reward"] = reward.value
    fields["verdict"] = reward.verdict
    if reward.reason:
        fields["reason"] = reward.reason
    if reward.parts:
        fields["parts"] = [part_to_fields(part) for part in reward.parts]
    if reward.evidence:
        fields["evidence"] = [evidence_to_fields(item) for item in reward.evidence]


def reward_from_fields(data: Mapping[str, Any]) -> Reward:
    """Return the reward from the fields that `add_reward` wrote."""
    parts = tuple(map(part_from_fields, data["parts"])) if "parts" in data else ()
    evidence = tuple(map(evidence_from_fields, data["evidence"])) if "evidence" in data else ()
    return Reward(data["reward"], parts, _verdict(data["verdict"]), data.get("reason", ""), evidence)


def _verdict(name: Any) -> Verdict:
    # The enumeration itself takes longer to look up, but says what is wrong.
    return _VERDICTS[name] if isinstance(name, str) and name in _VERDICTS else Verdict(name)


def part_to_fields(part: Part) -> dict[str, Any]:
    """Return the fields of `part`."""
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
    return said(data)


def part_from_fields(data: Mapping[str, Any]) -> Part:
    """Return the part from the fields that `part_to_fields` wrote."""
    fields = dict(data)
    return Part(fields.pop("name"), fields.pop("value", None), **{**fields, "verdict": _verdict(fields["verdict"])})


def evidence_to_fields(evidence: Evidence) -> dict[str, Any]:
    """Return the fields of `evidence`, without the way to call the scorer again."""
    data = {
        "candidate": evidence.candidate or None,
        "stdout": evidence.stdout or None,
        "stderr": evidence.stderr or None,
        "images": list(evidence.images) or None,
    }
    return said(data)


def evidence_from_fields(data: Mapping[str, Any]) -> Evidence:
    """Return the evidence from the fields that `evidence_to_fields` wrote."""
    return Evidence(
        code=data.get("candidate", ""),
        stdout=data.get("stdout", ""),
        stderr=data.get("stderr", ""),
        images=tuple(data.get("images", ())),
    )


def said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `fields` that are not None."""
    return {name: value for name, value in fields.items() if value is not None}
