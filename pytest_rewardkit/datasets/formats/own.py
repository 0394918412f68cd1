"""This package's own format: rows that state what is expected, by cases or as an output.

Fields: ``prompt``; ``cases`` (or ``test_cases``), a list of cases with `Case`'s fields and ``input`` as another name
for ``stdin``; or ``expected`` (or ``expected_output``, ``output``, ``ground_truth``), the expected output;
``reference``; ``setup``, ``compare``, ``rel_tol``, ``abs_tol``, ``similarity`` and ``time_limit``, as for the scorers.
A row may also hold its candidate, as ``candidate``, ``response``, ``completion`` or ``solution``, or as the last of its
``messages``, which then hold the prompt too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

from pytest_rewardkit.datasets.fields import MESSAGES, conversation_of
from pytest_rewardkit.datasets.formats import CASES, EXPECTED, OPTIONS
from pytest_rewardkit.datasets.formats.reading import data, optional_text, wrong
from pytest_rewardkit.datasets.formats.task import SCORER_OPTIONS, CasesTask, RowTask, merged
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.checks.case import as_cases
from pytest_rewardkit.scorers.output import score_output
from pytest_rewardkit.scorers.response.messages import prompt_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.row import Row
    from pytest_rewardkit.datasets.testcode.test_runner import TestRunner
    from pytest_rewardkit.reward import Reward

_NUMBERS: Final = ("rel_tol", "abs_tol", "time_limit")
_CASE_ALIASES: Final = {"input": "stdin", "expected_output": "expected", "output": "expected"}


@dataclass(frozen=True, kw_only=True)
class OutputTask(RowTask):
    """A program whose output is compared."""

    takes = SCORER_OPTIONS

    expected: Any
    options: Mapping[str, Any]

    def _with(self, options: Mapping[str, Any]) -> Self:
        return replace(self, options=merged(self.options, options))

    def score(
        self, sandbox: Sandbox, candidate: str, *, test_runner: TestRunner, time_limit: float | None = None
    ) -> Reward:
        del test_runner
        options = {**self.options, "time_limit": time_limit} if time_limit else self.options
        return score_output(sandbox, candidate, self.expected, **options)


def read(row: Row) -> RowTask:
    """Reads a row as a task."""
    given = [name for name in (*CASES, *EXPECTED) if name in row]
    if len(given) > 1:  # tables have a column for each, and leave all but one empty
        given = [name for name in given if row[name] not in (None, "")] or given
    if len(given) != 1:
        listed = " and ".join(map(repr, given)) if given else "neither cases nor what is expected"
        raise RewardkitUsageError(
            f"{row.place}: the row has {listed}; it needs one of: {', '.join((*CASES, *EXPECTED))}"
        )
    options = {name: _option(row, name) for name in OPTIONS if row.get(name) not in (None, "")}
    about = {"prompt": _prompt(row), "reference": optional_text(row, "reference")}
    if given[0] in EXPECTED:
        return OutputTask(**about, expected=row[given[0]], options=options)
    cases = data(row, given[0])
    if not isinstance(cases, list):
        raise wrong(row, given[0], "a list of cases")
    try:
        return CasesTask(**about, cases=as_cases(map(_renamed, cases)), options=options)
    except RewardkitUsageError as error:
        raise RewardkitUsageError(f"{row.place}: {given[0]}: {error}") from None


def _prompt(row: Row) -> str | None:
    conversation = conversation_of(row["prompt"] if "prompt" in row else row.get(MESSAGES))
    return optional_text(row, "prompt") if conversation is None else prompt_of(conversation)


def _renamed(case: Any) -> Any:
    if not isinstance(case, dict):
        return case
    return {
        name if _CASE_ALIASES.get(name, name) in case else _CASE_ALIASES.get(name, name): case[name] for name in case
    }


def _option(row: Row, name: str) -> Any:
    value = row[name]
    if name in _NUMBERS and isinstance(value, str):  # from a file in which all values are text
        try:
            return float(value)
        except ValueError:
            raise wrong(row, name, "a number") from None
    return value
