"""The bounds on a run's use of sandboxes, and the prices for their cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.sandboxes.usage.bounds import UsageBounds
from pytest_rewardkit.sandboxes.usage.figures import E2B_PRICES, Prices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_rewardkit.settings import RunSettings

_E2B_DOMAINS: Final = ("", "e2b.app", "e2b.dev")


def bounds_of(settings: RunSettings, environ: Mapping[str, str], provider: str) -> UsageBounds:
    """Return the bounds that the user asked for.

    Parameters:
        provider: the name of the provider.

    Raises:
        RewardkitUsageError: a cost is bounded, but there are no prices.
    """
    prices = _prices(settings, of_e2b=provider == "e2b" and is_of_e2b(environ))
    if settings.max_cost is not None and prices is None:
        raise RewardkitUsageError(
            "--rewardkit-max-cost needs prices, and only E2B's own are known: give --rewardkit-vcpu-price and "
            "--rewardkit-gib-price"
        )
    # All shards of a run share the bound.
    shards = 1 if settings.shard is None else settings.shard.of
    cost, seconds = settings.max_cost, settings.max_sandbox_seconds
    return UsageBounds(cost and cost / shards, seconds and seconds / shards, prices)


def is_of_e2b(environ: Mapping[str, str]) -> bool:
    """Whether E2B's variables point to E2B's own cloud."""
    return not environ.get("E2B_API_URL") and environ.get("E2B_DOMAIN", "") in _E2B_DOMAINS


def _prices(settings: RunSettings, *, of_e2b: bool) -> Prices | None:
    known = E2B_PRICES if of_e2b else None
    if settings.vcpu_price is None and settings.gib_price is None:
        return known
    processor, gib = (known.processor, known.gib) if known is not None else (0.0, 0.0)
    return Prices(
        processor if settings.vcpu_price is None else settings.vcpu_price,
        gib if settings.gib_price is None else settings.gib_price,
    )
