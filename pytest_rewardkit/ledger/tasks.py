"""Combines attempts at one task into one test, whose reward is their rewards reduced to one number. Pure."""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import counted, shown
from pytest_rewardkit.ledger.reduce import parse_reducer
from pytest_rewardkit.ledger.test import CRASHED, Test
from pytest_rewardkit.reward import Part, Reward, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_rewardkit.ledger.reduce import Reducer

_TOKEN: Final = re.compile(r"(?<=[\[-])attempt[0-9]+(?=[-\]])", re.ASCII)
_SHOWN: Final = 8
"""How many rewards of attempts a reason lists."""


class ReducedTest(Test):
    """A test with several attempts, each a test of its own.

    Parameters:
        node_id: the common part of the attempts' node ids.
        members: the attempts, in the order of collection; at least one of them left a record.
    """

    __slots__ = ("__dict__", "_members")
    __test__ = False

    def __init__(self, node_id: str, members: Sequence[Test]) -> None:
        super().__init__(node_id, [result for member in members for result in member.results])
        self._members = members

    @property
    def members(self) -> Sequence[Test]:
        return self._members

    @property
    def crashed(self) -> bool:
        return False

    @cached_property
    def reducer(self) -> Reducer:
        """How the attempts' rewards become one number."""
        record = self.known
        assert record is not None and record.reduce is not None
        return parse_reducer(record.reduce)

    @property
    def threshold(self) -> float:
        """The reward from which an attempt is a success."""
        record = self.known
        return 1.0 if record is None or record.threshold is None else record.threshold

    @cached_property
    def reward(self) -> Reward:
        """The reduced reward of the attempts, with a part for each; unscored if it is not defined."""
        values = [member.value for member in self._members]
        value = self.reducer(values, self.threshold)
        return Reward(value, tuple(map(_part, self._members)), self._verdict(value), self._why(values, value))

    @property
    def value(self) -> float | None:
        return self.reward.value

    @cached_property
    def strict(self) -> float:
        return self.reducer([member.strict for member in self._members], self.threshold) or 0.0

    @property
    def earned(self) -> list[float]:
        return [] if self.value is None else [self.value]

    @property
    def weight(self) -> float:
        return 1.0 if self.known is None else self.known.weight

    @property
    def passed(self) -> bool:
        """Whether pytest let all attempts pass, or their reduced reward reaches the threshold."""
        if self.value is None:
            return False
        return all(member.passed for member in self._members) or Reward(self.strict).reaches(self.threshold)

    @property
    def verdict(self) -> str:
        """The verdict; `CRASHED` if an attempt was lost with its worker, whatever the result of the others."""
        return CRASHED if any(member.crashed for member in self._members) else self.reward.verdict.value

    @property
    def why(self) -> str:
        return self.cause

    @property
    def faulty(self) -> bool:
        return any(member.faulty for member in self._members)

    @property
    def unscored(self) -> int:
        return sum(member.unscored for member in self._members) or int(self.value is None)

    @property
    def reruns(self) -> int:
        return sum(member.reruns for member in self._members)

    def _verdict(self, value: float | None) -> Verdict:
        if value is None:
            return Verdict.UNSCORED
        if value > 0:
            return Verdict.PASSED if value == 1 else Verdict.PARTIAL
        found = [reward.verdict for member in self._members if (reward := member.reward) is not None]
        # An attempt may have earned something without being a success.
        lost = [verdict for verdict in found if verdict not in (Verdict.PASSED, Verdict.PARTIAL, Verdict.UNSCORED)]
        return max(lost, key=lost.count, default=Verdict.WRONG_OUTPUT)

    def _why(self, values: Sequence[float | None], value: float | None) -> str:
        listed = ", ".join(map(shown, values[:_SHOWN])) + (", ..." if len(values) > _SHOWN else "")
        undefined = "" if value is not None else " is not defined"
        return f"{self.reducer.label} of {counted(len(values), 'attempt')}{undefined}: {listed}"


def tasks(tests: Iterable[Test]) -> list[Test]:
    """Return `tests`, with the attempts at one task as one `ReducedTest` in the place of the first attempt."""
    tests = list(tests)
    task_ids = {record.task for test in tests if (record := test.known) is not None and record.task is not None}
    if not task_ids:
        return tests
    members: dict[str, list[Test]] = {}
    for test in tests:
        members.setdefault(_task_of(test, task_ids), []).append(test)
    return [
        ReducedTest(task_id, together) if task_id in task_ids else together[0] for task_id, together in members.items()
    ]


@dataclass(frozen=True, slots=True)
class Reduction:
    """The result of the attempts at the tasks of one function.

    Parameters:
        function: the node id of the function.
        label: the reducer's, in the field's notation.
        value: the mean over the tasks; None if it is undefined for one of them.
        count: how many tasks there are.
        undefined: for how many of them it is undefined.
    """

    function: str
    label: str
    value: float | None
    count: int
    undefined: int


def reductions(tests: Iterable[Test]) -> list[Reduction]:
    """Return the results of attempts, function by function, in the order of their tests.

    Parameters:
        tests: from `tasks`; tests that are not tasks are skipped.
    """
    groups: dict[tuple[str, str], list[float | None]] = {}
    for test in tests:
        if isinstance(test, ReducedTest):
            groups.setdefault((test.node_id.partition("[")[0], test.reducer.label), []).append(test.value)
    found = []
    for (function, label), values in groups.items():
        known = [value for value in values if value is not None]
        mean = statistics.fmean(known) if len(known) == len(values) else None
        found.append(Reduction(function, label, mean, len(values), len(values) - len(known)))
    return found


def task_id(node_id: str, number: int, *, of_row: bool) -> str:
    """Return the common node id of all attempts at one task, given that of attempt `number`.

    Parameters:
        of_row: whether the attempts are at a row, whose id precedes the attempt's and may look like one.
    """
    found = [match for match in _TOKEN.finditer(node_id) if match[0] == f"attempt{number}"]
    return _without(node_id, found[-1 if of_row else 0]) if found else node_id


def _task_of(test: Test, task_ids: set[str]) -> str:
    if (record := test.known) is not None:
        return test.node_id if record.task is None else record.task
    # A crashed test leaves only its name.
    shortened = (_without(test.node_id, match) for match in _TOKEN.finditer(test.node_id))
    return next((name for name in shortened if name in task_ids), test.node_id)


def _without(node_id: str, token: re.Match[str]) -> str:
    """Return `node_id` without one of the names in its brackets, and without brackets that become empty."""
    before, after = node_id[: token.start()], node_id[token.end() :]
    if before.endswith("-"):
        return before[:-1] + after
    return before[:-1] + after[1:] if after.startswith("]") else before + after[1:]


def _part(member: Test) -> Part:
    found = _TOKEN.findall(member.node_id)
    name = found[-1].replace("attempt", "attempt ") if found else member.node_id
    reward = member.reward
    return Part(
        name,
        member.value,
        verdict=Verdict.UNSCORED if reward is None else reward.verdict,
        reason=member.cause,
    )
