"""Reads the candidate's answers to operations as possible forgeries, and rebuilds its exceptions."""

from __future__ import annotations

import builtins
import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.datasets.testcode.guest.proxy import (
    CandidateFailed,
)

if TYPE_CHECKING:
    import types


def error_of(kind: str, message: str) -> Exception:
    """An exception of the built-in kind; our own if that kind does not accept a text."""
    made = getattr(builtins, kind, None)
    if isinstance(made, type) and issubclass(made, Exception):
        with suppress(Exception):
            return made(message)
    return CandidateFailed(message)


def may_be_swallowed(error: Exception, do: str) -> bool:
    """Whether a candidate's exception, raised here, would silently end a loop of the test."""
    if isinstance(error, StopIteration | StopAsyncIteration):
        return True
    if not isinstance(error, IndexError):
        return False
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "__getitem__":  # Python iterates by it over objects without `__iter__`
            return True
        frame = frame.f_back
    return do not in ("call", "get")


def read_answer(line: str) -> dict[str, Any]:
    """Reads an answer from the candidate's side. An answer that is not exactly one known form counts as no answer."""
    try:
        answer = json.loads(line)
        said = frozenset(answer) - {"changed"}
        texts = [answer["raised"][field] for field in _SILENCE] if "raised" in said else []
        texts += [answer[field] for field in ("large", "of", "ended") if field in said]
        if said in _FORMS and all(isinstance(text, str) for text in texts):
            return dict(answer)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        pass
    return {"raised": _SILENCE}


_FORMS = frozenset(map(frozenset, (["value"], ["large", "of"], ["raised"], ["ended"], ["timeout"])))

_SILENCE = {"type": "NoAnswer", "builtin": "Exception", "message": "the candidate's side gave no answer", "where": ""}
