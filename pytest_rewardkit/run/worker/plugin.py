"""The hooks around a test: it gets a new recorder, its marker's threshold decides, and its record leaves with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pytest_rewardkit import turn
from pytest_rewardkit.pytest_internals import PYTHON_MODULE
from pytest_rewardkit.run.transport import node_ids, user_property
from pytest_rewardkit.run.worker import mistakes
from pytest_rewardkit.run.worker.recorder import Recorder
from pytest_rewardkit.run.worker.recorder_of import RECORDER, recorder_of
from pytest_rewardkit.run.worker.row_attempt import is_of_row
from pytest_rewardkit.run.worker.server_watch import watch_of

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from pytest_rewardkit.run.worker.failures import Failures
    from pytest_rewardkit.scorers.languages.table import Language


_SANDBOXES: Final = frozenset({"sandbox", "async_sandbox", "sandbox_factory"})


class WorkerPlugin:
    """The hooks around a test.

    Parameters:
        failures: explains failures if rewards are reported; None leaves nothing on the reports.
        threshold: the reward from which tests pass that name no threshold; None if each assert decides.
        languages: the languages that the project adds, by name.
    """

    def __init__(
        self,
        failures: Failures | None,
        threshold: float | None = None,
        languages: Mapping[str, Language] | None = None,
    ) -> None:
        self._failures = failures
        self._threshold = threshold
        self._languages = languages or {}
        self._deselected = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if self._failures is not None:
            node_ids.tell_apart(session)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self._deselected += len(items)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._failures is not None and hasattr(session.config, "workeroutput"):
            from pytest_rewardkit.run.controller.narrowing import DESELECTED

            session.config.workeroutput[DESELECTED] = self._deselected

    # Few wrappers: pluggy takes three times as long for one as for a plain hook.
    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        turn.enter(self._new_recorder(item))
        try:
            return (yield)
        finally:
            turn.leave()
            # pytest keeps all items, and with them the output of candidates, until the session ends.
            del item.stash[RECORDER]

    # In a wrapper, a failure before the other hooks have set up would make their teardown fail too.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if (watch := watch_of(item.config)) is not None:
            watch.note_beginning()
        if wrong := _read_marker(item, recorder_of(item)):
            pytest.fail(f"{item.nodeid}: {wrong}", pytrace=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        recorder = recorder_of(item)
        try:
            with mistakes.awaited(item):
                result = yield
        except pytest.skip.Exception:
            recorder.discard()
            raise
        if wrong := _read_marker(item, recorder):
            pytest.fail(f"{item.nodeid}: {wrong}", pytrace=False)
        if recorder.threshold is not None and (reward := recorder.concluded()) is not None:
            from pytest_rewardkit.reports.failure import under_threshold

            # An unscored reward raises here.
            if not reward.reaches(recorder.threshold):
                pytest.fail(under_threshold(reward, recorder.threshold), pytrace=False)
        return result

    # Outermost, so that a test's expected failures are known when a failure is explained.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        recorder = recorder_of(item)
        kept_quiet = call.excinfo is None
        if _is_skipped_in_setup(call):
            recorder.discard()
        _blame_server(item, call, recorder)
        brief = "" if call.excinfo is None else mistakes.explain(call.excinfo, item.config)
        if call.when == "teardown":
            self._send_record(item, recorder)
        report = yield
        node_ids.name(report, item)
        # Immediately, so that a paid answer is not lost if this process dies in the test.
        if recorder.properties:
            report.user_properties += recorder.properties
            recorder.properties.clear()
        if call.excinfo is not None and report.failed:
            _reword(report, call.excinfo, brief)
        # Only after the yield does the call hold the exceptions that unittest's test cases keep to themselves.
        if call.excinfo is not None and call.when != "teardown":
            if not isinstance(call.excinfo.value, pytest.skip.Exception):
                _read_marker(item, recorder)
                _note(recorder, call.excinfo, item, in_call=call.when == "call")
            elif kept_quiet:
                recorder.discard()
        if call.when == "teardown":
            self._renew(item)
        elif call.when == "call" or report.failed:
            self._send_value(item, report, recorder)
        return report

    def _send_value(self, item: pytest.Item, report: pytest.TestReport, recorder: Recorder) -> None:
        if self._failures is None or (reward := recorder.concluded()) is None:
            return
        user_property.send_value(reward.value, report)
        if report.when == "call":
            self._failures.explain(item, report, reward)

    def _send_record(self, item: pytest.Item, recorder: Recorder) -> None:
        if self._failures is None:
            return
        from pytest_rewardkit.run.worker.records import final_record

        if (record := final_record(item, recorder)) is not None:
            user_property.send(record, item)

    def _renew(self, item: pytest.Item) -> None:
        """Take what a run has left off the item, which a rerun uses again."""
        turn.leave()
        turn.enter(self._new_recorder(item))
        if self._failures is not None:
            user_property.take_off(item)

    def _new_recorder(self, item: pytest.Item) -> Recorder:
        recorder = item.stash[RECORDER] = Recorder(default=self._threshold)
        recorder.languages = self._languages
        recorder.expects_reward = "reward" in getattr(item, "fixturenames", ()) or is_of_row(item)
        return recorder


def _reword(report: pytest.TestReport, excinfo: pytest.ExceptionInfo[BaseException], brief: str) -> None:
    """Reduce the report of a mistake to `brief`, and drop the exception's name before a reward that is too low."""
    if brief:
        report.longrepr = brief
        return
    crash = getattr(report.longrepr, "reprcrash", None)
    raised_in = [entry.frame.f_globals.get("__name__") for entry in excinfo.traceback[-1:]]
    if crash is not None and (raised_in == ["pytest_rewardkit.assertion"] or _failed_by(excinfo, __name__)):
        crash.message = crash.message.removeprefix("AssertionError: ").removeprefix("Failed: ")


