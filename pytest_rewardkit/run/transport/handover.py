"""How a test's reward and record leave the process in which the test ran, and how they arrive where the run ends.

Both are user properties of the test's reports, because plain types alone, as numbers and strings, survive
pytest-xdist's channel, forks, reruns and JUnit files alike.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, cast

from pytest_rewardkit.ledger.record import Record, SandboxUse
from pytest_rewardkit.run.worker.row_attempt import tell_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

    from pytest_rewardkit.reports.properties import Property
    from pytest_rewardkit.reward import Reward
    from pytest_rewardkit.run.worker.recorder import Recorder

PROPERTY: Final = "rewardkit"
"""The user property of a test's last report that is its record, in wire form; on an earlier report it is the number
that the test has earned by then, None for an unscored one. Where the run ends, it is taken off."""


_PARAMS: Final = 20
_PARAM_LIMIT: Final = 200
"""Parameters of a test that are kept, and characters that one of them may have."""


class Handover:
    """Both ends of the way of records in one process; what is handed over within it need not be decoded."""

    def __init__(self) -> None:
        self._given: tuple[str, Record] | None = None

    @staticmethod
    def note(report: pytest.TestReport, value: float | None) -> None:
        """Leave on `report` what the test's letter and word need, which are shown before its record arrives."""
        report.user_properties.append((PROPERTY, value))

    @staticmethod
    def take_note(report: pytest.TestReport) -> list[float | None]:
        """Take off `report` what `note` left there, and return it as the only item; none where it left nothing."""
        notes = [value for name, value in report.user_properties if name == PROPERTY]
        if notes:
            _take_off(report.user_properties)
        return cast("list[float | None]", notes)

    def give(self, item: pytest.Item, attempt: Recorder) -> None:
        """Leave the record of `attempt` on `item`, whose last report is about to be made; some leave none."""
        reward = attempt.concluded()
        if reward is None and not attempt.sandboxes and attempt.skipped_in is None:
            return
        record = record_of(item, attempt, reward)
        modified = _modify(item, record)
        wire = record.to_wire()
        # What has details may lose some on its way, and what others modify may not be what it should.
        self._given = None if modified or record.has_details else (wire, record)
        item.user_properties.append((PROPERTY, wire))

    def take_back(self, item: pytest.Item) -> None:
        """Leave nothing of an earlier attempt on `item`."""
        if item.user_properties:
            _take_off(item.user_properties)

    def take(self, report: pytest.TestReport, instead: Callable[[Record], list[Property]]) -> tuple[Record | None, str]:
        """Return the record that `report` brings, and its wire form; None and "" when it brings none.

        Parameters:
            instead: gives the properties that take its place on the report.
        """
        for position, (name, value) in enumerate(report.user_properties):
            if name == PROPERTY:
                wire = str(value)
                given, self._given = self._given, None
                record = given[1] if given is not None and given[0] is wire else Record.from_wire(wire)
                report.user_properties[position : position + 1] = instead(record)
                return record, wire
        return None, ""


def _take_off(properties: list[tuple[str, object]]) -> None:
    properties[:] = [entry for entry in properties if entry[0] != PROPERTY]


def record_of(item: pytest.Item, attempt: Recorder, reward: Reward | None) -> Record:
    """Return the record of an attempt at `item` that came to `reward`."""
    record = Record(reward, group=attempt.skipped_in)
    if attempt.sandboxes:
        record.sandboxes = tuple(SandboxUse(*use) for use in attempt.sandboxes)
    record.threshold = attempt.threshold
    record.fault = attempt.is_faulty
    if (marker := attempt.marker) is not None:
        record.weight = marker.weight
        record.group = marker.group
        record.must_pass = marker.must_pass
    if (callspec := getattr(item, "callspec", None)) is not None:
        record.params = _plain(callspec.params)
    tell_record(item, record, reduce=marker.reduce if marker is not None else "mean")
    return record


def _plain(params: Mapping[str, object]) -> dict[str, str]:
    """Return the parameters by which tests of other runs can be found again; attempts are none."""
    found = {
        name: str(value) for name, value in params.items() if name != "attempt" and isinstance(value, str | int | float)
    }
    return {name: value for name, value in islice(found.items(), _PARAMS) if len(name) + len(value) <= _PARAM_LIMIT}


def _modify(item: pytest.Item, record: Record) -> bool:
    """Let other plugins modify `record`, and return whether there are any that do."""
    # To find that nobody implements a hook takes longer below a directory than for the whole session.
    if not item.config.hook.pytest_rewardkit_modify_record.get_hookimpls():
        return False
    item.ihook.pytest_rewardkit_modify_record(item=item, record=record)
    return True
