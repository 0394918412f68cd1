"""Where an evaluation judges candidates: their sandboxes, and those of the tests."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_rewardkit.datasets.results import RowResult
from pytest_rewardkit.datasets.testcode.test_runner import TestRunner
from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable, UnscoredError
from pytest_rewardkit.faults import faulty
from pytest_rewardkit.reward import Reward
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.scorers.running.failures import sandbox_failures

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.marker import SampledRow
    from pytest_rewardkit.datasets.row import Row
    from pytest_rewardkit.sandboxes.provider import Provider


class Workplace:
    """Where candidates are judged: a fresh sandbox for each, and a test runner for each thread. A context manager."""

    def __init__(self, provider: Provider, judge: Callable[[Row, Callable[[], Sandbox]], Reward]) -> None:
        self._provider = provider
        self._judge = judge
        self._local = threading.local()
        self._lock = threading.Lock()
        self._test_runners: list[TestRunner] = []
        self._sandboxes: set[Sandbox] = set()
        self._stopped = False

    def __enter__(self) -> Workplace:
        return self

    def __exit__(self, *_: object) -> None:
        for test_runner in self._test_runners:
            test_runner.close()

    def judged(self, sampled_row: SampledRow) -> RowResult:
        """Judges one candidate."""
        begun = time.monotonic()
        row = sampled_row.row(self._test_runner)
        made: list[Sandbox] = []

        def sandbox() -> Sandbox:
            made.append(self._created())
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

    def _created(self) -> Sandbox:
        sandbox = None if self._stopped else self._provider.create()
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

    def _test_runner(self) -> TestRunner:
        test_runner: TestRunner | None = getattr(self._local, "test_runner", None)
        if test_runner is None:
            test_runner = self._local.test_runner = TestRunner(self._created)
            with self._lock:
                self._test_runners.append(test_runner)
        return test_runner
