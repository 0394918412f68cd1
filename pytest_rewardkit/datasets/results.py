"""The results of a dataset's evaluation. Pure."""

from __future__ import annotations

import json
import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.ledger.reduce import parse_reducer
from pytest_rewardkit.ledger.reward_fields import part_to_fields
from pytest_rewardkit.reward import Verdict

if TYPE_CHECKING:
    from pytest_rewardkit.reward import Reward


@dataclass(frozen=True, slots=True)
class RowResult:
    """The result of one candidate for one row.

    Parameters:
        id: of the row.
        attempt: the number of the candidate for the row, from 1.
        reward: of the candidate.
        seconds: the time that judging took, including the creation of its sandbox.
    """

    id: str
    attempt: int
    reward: Reward
    seconds: float

    def to_json(self) -> str:
        """Returns the result as one line of ASCII JSON."""
        data: dict[str, Any] = {
            "id": self.id,
            "attempt": self.attempt,
            "reward": self.reward.value,
            "verdict": self.reward.verdict.value,
            "reason": self.reward.reason,
            "seconds": round(self.seconds, 6),
            "parts": [part_to_fields(part) for part in self.reward.parts],
        }
        return json.dumps(data, ensure_ascii=True, allow_nan=False)


class EvaluationResults(Sequence[RowResult]):
    """The results of an evaluation, in the order of the rows, and the figures over them.

    Parameters:
        rows: the results.
        planned: how many results there would be if the evaluation had not been stopped.
    """

    def __init__(self, rows: Sequence[RowResult], *, planned: int | None = None) -> None:
        self._rows = tuple(rows)
        self.planned = len(self._rows) if planned is None else planned

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    @property
    def rewards(self) -> list[float | None]:
        """The number of each result; None if it is unscored."""
        return [result.reward.value for result in self._rows]

    @property
    def scored(self) -> list[float]:
        """The numbers of the results that have one."""
        return [value for value in self.rewards if value is not None]

    @property
    def mean(self) -> float | None:
        """The mean over the scored results; None if there are none."""
        return statistics.fmean(self.scored) if self.scored else None

    @property
    def strict_mean(self) -> float | None:
        """The mean over all results, unscored ones as 0; None if there are none."""
        return math.fsum(self.scored) / len(self) if len(self) else None

    @property
    def standard_error(self) -> float | None:
        """The standard error of the mean, from the sample's deviation (n - 1); None for fewer than two scored.

        Several candidates for one row are not independent. Then rows are the sample, and their means count.
        """
        by_row = [value for value in map(_mean, self._by_row().values()) if value is not None]
        return statistics.stdev(by_row) / math.sqrt(len(by_row)) if len(by_row) > 1 else None

    @property
    def verdicts(self) -> dict[str, int]:
        """How many results have each verdict, in the order of `Verdict`."""
        counts = Counter(result.reward.verdict for result in self._rows)
        return {verdict.value: counts[verdict] for verdict in Verdict if counts[verdict]}

    def reduced(self, reduce: str, *, threshold: float = 1.0) -> float | None:
        """Returns the mean over rows, with the candidates for one row reduced to one number, such as ``pass_at_5``.

        Parameters:
            reduce: a reducer (ledger/reduce.py).
            threshold: the reward from which a candidate succeeds.

        Returns:
            None if it is undefined for a row with too few scored candidates.
        """
        reducer = parse_reducer(reduce)
        values = [reducer(rewards, threshold) for rewards in self._by_row().values()]
        known = [value for value in values if value is not None]
        return statistics.fmean(known) if known and len(known) == len(values) else None

    def _by_row(self) -> dict[str, list[float | None]]:
        rows: dict[str, list[float | None]] = {}
        for result in self._rows:
            rows.setdefault(result.id, []).append(result.reward.value)
        return rows

    def __str__(self) -> str:
        if self.mean is None:
            figures = "no mean"
        else:
            error = "" if self.standard_error is None else f" ± {self.standard_error:.3f}"
            strict = "" if self.strict_mean == self.mean else f", {self.strict_mean:.3f} with unscored as 0,"
            figures = f"mean {self.mean:.3f}{error}{strict}"
        counts = ", ".join(f"{count} {name}" for name, count in self.verdicts.items())
        stopped = f" of {self.planned}" if self.planned != len(self) else ""
        return f"{figures} over {len(self)}{stopped} candidates" + (f": {counts}" if counts else "")

    def __repr__(self) -> str:
        return f"<EvaluationResults: {self}>"


def _mean(rewards: list[float | None]) -> float | None:
    scored = [reward for reward in rewards if reward is not None]
    return statistics.fmean(scored) if scored else None
