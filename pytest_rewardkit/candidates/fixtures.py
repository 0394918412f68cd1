"""The fixtures by which tests ask models: the model's name, and its earlier answer if that is on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_rewardkit.pytest_internals import fixture_info
from pytest_rewardkit.settings import RunSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pytest_rewardkit.candidates.record import AskedByTest

# This module is loaded in every session, so heavy modules are imported only where they are used.

ASKING: Final = ("recorded", "async_recorded")
"""The names of the fixtures that ask."""


MARKER: Final = (
    "reward_models(*names): the test runs once for each model; the fixture `model` is its name. "
    "--rewardkit-models names other models."
)


MAX_NAME: Final = 150


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Makes a test of each model that a marker or the option names."""
    mark = metafunc.definition.get_closest_marker("reward_models")
    settings = RunSettings.of(metafunc.config)
    if mark is None and (settings.models is None or not _gives_ours(metafunc)):
        return
    place = f"{metafunc.definition.nodeid}: @pytest.mark.reward_models"
    marked: tuple[Any, ...] = () if mark is None else mark.args
    names = marked if settings.models is None else settings.models
    if mark is not None and mark.kwargs:
        pytest.fail(f"{place}: takes only names of models, no keywords", pytrace=False)
    if not names or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        pytest.fail(f"{place}: takes names of models, each once, not {names!r}", pytrace=False)
    if too_long := [name for name in names if len(name) > MAX_NAME]:
        # Longer parameters are not kept with a test, so the test would be missing from its model's results.
        pytest.fail(f"{place}: a model's name has at most {MAX_NAME} characters: {too_long[0]!r}", pytrace=False)
    if "model" not in metafunc.fixturenames:
        pytest.fail(f"{place}: the test uses neither `model` nor a fixture that does", pytrace=False)
    # The self-check judges graders, which are the same for all models.
    names = names[:1] if settings.selfcheck else names
    metafunc.parametrize("model", names, ids=names, indirect=True)


def _gives_ours(metafunc: pytest.Metafunc) -> bool:
    """Whether a test gets its model from the fixture below, and not from a parameter of its own."""
    if "model" not in metafunc.fixturenames:
        return False
    taken = {name for mark in metafunc.definition.iter_markers("parametrize") for name in _named(mark.args[:1])}
    fixtures = fixture_info(metafunc.definition)
    defined: Any = None if fixtures is None else fixtures.name2fixturedefs.get("model")
    return "model" not in taken and bool(defined) and defined[-1].func.__module__ == __name__


def _named(argnames: Any) -> list[str]:
    names = argnames[0] if argnames else ""
    return [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)


@pytest.fixture
def model(request: pytest.FixtureRequest) -> str:
    """The name of the test's model, from ``@pytest.mark.reward_models`` or ``--rewardkit-models``."""
    name: str | None = getattr(request, "param", None)
    if name is None:
        pytest.fail(
            f"{request.node.nodeid}: the fixture `model` needs @pytest.mark.reward_models on the test, or "
            "--rewardkit-models",
            pytrace=False,
        )
    return name


@pytest.fixture
def recorded(request: pytest.FixtureRequest) -> Callable[[Any, Callable[[], Any]], Any]:
    """Ask a model once: ``recorded(prompt, lambda: client.ask(prompt))`` returns the recorded answer to that prompt.

    Without ``--rewardkit-candidates``, or if there is no recorded answer, it makes the call and returns its result:
    text, JSON or a `Candidate`.
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
    """Ask a model once: ``await async_recorded(prompt, lambda: client.ask(prompt))``; see `recorded`."""
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
    """Return the questions of `item`; if rewards are not reported, nothing is on record."""
    from pytest_rewardkit.candidates.questions import QUESTIONS
    from pytest_rewardkit.candidates.record import AskedByTest, CandidatesOnRecord

    questions = item.config.stash.get(QUESTIONS, None)
    return AskedByTest(CandidatesOnRecord(), item.nodeid) if questions is None else questions.of(item)
