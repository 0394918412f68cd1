"""The part of an account that a run may use: its own share if it is one of several shards."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pytest_rewardkit.errors import RewardkitUsageError

if TYPE_CHECKING:
    from pytest_rewardkit.settings import RunSettings

N = TypeVar("N", int, float)


def quota_of(settings: RunSettings) -> tuple[int | None, float | None]:
    """Return how many sandboxes this run may have at once, and create per second; None for no bound.

    Raises:
        RewardkitUsageError: the settings contradict each other.
    """
    allowed_slots, allowed_rate = settings.quota or (None, None)
    slots = _within(settings.max_sandboxes, allowed_slots, "--rewardkit-max-sandboxes")
    rate = _within(settings.create_rate, allowed_rate, "--rewardkit-create-rate")
    if settings.shard is None:
        return slots, rate
    # All shards may run at the same time.
    shards = settings.shard.of
    if slots is not None and slots < shards:
        raise RewardkitUsageError(f"{shards} shards cannot share {slots} sandboxes; each needs at least one")
    return slots and slots // shards, rate and rate / shards


def _within(asked: N | None, allowed: N | None, option: str) -> N | None:
    if asked is not None and allowed is not None and asked > allowed:
        raise RewardkitUsageError(f"{option}={asked} is more than the {allowed:g} of --rewardkit-quota")
    return allowed if asked is None else asked
