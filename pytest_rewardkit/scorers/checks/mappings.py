"""Checks that are given as mappings of their fields, as rows of data hold them. Pure."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def of_mapping(kind: type[T], mapping: Mapping[Any, Any], what: str, place: str = "") -> T:
    """Return the check of which `mapping` holds the fields.

    Raises RewardkitUsageError for a field that there is not, with the nearest, and what `kind` raises.

    Parameters:
        kind: the check's class.
        what: what a check of the class is called, with its article.
        place: what the text begins with.
    """
    names = [field.name for field in fields(kind)]
    for key in mapping:
        if key not in names:
            raise RewardkitUsageError(f"{place}no field {key!r} in {what}{did_you_mean(str(key), names)}")
    return kind(**mapping)
