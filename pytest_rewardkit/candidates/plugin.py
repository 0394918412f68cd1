"""Keeps what the fixture `candidate` returns, or replaces it by its earlier value, in processes that run tests."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_rewardkit.candidates.fixtures import ASKING
from pytest_rewardkit.candidates.prompt import digest, plain, source_digest
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.pytest_internals import (
    PYTHON_MODULE,
    fixture_info,
    fixtures_named,
    keep_fixture,
    keeping_failure,
)

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_rewardkit.candidates.answer import ModelAnswer
    from pytest_rewardkit.candidates.questions import Questions
    from pytest_rewardkit.candidates.record import AskedByTest
    from pytest_rewardkit.datasets.row import Row

_PROMPTS: Final = ("prompt", "messages")
_NOT_ASKED: Final = (PYTHON_MODULE, "pytest_rewardkit.datasets.plugin")
"""Modules whose fixtures `candidate` ask no model: those of parameters, and of rows that hold candidates."""


class Candidates:
    """Watches the fixture `candidate`, if the project has one.

    Parameters:
        questions: the questions of tests.
    """

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        # These hooks are called for every fixture of every test, and few projects have a fixture that they are for.
        found = fixtures_named("candidate", session)
        if found is None or any(fixture.func.__module__ not in _NOT_ASKED for fixture in found):
            session.config.pluginmanager.register(CandidateFixtures(self._questions), "rewardkit-candidate-fixtures")


class CandidateFixtures:
    """Keeps what the fixture `candidate` returns, whoever wrote the fixture, or replaces it by its earlier value.

    Parameters:
        questions: the questions of tests.
    """

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._begun: dict[AskedByTest, tuple[ModelAnswer, float]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Any:
        """Returns the answer on record instead of the value of a fixture `candidate`, whoever wrote the fixture."""
        if fixturedef.argname != "candidate" or fixturedef.func.__module__ in _NOT_ASKED:
            return None
        with keeping_failure(fixturedef, request):
            return self._given(fixturedef, request)

    def _given(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Any:
        item = request.node
        if request.scope != "function":
            if self._questions.record.is_kept:
                pytest.fail(
                    f"candidates are on record for each test, and the fixture `candidate` has the scope "
                    f"{request.scope}; give it the scope function",
                    pytrace=False,
                )
            return None
        closure = _closure(item, "candidate")
        if not closure.isdisjoint(ASKING):
            return None
        asked = self._questions.of(item)
        wanted = _wanted(asked, fixturedef, request, closure)
        found = asked.replayed(wanted)
        if found is None:
            # Whatever an earlier test has begun, it has failed.
            self._begun = {asked: (wanted, time.perf_counter())}
            return None
        value = found.given()
        keep_fixture(fixturedef, request, value)
        return value

    @pytest.hookimpl(wrapper=True, specname="pytest_fixture_setup")
    def pytest_keep_candidate(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        value = yield
        if fixturedef.argname == "candidate" and request.scope == "function":
            item = request.node
            asked = self._questions.of(item)
            if (begun := self._begun.pop(asked, None)) is not None:
                try:
                    asked.given(begun[0], value, begun[1])
                except RewardkitUsageError as error:
                    pytest.fail(f"{item.nodeid}: the fixture `candidate`: {error}", pytrace=False)
        return value


def _wanted(
    asked: AskedByTest, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest, closure: set[str]
) -> ModelAnswer:
    """Return the answer that a fixture `candidate` is about to ask for, as far as it is known before the call."""
    for name in _PROMPTS:
        if name in closure and (prompt := plain(request.getfixturevalue(name))) is not None:
            return asked.wanted(digest(prompt), prompt=prompt)
    if "row" in closure:
        from pytest_rewardkit.datasets.row import Row

        if isinstance(row := request.getfixturevalue("row"), Row):
            prompt = _prompt_of(row)
            return asked.wanted(digest(prompt), prompt=prompt)
    params = getattr(getattr(request.node, "callspec", None), "params", {})
    taken = {name: plain(params[name]) for name in (*fixturedef.argnames, "candidate") if name in params}
    taken.pop("attempt", None)
    known = {name: value for name, value in taken.items() if value is not None}
    source = source_digest(fixturedef.func)
    return asked.wanted(digest(known) if known else "", prompt=None, source=source)


def _prompt_of(row: Row) -> Any:
    """Return the question that a row asks a model; if the row has none, all its plain fields."""
    try:
        prompt = row.task.prompt
    except RewardkitUsageError:
        prompt = None
    prompt = prompt or row.get("prompt") or row.get("messages")
    found = plain(prompt) if prompt else None
    if found is not None:
        return found
    return {name: value for name in row if (value := plain(row[name])) is not None}


def _closure(item: pytest.Item, name: str) -> set[str]:
    """Return the names of the fixtures that the fixture `name` of a test uses, directly or indirectly."""
    info = fixture_info(item)
    defined = {} if info is None else info.name2fixturedefs
    seen, names = set[str](), [name]
    while names:
        fixtures = defined.get(names.pop())
        new = set(fixtures[-1].argnames if fixtures else ()) - seen
        seen |= new
        names += new
    return seen
