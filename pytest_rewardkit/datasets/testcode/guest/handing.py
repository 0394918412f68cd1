"""Passes values from a test to the candidate beyond plain data (types, functions, iterators), and changes back.

Types and functions of the standard library are passed by name. A test's own function is passed as its code, together
with the values that it refers to: its receiver can look at it anyway. An iterator is passed as its items. If the
candidate changes a list, dictionary or set in place, its new content comes back and replaces that of the test's own.
"""

from __future__ import annotations

import base64
import builtins
import importlib
import io
import itertools
import json
import marshal
import sys
import types
from collections import deque
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.scorers.guest.codec_objects import Opaque

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_ITEMS = 100_000
"""Items taken from an iterator; a test's iterator may be endless."""

_OTHERS_MODULES = frozenset(["numpy", "pandas"])
_MUTABLE = (list, dict, set, bytearray, deque)
_PLAIN = frozenset([type(None), bool, int, float, complex, str, bytes])
_COUNTED = (itertools.count, itertools.cycle, itertools.repeat)


class Unsendable(Exception):  # noqa: N818 - it names a state
    """A value cannot be described to another process."""


_CHECKS = "__rewardkit__"
"""The name of the object to which a test's statements report how they ended."""

SENT_TYPE = f"{__name__}.Sent"


class Sent(Opaque):
    """Stands for a value in encoded data: its text says how the other side obtains the value."""

    def __init__(self, description: dict[str, Any]) -> None:
        super().__init__(SENT_TYPE, json.dumps(description))


class Sender:
    """Describes values to the other side.

    Parameters:
        encode: turns a value into plain data if it contains only plain values, proxies and `Sent`.
    """

    def __init__(self, encode: Callable[[Any], Any]) -> None:
        self._encode = encode
        self._functions: list[types.FunctionType] = []

    def encoded(self, value: Any) -> Any:
        """Returns a value as data. Raises Unsendable."""
        return self._encode(self._prepared(value))

    def _prepared(self, value: Any) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind in (list, tuple, set, frozenset):
            return value if set(map(type, value)) <= _PLAIN else kind(map(self._prepared, value))
        if kind is dict:
            return {self._prepared(key): self._prepared(item) for key, item in value.items()}
        if kind is range:
            return Sent({"range": [value.start, value.stop, value.step]})
        if isinstance(value, types.ModuleType):
            return Sent({"named": [value.__name__, ""]})
        if (named := _named(value)) is not None:
            return Sent({"named": named})
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, io.StringIO | io.BytesIO):
            return Sent({"file": [self.encoded(value.getvalue()), value.tell()]})
        if hasattr(kind, "__next__") and hasattr(kind, "__iter__"):
            return self._iterator(value)
        return value

    def _iterator(self, value: Any) -> Sent:
        if isinstance(value, _COUNTED):
            raise Unsendable(f"an endless {type(value).__name__}")
        items = list(itertools.islice(value, MAX_ITEMS + 1))
        if len(items) > MAX_ITEMS:
            raise Unsendable(f"a {type(value).__name__} of more than {MAX_ITEMS:,} items")
        return Sent({"iterator": self.encoded(items)})

    def _function(self, function: types.FunctionType) -> Sent:
        for number, known in enumerate(self._functions):
            if known is function:
                return Sent({"same": number})
        self._functions.append(function)
        space = function.__globals__
        names = [name for name in _names(function.__code__) if name in space and name != _CHECKS]
        cells = [_content(cell) for cell in function.__closure__ or ()]
        for value in (*cells, *(space[name] for name in names)):
            if isinstance(value, _MUTABLE):
                # The test would not see changes that the function makes to it.
                raise Unsendable(f"function that refers to a {type(value).__name__} of the test's")
        return Sent(
            {
                "function": {
                    "python": sys.implementation.cache_tag,
                    "code": base64.b85encode(marshal.dumps(function.__code__)).decode(),
                    "name": function.__name__,
                    "globals": {name: self.encoded(space[name]) for name in names},
                    "defaults": self.encoded(function.__defaults__),
                    "keywords": self.encoded(function.__kwdefaults__),
                    "cells": self.encoded(cells),
                }
            }
        )


