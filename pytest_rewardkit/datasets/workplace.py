"""The sandboxes of an evaluation: those of the candidates, and those of the rows' tests."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.datasets.results import RowResult
from pytest_rewardkit.datasets.testcode.test_runner import TestRunner
from pytest_rewardkit.datasets.testcode.test_runners import TestRunners
from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable, UnscoredError
from pytest_rewardkit.faults import faulty
from pytest_rewardkit.reward import Reward
from pytest_rewardkit.sandboxes.lazy import end, lazily
from pytest_rewardkit.sandboxes.quota.budget import TWO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.marker import SampledRow
    from pytest_rewardkit.datasets.row import Row
    from pytest_rewardkit.sandboxes.factory import Factory
    from pytest_rewardkit.sandboxes.nearby_sandbox import NearbySandbox
    from pytest_rewardkit.sandboxes.script_run import ScriptRun


class _Seat:
    """What one thread uses for all its rows.

    Parameters:
        test_runners: run the rows' tests.
    """

    def __init__(self, test_runners: TestRunners) -> None:
        self.test_runners = test_runners
        self.is_taken = threading.Lock()
        """Held while the thread judges a row."""


class Workplace:
    """Judges candidates: a fresh sandbox for each, and test runners for each thread. A context manager.

    Parameters:
        run: gives sandboxes.
        judge: scores a row with the sandboxes that it asks for.
        template: for the sandboxes of rows that name none.
    """

    def __init__(
        self, run: ScriptRun, judge: Callable[[Row, Callable[[], Sandbox]], Reward], template: str | None = None
    ) -> None:
        self._run = run
        self._judge = judge
        self._template = template
        self._local = threading.local()
        self._lock = threading.Lock()
        self._seats: list[_Seat] = []
        self._sandboxes: dict[Sandbox | NearbySandbox, Factory] = {}
        self._stopped = False

    def __enter__(self) -> Workplace:
        return self

    def __exit__(self, *_: object) -> None:
        for seat in self._seats:
            seat.test_runners.close()

    def judged(self, sampled_row: SampledRow) -> RowResult:
        """Judges one candidate."""
        seat = self._own_seat()
        with seat.is_taken:
            return self._judged(sampled_row, seat)

    def give_up_unused(self) -> None:
        """Kill the sandboxes that idle threads keep for later rows, because another thread waits for one."""
        with self._lock:
            seats = list(self._seats)
        for seat in seats:
            if seat.is_taken.acquire(blocking=False):
                try:
                    seat.test_runners.close()
                finally:
                    seat.is_taken.release()

    def _judged(self, sampled_row: SampledRow, seat: _Seat) -> RowResult:
        begun = time.monotonic()
        template = (sampled_row.directions or {}).get("template", self._template)
        options = {"template": template} if template else {}
        row = sampled_row.row(lambda: self._test_runner(seat, template))
        made: list[Sandbox] = []

        def sandbox() -> Sandbox:
            made.append(self._sandbox(options))
            return made[-1]

        try:
            reward = self._judge(row, sandbox)
        except UnscoredError as error:
            reward = Reward.unscored(str(error))
        except RewardkitUsageError:
            raise
        except Exception as error:
            reward = faulty(error)  # the rows after it are still judged
        finally:
            for used in made:
                end(used)
            if (budget := self._run.budget) is not None:
                budget.set_aside(seat.test_runners.close)
                budget.yield_to_others()
        return RowResult(row.id, sampled_row.number, reward, time.monotonic() - begun)

    def stop(self) -> None:
        """Kills the sandboxes in use; no more are made."""
        with self._lock:
            self._stopped = True
            sandboxes = list(self._sandboxes)
        for sandbox in sandboxes:
            self._kill(sandbox)
        self.__exit__()

    def _sandbox(self, options: Mapping[str, Any], *, keep: bool = False) -> Sandbox:
        return lazily(lambda: self._created(options, keep=keep), self._kill)

    def _created(self, options: Mapping[str, Any], *, keep: bool) -> Sandbox | NearbySandbox:
        # Two, because a row's own test code has a sandbox in addition to the candidate's.
        factory = self._run.factory(wants=TWO, keep=keep, **options)
        sandbox = None if self._stopped else factory.create_nearby()
        with self._lock:
            if sandbox is not None and not self._stopped:
                self._sandboxes[sandbox] = factory
                return sandbox
        factory.close()  # stopped during its creation
        raise SandboxUnavailable("the evaluation was stopped")

    def _kill(self, sandbox: Sandbox | NearbySandbox) -> None:
        with self._lock:
            factory = self._sandboxes.pop(sandbox, None)
        if factory is not None:
            factory.close()

    def _test_runner(self, seat: _Seat, template: str | None) -> TestRunner:
        if (budget := self._run.budget) is not None:
            budget.use_again()
        return seat.test_runners.of(template)

    def _own_seat(self) -> _Seat:
        seat: _Seat | None = getattr(self._local, "seat", None)
        if seat is None:
            test_runners = TestRunners(lambda options: TestRunner(lambda: self._sandbox(options, keep=True), end))
            seat = self._local.seat = _Seat(test_runners)
            with self._lock:
                self._seats.append(seat)
        return seat
