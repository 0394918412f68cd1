"""Rewards as pure values: a number in [0, 1] with its parts and a verdict, or *unscored*.

A value that exists is valid: numbers are finite and in range, texts are bounded, and verdict and value agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, SupportsFloat, cast

from pytest_rewardkit.errors import RewardkitUsageError, UnscoredError
from pytest_rewardkit.like_float import LikeFloat
from pytest_rewardkit.reward_values import checked_text, checked_value, checked_weight, number_of
from pytest_rewardkit.text import excerpt, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_rewardkit.evidence import Evidence

NAME_LIMIT: Final = 200
REASON_LIMIT: Final = 500
TEXT_LIMIT: Final = 4000
"""Characters kept of a part's `expected`, `actual` and `stderr`."""

# A mean of floats may miss its exact value by a few units in the last place, which must not decide a threshold.
_TOLERANCE: Final = 1e-9


class Verdict(StrEnum):
    """Why a reward is what it is."""

    PASSED = "passed"
    PARTIAL = "partial"
    WRONG_OUTPUT = "wrong_output"
    RUNTIME_ERROR = "runtime_error"
    COMPILE_ERROR = "compile_error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    NO_CODE = "no_code"
    UNSCORED = "unscored"


_DERIVED: Final = cast("Verdict", None)
_SAID_BY_VALUE: Final = (Verdict.PASSED, Verdict.PARTIAL, Verdict.UNSCORED)


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a reward: a case, a file, an insight, a criterion.

    Parameters:
        name: what the part checks, at most 200 characters.
        value: a number in [0, 1], or None if the infrastructure failed.
        weight: how much it counts among the parts of its reward, 0 or more.
        verdict: why the value is what it is; by default derived from the value.
        reason: one sentence for people, at most 500 characters.
        expected, actual, stderr: texts to show, cut to 4000 characters each.
        duration: seconds that the check took.

    Raises RewardkitUsageError, a ValueError, that names the part, for invalid arguments.
    """

    name: str
    value: float | None
    weight: float = field(default=1.0, kw_only=True)
    verdict: Verdict = field(default=_DERIVED, kw_only=True)
    reason: str = field(default="", kw_only=True)
    expected: str | None = field(default=None, kw_only=True)
    actual: str | None = field(default=None, kw_only=True)
    stderr: str | None = field(default=None, kw_only=True)
    duration: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        assign = object.__setattr__
        checked_text(self.name, "the name of a part")
        checked_text(self.reason, f"the reason of part {self.name!r}")
        name = excerpt(self.name, NAME_LIMIT)
        place = f"part {name!r}"
        assign(self, "name", name)
        assign(self, "value", checked_value(self.value, place))
        assign(self, "weight", checked_weight(self.weight, place))
        assign(self, "verdict", _checked_verdict(self.verdict, self.value, place))
        assign(self, "reason", excerpt(self.reason, REASON_LIMIT))
        for text in ("expected", "actual", "stderr"):
            if (content := getattr(self, text)) is not None:
                assign(self, text, excerpt(content, TEXT_LIMIT))
        if self.duration is not None and not (math.isfinite(self.duration) and self.duration >= 0):
            raise RewardkitUsageError(
                f"{place}: duration must be a number of seconds, 0 or more, not {self.duration!r}"
            )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reward(LikeFloat):
    """The judgement of one candidate: a number in [0, 1] with its parts and a verdict, or *unscored*.

    It compares, formats and calculates as its number. An unscored reward has the value None; using it as a number
    raises `UnscoredError`.

    Parameters:
        value: a number in [0, 1], or None if the infrastructure failed.
        parts: the components, in the order in which they were checked.
        verdict: why the value is what it is; by default derived from the value.
        reason: one sentence for people, at most 500 characters; for an unscored reward, the cause.
        evidence: what the scorers judged, for people who look into a failure.

    Raises RewardkitUsageError, a ValueError, for a value that is not finite or not in [0, 1], and for a verdict that
    contradicts the value.
    """

    value: float | None
    parts: tuple[Part, ...] = ()
    verdict: Verdict = _DERIVED
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        # A run creates thousands, and nearly all of them are valid.
        assign = object.__setattr__
        if not _is_plain(self.value):
            assign(self, "value", checked_value(self.value, "reward"))
        if type(self.parts) is not tuple:
            assign(self, "parts", tuple(self.parts))
        if self.verdict is not _derived(self.value):
            assign(self, "verdict", _checked_verdict(self.verdict, self.value, "reward"))
        if len(self.reason) > REASON_LIMIT:
            assign(self, "reason", excerpt(self.reason, REASON_LIMIT))

    @classmethod
    def from_parts(cls, parts: Iterable[Part], reason: str = "") -> Reward:
        """Return the reward that is the weighted mean of `parts`: sum(weight * value) / sum(weight).

        A part without a value makes the whole unscored, with that part's reason as the cause. Parts of weight 0 are
        kept for show and decide nothing. Raises RewardkitUsageError if no part has a weight over 0.
        """
        parts = tuple(parts)
        decisive = [part for part in parts if part.weight > 0]
        if not decisive:
            raise RewardkitUsageError(
                "a reward needs at least one part with a weight over 0" + (", not only 0" if parts else "")
            )
        for part in decisive:
            if part.value is None:
                return cls(None, parts, reason=reason or part.reason)
        # Weights are divided by the largest, so that their sum does not overflow.
        largest = max(part.weight for part in decisive)
        shares = [part.weight / largest for part in decisive]
        value = math.fsum(share * float(part.value or 0) for share, part in zip(shares, decisive, strict=True))
        value /= math.fsum(shares)
        # The ends are exact, whatever the rounding of the mean.
        if all(part.value == 1.0 for part in decisive):
            value = 1.0
        elif value >= 1.0:
            value = math.nextafter(1.0, 0.0)
        if value > 0:
            return cls(value, parts, reason=reason)
        first = decisive[0]
        verdict = first.verdict if first.value == 0 else Verdict.WRONG_OUTPUT
        return cls(0.0, parts, verdict, reason or first.reason)

    @classmethod
    def unscored(cls, cause: str) -> Reward:
        """Return the reward of a candidate about which nothing can be said, because of `cause`."""
        return cls(None, reason=cause)

    def reaches(self, threshold: float) -> bool:
        """Whether the value is at least `threshold`, apart from rounding errors of a mean. Raises UnscoredError."""
        return float(self) >= threshold - _TOLERANCE

    def to_evaluate_result(self) -> dict[str, Any]:
        """Return the reward in the shape of reward-kit's `EvaluateResult`: plain data, with the parts as metrics.

        An unscored reward has ``is_score_valid`` false, a score of 0 and its cause as ``error``; a wrong one is valid.
        """
        return {
            "score": self.value or 0.0,
            "is_score_valid": self.value is not None,
            "reason": self.reason or self.verdict.value,
            "metrics": {
                part.name: {
                    "score": part.value or 0.0,
                    "is_score_valid": part.value is not None,
                    "reason": part.reason or part.verdict.value,
                }
                for part in self.parts
            },
            "error": None if self.value is not None else self.reason or "the reward is unscored",
        }

    def __float__(self) -> float:
        if self.value is None:
            raise UnscoredError(self.reason or "the reward is unscored")
        return self.value

    def __str__(self) -> str:
        return "unscored" if self.value is None else str(self.value)

    def __repr__(self) -> str:
        parts = f", {len(self.parts)} parts" if self.parts else ""
        return f"<Reward {self} {self.verdict}{parts}>" if self.value is not None else f"<Reward unscored{parts}>"

    def __format__(self, specification: str) -> str:
        return "unscored" if self.value is None else format(self.value, specification)

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        return bool(self.value == (other.value if isinstance(other, Reward) else other))


Weighted = Reward | float | tuple[Reward | float, float]
"""A reward, or a reward with its weight (default 1)."""


def weighted(rewards: Mapping[str, Weighted] | None = None, /, **named: Weighted) -> Reward:
    """Return the weighted mean of several rewards as one, with all their parts.

    Parameters:
        rewards: name to reward, or name to (reward, weight); `weighted(tests=(r1, 3), style=r2)` means the same.

    Returns a reward whose parts are named ``tests/<part>``, with weights scaled so that each reward counts by its own
    weight. Raises RewardkitUsageError for negative weights, or if no weight is over 0.

    >>> weighted(tests=(Reward(1.0), 3), style=Reward(0.0)).value
    0.75
    """
    components: list[Part] = []
    details: list[Part] = []
    evidence: list[Evidence] = []
    for name, entry in ({**rewards, **named} if rewards else named).items():
        given, weight = entry if isinstance(entry, tuple) else (entry, 1.0)
        reward = given if isinstance(given, Reward) else Reward(given)
        component = Part(name, reward.value, weight=weight, verdict=reward.verdict, reason=reward.reason)
        components.append(component)
        details.extend(_scaled(reward.parts, component) or [component])
        evidence.extend(reward.evidence)
    whole = Reward.from_parts(components)
    return replace(whole, parts=tuple(details), evidence=tuple(evidence))


def _scaled(parts: tuple[Part, ...], component: Part) -> list[Part]:
    """Return `parts` with weights that add up to their component's, and with its name before theirs."""
    total = math.fsum(part.weight for part in parts) or 1.0
    return [
        replace(part, name=f"{component.name}/{part.name}", weight=component.weight * part.weight / total)
        for part in parts
    ]


