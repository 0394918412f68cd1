"""``--rewardkit-selfcheck``: the graders are graded. A reference must pass, and an empty candidate must not.

Each test that takes a candidate, from the fixture `candidate` or from its `row`, runs twice: with the reference, which
is the row's or that of the fixture `reference`, and with an empty candidate. Tests that take none are left out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_rewardkit.errors import UnscoredError
from pytest_rewardkit.run.recorder_of import recorder_of
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Generator

REFERENCE: Final = "reference"
EMPTY: Final = "empty"

_BROKEN: Final = "broken grader: "
_KIND: Final = "rewardkit_selfcheck"


class SelfCheck:
    """The hooks of a self-check."""

    @pytest.fixture
    def rewardkit_selfcheck(self, request: pytest.FixtureRequest) -> str:
        """Which of the two candidates the test is to judge."""
        kind: str = request.param
        return kind

    # Behind the hook that makes tests of rows, so that node ids end in the kind.
    @pytest.hookimpl(trylast=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if {"candidate", "row"} & set(metafunc.fixturenames):
            metafunc.fixturenames.append(_KIND)
            metafunc.parametrize(_KIND, [REFERENCE, EMPTY], ids=[REFERENCE, EMPTY], indirect=True)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        others = [item for item in items if _kind_of(item) is None]
        if others:
            config.hook.pytest_deselected(items=others)
            items[:] = [item for item in items if _kind_of(item) is not None]

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Any:
        """Puts the judged text in the place of what a fixture `candidate` would give, whoever wrote it."""
        if fixturedef.argname != "candidate" or _kind_of(request.node) is None:
            return None
        text = _judged(request)
        fixturedef.cached_result = (text, fixturedef.cache_key(request), None)  # type: ignore[arg-type]
        return text

    @pytest.hookimpl(wrapper=True, specname="pytest_fixture_setup")
    def pytest_judge_row(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        """Lets a row that a test scores have that text as its candidate."""
        value = yield
        if fixturedef.argname == "row" and _kind_of(request.node) is not None:
            value.candidate = "" if _kind_of(request.node) == EMPTY else _or_skip(value.reference)
            # Here a reference is what is judged, and excuses nothing by failing itself.
            value.task = replace(value.task, reference=None)
        return value

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        kind = _kind_of(item)
        try:
            result = yield
        except (UnscoredError, pytest.skip.Exception):
            raise
        except (Exception, pytest.fail.Exception) as error:
            if kind == EMPTY:
                return None
            why = one_line(str(error) or type(error).__name__, 300)
        else:
            if kind == REFERENCE:
                return result
            why = ""
        finally:
            # What is found out here is about graders; it is no candidate's reward.
            recorder_of(item).discard()
        what = f"the reference does not pass: {why}" if kind == REFERENCE else "an empty candidate passes"
        pytest.fail(_BROKEN + what, pytrace=False)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        stats = terminalreporter.stats
        broken = [report for report in stats.get("failed", ()) if _BROKEN in str(report.longrepr)]
        passed, skipped = len(stats.get("passed", ())), len(stats.get("skipped", ()))
        terminalreporter.section("self-check of graders")
        # In one order, whichever worker was first.
        for report in sorted(broken, key=lambda report: str(report.nodeid)):
            text = str(report.longrepr)
            terminalreporter.write_line(f"{report.nodeid}: {one_line(text[text.index(_BROKEN) + len(_BROKEN) :], 200)}")
        others = len(stats.get("failed", ())) - len(broken) + len(stats.get("error", ()))
        counts = [f"{passed} right", f"{len(broken)} broken"]
        counts += [f"{skipped} without a reference"] if skipped else []
        counts += [f"{others} that could not be told"] if others else []
        terminalreporter.write_line(", ".join(counts))


def _kind_of(item: Any) -> str | None:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get(_KIND) if callspec is not None else None


def _judged(request: pytest.FixtureRequest) -> str:
    if _kind_of(request.node) == EMPTY:
        return ""
    return _or_skip(request.getfixturevalue("reference"))


def _or_skip(reference: str | None) -> str:
    if reference is None:
        pytest.skip("there is no reference; give the row one, or override the fixture `reference`")
    return reference