def _is_skipped_in_setup(call: pytest.CallInfo[None]) -> bool:
    return call.when == "setup" and call.excinfo is not None and isinstance(call.excinfo.value, pytest.skip.Exception)


def _blame_server(item: pytest.Item, call: pytest.CallInfo[None], recorder: Recorder) -> None:
    """Name a dead server as the cause of what a test has raised or recorded, before other plugins see that."""
    if call.when == "teardown" or not (call.excinfo is not None or recorder.has_unscored):
        return
    if (watch := watch_of(item.config)) is not None:
        watch.add_cause(None if call.excinfo is None else call.excinfo.value, recorder)


def _read_marker(item: pytest.Item, recorder: Recorder) -> str | None:
    """Give `recorder` what the test's markers say now, or return what is wrong with them.

    Fixtures and the test itself may have added markers.
    """
    applied = list(item.iter_markers("reward"))
    if len(applied) == recorder.markers_read:
        return None
    recorder.markers_read = len(applied)
    from pytest_rewardkit.errors import RewardkitUsageError
    from pytest_rewardkit.markers import reward_marker

    try:
        marker = reward_marker([(mark.args, mark.kwargs) for mark in applied])
        if not is_of_row(item):
            marker.check_attempts()
        recorder.marker = marker
        marker.check_success(recorder.threshold)
    except RewardkitUsageError as error:
        wrong = f"@pytest.mark.reward: {error}"
        recorder.note_unscored(wrong)
        return wrong
    return None


def _uses_sandbox(item: pytest.Item) -> bool:
    """Whether the test uses a sandbox, and therefore usually has a candidate."""
    return not _SANDBOXES.isdisjoint(getattr(item, "fixturenames", ()))


def _has_candidate(item: pytest.Item) -> bool:
    """Whether the test has a candidate to judge in a sandbox, even if it has not reached that point."""
    return _uses_sandbox(item) and "candidate" in getattr(item, "fixturenames", ())


def _note(
    recorder: Recorder, excinfo: pytest.ExceptionInfo[BaseException], item: pytest.Item, *, in_call: bool
) -> None:
    """Note what an exception says about the candidate, after it ended a phase of the test or one of its subtests."""
    error = excinfo.value
    from pytest_rewardkit.errors import UnscoredError
    from pytest_rewardkit.text import one_line

    cause = one_line(str(error), 300)
    if isinstance(error, UnscoredError):
        recorder.note_unscored(cause)
    elif _failed_by(excinfo, PYTHON_MODULE):
        recorder.note_unscored(f"pytest could not run the test: {cause}")
    elif _failed_by(excinfo, "pytest_timeout"):
        # The limit covers the whole test, not the candidate alone, so the fault is not known.
        recorder.note_unscored(f"pytest-timeout ended the test, and that says nothing about its candidate: {cause}")
    elif (
        in_call
        and isinstance(error, AssertionError | pytest.fail.Exception | pytest.xfail.Exception)
        # A mistake in the use of one of our fixtures.
        and not _failed_by(excinfo, "pytest_rewardkit.fixtures")
    ):
        recorder.note_wrong(cause)
    elif (
        recorder.marker is not None
        or recorder.expects_reward
        or recorder.reward is not None
        or _has_candidate(item)
        or (_uses_sandbox(item) and _is_lost(error))
    ):
        # Only an assertion judges. Any other exception says nothing about the candidate.
        recorder.note_unscored(f"the test raised {type(error).__name__}: {cause}")


def _is_lost(error: BaseException) -> bool:
    """Whether the test ended because its sandbox was lost or not reached, before it could record anything."""
    from pytest_rewardkit.sandboxes.failures import is_of_infrastructure, is_of_service

    return is_of_infrastructure(error) and is_of_service(error)


def _failed_by(excinfo: pytest.ExceptionInfo[BaseException], module: str) -> bool:
    """Whether a module of pytest or of a plugin failed the test, by where the exception was raised, not by its text."""
    return isinstance(excinfo.value, pytest.fail.Exception) and any(
        entry.frame.f_globals.get("__name__") == module for entry in excinfo.traceback[-2:]
    )
