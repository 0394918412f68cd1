"""The languages that a user's project adds, as they are known where a test runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_rewardkit import turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_rewardkit.scorers.languages.table import Language


def users_languages() -> Mapping[str, Language]:
    """Return those of the project whose test runs now, by name; none outside of pytest."""
    found: Mapping[str, Language] = getattr(turn.current(), "languages", {})
    return found
