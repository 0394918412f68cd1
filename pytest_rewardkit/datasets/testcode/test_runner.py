"""The sandbox in which test code runs: one for many rows, because it receives only plain data from candidates.

Each row's test has its own process and directory there (guest/child_process.py), and our files are removed.
"""

from __future__ import annotations

import json
import math
import secrets
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.datasets.testcode.candidate import CandidateGivenUp
from pytest_rewardkit.datasets.testcode.guest.time_limit import CLOCK_FACTOR
from pytest_rewardkit.datasets.testcode.sending import TEST_RUNNER, Line
from pytest_rewardkit.errors import SandboxSpoilt, SandboxUnavailable, UnscoredError
from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.sandboxes.lazy import end
from pytest_rewardkit.sandboxes.lifetime import outlast
from pytest_rewardkit.scorers.running.failures import sandbox_failures

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.testcode.sending import Reply
    from pytest_rewardkit.reward import Reward

SECONDS: Final = 60.0
"""Seconds of processor time for one run of a row's test code; some benchmarks take long to compute expectations."""

RENEWAL_SECONDS: Final = 120.0
"""The greatest age of a sandbox at the start of a row's test; sandboxes usually live for 300 seconds."""

IDLE_SECONDS: Final = 150.0
"""How long a sandbox must still live when a test waits for its candidate."""

MAX_SECONDS: Final = 3 * CLOCK_FACTOR * SECONDS + 15.0
"""Seconds on the clock for one step: up to three runs, each with its own limit, on a busy machine."""


@dataclass(frozen=True, slots=True)
class TestCode:
    """A row's test.

    Parameters:
        test: Python source. If it defines `check`, that is called with the candidate, unless the test does so itself.
        entry_point: the candidate's name for the tested function; without it, names that the test uses but does not
            define are the candidate's.
        setup: pieces of source that run before it, such as a prompt's helpers for both candidate and test.
        defined: names that are the candidate's, because the reference defines them, although Python has such a name.
    """

    __test__ = False  # not one of pytest's

    test: str
    entry_point: str | None = None
    setup: tuple[str, ...] = ()
    defined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """The test's next step: operations to perform, or its outcome (guest/row_test.py); and the seconds that it took."""

    operations: Sequence[dict[str, Any]]
    outcome: dict[str, Any] | None
    seconds: float


def _kill(sandbox: Sandbox) -> None:
    with suppress(SandboxUnavailable), sandbox_failures():
        again(lambda: end(sandbox))


class TestRunner:
    """Runs tests of rows, with one sandbox for all of them, created when first needed. A context manager.

    Parameters:
        create: creates the sandbox.
        end: ends it.
    """

    __test__ = False  # not one of pytest's

    def __init__(self, create: Callable[[], Sandbox], end: Callable[[Sandbox], object] = _kill) -> None:
        self._create = create
        self._end = end
        self._sandbox: Sandbox | None = None
        self._renewal = math.inf
        self._line: Line | None = None
        self._replies: dict[str, Reply] = {}
        self._known: dict[Hashable, Reward] = {}

    def __enter__(self) -> TestRunner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kills the sandbox, if there is one; the next run creates another."""
        sandbox, self._sandbox, self._line = self._sandbox, None, None
        if sandbox is not None:
            self._end(sandbox)

    def begin(self, test: TestCode) -> TestRun:
        """Begins a run, and gives up an earlier one that is still open.

        Raises:
            SandboxUnavailable: a sandbox could not be created.
            UnscoredError: the test code cannot be run.
        """
        program = {**asdict(test), "seconds": SECONDS}
        token = secrets.token_hex(8)
        if time.monotonic() > self._renewal:
            self.close()
        try:
            first = self._step({"token": token, "program": program})
        except SandboxUnavailable:
            # The sandbox may have expired or lost its connection. A new one may work, and nothing is lost yet.
            self.close()
            first = self._step({"token": token, "program": program})
        return TestRun(token, first, self._step)

    def unit_tests(self, task: dict[str, Any]) -> Reply:
        """Runs a row's unit tests on code that is not a candidate (guest/unittests.py), once for each task.

        Parameters:
            task: the argument of the guest's `run`.

        Raises:
            SandboxUnavailable: a sandbox could not be created.
        """
        from pytest_rewardkit.datasets.testcode.unit_tests import UNIT_TESTS

        key = json.dumps(task, sort_keys=True)
        if key not in self._replies:
            with _of_no_candidate(), Line(self._made(), UNIT_TESTS) as line:
                self._replies[key] = line.call("run", task, limit=SECONDS)
        return self._replies[key]

    def once(self, key: Hashable, score: Callable[[Sandbox], Reward]) -> Reward:
        """Scores code that is not a candidate in the sandbox of the tests, once for each key.

        Raises:
            SandboxUnavailable: a sandbox could not be created.
        """
        if (known := self._known.get(key)) is None:
            known = score(self._made())
            if known.value is not None:
                self._known[key] = known
        return known

    def _made(self) -> Sandbox:
        if self._sandbox is None:
            self._sandbox = self._create()
            self._renewal = time.monotonic() + RENEWAL_SECONDS
        return self._sandbox

    def _step(self, task: dict[str, Any]) -> Step:
        if self._line is None:
            self._line = Line(self._made(), TEST_RUNNER, starts_with_call=True)
        if "program" not in task and not self._line.alive:
            raise UnscoredError("the test's interpreter has ended")
        with _of_no_candidate():
            reply = self._line.call("advance", task, limit=MAX_SECONDS)
        if reply.verdict is not None or not reply.text:
            if "program" in task:
                raise UnscoredError(f"the row's test code broke off: {reply.reason}")
            # The test ran without a candidate, so the candidate's values are the reason that it broke off.
            raise CandidateGivenUp(reply.verdict or Verdict.RUNTIME_ERROR, f"the test broke off: {reply.reason}")
        # The candidate may now take its time, and the test goes on in the same interpreter.
        outlast(self._made(), IDLE_SECONDS)
        result = json.loads(reply.text)
        return Step(result.get("operations", ()), result.get("outcome"), result["seconds"])


@contextmanager
def _of_no_candidate() -> Iterator[None]:
    """If no candidate runs in a sandbox, a refusal means that the sandbox is lost."""
    try:
        yield
    except SandboxSpoilt as error:
        raise SandboxUnavailable(f"in the sandbox of the tests: {error}") from error


class TestRun:
    """A running test of one row on one candidate."""

    __test__ = False  # not one of pytest's

    def __init__(self, token: str, first: Step, step: Callable[[dict[str, Any]], Step]) -> None:
        self._token = token
        self._step = step
        self.state = first
        self.dry_run_seconds = first.seconds

    def go_on(self, answers: Sequence[str]) -> None:
        """Gives the test the answers to the operations of its `state`, and advances the state.

        Raises:
            CandidateGivenUp: the test broke off because of the candidate's values.
            SandboxUnavailable, UnscoredError: the test cannot be run to its end.
        """
        numbers = [operation["id"] for operation in self.state.operations]
        self.state = self._step({"token": self._token, "numbers": numbers, "answers": list(answers)})
