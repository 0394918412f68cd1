"""Checks the values that a candidate gives to a test in its own process: whether they compare honestly.

An object that is equal to everything passes any test. Such objects are found by comparing them with values that no test
can mean. Values whose class overrides comparison are found by that override.
"""

from __future__ import annotations

import functools
import random
import sys
import unittest.mock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import types

MODULE = "__test__"
"""The name of the candidate's and the test's common module, as in BigCodeBench."""

MAX_LOOKED_AT = 2_000
_MADE_BY_PYTHON = 1 << 9
_LARGE = frozenset({"numpy", "pandas"})
"""Packages whose values take long to compare, and compare item by item."""

_VALUES = (str, bytes, int, float, complex, list, tuple, dict, set, frozenset)
_SPEAKING = frozenset(
    f"__{name}__"
    for name in (
        *("eq", "ne", "lt", "le", "gt", "ge", "contains", "len", "bool", "class", "iter", "getitem", "instancecheck"),
        *("sub", "rsub", "add", "radd", "abs", "round", "float", "int", "getattr", "getattribute", "array"),
    )
)
"""Methods by which a test examines a value."""

_OF_RUNNERS = ("unittest", "_pytest", "pluggy", "nose")
_ENDING = (StopIteration, StopAsyncIteration)


class Watched:
    """A candidate's function as its test sees it.

    Its exceptions reach the test as errors, not as signals to the test's runner or as the end of a loop. Its return
    values are inspected.

    Parameters:
        function: the candidate's.
    """

    def __init__(self, function: types.FunctionType) -> None:
        self.lie: str | None = None
        self._depth = 0
        self.function = functools.wraps(function)(lambda *args, **kwargs: self._called(function, args, kwargs))

    def _called(self, function: Any, args: Any, kwargs: Any) -> Any:
        self._depth += 1
        try:
            value = function(*args, **kwargs)
        except BaseException as error:
            if self._depth == 1 and _is_misunderstood(error):
                raise RuntimeError(f"the candidate raised {type(error).__name__}: {error}") from None
            raise
        finally:
            self._depth -= 1
        if self._depth == 0:
            self.lie = self.lie or lie_in(value)
        return value


def _is_misunderstood(error: BaseException) -> bool:
    return isinstance(error, _ENDING) or any(
        kind.__module__.partition(".")[0] in _OF_RUNNERS for kind in type(error).__mro__
    )


def lie_in(value: Any) -> str | None:
    """Returns what is wrong with a value, or with a value in it; None for a value that is equal only to what it is."""
    pending, seen = [value], 0
    while pending and seen < MAX_LOOKED_AT:
        value = pending.pop()
        seen += 1
        kind = type(value)
        if kind is dict:
            pending += [*value.keys(), *value.values()]
        elif kind in (list, tuple, set, frozenset):
            pending += value
        elif kind not in _VALUES and value is not None:
            if reason := _lie(value, kind):
                return f"{reason} ({kind.__name__[:80]})"
            if _is_of_candidate(kind):
                pending += _inner(value)
    return None


def _lie(value: Any, kind: type) -> str | None:
    if isinstance(value, unittest.mock.NonCallableMock):
        own = vars(kind).get("__eq__")
        # Comparing the mock would be a call, which the test may count.
        is_usual = own is None or isinstance(own, unittest.mock.MagicProxy)
        return None if is_usual else "a mock that compares as it is told"
    if issubclass(kind, _VALUES):
        names = [name for base in kind.__mro__ if _is_of_candidate(base) for name in vars(base)]
        told = _SPEAKING.intersection(names)
        return f"a value with {min(told)} of its own" if told else None
    if str(kind.__module__).partition(".")[0] in _LARGE and not _is_of_candidate(kind):
        return None
    return "an object that equals anything" if _equals_anything(value) else None


def _equals_anything(value: Any) -> bool:
    number = random.Random().getrandbits(64)
    for other in (object(), number, str(number), float(number), [number], (number,), {number: number}, {number}):
        try:
            if (value == other) is True or (value != other) is False:
                return True
            if (value < other) is True and (value > other) is True:
                return True
        except Exception:  # it has no order
            continue
    return False


def _inner(value: Any) -> list[Any]:
    try:
        return list(vars(value).values())
    except TypeError:
        return []


def _is_of_candidate(kind: type) -> bool:
    """Whether the candidate made a class, as far as the class tells."""
    if not kind.__flags__ & _MADE_BY_PYTHON:
        return False
    module = sys.modules.get(str(kind.__module__))
    codes = (getattr(item, "__code__", None) for item in vars(kind).values())
    if any(code is not None and code.co_filename == f"<{MODULE}>" for code in codes):
        return True
    if module is None or module.__name__ == "builtins":
        return vars(sys.modules["builtins"]).get(kind.__name__) is not kind
    return getattr(module, "__spec__", None) is None
