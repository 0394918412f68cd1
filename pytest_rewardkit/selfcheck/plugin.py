"""``--rewardkit-selfcheck``: grades the graders.

Each test that takes a candidate, from the fixture `candidate` or from its `row`, becomes one test for each check. For
`references` it runs twice: with the reference from the row or from the fixture `reference`, which must pass, and with
an empty candidate, which must not. For the other checks it runs once per candidate, and the results make the reward of
the grader.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final, Literal

import pytest

from pytest_rewardkit.datasets.row import Row
from pytest_rewardkit.errors import RewardkitUsageError, UnscoredError
from pytest_rewardkit.formatting import counted
from pytest_rewardkit.ledger.modes import ATTACKS, CHECKS, FLAKES, PARAMETER, REFERENCES
from pytest_rewardkit.pytest_internals import keep_fixture, keeping_failure, requesting_item
from pytest_rewardkit.reports.graders import lost
from pytest_rewardkit.reward import Reward
from pytest_rewardkit.run.controller.resume import tear_down
from pytest_rewardkit.run.transport import user_property
from pytest_rewardkit.run.transport.node_ids import name
from pytest_rewardkit.run.worker.recorder import Recorder
from pytest_rewardkit.run.worker.recorder_of import recorder_of
from pytest_rewardkit.run.worker.records import record_of
from pytest_rewardkit.selfcheck.checks import Broken, NotChecked, check
from pytest_rewardkit.selfcheck.trial import Judged, judged_in, watched_call
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pytest_rewardkit.ledger.record import Record
    from pytest_rewardkit.settings import RunSettings

REFERENCE: Final = "reference"
EMPTY: Final = "empty"

_BROKEN: Final = "broken grader: "
_NOT_CHECKED: Final = "not checked: "
_FIXTURES: Final = frozenset(("sandbox", "async_sandbox", "sandbox_factory", "reward"))
_HOW: Final = (
    "its candidate cannot be replaced; let the test take it from the fixture `candidate`, such as by "
    '@pytest.mark.parametrize("candidate", [CANDIDATE])'
)
_PLAIN: Final = re.compile(rf"[\[-](?:{REFERENCE}|{EMPTY})\](?:@[^\]]*)?$")
_LISTED: Final = 20


class SelfCheck:
    """The hooks of a self-check."""

    def __init__(self, settings: RunSettings) -> None:
        assert settings.selfcheck is not None
        self._limit = settings.selfcheck_limit
        self._has_references = REFERENCES in settings.selfcheck
        self._checks = [mode for mode in settings.selfcheck if mode in CHECKS]

    @pytest.fixture
    def rewardkit_selfcheck(self, request: pytest.FixtureRequest) -> str:
        """The check that the test is for."""
        kind: str = request.param
        return kind

    # After the hook that makes tests of rows, so that node ids end in the kind.
    @pytest.hookimpl(trylast=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if {"candidate", "row"} & set(metafunc.fixturenames):
            kinds = [REFERENCE, EMPTY] * self._has_references + self._checks
            metafunc.fixturenames.append(PARAMETER)
            metafunc.parametrize(PARAMETER, kinds, ids=kinds, indirect=True)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        kept: list[pytest.Item] = []
        others: list[pytest.Item] = []
        known: set[object] = set()
        for item in items:
            kind = _kind_of(item)
            if kind in CHECKS and (grader := _grader_of(item)) is not None:
                # The check gives the same result for each of the test's own candidates.
                (others if grader in known else kept).append(item)
                known.add(grader)
            elif kind is not None:
                kept.append(item)
            elif self._checks and _judges(item):
                item.add_marker(pytest.mark.skip(reason=_NOT_CHECKED + _HOW))
                kept.append(item)
            else:
                others.append(item)
        if others:
            config.hook.pytest_deselected(items=others)
            items[:] = kept

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Any:
        """Returns the check's candidate instead of the value of a fixture `candidate`, whoever wrote the fixture."""
        if fixturedef.argname != "candidate":
            return None
        with keeping_failure(fixturedef, request):
            return self._given(fixturedef, request)

    def _given(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Any:
        if request.scope != "function" and judged_in(requesting_item(request)) is not None:
            pytest.skip(f"the fixture `candidate` has the scope {request.scope}; give it the scope function")
        if (judged := _judged(request.node)) is None:
            return None
        text = judged.text(lambda: request.getfixturevalue("reference"))
        judged.is_given = True
        keep_fixture(fixturedef, request, text)
        return text

    @pytest.hookimpl(wrapper=True, specname="pytest_fixture_setup")
    def pytest_judge_row(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        """Makes that candidate the candidate of a row that a test scores."""
        value = yield
        if isinstance(value, Row) and fixturedef.argname == "row" and (judged := _judged(request.node)) is not None:
            value.replace_candidate(lambda: judged.text(lambda: request.getfixturevalue("reference")))
            judged.row = value
        return value

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        kind = _kind_of(item)
        if kind not in CHECKS:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports = _reports(item, kind, lambda: check(kind, item, self._limit))
        tear_down(item, nextitem, reports[-1])
        for report in reports:
            name(report, item)
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        if (judged := judged_in(item)) is not None:
            return (yield from watched_call(item, judged))
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
            # The result is about graders, and not a candidate's reward.
            recorder_of(item).discard()
        what = f"the reference does not pass: {why}" if kind == REFERENCE else "an empty candidate passes"
        pytest.fail(_BROKEN + what, pytrace=False)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        stats = terminalreporter.stats
        failed = [report for report in stats.get("failed", ()) if _PLAIN.search(report.nodeid)]
        broken = [report for report in failed if _BROKEN in str(report.longrepr)]
        unchecked = [report for report in stats.get("skipped", ()) if _NOT_CHECKED in str(report.longrepr)]
        if self._has_references:
            terminalreporter.section("self-check of graders")
        # In a fixed order, whichever worker was first.
        for report in sorted(broken, key=lambda report: str(report.nodeid)):
            text = str(report.longrepr)
            terminalreporter.write_line(f"{report.nodeid}: {one_line(text[text.index(_BROKEN) + len(_BROKEN) :], 200)}")
        for line in _unchecked_lines(unchecked):
            terminalreporter.write_line(line)
        if self._has_references:
            terminalreporter.write_line(_counts(stats, len(broken)))


def _counts(stats: dict[str, list[Any]], broken: int) -> str:
    """Return in one line the results of the tests with references and with empty candidates."""
    passed, skipped, failed = (
        sum(_PLAIN.search(report.nodeid) is not None for word in words for report in stats.get(word, ()))
        for words in (["passed"], ["skipped"], ["failed", "error"])
    )
    counts = [f"{passed} right", f"{broken} broken"]
    counts += [f"{skipped} without a reference"] if skipped else []
    counts += [f"{failed - broken} that could not be told"] if failed > broken else []
    return ", ".join(counts)


def _unchecked_lines(reports: list[Any]) -> list[str]:
    """Return which graders were not checked, and why; graders with the same reason share a line."""
    by_reason: dict[str, list[str]] = {}
    for report in reports:
        text = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = text[text.index(_NOT_CHECKED) + len(_NOT_CHECKED) :]
        by_reason.setdefault(one_line(reason, 300), []).append(str(report.nodeid))
    lines = []
    for reason, node_ids in sorted(by_reason.items()):
        lines.append(f"{counted(len(node_ids), 'test')} not checked: {reason}")
        lines += [f"      {one_line(node_id, 200)}" for node_id in sorted(node_ids)[:_LISTED]]
        if len(node_ids) > _LISTED:
            lines.append(f"      and {len(node_ids) - _LISTED:,} more")
    return lines


def _reports(item: pytest.Item, kind: str, checked: Callable[[], Reward]) -> list[pytest.TestReport]:
    """Return the reports of a check, in the form of a test's."""
    began = time.perf_counter()
    outcome: Literal["passed", "failed", "skipped"] = "passed"
    longrepr: Any = None
    reward = None
    try:
        reward = checked()
    except NotChecked as reason:
        path, line, _ = item.location
        outcome, longrepr = "skipped", (path, (line or 0) + 1, f"Skipped: {_NOT_CHECKED}{reason}")
    except Broken as reason:
        outcome, longrepr = "failed", f"{_BROKEN}the reference does not pass: {reason}"
        reward = Reward(0.0, reason=f"the reference does not pass: {reason}")
    else:
        if reward.value is None or (kind in (ATTACKS, FLAKES) and reward.value < 1):
            outcome = "failed"
            longrepr = "\n".join([reward.reason, *(f"{part.name}: {part.reason}" for part in lost(reward.parts))])
    keywords: dict[str, Any] = dict.fromkeys(item.keywords, 1)
    reports = [
        pytest.TestReport(item.nodeid, item.location, keywords, "passed", None, "setup"),
        pytest.TestReport(item.nodeid, item.location, keywords, outcome, longrepr, "call"),
        pytest.TestReport(item.nodeid, item.location, keywords, "passed", None, "teardown"),
    ]
    reports[1].duration = time.perf_counter() - began
    if reward is not None:
        user_property.send_value(reward.value, reports[1])
        user_property.send(_record(item, reward), reports[2])
    return reports


def _record(item: pytest.Item, reward: Reward) -> Record:
    """Return the record of a grader: it has a group, but no threshold and no weight of its own."""
    from pytest_rewardkit.markers import reward_marker

    try:
        marker = reward_marker([(mark.args, mark.kwargs) for mark in item.iter_markers("reward")])
    except RewardkitUsageError:
        marker = None
    record = record_of(item, Recorder(marker), reward)
    record.threshold, record.weight, record.must_pass = None, 1.0, False
    return record


def _judged(item: Any) -> Judged | None:
    """Return the candidate that `item` must judge; None outside a self-check, and for a fixture of wider scope."""
    if (judged := judged_in(item)) is not None:
        return judged
    kind = _kind_of(item)
    return None if kind is None else Judged("" if kind == EMPTY else None)


def _kind_of(item: Any) -> str | None:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get(PARAMETER) if callspec is not None else None


def _grader_of(item: Any) -> object | None:
    """Return a key that items with other candidates for the same grader share; None if the test has one candidate."""
    params = item.callspec.params
    if "candidate" not in params:
        return None
    others = tuple((name, repr(value)) for name, value in params.items() if name != "candidate")
    return item.parent, getattr(item, "originalname", item.name), others


def _judges(item: pytest.Item) -> bool:
    """Whether a test without a replaceable candidate still judges one."""
    return bool(_FIXTURES & set(getattr(item, "fixturenames", ()))) or item.get_closest_marker("reward") is not None
