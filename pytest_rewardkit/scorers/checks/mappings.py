"""Checks given as mappings of their fields, as dataset rows hold them. Pure."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def of_mapping(kind: type[T], mapping: Mapping[Any, Any], what: str, place: str = "") -> T:
    """Return the check whose fields `mapping` holds.

    Raises RewardkitUsageError for an unknown field, with the nearest known one, and whatever `kind` raises.

    Parameters:
        kind: the check's class.
        what: the name of such a check in messages, with its article.
        place: how the message begins.
    """
    names = [field.name for field in fields(kind)]
    for key in mapping:
        if key not in names:
            raise RewardkitUsageError(f"{place}no field {key!r} in {what}{did_you_mean(str(key), names)}")
    return kind(**mapping)
