"""Reduces the rewards of several attempts at the same row or test to one number. Pure.

Estimators are unbiased: with n attempts of which c succeeded,

- pass@k, the chance that at least one of k attempts succeeds, is 1 - C(n-c, k) / C(n, k)
  (Chen et al. 2021, "Evaluating Large Language Models Trained on Code", arXiv:2107.03374, section 2.1);
- pass^k, the chance that all of k attempts succeed, is C(c, k) / C(n, k)
  (Yao et al. 2024, "tau-bench", arXiv:2406.12045, section 4).

Both are undefined, and None here, if n < k.
"""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.reward import Reward

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_OVER_REWARDS: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "mean": statistics.fmean,
    "max": max,
    "min": min,
    "median": statistics.median,
}
_OVER_SUCCESSES: Final[dict[str, Callable[[int, int, int], float]]] = {
    "pass_at": lambda n, c, k: 1 - comb(n - c, k) / comb(n, k),
    "pass_all": lambda n, c, k: comb(c, k) / comb(n, k),
    "at_least": lambda _, c, k: float(c >= k),
}
_COUNTED: Final = re.compile(rf"({'|'.join(_OVER_SUCCESSES)})_([1-9][0-9]{{0,5}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reducer:
    """A way to reduce several attempts' rewards to one number, by its name; see `parse_reducer`."""

    name: str
    kind: str
    k: int | None = None

    def __call__(self, rewards: Sequence[float | None], threshold: float = 1.0) -> float | None:
        """Returns the number, in [0, 1], or None if it is undefined.

        Parameters:
            rewards: of each attempt; None for an unscored one, which is left out because nothing can be said about it.
            threshold: the reward from which an attempt is a success.
        """
        scored = [reward for reward in rewards if reward is not None]
        if self.k is None:
            return _OVER_REWARDS[self.kind](scored) if scored else None
        if len(scored) < self.k:
            return None
        successes = sum(Reward(reward).reaches(threshold) for reward in scored)
        return _OVER_SUCCESSES[self.kind](len(scored), successes, self.k)

    @property
    def label(self) -> str:
        """The name in the field's notation: ``pass@5``, ``pass^3``, or else the name itself."""
        signs = {"pass_at": "@", "pass_all": "^"}
        return f"pass{signs[self.kind]}{self.k}" if self.kind in signs else self.name


def parse_reducer(name: str) -> Reducer:
    """Returns the reducer with that name.

    Parameters:
        name: ``mean``, ``max``, ``min``, ``median``; or, with a number k of attempts, ``pass_at_k`` (at least one of k
            succeeds), ``pass_all_k`` (all of k succeed), ``at_least_k`` (1.0 if k or more of all attempts did).

    Raises:
        RewardkitUsageError: there is none; the text names the nearest one.
    """
    if name in _OVER_REWARDS:
        return Reducer(name, name)
    if isinstance(name, str) and (counted := _COUNTED.fullmatch(name)):
        return Reducer(name, counted[1], int(counted[2]))
    if isinstance(name, str) and name.removesuffix("_k") in _OVER_SUCCESSES:
        raise RewardkitUsageError(f"reduce={name!r} needs a number of attempts for its k, such as {name[:-1]}3")
    known = [*_OVER_REWARDS, *(f"{kind}_3" for kind in _OVER_SUCCESSES)]
    raise RewardkitUsageError(f"no reducer {name!r}{did_you_mean(str(name), known)}")
