"""The user property of a test's reports by which its reward and its record reach the process in which the run ends.

Plain types alone, as numbers and strings, survive pytest-xdist's channel, forks, reruns and JUnit files alike; without
pytest-xdist the way is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

    from pytest_rewardkit.ledger.record import Record

PROPERTY: Final = "rewardkit"
"""Its name. On a test's last report it is the record, in wire form; on an earlier one it is the number that the test
has earned by then, None for an unscored one. Where the run ends, it is taken off."""


def send(record: Record, carrier: pytest.Item | pytest.TestReport) -> None:
    """Leave `record` on the last report of a test, or on an item whose last report is about to be made."""
    carrier.user_properties.append((PROPERTY, record.to_wire()))


def send_value(value: float | None, report: pytest.TestReport) -> None:
    """Leave on an earlier report what the test's letter and word need, which are shown before its record arrives."""
    report.user_properties.append((PROPERTY, value))


def take_off(carrier: pytest.Item | pytest.TestReport) -> list[object]:
    """Take off what was left on `carrier`, and return it as the only item; none where that is nothing."""
    # Asked of each report, and most of them carry nothing.
    if not carrier.user_properties:
        return []
    found = left_on(carrier)
    if found:
        carrier.user_properties[:] = [entry for entry in carrier.user_properties if entry[0] != PROPERTY]
    return found


def left_on(carrier: pytest.Item | pytest.TestReport) -> list[object]:
    """Return what was left on `carrier`, and leave it there."""
    return [value for name, value in carrier.user_properties if name == PROPERTY]
