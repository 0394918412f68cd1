"""Test reports in JUnit's XML, as pytest and most other runners write it. Pure."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree

from pytest_rewardkit.projects.outcomes import ReportedOutcome, TestOutcome, UnreadableReport

_NO_TEST: Final = "collection failure"
_NOT_RUN: Final = frozenset(("notrun", "disabled", "skipped", "suppressed", "ignored"))
_DECLARATION: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def read_junit(report: bytes) -> list[TestOutcome]:
    """Return the outcomes of a report. Raises UnreadableReport."""
    if _DECLARATION.search(report):
        raise UnreadableReport("the report declares entities, which no test runner does")
    try:
        root = ElementTree.fromstring(report)  # noqa: S314 - nothing is expanded without declarations
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise UnreadableReport(f"the report is no XML: {error}") from None
    if root.tag not in ("testsuite", "testsuites"):
        raise UnreadableReport(f"the report is no JUnit file: it begins with <{root.tag[:40]}>")
    return [_outcome(case) for case in root.iter("testcase")]


def _outcome(case: ElementTree.Element) -> TestOutcome:
    outcome, message = ReportedOutcome.PASSED, ""
    if _NOT_RUN.intersection((case.get("status", "").lower(), case.get("result", "").lower())):
        outcome = ReportedOutcome.SKIPPED  # as GoogleTest and CTest report it
    for child in case:
        if child.tag in ("failure", "error"):
            outcome, message = ReportedOutcome.FAILED, child.get("message") or child.text or ""
            break
        if child.tag == "skipped":
            outcome, message = ReportedOutcome.SKIPPED, child.get("message") or ""
    try:
        seconds = float(case.get("time", ""))
    except ValueError:
        seconds = None
    collecting = outcome is ReportedOutcome.FAILED and message == _NO_TEST
    return TestOutcome(_name(case), outcome, message, seconds, collecting)


def _name(case: ElementTree.Element) -> str:
    """The node id for pytest's first family of reports, which has the file; else class and name."""
    name, scope, file = (case.get(key, "") for key in ("name", "classname", "file"))
    if not file:
        return f"{scope}::{name}" if scope else name
    module = file.removesuffix(".py").replace("/", ".")
    classes = scope.removeprefix(module).strip(".").replace(".", "::") if scope.startswith(module) else ""
    return "::".join(part for part in (file, classes, name) if part)
