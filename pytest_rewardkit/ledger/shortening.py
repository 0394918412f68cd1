"""Shortens a reward so that its record fits: texts go before parts, and parts that passed before others. Pure.

Images go first of all, and get the room that is left at the end.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.evidence import Evidence
from pytest_rewardkit.ledger.reward_fields import part_to_fields
from pytest_rewardkit.reward import TEXT_LIMIT, Part
from pytest_rewardkit.text import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_rewardkit.reward import Reward

_TEXT_LIMITS: Final = (1000, 250, 60, 0)
"""The lengths to which texts are cut, one step after the other."""


def shortened(reward: Reward, limit: int, size: Callable[[Reward], int]) -> Reward:
    """Return `reward` with as many of its details as fit.

    Parameters:
        limit: the largest size that `size` may return.
        size: returns the size of what is made from a reward.
    """
    if not (reward.parts or reward.evidence):
        return reward
    parts = reward.parts
    evidence = tuple(_with_excerpts(item, TEXT_LIMIT) for item in reward.evidence)
    found = replace(reward, evidence=evidence)
    room = limit - size(found)
    if room > 0 and any(item.images for item in reward.evidence):
        return replace(reward, evidence=_with_images(evidence, reward.evidence, room))
    for text_limit in _TEXT_LIMITS:
        if size(found) <= limit:
            return found
        parts = tuple(_with_texts(part, text_limit) for part in parts)
        evidence = tuple(_with_excerpts(item, text_limit) for item in evidence) if text_limit else ()
        found = replace(reward, parts=parts, evidence=evidence)
    if size(found) <= limit:
        return found
    bare = replace(reward, parts=(), evidence=())
    return replace(bare, parts=_fitting(parts, limit - size(bare)))


def _with_texts(part: Part, limit: int) -> Part:
    """Return `part` with its texts cut to `limit` characters each; 0 removes them."""

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
    """Return `excerpts` with as many of the images of `whole`, in order, as fit into `room` characters."""
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
    """Return the parts that fit into `room` characters, in their order; those with the lowest values come first."""
    kept: set[int] = set()
    for index in sorted(range(len(parts)), key=lambda i: -1.0 if (value := parts[i].value) is None else value):
        room -= len(json.dumps(part_to_fields(parts[index]), separators=(",", ":"))) + 1
        if room < 0:
            break
        kept.add(index)
    return tuple(part for index, part in enumerate(parts) if index in kept)
