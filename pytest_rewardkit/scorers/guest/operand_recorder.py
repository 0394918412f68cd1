"""Records the comparisons of a case's code inside a sandbox: sends both sides of each out, and the host compares.

The source of this module is sent into the candidate's interpreter, after the codec, so it needs only the standard
library. The interpreter's own result of a comparison decides only which operands are evaluated.
"""

from __future__ import annotations

import operator

from pytest_rewardkit.scorers.guest.codec_encoder import Encoder
from pytest_rewardkit.scorers.guest.codec_objects import TooLargeError, type_name

TYPING = False
if TYPING:
    from collections.abc import Callable  # noqa: TC003 - `typing` costs each program time
    from typing import Any

MAX_RECORDED = 20_000
"""Comparisons that one `all` or `any` makes, and items that one search inspects."""

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "is": operator.is_,
    "is not": operator.is_not,
    "in": lambda item, items: item in items,
    "not in": lambda item, items: item not in items,
}


class OperandRecorder:
    """Evaluates the nodes of a case's code (operands.py), and records the operands as data.

    Parameters:
        evaluate: returns the value of an expression's source.
    """

    def __init__(self, evaluate: Callable[[str], Any]) -> None:
        self._evaluate = evaluate
        self._encoder = Encoder()

    def record(self, node: Any) -> tuple[Any, Any]:
        """The record of a node, and its value in the interpreter."""
        kind, *content = node
        recorded: tuple[Any, Any] = getattr(self, f"_{kind}")(*content)
        return recorded

    def _value(self, source: str) -> tuple[Any, Any]:
        value = self._evaluate(source)
        return [self._data(value), _truth(value)], value

    def _compare(self, first: Any, others: Any) -> tuple[Any, Any]:
        recorded, left = self.record(first)
        record, value = [recorded], True
        for operation, node in others:
            recorded, right = self.record(node)
            if operation in ("in", "not in") and _is_used_up(right):
                right, recorded = self._looked_through(left, right)
            value = OPERATORS[operation](left, right)
            record.append([recorded, _truth(value)])
            if node is not others[-1][1] and not value:
                break
            left = right
        return record, value

    def _looked_through(self, item: Any, items: Any) -> tuple[Any, Any]:
        """The items of an iterator up to the one searched for, as `in` consumes them."""
        taken = []
        for other in items:
            taken.append(other)
            if other is item or other == item or len(taken) >= MAX_RECORDED:
                break
        return taken, [self._data(taken), True]

    def _and(self, nodes: Any) -> tuple[Any, Any]:
        return self._until(nodes, ends=False)

    def _or(self, nodes: Any) -> tuple[Any, Any]:
        return self._until(nodes, ends=True)

    def _until(self, nodes: Any, *, ends: bool) -> tuple[Any, Any]:
        records, value = [], None
        for node in nodes:
            recorded, value = self.record(node)
            records.append(recorded)
            if node is not nodes[-1] and bool(value) is ends:
                break
        return records, value

    def _not(self, node: Any) -> tuple[Any, Any]:
        recorded, value = self.record(node)
        return recorded, not value

    def _bool(self, node: Any) -> tuple[Any, Any]:
        recorded, value = self.record(node)
        return recorded, bool(value)

    def _choice(self, test: Any, one: Any, other: Any) -> tuple[Any, Any]:
        recorded, value = self.record(test)
        chosen = bool(value)
        result, value = self.record(one if chosen else other)
        return [recorded, chosen, result], value

    def _items(self, kind: str, nodes: Any) -> tuple[Any, Any]:
        pairs = [self.record(node) for node in nodes]
        values = [value for _, value in pairs]
        return [recorded for recorded, _ in pairs], tuple(values) if kind == "tuple" else values

    def _each(self, kind: str, source: str, operation: str) -> tuple[Any, Any]:
        records: list[Any] = []
        ends = kind == "any"
        for left, right in self._evaluate(source):
            value = OPERATORS[operation](left, right)
            records.append([[self._data(left), None], [self._data(right), None], _truth(value)])
            if bool(value) is ends:
                return records, ends
            if len(records) >= MAX_RECORDED:
                break
        return records, not ends

    def _data(self, value: Any) -> Any:
        try:
            return self._encoder.encode(value)
        except (TooLargeError, RecursionError, MemoryError):
            return {"object": [type_name(type(value)), "<too large to be taken out of the sandbox>"]}


def _truth(value: Any) -> bool | None:
    """Whether the interpreter takes a value for true; None if it cannot tell, as for an array."""
    try:
        return bool(value)
    except Exception:
        return None


def _is_used_up(value: Any) -> bool:
    """Whether it is one of Python's own iterators, which yield their items only once."""
    kind = type(value)
    return kind.__module__ in ("builtins", "itertools") and hasattr(kind, "__next__") and hasattr(kind, "__iter__")
