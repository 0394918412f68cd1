"""The user property of a test's reports that carries its reward and its record to the process where the run ends.

Only plain types such as numbers and strings survive pytest-xdist's channel, forks, reruns and JUnit files. Without
pytest-xdist the property is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

    from pytest_rewardkit.ledger.record import Record

PROPERTY: Final = "rewardkit"
"""Its name. On a test's last report it is the record in wire form. On an earlier report it is the number that the test
has earned so far, None for an unscored one. The process where the run ends removes it."""


def send(record: Record, carrier: pytest.Item | pytest.TestReport) -> None:
    """Leave `record` on the last report of a test, or on an item whose last report is about to be made."""
    carrier.user_properties.append((PROPERTY, record.to_wire()))


def send_value(value: float | None, report: pytest.TestReport) -> None:
    """Leave on an earlier report the value for the test's letter and word, shown before its record arrives."""
    report.user_properties.append((PROPERTY, value))


def take_off(carrier: pytest.Item | pytest.TestReport) -> list[object]:
    """Remove the property from `carrier`, and return its value as the only item; no item if there is none."""
    # This runs for each report, and most carry nothing.
    if not carrier.user_properties:
        return []
    found = left_on(carrier)
    if found:
        carrier.user_properties[:] = [entry for entry in carrier.user_properties if entry[0] != PROPERTY]
    return found


def left_on(carrier: pytest.Item | pytest.TestReport) -> list[object]:
    """Return the value of the property on `carrier`, and leave it there."""
    return [value for name, value in carrier.user_properties if name == PROPERTY]
