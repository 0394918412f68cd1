"""The fixtures by which tests ask models: what a model gave earlier is given again where it is on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pytest_rewardkit.candidates.record import AskedByTest

# Loaded in every session: what is heavy is imported where it is used.

ASKED: Final = pytest.StashKey["AskedByTest"]()

ASKING: Final = ("recorded", "async_recorded")
"""The names of the fixtures of this module."""


@pytest.fixture
def recorded(request: pytest.FixtureRequest) -> Callable[[Any, Callable[[], Any]], Any]:
    """Ask a model once: ``recorded(prompt, lambda: client.ask(prompt))`` gives what is on record for that prompt.

    With ``--rewardkit-candidates``. Without, or where nothing is on record, it gives what the call does: text, JSON or
    `Candidate`.
    """
    asked = _asked_in(request.node)

    def ask(prompt: Any, call: Callable[[], Any]) -> Any:
        from time import perf_counter

        __tracebackhide__ = True
        wanted = asked.wanted_for(prompt)
        if (found := asked.replayed(wanted)) is not None:
            return found.given()
        began = perf_counter()
        value = call()
        asked.given(wanted, value, began)
        return value

    return ask


@pytest.fixture
def async_recorded(request: pytest.FixtureRequest) -> Callable[[Any, Callable[[], Awaitable[Any]]], Awaitable[Any]]:
    """Ask a model once, by ``await async_recorded(prompt, lambda: client.ask(prompt))``; see `recorded`."""
    asked = _asked_in(request.node)

    async def ask(prompt: Any, call: Callable[[], Awaitable[Any]]) -> Any:
        from time import perf_counter

        __tracebackhide__ = True
        wanted = asked.wanted_for(prompt)
        if (found := asked.replayed(wanted)) is not None:
            return found.given()
        began = perf_counter()
        value = await call()
        asked.given(wanted, value, began)
        return value

    return ask


def _asked_in(item: pytest.Item) -> AskedByTest:
    """Return what `item` asks; where rewards are not reported, nothing is on record."""
    from pytest_rewardkit.candidates.record import AskedByTest, CandidatesOnRecord

    found = item.stash.get(ASKED, None)
    return AskedByTest(CandidatesOnRecord(), item.nodeid) if found is None else found
