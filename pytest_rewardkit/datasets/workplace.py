"""Where an evaluation judges candidates: their sandboxes, and those of the tests."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.datasets.results import RowResult
from pytest_rewardkit.datasets.testcode.test_runner import TestRunner
from pytest_rewardkit.datasets.testcode.test_runners import TestRunners
from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable, UnscoredError
from pytest_rewardkit.faults import faulty
from pytest_rewardkit.reward import Reward
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.scorers.running.failures import sandbox_failures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.marker import SampledRow
    from pytest_rewardkit.datasets.row import Row
    from pytest_rewardkit.sandboxes.provider import Provider


class Workplace:
    """Where candidates are judged: a fresh sandbox for each, and test runners for each thread. A context manager.

    Parameters:
        provider: where sandboxes come from.
        judge: scores a row with the sandboxes that it asks for.
        template: of the sandboxes of rows that name none.
    """

    def __init__(
        self, provider: Provider, judge: Callable[[Row, Callable[[], Sandbox]], Reward], template: str | None = None
    ) -> None:
        self._provider = provider
        self._judge = judge
        self._template = template
        self._local = threading.local()
        self._lock = threading.Lock()
        self._test_runners: list[TestRunners] = []
        self._sandboxes: set[Sandbox] = set()
        self._stopped = False

    def __enter__(self) -> Workplace:
        return self

    def __exit__(self, *_: object) -> None:
        for test_runners in self._test_runners:
            test_runners.close()

    def judged(self, sampled_row: SampledRow) -> RowResult:
        """Judges one candidate."""
        begun = time.monotonic()
        template = (sampled_row.directions or {}).get("template", self._template)
        options = {"template": template} if template else {}
        row = sampled_row.row(lambda: self._own_test_runners().of(template))
        made: list[Sandbox] = []

        def sandbox() -> Sandbox:
            made.append(self._created(options))
            return made[-1]

        try:
            reward = self._judge(row, sandbox)
        except UnscoredError as error:
            reward = Reward.unscored(str(error))
        except RewardkitUsageError:
            raise
        except Exception as error:
            reward = faulty(error)  # the rows after it go on
        finally:
            for used in made:
                self._kill(used)
        return RowResult(row.id, sampled_row.number, reward, time.monotonic() - begun)

    def stop(self) -> None:
        """Kills the sandboxes in use; no more are made."""
        with self._lock:
            self._stopped = True
            sandboxes = list(self._sandboxes)
        for sandbox in sandboxes:
            self._kill(sandbox)
        self.__exit__()

    def _created(self, options: Mapping[str, Any]) -> Sandbox:
        sandbox = None if self._stopped else self._provider.create(**options)
        with self._lock:
            if sandbox is not None and not self._stopped:
                self._sandboxes.add(sandbox)
                return sandbox
        if sandbox is not None:  # stopped while it was made
            self._kill(sandbox)
        raise SandboxUnavailable("the evaluation was stopped")

    def _kill(self, sandbox: Sandbox) -> None:
        with self._lock:
            self._sandboxes.discard(sandbox)
        with suppress(SandboxUnavailable), sandbox_failures():
            again(sandbox.kill)

    def _own_test_runners(self) -> TestRunners:
        test_runners: TestRunners | None = getattr(self._local, "test_runners", None)
        if test_runners is None:
            test_runners = self._local.test_runners = TestRunners(
                lambda options: TestRunner(lambda: self._created(options))
            )
            with self._lock:
                self._test_runners.append(test_runners)
        return test_runners
