"""The answers that a sandbox may give to a question; everything else is refused here, and only here.

A question says what it wants (evaluation.py). An answer is a JSON list of two: the kind of the one thing said, and that
thing. docs/explanation/one-answer.md lists the kinds in a table. Each answer has bounded size, is decoded once, and
stands for one value, one text, or one exception. An answer of any other form counts as wrong.
"""

from __future__ import annotations

import builtins
import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.scorers.guest.codec_decoder import decode
from pytest_rewardkit.scorers.guest.codec_encoder import has_plain_text
from pytest_rewardkit.scorers.guest.inside import (
    MAX_ANSWER,
    MAX_BASES,
    MAX_MESSAGE,
    MAX_TEXT,
    MAX_TRACEBACK,
    MODULE,
)
from pytest_rewardkit.scorers.running.operands import ComparisonPlan, Undecided

if TYPE_CHECKING:
    from pytest_rewardkit.scorers.running.operand_comparison import Outcome

VALUE: Final = "value"
"""The question wants a value, whatever its text."""

PRINTED: Final = "print"
"""The question wants the text that `print` shows."""

SHOWN: Final = "shown"
"""The question wants the text by which Python shows an object: ``Decimal('0.1')``, ``<Color.RED: 1>``."""

MAX_OWN_BASES: Final = 8
"""Most classes of an exception that the host does not know, including its own class."""

_SHOWN_FORM: Final = re.compile(
    r"^(?:[A-Za-z_][\w.]*\(.*\)|<[A-Za-z_][\w.]*(?:[ :.][^<>]*)?>|np\.\w+|numpy\.\w+)\s*\Z", re.DOTALL | re.MULTILINE
)


class Refused(ValueError):  # noqa: N818 - it names what happened to an answer
    """The answer is not valid: it is too long, or has a form that the question does not allow."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception that ended a case.

    Parameters:
        types: the names of its class and its bases. From the first name that the host knows, all are the host's.
        message: its text.
    """

    types: tuple[str, ...]
    message: str

    def __str__(self) -> str:
        name = self.types[0]
        for module in ("builtins", "__main__", MODULE):
            name = name.removeprefix(f"{module}.")
        return f"{name}: {self.message}" if self.message else name


@dataclass(frozen=True, slots=True)
class Said:
    """The one thing that an answer says: a value, a text, an exception with its traceback, or only that all is done.

    Parameters:
        value: the value, in a tuple of one.
        text: the text.
        raised, traceback: the exception.
    """

    value: tuple[Any, ...] = ()
    text: str | None = None
    raised: Raised | None = None
    traceback: str = ""


def reading_of(expected: str) -> str:
    """Return which text of an object an expected text is compared with: `SHOWN` or `PRINTED`.

    Only the expected text decides: ``Fraction(1, 2)`` or ``<Color.RED: 1>`` is how Python shows an object; everything
    else is what `print` shows.
    """
    return SHOWN if _SHOWN_FORM.search(expected.strip()) else PRINTED


def read(text: str, wants: str, plan: ComparisonPlan | None = None, *, may_raise: bool = True) -> Said:
    """Return what an answer says to a question that wants `wants`; "" wants nothing. Raises Refused."""
    if len(text) > MAX_ANSWER:
        raise Refused("it is too long")
    try:
        kind, content = json.loads(text)
        if kind == "raised" and may_raise:
            return _raised(content)
        if plan is not None and kind == "compared":
            return _compared(content, wants, plan)
        if plan is None:
            return _of_kind(kind, content, wants)
    except Undecided:
        raise Refused("it went on otherwise than the values say that it compared") from None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, ArithmeticError) as error:
        raise Refused(f"it is malformed: {type(error).__name__}") from None
    raise Refused("it says something else than was asked for")


def _of_kind(kind: str, content: Any, wants: str) -> Said:
    if kind == "done" and not wants:
        return Said()
    if kind == "value" and wants:
        value = decode(content)
        if wants == VALUE or has_plain_text(value):
            return Said((value,))
    if kind == "text" and wants in (PRINTED, SHOWN) and isinstance(content, str) and len(content) <= MAX_TEXT:
        return Said(text=content)
    raise Refused("it says something else than was asked for")


def _compared(content: Any, wants: str, plan: ComparisonPlan) -> Said:
    asserted, answer = content
    checks = plan.checks
    for check, record, source in zip(checks, asserted, plan.asserted, strict=False):
        if not check.concluded(record).truth:
            names = _with_known_bases(["builtins.AssertionError"])
            return Said(raised=Raised(names, f"it does not hold: {source}"[:MAX_MESSAGE]))
    if answer is None or len(asserted) != len(checks):
        raise Undecided
    kind, content = answer
    if plan.tree is None:
        return _of_kind(kind, content, wants)
    if kind != "tree":
        raise Undecided
    outcome: Outcome = plan.tree.concluded(content)
    return Said((outcome.value,))


def _raised(content: Any) -> Said:
    bases, message, traceback = content["bases"], content["message"], content["traceback"]
    if not (isinstance(bases, list) and 0 < len(bases) <= MAX_BASES and all(isinstance(name, str) for name in bases)):
        raise Refused("it names no exception")
    if not (isinstance(message, str) and isinstance(traceback, str)):
        raise Refused("its exception has no text")
    raised = Raised(_with_known_bases(bases), message[:MAX_MESSAGE])
    return Said(raised=raised, traceback=traceback[:MAX_TRACEBACK])


def _with_known_bases(names: list[str]) -> tuple[str, ...]:
    """The names of an exception's classes up to the first that the host knows, then the bases of that one.

    So an exception has one kind, as a raised one does; no list of names gives it several.
    """
    own: list[str] = []
    for name in names:
        if (known := _known(name)) is not None:
            return (*own, *(f"{base.__module__}.{base.__qualname__}" for base in known.__mro__[:-1]))
        own.append(name[:200])
        if len(own) > MAX_OWN_BASES:
            break
    raise Refused("its exception has too many bases")


def _known(name: str) -> type[BaseException] | None:
    """The host's own exception class of that full name; never imports anything for a name that a candidate chose."""
    module, _, path = name.rpartition(".")
    found = vars(sys.modules[module]).get(path) if module in sys.modules else None
    if not (isinstance(found, type) and issubclass(found, BaseException)):
        return None
    return found if f"{found.__module__}.{found.__qualname__}" == name else None


def built_in_exception(name: str) -> str:
    """Return the full name of the built-in exception with this name; any other name as it is."""
    found = getattr(builtins, name, None)
    return f"builtins.{name}" if isinstance(found, type) and issubclass(found, BaseException) else name
