"""A test's requests as operations for the candidate's side, and the use of the answers."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.datasets.testcode.guest.answers import error_of, may_be_swallowed
from pytest_rewardkit.datasets.testcode.guest.handing import SENT_TYPE, built_in_type, is_changeable, pour
from pytest_rewardkit.datasets.testcode.guest.proxy import (
    LARGE_KINDS,
    CandidateFailed,
    Handed,
    Proxy,
    UnknownValue,
    short,
)
from pytest_rewardkit.datasets.testcode.guest.time_limit import TimeUp
from pytest_rewardkit.scorers.guest.codec_decoder import decode
from pytest_rewardkit.scorers.guest.codec_objects import Opaque

if TYPE_CHECKING:
    from collections.abc import Iterable


MAX_OPERATIONS = 100_000

TIME_UP = "ran out of time"


class Unanswered(BaseException):
    """In a run in earnest, the test asked for a value that is not known yet."""


class Nothing:
    """Stands for the candidate in a run without one: it can be called, and returns nothing."""

    def __call__(self, *_: Any, **__: Any) -> None:
        return None

    def __getattr__(self, name: str) -> Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()


class Operations:
    """All requests of a test, over all its runs; each run makes them again.

    At an unknown value, a run in earnest ends; in a dry run, a proxy stands for the value.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, int], int] = {}
        self._operations: list[dict[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._asked: dict[str, int] = {}
        self._changing: list[Any] = []
        self._calls: deque[str] = deque()
        self._in_earnest = False
        self._without_candidate = False
        self.error: BaseException | None = None
        """The last exception that is the candidate's fault."""

    def begin(self, calls: deque[str], *, in_earnest: bool, without_candidate: bool) -> None:
        """Begins a run.

        Parameters:
            calls: receives the result of each operation, as text for people.
            without_candidate: whether the run has no candidate.
        """
        self._calls, self._in_earnest, self._without_candidate = calls, in_earnest, without_candidate
        self._asked = {}
        self._changing = []

    @property
    def asked(self) -> bool:
        """Whether the test has made any request yet."""
        return bool(self._operations)

    @property
    def unanswered(self) -> list[dict[str, Any]]:
        """The operations that have no answer yet."""
        return [operation for operation in self._operations if operation["id"] not in self._answers]

    def take(self, answers: Iterable[tuple[int, dict[str, Any]]]) -> None:
        """Takes answers to operations, by their numbers."""
        self._answers.update(answers)

    def ask(self, operation: dict[str, Any], shown: str, handed: Handed | None = None) -> Any:
        """Returns the value of an operation on the candidate, or a proxy; raises what the candidate raised."""
        if self._without_candidate:
            return Nothing()
        given = [value for value in (*handed.args, *handed.kwargs.values()) if is_changeable(value)] if handed else []
        if any(value is other for value in given for other in self._changing):
            raise UnknownValue  # its content is now unknown
        key = hashlib.sha256(json.dumps(operation).encode("ascii")).hexdigest()  # arguments may be large
        occurrence = self._asked.get(key, 0)
        self._asked[key] = occurrence + 1
        number = self._numbers.setdefault((key, occurrence), len(self._operations))
        if number == len(self._operations):
            if number >= MAX_OPERATIONS:
                raise TimeUp(f"the test code asks for more than {MAX_OPERATIONS:,} values")
            self._operations.append({"id": number, **operation})
        answer = self._answers.get(number)
        if answer is not None:
            if handed is not None and "changed" in answer:
                self._take_over(answer["changed"], handed, shown)
            return self._settled(number, answer, shown)
        if self._in_earnest:
            raise Unanswered
        if given and self._operations[operation["of"]]["do"] != "name":
            # A candidate's object remembers calls, and would keep content that differs from that of the run in earnest.
            self._changing += given
        return Proxy(self, number, shown, known=False)

    def _take_over(self, changed: Any, handed: Handed, shown: str) -> None:
        """Copies the candidate's changes into the test's own values."""
        try:
            for key, data in changed:
                value = handed.kwargs[key] if isinstance(key, str) else handed.args[key]
                new = decode(data)
                self._calls.append(f"{shown} changed {short(value)} to {short(new)}")
                pour(new, value)
        except (ValueError, TypeError, LookupError) as error:
            raise self._failure(CandidateFailed(f"gave a malformed change: {error}"), shown) from None

    def _settled(self, number: int, answer: dict[str, Any], shown: str) -> Any:
        if "large" in answer and answer.get("of") in LARGE_KINDS:
            kind = LARGE_KINDS[answer["of"]]
            what = f"{shown}, a large {kind.__name__}"
            return Proxy(self, number, what, known=True, digest=str(answer["large"]), of=kind)
        if "value" in answer:
            try:
                value = decode(answer["value"])
            except ValueError as error:
                raise self._failure(CandidateFailed(f"gave a {error}"), shown) from None
            self._calls.append(f"{shown} is {short(value)}")
            if not isinstance(value, Opaque):
                return value
            named = built_in_type(value.text) if value.type_name == SENT_TYPE else None
            return Proxy(self, number, shown, known=True) if named is None else named
        if "ended" in answer:
            raise self._failure(CandidateFailed(str(answer["ended"])[:200]), shown, f"failed: {answer['ended']}"[:300])
        if "raised" not in answer:
            raise self._failure(CandidateFailed(TIME_UP), shown)
        raised = answer["raised"]
        name, message, where = (str(raised[field]) for field in ("type", "message", "where"))
        what = f"raised {name}: {message[:200]}{where and f' ({where})'}"
        failure = error_of(str(raised["builtin"]), message)
        if may_be_swallowed(failure, self._operations[number]["do"]):
            failure = RuntimeError(f"the candidate raised {name}")  # as Python does for a generator
        raise self._failure(failure, shown, what)

    def _failure(self, error: Exception, shown: str, what: str = "") -> Exception:
        self.error = error
        self._calls.append(f"{shown} {what or error}")
        return error
