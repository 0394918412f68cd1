"""The candidate in its sandbox, which answers the requests of the test code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.datasets.testcode.sending import OPERATION_RUNNER, Line
from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.scorers.running.for_one import is_for_one
from pytest_rewardkit.scorers.running.tenants import moves_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.testcode.sending import Reply

MAX_CRASHES: Final = 3
"""How many interpreters a candidate may end before it is given up."""

MARGIN: Final = 5.0
"""Seconds in addition to the candidate's limit, for loading and for a candidate that ignores an interrupt."""


class CandidateGivenUp(Exception):  # noqa: N818 - it names what happened
    """The candidate cannot be loaded, or ended its test, so it fails every check.

    Parameters:
        verdict: why.
        reason: one sentence.
    """

    def __init__(self, verdict: Verdict, reason: str) -> None:
        super().__init__(reason)
        self.verdict = verdict


class RunningCandidate:
    """A candidate that performs operations (guest/operation_runner.py). A context manager.

    Parameters:
        sandbox: where it runs.
        sources: pieces of Python source that make it up, run one after another.
        seconds: for loading, and for each operation.
        seconds_in_all: for all operations of one request.
    """

    def __init__(self, sandbox: Sandbox, sources: Sequence[str], *, seconds: float, seconds_in_all: float) -> None:
        self._sandbox = sandbox
        self._line = Line(sandbox, OPERATION_RUNNER, starts_with_call=True)
        self._sources = list(sources)
        self._seconds = seconds
        self._seconds_in_all = seconds_in_all
        self._earlier: list[dict[str, Any]] = []
        self._crashes = 0

    def __enter__(self) -> RunningCandidate:
        return self

    def __exit__(self, *_: object) -> None:
        if not is_for_one(self._sandbox):
            self._line.__exit__()

    def answers(self, operations: Sequence[dict[str, Any]]) -> list[str]:
        """Performs operations, in order; returns a line of JSON for each.

        Raises:
            CandidateGivenUp: the candidate cannot be loaded.
            SandboxUnavailable: the sandbox, or the connection to it, is lost.
        """
        lines: list[str] = []
        while len(lines) < len(operations):
            open_operations = operations[len(lines) :]
            if self._crashes >= MAX_CRASHES:
                lines += [_ended("it has ended its interpreter too often")] * len(open_operations)
                break
            reply = self._executed(open_operations)
            lines += self._checked(reply, len(open_operations))
            self._earlier = [*self._earlier, *operations[len(operations) - len(open_operations) : len(lines)]]
        return lines

    def _executed(self, operations: Sequence[dict[str, Any]]) -> Reply:
        was_alive = self._line.alive
        task = {
            "sources": self._sources,
            "earlier": [] if was_alive else self._earlier,
            "operations": operations,
            "seconds": self._seconds,
            "seconds_in_all": self._seconds_in_all,
        }
        try:
            return self._line.call("execute", task, limit=self._seconds + self._seconds_in_all + MARGIN)
        finally:
            if self._line.has_begun:
                moves_in(self._sandbox)

    def _checked(self, reply: Reply, expected: int) -> list[str]:
        """The answers that arrived, plus one for the operation that ended the interpreter."""
        loading, *lines = reply.text.split("\n")
        complete = lines[:-1][:expected]  # text after the last line end is incomplete
        if not complete:
            self._check_loaded(loading if lines else "", reply)
        if len(complete) < expected:
            self._crashes += 1
            timeout = reply.verdict is Verdict.TIMEOUT
            complete.append('{"timeout": true}' if timeout else _ended(reply.reason or "the answers broke off"))
        return complete

    @staticmethod
    def _check_loaded(loading: str, reply: Reply) -> None:
        try:
            state = json.loads(loading)
            if "loaded" in state:
                return
            raised = state.get("raised")
            if raised is None:
                raise CandidateGivenUp(Verdict.TIMEOUT, "loading the candidate took too long")
            name, message, where = (str(raised[field]) for field in ("type", "message", "where"))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            verdict = reply.verdict or Verdict.RUNTIME_ERROR
            raise CandidateGivenUp(verdict, reply.reason or "the candidate ended its interpreter") from None
        verdict = Verdict.COMPILE_ERROR if state.get("compiling") else failure_verdict(name)
        raise CandidateGivenUp(verdict, f"{name}: {message}{where and f' ({where})'}")


def failure_verdict(exception: str) -> Verdict:
    """Returns the verdict for a candidate that raised an exception with that name."""
    return Verdict.MEMORY if exception == "MemoryError" else Verdict.RUNTIME_ERROR


def _ended(reason: str) -> str:
    return json.dumps({"ended": reason})
