"""What a test records while it runs, and access to it from anywhere in the test."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pytest_rewardkit import turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_rewardkit.ledger.model_use import ModelUse
    from pytest_rewardkit.ledger.step import SandboxStep
    from pytest_rewardkit.markers import RewardMarker
    from pytest_rewardkit.reward import Reward
    from pytest_rewardkit.scorers.languages.table import Language

# This module is loaded in every session, so it imports the values it works with only when a test records something.

DEFAULT_NAME: Final = "reward"

NOTHING_RECORDED: Final = "the test ended without recording a reward"
"""The cause if a test that should earn a reward earned none."""


class Recorder:
    """Collects the rewards of a test, anew for each run of it; the fixture `reward` returns it.

    Parameters:
        marker: what ``@pytest.mark.reward`` says of the test; None if it has no such marker.
        default: the reward from which tests of this run pass that name no threshold; None if the run sets none.
    """

    # Defaults of the class, because each test has a recorder and few change any of them.
    expects_reward = False
    """Whether the test should earn a reward, marked or not: it is unscored if it ends without one."""
    languages: Mapping[str, Language] = MappingProxyType({})
    """The languages that the test's project adds, by name."""
    markers_read = 0
    """How many `reward` markers of the test are in `marker`."""
    skipped_in: str | None = None
    """The group of a skipped test; nothing else is known of it."""
    is_faulty = False
    """Whether this package itself failed while it scored a candidate of the test."""
    _held = 0
    _wrong: str | None = None
    _cause: str | None = None

    def __init__(self, marker: RewardMarker | None = None, default: float | None = None) -> None:
        self.marker = marker
        self._default = default
        self.sandboxes: list[tuple[float, float, Mapping[str, int]]] = []
        """For each sandbox created for this test: seconds in the queue, seconds until it had started, and its own
        limits."""
        self.asked: list[ModelUse] = []
        """What the test asked of models, and the tokens, time and cost of that."""
        self.steps: list[SandboxStep] = []
        """What was done in the test's sandbox, as far as that is traced."""
        self.properties: list[tuple[str, object]] = []
        """User properties that the test's next report takes along."""
        self._recorded: list[tuple[str, float, Reward]] = []

    @property
    def threshold(self) -> float | None:
        """The reward from which the test passes, set by its marker or else by the run; None if each assert decides.

        The run's threshold does not apply if every recorded reward is compared with an assert's own threshold.
        """
        if self.marker is not None and self.marker.threshold is not None:
            return self.marker.threshold
        return None if self._recorded and self._held == len(self._recorded) else self._default

    @property
    def has_unscored(self) -> bool:
        """Whether any recorded reward has no number."""
        return bool(self._recorded) and any(reward.value is None for _, _, reward in self._recorded)

    @property
    def reward(self) -> Reward | None:
        """The weighted mean of what the test has recorded so far; None if no recorded reward has a weight over 0."""
        if len(self._recorded) == 1:
            (name, weight, reward) = self._recorded[0]
            if name == DEFAULT_NAME and weight > 0:
                return reward
        if not any(weight > 0 for _, weight, _ in self._recorded):
            return None
        from pytest_rewardkit.reward import weighted

        return weighted(self._by_unique_name())

    def record(
        self, reward: Reward | float, *, name: str = DEFAULT_NAME, weight: float = 1.0, reason: str = ""
    ) -> Reward:
        """Record one reward of the test; the test's own reward is the weighted mean of all that it records.

        Parameters:
            reward: a reward, or a number in [0, 1].
            name: what the reward is for; shown with its parts.
            weight: how much it counts among the rewards of this test, 0 or more.
            reason: one sentence for people; replaces the reward's own.

        Returns the reward. Raises RewardkitUsageError for anything but a number in [0, 1], and for a wrong weight.
        """
        from pytest_rewardkit.reward import given_reward
        from pytest_rewardkit.reward_values import checked_text, checked_weight

        checked_text(name, "the name of a reward")
        checked_text(reason, f"the reason of reward {name!r}")
        value = given_reward(reward, "reward.record", reason)
        self._recorded.append((name, checked_weight(weight, f"reward {name!r}"), value))
        return value

    def note_held(self) -> None:
        """Note that the last recorded reward is compared with a threshold of its own."""
        self._held += 1

    def note_sandbox(self, *, start: float, waited: float = 0.0, limits: Mapping[str, int] | None = None) -> None:
        """Note that a sandbox was created, `start` seconds after `waited` seconds in the queue for one.

        Parameters:
            limits: the sandbox's own limits, by name.
        """
        self.sandboxes.append((waited, start, limits or {}))

    def note_asked(self, use: ModelUse) -> None:
        """Note that a model was asked, or that an earlier answer of it was replayed."""
        self.asked.append(use)

    def note_step(self, kind: str, given: str, got: str) -> None:
        """Note a step in a sandbox: a cell, a command or a file."""
        from pytest_rewardkit.ledger.step import SandboxStep

        self.steps.append(SandboxStep(kind, given, got))

    def note_wrong(self, reason: str) -> None:
        """Note that the test judged its candidate wrong, by a failing assertion."""
        self._wrong = self._wrong or reason

    def note_unscored(self, cause: str) -> None:
        """Note that nothing can be said about the candidate, whatever was recorded; the first cause stays."""
        self._cause = self._cause or cause or "no cause was given"

    def note_fault(self, cause: str) -> None:
        """Note that this package itself failed while it scored, so that nothing can be said about the candidate."""
        self.is_faulty = True
        self.note_unscored(cause)

    def discard(self) -> None:
        """Forget the marker and what was recorded: the test was skipped, so it has no reward to earn."""
        self.skipped_in = self.marker.group if self.marker else None
        self.marker = None
        self.expects_reward = False
        self._recorded.clear()
        self._held = 0

    def concluded(self) -> Reward | None:
        """Return the test's reward, now that it is over; None for a test without a reward.

        The reward is what the test recorded. For a marked test that recorded nothing, it is 1.0 if the test passed
        and 0.0 if an assertion failed. Any other test that should earn a reward and recorded none is unscored, as is a
        test with a noted cause why nothing can be said.
        """
        recorded = self.reward
        if self._cause is None and (recorded is not None or (self.marker is None and not self.expects_reward)):
            return recorded
        from pytest_rewardkit.reward import Reward

        if self._cause is not None:
            if recorded is None:
                return Reward.unscored(self._cause)
            return Reward(None, recorded.parts, reason=self._cause, evidence=recorded.evidence)
        if self.marker is None:
            return Reward.unscored(f"{NOTHING_RECORDED}: {self._wrong}" if self._wrong else NOTHING_RECORDED)
        return Reward(1.0) if self._wrong is None else Reward(0.0, reason=self._wrong)

    def _by_unique_name(self) -> dict[str, tuple[Reward | float, float]]:
        named: dict[str, tuple[Reward | float, float]] = {}
        for name, weight, reward in self._recorded:
            number, unique = 1, name
            while unique in named:
                number += 1
                unique = f"{name} {number}"
            named[unique] = (reward, weight)
        return named


def current_recorder() -> Recorder | None:
    """Return the recorder of the test that runs now, or None outside of pytest."""
    running = turn.current()
    return running if isinstance(running, Recorder) else None
