"""Assertions about rewards: each records the reward with the running test, and then fails if it is too low.

They work without pytest as well; there is nothing to record with then.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import RewardkitUsageError, UnscoredError
from pytest_rewardkit.reward import Part, Reward, Verdict
from pytest_rewardkit.run.recorder import DEFAULT_NAME, current_record
from pytest_rewardkit.scorers.analysis import score_analysis
from pytest_rewardkit.scorers.cases import score_cases
from pytest_rewardkit.scorers.files import score_files
from pytest_rewardkit.scorers.output import score_output
from pytest_rewardkit.text import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Unpack

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.scorers.analysis import AnalysisOptions
    from pytest_rewardkit.scorers.case import Case
    from pytest_rewardkit.scorers.cases import CasesOptions
    from pytest_rewardkit.scorers.file_check import FileCheck
    from pytest_rewardkit.scorers.files import FilesOptions
    from pytest_rewardkit.scorers.output import OutputOptions

MOST_EXPLAINED: Final = 10
"""Parts that did not pass and are shown in full; the others are counted."""

HEAD_LINES: Final = 8
TAIL_LINES: Final = 4
STDERR_LINES: Final = 8
LINE_LENGTH: Final = 160


def assert_reward(
    reward: Reward | float, threshold: float | None = None, *, name: str = DEFAULT_NAME, weight: float = 1.0
) -> Reward:
    """Record `reward` with the running test, and fail unless it reaches the threshold.

    Parameters
    ----------
    reward: a reward, or a number in [0, 1].
    threshold: the reward from which this assertion passes. Without it, the test's marker
        ``@pytest.mark.reward(threshold=…)`` decides when the test is over, about all that it recorded; without that
        either, 1.0.
    name: what the reward is for.
    weight: how much it counts among the rewards of this test.

    Returns the reward. Raises AssertionError, with every part that did not pass; UnscoredError when the reward is
    unscored, since nothing can be said about the candidate then; RewardkitUsageError for a threshold outside [0, 1].
    """
    __tracebackhide__ = True
    given = reward if isinstance(reward, Reward) else Reward(reward)
    if threshold is not None and not (isinstance(threshold, int | float) and 0 <= threshold <= 1):
        raise RewardkitUsageError(f"threshold must be a number in [0, 1], not {threshold!r}")
    record = current_record()
    if record is not None:
        record.record(given, name=name, weight=weight)
    if given.verdict is Verdict.UNSCORED:
        raise UnscoredError(given.reason or "the reward is unscored")
    if threshold is None:
        if record is not None and record.threshold is not None:
            return given
        threshold = 1.0
    if not given.reaches(threshold):
        raise AssertionError(explained(given, threshold))
    return given


def assert_output(
    sandbox: Sandbox,
    candidate: str,
    expected: Any,
    *,
    threshold: float | None = None,
    name: str = DEFAULT_NAME,
    weight: float = 1.0,
    **options: Unpack[OutputOptions],
) -> Reward:
    """Score the candidate by its output, as `score_output` does, and go on as `assert_reward` does."""
    __tracebackhide__ = True
    reward = score_output(sandbox, candidate, expected, **options)
    return assert_reward(reward, threshold, name=name, weight=weight)


def assert_cases(
    sandbox: Sandbox,
    candidate: str,
    cases: Iterable[Case | Mapping[str, Any]],
    *,
    threshold: float | None = None,
    name: str = DEFAULT_NAME,
    weight: float = 1.0,
    **options: Unpack[CasesOptions],
) -> Reward:
    """Score the candidate by cases, as `score_cases` does, and go on as `assert_reward` does."""
    __tracebackhide__ = True
    reward = score_cases(sandbox, candidate, cases, **options)
    return assert_reward(reward, threshold, name=name, weight=weight)


def assert_files(
    sandbox: Sandbox,
    candidate: str,
    files: Iterable[FileCheck | Mapping[str, Any]],
    *,
    threshold: float | None = None,
    name: str = DEFAULT_NAME,
    weight: float = 1.0,
    **options: Unpack[FilesOptions],
) -> Reward:
    """Score the candidate by the files that it leaves, as `score_files` does, and go on as `assert_reward` does."""
    __tracebackhide__ = True
    reward = score_files(sandbox, candidate, files, **options)
    return assert_reward(reward, threshold, name=name, weight=weight)


def assert_analysis(
    sandbox: Sandbox,
    candidate: str,
    *,
    threshold: float | None = None,
    name: str = DEFAULT_NAME,
    weight: float = 1.0,
    **options: Unpack[AnalysisOptions],
) -> Reward:
    """Score a data analysis, as `score_analysis` does, and go on as `assert_reward` does."""
    __tracebackhide__ = True
    reward = score_analysis(sandbox, candidate, **options)
    return assert_reward(reward, threshold, name=name, weight=weight)


def explained(reward: Reward, threshold: float) -> str:
    """Return why a reward is below its threshold: a line for each part, and all about those that did not pass."""
    lines = [f"reward {reward:.4g} is below the threshold {threshold:g} ({reward.verdict})"]
    if reward.reason and not any(part.reason == reward.reason for part in reward.parts):
        lines.append(_indented(reward.reason, 2))
    left = MOST_EXPLAINED
    for part in reward.parts:
        lines.append(_headline(part))
        if part.verdict is not Verdict.PASSED and left:
            left -= 1
            lines.extend(_details(part))
    return "\n".join(lines)


def _headline(part: Part) -> str:
    value = "unscored" if part.value is None else f"{part.value:.2f}"
    weight = "" if part.weight == 1 else f", weight {part.weight:g}"
    return f"  {value}  {one_line(part.name, 80)}  ({part.verdict}{weight})"


def _details(part: Part) -> Iterator[str]:
    if part.reason:
        yield _indented(part.reason, 8)
    for title, text in (("expected", part.expected), ("actual", part.actual)):
        if text is not None and text not in part.reason:
            yield f"        {title}:"
            yield _indented(_shortened(text), 10)
    if part.stderr:
        yield "        stderr, its end:"
        yield _indented("\n".join(_cut(line) for line in part.stderr.rstrip().splitlines()[-STDERR_LINES:]), 10)


def _shortened(text: str) -> str:
    lines = text.rstrip("\n").split("\n")
    left_out = len(lines) - HEAD_LINES - TAIL_LINES
    if left_out > 1:
        lines[HEAD_LINES:-TAIL_LINES] = [f"[... {left_out} lines ...]"]
    return "\n".join(_cut(line) for line in lines)


def _cut(line: str) -> str:
    return line if len(line) <= LINE_LENGTH else f"{line[: LINE_LENGTH - 3]}..."


def _indented(text: str, columns: int) -> str:
    return textwrap.indent(printable(text, keep="\n\t"), " " * columns)
