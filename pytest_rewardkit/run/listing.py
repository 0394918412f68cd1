"""Tells sessions that only list something from those that run tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

_LISTING: Final = (
    "collectonly",
    "setupplan",
    "showfixtures",
    "show_fixtures_per_test",
    "markers",
    "cacheshow",
    "help",
)


def only_lists(config: pytest.Config) -> bool:
    """Whether pytest runs no test by its own options, so that nothing needs a sandbox."""
    return any(getattr(config.option, name, False) for name in _LISTING)
