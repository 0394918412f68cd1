"""Scores a candidate by test code: the share of the test's checks that it passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.datasets.testcode.candidate import CandidateGivenUp, RunningCandidate, failure_verdict
from pytest_rewardkit.errors import SandboxUnavailable, UnscoredError
from pytest_rewardkit.reward import Part, Reward, Verdict
from pytest_rewardkit.scorers.own_time import OwnTime
from pytest_rewardkit.scorers.running.cell_execution import MEMORY_USED_UP
from pytest_rewardkit.scorers.running.tenants import settled
from pytest_rewardkit.text import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.testcode.test_runner import TestCode, TestRun, TestRunner

TIME_LIMIT: Final = 5.0
"""Seconds for loading a candidate, and for each call."""

TIME_FACTOR: Final = 4.0
"""How many times as long as the test alone a candidate may take. Most of the test's time computes expected values."""

CALLS_AT_LIMIT: Final = 4
"""How many calls may take their full limit: all together have that time, or more if the test alone takes long."""

MAX_ROUNDS: Final = 100
NAME_LIMIT: Final = 80


def score_test_code(
    sandbox: Sandbox,
    sources: Sequence[str],
    test: TestCode,
    *,
    test_runner: TestRunner,
    time_limit: float = TIME_LIMIT,
    reference: Sequence[str] = (),
) -> Reward:
    """Returns the reward of a candidate: the share of the test's checks that it passes.

    Each execution of an `assert` statement or of an assertion call is a check, and each may fail on its own. Checks
    that the test never reaches, because it broke off before them, have failed. A check is vacuous if functions that do
    nothing pass it too: passing it earns nothing, failing it counts.

    The test runs in the test runner's sandbox and the candidate in its own; only plain values pass between them
    (guest/). A test that needs more than that fails for every candidate, even the reference, and so says nothing.

    Parameters:
        sandbox: where the candidate runs.
        sources: pieces of source that make up the candidate.
        test: the row's test.
        test_runner: where the test runs.
        time_limit: seconds for loading the candidate and for each call; more if the test alone takes long.
        reference: pieces of source of a known-good candidate, if there is one.

    Returns:
        A reward with a part for each line of the test that checks something. It is unscored if the infrastructure
        failed, or if the test itself cannot run, passes when nothing is done, or fails for the reference too.
    """
    reward = _score(sandbox, sources, test, test_runner, time_limit)
    if not reference or reward.value in (None, 1.0) or reward.verdict is Verdict.COMPILE_ERROR:
        return reward
    known_good = test_runner.once(
        (test, tuple(reference)), lambda place: _score(place, reference, test, test_runner, time_limit)
    )
    if known_good.value is None or known_good.value == 1:
        return reward
    why = next((part.reason for part in known_good.parts if part.value != 1), "")
    return Reward.unscored(f"the row's own reference does not pass its test here either: {why}")


def _score(
    sandbox: Sandbox, sources: Sequence[str], test: TestCode, test_runner: TestRunner, time_limit: float
) -> Reward:
    try:
        run = test_runner.begin(test)
        outcome = run.state.outcome or _examined(sandbox, sources, run, time_limit)
    except SandboxUnavailable as error:
        return settled(sandbox, error, _failed)
    except UnscoredError as error:
        return Reward.unscored(str(error))
    except CandidateGivenUp as error:
        return _failed(error.verdict, str(error))
    return _reward(outcome)


def _failed(verdict: Verdict, reason: str) -> Reward:
    return Reward.from_parts([Part("candidate", 0.0, verdict=verdict, reason=printable(reason, keep="\n\t"))])


def _examined(sandbox: Sandbox, sources: Sequence[str], run: TestRun, time_limit: float) -> dict[str, Any]:
    alone = TIME_FACTOR * run.dry_run_seconds
    seconds, in_all = max(time_limit, alone), max(CALLS_AT_LIMIT * time_limit, alone)
    own_time = OwnTime()
    with RunningCandidate(sandbox, sources, seconds=seconds, seconds_in_all=in_all) as candidate:
        for _ in range(MAX_ROUNDS):
            run.go_on(candidate.answers(run.state.operations))
            if run.state.outcome is not None:
                return run.state.outcome
            if own_time.used_up:  # a round's answers may have many megabytes
                raise CandidateGivenUp(Verdict.TIMEOUT, own_time.reason)
    raise CandidateGivenUp(Verdict.RUNTIME_ERROR, f"the test wants more values after {MAX_ROUNDS} rounds of them")


def _reward(outcome: dict[str, Any]) -> Reward:
    stopped = outcome["stopped"]
    if stopped is not None and stopped["broken"]:
        return Reward.unscored(f"the row's test code cannot run: {_raised(stopped)}")
    parts = [_part(place) for place in outcome["checks"] if place["passed"] + place["failed"]]
    made, planned = outcome["made"], outcome["planned"]
    if stopped is not None or outcome["broken_off"]:
        # At least one, so that a test that ended too early never passes in full.
        unreached = max(planned - made, 1 if stopped is not None else 0)
        if unreached:
            parts.append(_unreached(stopped, unreached))
    elif planned and not made:
        parts.append(Part("checks", 0.0, weight=planned, reason="the test ended without checking anything"))
    if not any(part.weight for part in parts):
        return Reward.unscored("the row's test says nothing of a candidate: one that does nothing passes it too")
    return Reward.from_parts(parts)


def _part(place: dict[str, Any]) -> Part:
    passed, count = place["passed"] - place["vacuous"], place["passed"] + place["failed"] - place["vacuous"]
    name = one_line(place["text"], NAME_LIMIT)
    if passed == count:
        return Part(name, 1.0, weight=count, reason="" if count else "doing nothing passes it too")
    first = place["failures"][0]
    share = f"{passed} of {count} passed; first failure: " if count > 1 else ""
    return Part(
        name,
        passed / count,
        weight=count,
        verdict=Verdict.PARTIAL if passed else _verdict(first),
        reason=share + _raised(first),
        expected=printable(place["text"], keep="\n\t"),
        actual=printable("\n".join(first["calls"]), keep="\n\t") or None,
    )


def _unreached(stopped: dict[str, Any] | None, count: int) -> Part:
    if stopped is None:
        return Part("checks that were not reached", 0.0, weight=count)
    return Part(
        "checks that were not reached",
        0.0,
        weight=count,
        verdict=_verdict(stopped),
        reason=f"the test broke off: {_raised(stopped)}",
        actual=printable("\n".join(stopped["calls"]), keep="\n\t") or None,
    )


def _verdict(failure: dict[str, Any]) -> Verdict:
    if failure["type"] == "TimeUp" or (failure["by_candidate"] and failure["message"] == "ran out of time"):
        return Verdict.TIMEOUT
    if failure["by_candidate"] and failure["message"] == MEMORY_USED_UP:
        return Verdict.MEMORY
    return failure_verdict(failure["type"]) if failure["by_candidate"] else Verdict.WRONG_OUTPUT


def _raised(failure: dict[str, Any]) -> str:
    tells_nothing = failure["type"] == "AssertionError" and not failure["message"]
    if failure["calls"] and (tells_nothing or failure["by_candidate"]):
        return printable(failure["calls"][-1], keep="\n\t")
    return printable(f"{failure['type']}: {failure['message']}", keep="\n\t")
