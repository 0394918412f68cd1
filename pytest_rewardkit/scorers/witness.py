"""Keeps, for each call of a scorer, what was judged and what it put out, as the evidence of the reward."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from pytest_rewardkit.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_rewardkit.reward import Reward

Scorer = TypeVar("Scorer", bound="Callable[..., Reward]")


@dataclass(slots=True)
class _Seen:
    """What is known of the candidate so far."""

    code: str = ""
    output: tuple[str, str, tuple[str, ...]] | None = None


# A scorer and what runs the candidate for it are a few calls apart, and all of these would have to pass it on.
_seen: Final[ContextVar[_Seen | None]] = ContextVar("rewardkit-seen", default=None)


def witnessed(score: Scorer) -> Scorer:
    """Make the rewards of a scorer carry evidence; a decorator of functions of a sandbox, a candidate and more."""
    signature = inspect.signature(score)

    @functools.wraps(score)
    def scored(*args: Any, **kwargs: Any) -> Reward:
        try:
            call = signature.bind(*args, **kwargs)
        except TypeError:
            return score(*args, **kwargs)  # whose own error says more
        for name, value in call.arguments.items():
            if isinstance(value, Iterator):
                call.arguments[name] = list(value)  # it can be read only once
        seen = _Seen()
        token = _seen.set(seen)
        try:
            reward = score(*call.args, **call.kwargs)
        finally:
            _seen.reset(token)
        return replace(reward, evidence=(_evidence(score.__name__, call, seen),))

    return cast("Scorer", scored)


def saw_code(code: str) -> None:
    """Note the candidate's code; what was noted of another one before, such as a reference, is forgotten."""
    if (seen := _seen.get()) is not None:
        seen.code, seen.output = code, None


def saw_output(stdout: str, stderr: str, images: tuple[str, ...] = ()) -> None:
    """Note what the candidate put out; the first time that it ran is kept."""
    if (seen := _seen.get()) is not None and seen.output is None:
        seen.output = (stdout, stderr, images)


def _evidence(scorer: str, call: inspect.BoundArguments, seen: _Seen) -> Evidence:
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
    )
