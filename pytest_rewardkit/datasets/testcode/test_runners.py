"""Test runners, one for each template of candidates' sandboxes, so that tests and candidates have the same imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_rewardkit.datasets.testcode.test_runner import TestRunner


class TestRunners:
    """Returns the test runner of a template; only one of them has a sandbox at a time. A context manager.

    Parameters:
        make: makes a test runner whose sandbox is created with these options.
    """

    __test__ = False  # not one of pytest's

    def __init__(self, make: Callable[[Mapping[str, Any]], TestRunner]) -> None:
        self._make = make
        self._runners: dict[str | None, TestRunner] = {}
        self._last: TestRunner | None = None

    def __enter__(self) -> TestRunners:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def of(self, template: str | None) -> TestRunner:
        """The test runner of a template; None stands for the usual one."""
        if template not in self._runners:
            self._runners[template] = self._make({"template": template} if template else {})
        runner = self._runners[template]
        if self._last is not runner:
            self.close()
        self._last = runner
        return runner

    def close(self) -> None:
        """Kill the sandbox, if there is one."""
        if self._last is not None:
            self._last.close()
