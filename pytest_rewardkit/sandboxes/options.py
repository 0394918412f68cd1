"""The options of a sandbox: keywords of the SDK's ``Sandbox.create``, and limits that its provider enforces."""

from __future__ import annotations

import inspect
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.local.limits import Limits, check_number
from pytest_rewardkit.sandboxes.nearby_sandbox import PLAIN_KEYWORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pytest_rewardkit.sandboxes.provider import Provider

LIMITS = tuple(item.name for item in fields(Limits))
"""The limits of one sandbox, as keywords in addition to the SDK's."""

_PLAIN = PLAIN_KEYWORDS | frozenset(LIMITS)


@cache
def create_keywords() -> frozenset[str]:
    """Return the keywords of the installed SDK's ``Sandbox.create``."""
    from e2b import ApiParams
    from e2b_code_interpreter import Sandbox

    named = inspect.signature(Sandbox.create).parameters
    own = (name for name, parameter in named.items() if parameter.kind is not parameter.VAR_KEYWORD)
    return frozenset(own) | frozenset(ApiParams.__annotations__)


def known_keywords() -> frozenset[str]:
    """Return every keyword that any provider takes."""
    return create_keywords() | frozenset(LIMITS)


def check_options(options: Mapping[str, Any], provider: Provider) -> None:
    """Raise RewardkitUsageError for an unknown keyword, an invalid limit, or one that `provider` cannot enforce."""
    held = _limits_held_by(provider)
    for keyword, value in options.items():
        # The installed SDK's keywords are known only after loading it.
        if keyword not in _PLAIN and keyword not in (known := known_keywords()):
            raise RewardkitUsageError(f"unknown keyword {keyword!r}{did_you_mean(keyword, known)}")
        if keyword not in LIMITS or value is None:
            continue
        if keyword not in held:
            raise RewardkitUsageError(
                f"{keyword} cannot be set for a sandbox of the {provider.name} provider, only for local ones "
                "(--rewardkit-provider=local); E2B's limits are those of the template, set when that is built"
            )
        try:
            check_number(keyword, value, least=Limits.least(keyword))
        except ValueError as error:
            raise RewardkitUsageError(str(error)) from None


def _limits_held_by(provider: Provider) -> Collection[str]:
    # A provider from a conftest file may be older than the attribute.
    return getattr(provider, "limits", ())
