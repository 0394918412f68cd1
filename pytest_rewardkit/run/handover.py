"""How a test's record leaves the process in which the test ran: as a user property of its last report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_rewardkit.datasets.plugin import task_of, trial_of
from pytest_rewardkit.run.record import Record, SandboxUse
from pytest_rewardkit.run.recording import RECORD_PROPERTY

if TYPE_CHECKING:
    import pytest

    from pytest_rewardkit.run.recorder import Recorder


def hand_over(item: pytest.Item, attempt: Recorder) -> None:
    """Leave the record of `attempt` on `item`, whose last report is about to be made; some leave none."""
    reward = attempt.concluded()
    if reward is None and not attempt.sandboxes:
        return
    record = Record(reward)
    if attempt.sandboxes:
        record.sandboxes = tuple(SandboxUse(waited, start) for waited, start in attempt.sandboxes)
    if (marker := attempt.marker) is not None:
        record.threshold = marker.threshold
        record.weight = marker.weight
        record.group = marker.group
        record.must_pass = marker.must_pass
    trial = trial_of(item)
    if trial is not None:
        record.row = trial.row_id
    if (task := task_of(item, trial)) is not None:
        record.task = task
        record.reduce = marker.reduce if marker is not None else "mean"
    # To find that nobody implements a hook takes longer below a directory than for the whole session.
    if item.config.hook.pytest_rewardkit_modify_record.get_hookimpls():
        item.ihook.pytest_rewardkit_modify_record(item=item, record=record)
    item.user_properties.append((RECORD_PROPERTY, record.to_wire()))
