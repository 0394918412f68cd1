"""Records, for each call of a scorer, the judged code and its output, as evidence of the reward.

Failures of the scorer itself also end here (faults.py).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from pytest_rewardkit.errors import RewardkitCallError, did_you_mean
from pytest_rewardkit.evidence import Evidence
from pytest_rewardkit.faults import guarded
from pytest_rewardkit.sandboxes.lazy import is_lazy
from pytest_rewardkit.scorers.running.repeat import repeated
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_rewardkit.reward import Reward

Scorer = TypeVar("Scorer", bound="Callable[..., Reward]")


@dataclass(slots=True)
class _Seen:
    """What is known about the candidate so far."""

    code: str = ""
    output: tuple[str, str, tuple[str, ...]] | None = None


# A side channel, on purpose. The code and its output are known where the candidate runs (subject.py, program.py), some
# calls below the scorer. If a lost sandbox ends those calls by an exception, their return values are lost, and that
# reward needs the evidence most. To pass it directly, each of these calls and the scorers that users call would need a
# parameter that they do not use. It is set and reset only here, for one call.
_seen: Final[ContextVar[_Seen | None]] = ContextVar("rewardkit-seen", default=None)


def with_evidence(score: Scorer) -> Scorer:
    """Make the rewards of a scorer carry evidence. Decorates functions of a sandbox, a candidate and more."""
    signature = inspect.signature(score)

    @functools.wraps(score)
    def scored(*args: Any, **kwargs: Any) -> Reward:
        try:
            call = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise _misused(score, signature, kwargs, error) from None
        _check_subject(score, *call.args[:2])
        for name, value in call.arguments.items():
            if isinstance(value, Iterator):
                call.arguments[name] = list(value)  # it can be read only once
        seen = _Seen()
        token = _seen.set(seen)
        try:
            reward = guarded(lambda: repeated(lambda: score(*call.args, **call.kwargs), call.args[0]))
        finally:
            _seen.reset(token)
        fault = "".join(evidence.fault for evidence in reward.evidence)
        return replace(reward, evidence=(_evidence(score.__name__, call, seen, fault),))

    return cast("Scorer", scored)


def _misused(
    score: Callable[..., Reward], signature: inspect.Signature, keywords: Mapping[str, Any], error: TypeError
) -> Exception:
    """Return what to raise after a call with wrong arguments."""
    known = list(signature.parameters)
    wrong = next((name for name in keywords if name not in known), None)
    said = str(error) if wrong is None else f"unexpected keyword argument {wrong!r}{did_you_mean(wrong, known)}"
    return RewardkitCallError(f"{score.__name__}: {said}")


def _check_subject(score: Callable[..., Reward], sandbox: object, candidate: object) -> None:
    """Raise RewardkitCallError unless a scorer got a sandbox and a candidate."""
    name = score.__name__
    if isinstance(sandbox, str) and not isinstance(candidate, str):
        raise RewardkitCallError(f"{name}: sandbox and candidate are swapped; the sandbox comes first")
    if not isinstance(candidate, str):
        raise RewardkitCallError(f"{name}: candidate must be text, not {one_line(repr(candidate), 60)}")
    # By its class if that has the method: a sandbox that is not created yet would be created.
    run_code = getattr(sandbox.__class__, "run_code", None)
    if run_code is None and is_lazy(sandbox):  # the SDK is not loaded
        return
    run_code = run_code or getattr(sandbox, "run_code", None)
    if run_code is None:
        given = one_line(repr(sandbox), 60)
        raise RewardkitCallError(f"{name}: sandbox must be a Sandbox, as the fixture `sandbox` gives it, not {given}")
    if inspect.iscoroutinefunction(run_code):
        raise RewardkitCallError(
            f"{name}: takes a sandbox of the fixture `sandbox`, not an asynchronous one; "
            f"pytest_rewardkit.asynchronous has one to await"
        )


def note_code(code: str) -> None:
    """Note the candidate's code, and forget what was noted about another one before, such as a reference."""
    if (seen := _seen.get()) is not None:
        seen.code, seen.output = code, None


def note_output(stdout: str, stderr: str, images: tuple[str, ...] = ()) -> None:
    """Note the candidate's output; only the first run's is kept."""
    if (seen := _seen.get()) is not None and seen.output is None:
        seen.output = (stdout, stderr, images)


def _evidence(scorer: str, call: inspect.BoundArguments, seen: _Seen, fault: str) -> Evidence:
    (_, (_, response), *others) = call.arguments.items()
    stdout, stderr, images = seen.output or ("", "", ())
    return Evidence(
        code=seen.code,
        response="" if response == seen.code else response,
        stdout=stdout,
        stderr=stderr,
        images=images,
        scorer=scorer,
        arguments=dict(others),
        fault=fault,
    )