def given_reward(given: Reward | SupportsFloat, place: str, reason: str = "") -> Reward:
    """Return the reward that a test gives, alone or as one of several, as a `Reward`; a `reason` replaces its own.

    Raises RewardkitUsageError, naming `place`, for an invalid one. None is invalid, because a missing number needs a
    cause.
    """
    if isinstance(given, Reward):
        return replace(given, reason=reason) if reason else given
    if given is None:
        raise RewardkitUsageError(
            f"{place}: None is not a reward; give a number in [0, 1], "
            "or Reward.unscored('why') where nothing can be said"
        )
    number = number_of(given)
    if 0 <= number <= 1:
        return Reward(number, reason=reason)
    hundredths = f"; {number:g} of 100 is {number / 100:g}" if 2 <= number <= 100 else ""
    raise RewardkitUsageError(f"{place}: a reward is a number in [0, 1], not {one_line(repr(given), 60)}{hundredths}")


def _is_plain(value: object) -> bool:
    """Whether `value` is a float that needs neither a check nor a correction, unlike -0.0."""
    return type(value) is float and 0 < value <= 1


def _derived(value: float | None) -> Verdict:
    """Return the default verdict of a value."""
    if value is None:
        return Verdict.UNSCORED
    if value == 1.0:
        return Verdict.PASSED
    return Verdict.PARTIAL if value > 0 else Verdict.WRONG_OUTPUT


def _checked_verdict(verdict: Verdict, value: float | None, place: str) -> Verdict:
    derived = _derived(value)
    if verdict is _DERIVED:
        return derived
    verdict = Verdict(verdict)
    # A full reward has passed, and an unscored one has no value. For any other value, the scorer knows the verdict.
    contradicts = derived in (Verdict.PASSED, Verdict.UNSCORED) or verdict in _SAID_BY_VALUE
    if verdict is not derived and contradicts:
        raise RewardkitUsageError(f"{place}: verdict {verdict.value!r} contradicts the value {value!r}")
    return verdict
