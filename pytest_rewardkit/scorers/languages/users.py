"""The languages that a user's project adds, available wherever a test runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_rewardkit import turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_rewardkit.scorers.languages.table import Language


def users_languages() -> Mapping[str, Language]:
    """Return the languages of the running test's project, by name; none outside pytest."""
    found: Mapping[str, Language] = getattr(turn.current(), "languages", {})
    return found
