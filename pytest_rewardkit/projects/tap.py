"""Test reports in the Test Anything Protocol (testanything.org, versions 12 to 14). Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.projects.outcomes import ReportedOutcome, TestOutcome, UnreadableReport

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE: Final = re.compile(
    r"( *)(not )?ok\b(?: (\d+))?(?:[ \t]*-?[ \t]*(.*?))?(?:[ \t]#[ \t]*(SKIP|TODO)\S*(.*))?$", re.I
)
_PLAN: Final = re.compile(r"1\.\.(\d{1,9})\b")
_SUBTEST: Final = re.compile(r"( *)# Subtest: (.*)$")
_DETAIL: Final = re.compile(r"( +)---\s*")
_BAIL_OUT: Final = re.compile(r"Bail out!(.*)$")


def read_tap(report: bytes) -> list[TestOutcome]:
    """Return the outcomes of the tests that contain no other tests. Raises UnreadableReport."""
    outcomes: list[TestOutcome] = []
    above: dict[int, str] = {}
    parents: set[str] = set()
    planned: int | None = None
    count = 0
    for line in _lines_of_tests(report.decode("utf-8", "replace")):
        if stopped := _BAIL_OUT.match(line):
            raise UnreadableReport(f"the tests bailed out:{stopped[1][:200]}")
        if subtest := _SUBTEST.match(line):
            depth = len(subtest[1])
            above = {level: name for level, name in above.items() if level < depth} | {depth: subtest[2].strip()}
        elif plan := _PLAN.match(line):
            planned = int(plan[1])
        elif told := _LINE.match(line):
            depth = len(told[1])
            path = [name for level, name in sorted(above.items()) if level < depth]
            name = " > ".join([*path, told[4] or f"test {told[3] or count + 1}"])
            parents.update(" > ".join(path[: length + 1]) for length in range(len(path)))
            count += depth == 0
            outcomes.append(TestOutcome(name, _outcome(told), (told[6] or "").strip()))
    if planned is not None and count != planned:
        raise UnreadableReport(f"the report plans {planned} tests and has {count}")
    if not outcomes:
        raise UnreadableReport("the report has no line of a test")
    return [outcome for outcome in outcomes if outcome.name not in parents]


def _lines_of_tests(report: str) -> Iterator[str]:
    """The lines, without the blocks after tests in which they may say anything about themselves."""
    detail: str | None = None
    is_after_test = False
    for line in report.splitlines():
        if detail is not None:
            detail = None if line.rstrip() == f"{detail}..." else detail
        elif is_after_test and (begun := _DETAIL.fullmatch(line)):
            detail = begun[1]
        else:
            yield line
        is_after_test = _LINE.match(line) is not None


def _outcome(told: re.Match[str]) -> ReportedOutcome:
    directive = (told[5] or "").upper()
    if directive == "SKIP" or (directive == "TODO" and told[2]):
        return ReportedOutcome.SKIPPED
    return ReportedOutcome.FAILED if told[2] else ReportedOutcome.PASSED