class Receiver:
    """Creates values from their descriptions.

    Parameters:
        decode: returns the value of data.
    """

    def __init__(self, decode: Callable[[Any], Any]) -> None:
        self._decode = decode
        self._functions: list[types.FunctionType] = []

    def value(self, text: str) -> Any:
        """Returns the value that the text of a `Sent` describes."""
        [(kind, content)] = json.loads(text).items()
        if kind == "named":
            module, path = content
            value: Any = importlib.import_module(module)
            for name in path.split(".") if path else ():
                value = getattr(value, name)
            return value
        if kind == "iterator":
            return iter(self._decode(content))
        if kind == "range":
            return range(*content)
        if kind == "file":
            return _file(self._decode(content[0]), content[1])
        if kind == "same":
            return self._functions[content]
        return self._function(content)

    def _function(self, content: dict[str, Any]) -> types.FunctionType:
        if content["python"] != sys.implementation.cache_tag:
            raise ImportError(f"a function of {content['python']} in {sys.implementation.cache_tag}")
        code = marshal.loads(base64.b85decode(content["code"]))
        cells = tuple(types.CellType() for _ in code.co_freevars)
        function = types.FunctionType(code, {"__name__": "test"}, content["name"], None, cells)
        self._functions.append(function)  # before the values that it refers to, which may include itself
        function.__globals__[_CHECKS] = _Unchecked()
        function.__globals__.update((name, self._decode(item)) for name, item in content["globals"].items())
        function.__defaults__ = self._decode(content["defaults"])
        function.__kwdefaults__ = self._decode(content["keywords"])
        for cell, value in zip(cells, self._decode(content["cells"]), strict=True):
            cell.cell_contents = value
        return function


def _file(content: str | bytes, position: int) -> io.StringIO | io.BytesIO:
    file = io.StringIO(content, newline="") if isinstance(content, str) else io.BytesIO(content)
    file.seek(position)
    return file


class _Unchecked:
    """Replaces a test's checks while the candidate calls a function of the test: exceptions there are raised."""

    failures = Exception

    def begin(self, *_: Any) -> None: ...

    def passed(self, *_: Any) -> None: ...

    def failed(self, *_: Any) -> bool:
        return True

    def broke(self, *_: Any) -> bool:
        return True


def built_in_type(text: str) -> type | None:
    """Returns the type that the text of a candidate's `Sent` names, if it is a built-in one.

    The text may be forged, so nothing is imported or called for it.
    """
    try:
        [(kind, (module, path))] = json.loads(text).items()
        found = getattr(builtins, path) if (kind, module) == ("named", "builtins") else None
    except (ValueError, TypeError, AttributeError):
        return None
    return found if isinstance(found, type) else None


def _named(value: Any) -> list[str] | None:
    """The module and the path of names by which the other side finds the same value, or None."""
    owner = getattr(value, "__objclass__", None)
    module = getattr(value, "__module__", None) or getattr(owner, "__module__", None)
    path = getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(path, str):
        return None
    top = module.partition(".")[0]
    if top not in sys.stdlib_module_names and top not in _OTHERS_MODULES:
        return None
    found: Any = sys.modules.get(module)
    for name in path.split("."):
        found = getattr(found, name, None)
    return [module, path] if found is value else None


def _names(code: types.CodeType) -> set[str]:
    """The names that a function's code may look up in its module."""
    inner = (constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        raise Unsendable("function that refers to a name without a value") from None


def is_changeable(value: Any) -> bool:
    """Whether a candidate that receives a value may change it in place."""
    if type(value) is tuple:
        return any(map(is_changeable, value))
    return issubclass(type(value), _MUTABLE)


def pour(new: Any, into: Any) -> None:
    """Gives a test's own value the content that the candidate left in its copy, if the types match."""
    if isinstance(into, tuple) and isinstance(new, tuple):
        for one, other in zip(new, into, strict=False):
            pour(one, other)
    elif isinstance(into, list | deque | bytearray) and isinstance(new, list | deque | bytearray):
        kept = list(into)
        into.clear()
        into.extend(_poured_items(new, kept))
    elif isinstance(into, dict) and isinstance(new, dict):
        kept_items = dict(into)
        into.clear()
        into.update((key, _poured(item, kept_items.get(key))) for key, item in new.items())
    elif isinstance(into, set) and isinstance(new, set):
        into.clear()
        into.update(new)


def _poured_items(new: Any, kept: list[Any]) -> list[Any]:
    return [_poured(one, other) for one, other in itertools.zip_longest(new, kept[: len(new)])]


def _poured(new: Any, kept: Any) -> Any:
    """The test's own container with the new content, if its type is the same; else the new value."""
    if type(kept) is type(new) and isinstance(kept, _MUTABLE):
        pour(new, kept)
        return kept
    return new
