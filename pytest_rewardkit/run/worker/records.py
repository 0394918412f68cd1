"""What a test leaves behind each time that it has run, made from what it recorded and from the item."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.ledger.model_use import together
from pytest_rewardkit.ledger.record import Record, SandboxUse
from pytest_rewardkit.ledger.step import kept
from pytest_rewardkit.run.worker.row_attempt import tell_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from pytest_rewardkit.reward import Reward
    from pytest_rewardkit.run.worker.recorder import Recorder

_SAID: Final = (str, int, float)
"""Types of parameters that identify a test."""
_PARAMS: Final = 20
_PARAM_LIMIT: Final = 200
"""How many parameters of a test are kept, and how many characters of each."""


def final_record(item: pytest.Item, recorder: Recorder) -> Record | None:
    """Return the record of `item` after its run, as changed by other plugins; None if it has nothing to report."""
    reward = recorder.concluded()
    if reward is None and not recorder.sandboxes and not recorder.asked and recorder.skipped_in is None:
        return None
    record = record_of(item, recorder, reward)
    # Finding the test's conftest files takes longer than everything else here.
    if item.config.hook.pytest_rewardkit_modify_record.get_hookimpls():
        item.ihook.pytest_rewardkit_modify_record(item=item, record=record)
    return record


def record_of(item: pytest.Item, recorder: Recorder, reward: Reward | None) -> Record:
    """Return the record of `item`, which earned `reward`."""
    record = Record(reward, group=recorder.skipped_in)
    if recorder.sandboxes:
        record.sandboxes = tuple(SandboxUse(*use) for use in recorder.sandboxes)
    if recorder.asked:
        record.asked = together(recorder.asked)
    if recorder.steps:
        record.steps = kept(recorder.steps)
    record.threshold = recorder.threshold
    record.fault = recorder.is_faulty
    if (marker := recorder.marker) is not None:
        record.weight = marker.weight
        record.group = marker.group
        record.must_pass = marker.must_pass
    if (callspec := getattr(item, "callspec", None)) is not None:
        record.params = _plain(callspec.params)
    tell_record(item, record, reduce=marker.reduce if marker is not None else "mean")
    return record


def _plain(params: Mapping[str, object]) -> dict[str, str]:
    """Return the parameters that identify the test in other runs; an attempt is not one of them."""
    found = {name: str(value) for name, value in params.items() if isinstance(value, _SAID) and name != "attempt"}
    return {name: value for name, value in islice(found.items(), _PARAMS) if len(name) + len(value) <= _PARAM_LIMIT}
