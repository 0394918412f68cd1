"""Compares two operands on the host, using the plain data that the sandbox sent. Pure.

An object of the candidate's own class equals nothing plain and contains nothing, unless the case makes it by the name
of its class (``Money(5) == 5``): then the case tests that class. Between two such objects, their class decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pytest_rewardkit.scorers.guest.codec_objects import Opaque
from pytest_rewardkit.scorers.guest.operand_recorder import OPERATORS

_SINGLETONS: Final = (None, True, False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a node.

    Parameters:
        value: plain data.
        truth: whether it is true.
        is_array: whether comparisons go item by item.
    """

    value: Any
    truth: bool
    is_array: bool = False


@dataclass(frozen=True, slots=True)
class Operand:
    """One side of a comparison.

    Parameters:
        outcome: its outcome.
        made: names of the candidate's classes that the case calls to make it.
    """

    outcome: Outcome
    made: frozenset[str] = frozenset()


def compared(sign: str, one: Operand, other: Operand, *, said: bool) -> Outcome:
    """Return the outcome of a comparison.

    Parameters:
        said: whether the interpreter calls it true; decides only what the candidate's own classes alone can.
    """
    left, right = one.outcome, other.outcome
    if sign in ("is", "is not"):
        known = any(side.value is singleton for side in (left, right) for singleton in _SINGLETONS)
        truth = OPERATORS[sign](left.value, right.value) if known else said
        return Outcome(truth, truth)
    if left.is_array or right.is_array:
        items = _itemwise(sign, left.value, right.value)
        return Outcome(items, said, is_array=True) if isinstance(items, list) else Outcome(items, items)
    owns = [isinstance(side.value, Opaque) for side in (left, right)]
    if any(owns):
        is_tested = all(owns) or any(
            isinstance(value := side.outcome.value, Opaque) and value.name in side.made for side in (one, other)
        )
        truth = said if is_tested else sign == "!="
        return Outcome(truth, truth)
    truth = _holds(sign, left.value, right.value, said=said)
    return Outcome(truth, truth)


def _itemwise(sign: str, left: Any, right: Any) -> Any:
    if isinstance(left, list) or isinstance(right, list):
        lefts, rights = (
            side if isinstance(side, list) else [side] * len(left if side is right else right) for side in (left, right)
        )
        return len(lefts) == len(rights) and [_itemwise(sign, *pair) for pair in zip(lefts, rights, strict=True)]
    return _holds(sign, left, right, said=False)


def _holds(sign: str, left: Any, right: Any, *, said: bool) -> bool:
    """Whether a comparison of plain values holds; they may contain objects of the candidate's classes."""
    (left, held), (right, holds) = _masked(left), _masked(right)
    try:
        truth = bool(OPERATORS[sign](left, right))
    except (TypeError, ValueError, ArithmeticError, RecursionError):  # such as an order of a number and a text
        return False
    # As far as the host can tell; only the class of these objects knows whether they are equal.
    return truth and said if held and holds and sign in ("==", "<=", ">=", "in") else truth


class _Mask:
    """Stands for an object of the candidate's; whether it equals another is unknown."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Mask)

    def __hash__(self) -> int:
        return 0


def _masked(value: Any) -> tuple[Any, bool]:
    """A value with masks in place of the candidate's objects, and whether there are any."""
    if isinstance(value, Opaque):
        return _Mask(), True
    if isinstance(value, dict):
        pairs = [(_masked(key), _masked(item)) for key, item in value.items()]
        if any(held or holds for (_, held), (_, holds) in pairs):
            return {key: item for (key, _), (item, _) in pairs}, True
    elif isinstance(value, list | tuple | set | frozenset):
        items = [_masked(item) for item in value]
        if any(held for _, held in items):
            return type(value)(item for item, _ in items), True
    return value, False
