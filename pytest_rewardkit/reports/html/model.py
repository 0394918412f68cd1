"""The content of a report, as plain values. Everything but the tests is optional; missing content is not shown.

There are thousands of tests and attempts, and most have little to show: they are created with the fields that all have,
and further ones are set as needed.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_rewardkit.ledger.step import SandboxStep
    from pytest_rewardkit.reward import Part

Tone = Literal["good", "fair", "bad", ""]
"""What a figure's colour means."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that a candidate made.

    Parameters:
        base64: a PNG or JPEG file in base64; the page refuses anything else, with the reason.
        name: its caption.
    """

    base64: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEvidence:
    """The judged code and its output.

    Parameters:
        candidate: the code under judgement.
        stdout, stderr: excerpts of the candidate's output.
        images: pictures that it made.
    """

    candidate: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    images: Sequence[Image] = ()


@dataclass(slots=True)
class PageAttempt:
    """One attempt at a test.

    Parameters:
        verdict: the reward's verdict, or a word instead of one ("crashed"); "" for none.
        value: the reward in [0, 1]; None if there is no number.
        outcome: pytest's word: passed, failed, error, skipped, xfailed, xpassed, rerun.
        reason: why the reward is what it is.
        seconds: how long the attempt took.
        parts: the components of the reward.
        left_out: how many parts of the reward are not in `parts`.
        evidence: the judged code and its output; None if unknown.
        timings: each phase with its seconds, in order (waiting, creating, running, scoring).
        command: how to run it again.
        prompt: the first prompt to a model; "" if unknown.
        asked: known facts about the model and its use, by name.
        steps: the steps in the sandbox, in order.
    """

    verdict: str
    _: KW_ONLY
    value: float | None = None
    outcome: str = ""
    reason: str = ""
    seconds: float | None = None
    parts: Sequence[Part] = ()
    left_out: int = 0
    evidence: PageEvidence | None = None
    timings: Sequence[tuple[str, float]] = ()
    command: str = ""
    prompt: str = ""
    asked: Sequence[tuple[str, str]] = ()
    steps: Sequence[SandboxStep] = ()


@dataclass(slots=True)
class PageTest:
    """One test, or one row of a dataset, with its attempts.

    Parameters:
        node_id: pytest's name of the test.
        attempts: in the order in which they ended, at least one; the last one counts unless `value` and `verdict` say
            otherwise.
        value, verdict: the test's result; that of the last attempt if `verdict` is "".
        outcome: whether it passed, in pytest's word; that of the last attempt if it is "".
        group: the name of the group that it counts in.
        row_id: the row of the dataset.
        threshold: the reward from which the test passes.
        weight: how much it counts in the mean.
        must_pass: whether a gate fails if this test does not pass.
        figures: numbers over the attempts with their names, such as ``("pass@3", 0.7)``; None is "not defined".
        baseline: the reward in the baseline.
        change: the test's change since the baseline: worse, lost, flaky, better, new, same; "" without a
            baseline.
        why: why the test has its reward, in one sentence; the last attempt's reason if it is "".
        history: the test's reward in each earlier run, as in `Report.history`; None for a run without one.
    """

    node_id: str
    attempts: Sequence[PageAttempt]
    _: KW_ONLY
    value: float | None = None
    verdict: str = ""
    outcome: str = ""
    group: str = ""
    row_id: str = ""
    threshold: float | None = None
    weight: float = 1.0
    must_pass: bool = False
    figures: Sequence[tuple[str, float | None]] = ()
    baseline: float | None = None
    change: str = ""
    why: str = ""
    history: Sequence[float | None] = ()

    __test__ = False  # pytest would collect it if a test module imports it

    @property
    def counted(self) -> float | None:
        """The number with which the test counts; None if there is none."""
        return self.value if self.verdict else self.attempts[-1].value


@dataclass(frozen=True, slots=True, kw_only=True)
class PageGroup:
    """The mean reward of some tests.

    Parameters:
        name: as in `Test.group`.
        tests: how many tests it has.
        mean: the weighted mean in [0, 1] over the tests with a number; None if none has one.
        unscored: how many have no number.
        low, high: the ends of the interval around the mean; None if there is none.
        baseline: the group's mean in the baseline.
    """

    name: str
    tests: int
    mean: float | None
    unscored: int = 0
    low: float | None = None
    high: float | None = None
    baseline: float | None = None


@dataclass(frozen=True, slots=True)
class PageGate:
    """A gate's decision about the run or a group, and its reason; "failed" and "undecided" fail a run."""

    name: str
    state: Literal["passed", "failed", "undecided", "not asked", "waiting"]
    reason: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A number for the head of the page, as text: ``Figure("mean", "0.82", "95 % interval 0.79 to 0.84")``."""

    label: str
    value: str
    note: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All content of the page.

    Parameters:
        tests: every test with a reward, in the order of collection.
        title: the name of the run.
        facts: the run's circumstances by name: when, where, versions, options.
        figures: the run's results, most important first.
        gates: the gates' decisions; empty if there were no gates.
        groups: the groups of `tests`, in the order to show them.
        grouped_by: what a group is: "group", "file", or "check" if graders were checked.
        interval: how `Group.low` and `Group.high` were computed, for the reader.
        missing: tests that were collected and never finished.
        gone: tests that only the baseline has, with their rewards there.
        models: models side by side, as rows of a table, column names first.
        in_sight: the circumstances that are always shown.
        history: the earlier runs, the oldest first: when each began, and its mean.
        mean: of this run, for comparison with those of `history`; None if they cannot be compared.
        left_out: files of earlier runs that could not be read, each with the reason.
        model_differences: how models differ, one sentence each.
    """

    tests: Sequence[PageTest]
    title: str = "Rewards"
    facts: Mapping[str, str] = field(default_factory=dict)
    figures: Sequence[Figure] = ()
    gates: Sequence[PageGate] = ()
    groups: Sequence[PageGroup] = ()
    grouped_by: str = "group"
    interval: str = ""
    missing: Sequence[str] = ()
    gone: Mapping[str, float | None] = field(default_factory=dict)
    models: Sequence[Sequence[str]] = ()
    model_differences: Sequence[str] = ()
    in_sight: Sequence[str] = ()
    history: Sequence[tuple[str, float | None]] = ()
    mean: float | None = None
    left_out: Sequence[str] = ()
