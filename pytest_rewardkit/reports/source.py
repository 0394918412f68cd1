"""Writes values as Python source: plain data, paths, exceptions and this package's own value types."""

from __future__ import annotations

import builtins
import math
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Keep = Callable[[str, str | bytes], str]
    """Takes a field's name and its long text or bytes, stores them elsewhere, and returns an expression for them."""

LONG: Final = 300
"""Characters from which on a text is stored elsewhere."""
FILES: Final = ("stdin", "setup")
"""Fields whose texts are always stored elsewhere, as files that are useful on their own."""
_MAX_DEPTH: Final = 50
_PLAIN: Final = (str, int, float, tuple, dict)
_BRACKETS: Final[dict[type, str]] = {list: "[{}]", tuple: "({})", set: "{{{}}}", frozenset: "frozenset({{{}}})"}


class NoSourceError(ValueError):
    """The value cannot be written as source; the message names it."""


class SourceWriter:
    """Writes values, and collects the imports that they need.

    Parameters:
        types: the data classes that may be written as calls, by name.
        keep: stores long texts.
    """

    def __init__(self, types: dict[str, type], keep: Keep) -> None:
        self._types = types
        self._keep = keep
        self.imports: set[str] = set()
        """The names of `types` written so far."""

    def of(self, value: Any, name: str = "data", depth: int = 0) -> str:
        """Return an expression for `value`, which belongs to the field `name`. Raises NoSourceError."""
        if depth > _MAX_DEPTH:
            raise NoSourceError("data nested too deeply")
        if value is None or type(value) in (bool, int):
            return repr(value)
        if type(value) is float:
            return repr(value) if math.isfinite(value) else f'float("{value}")'
        if type(value) in (str, bytes):
            return self._keep(name, value) if _is_kept(name, value) else ascii(value)
        if type(value) in _BRACKETS:
            return self._collection(value, name, depth)
        if type(value) is dict:
            items = (f"{self.of(key, name, depth + 1)}: {self.of(it, name, depth + 1)}" for key, it in value.items())
            return f"{{{', '.join(items)}}}"
        if isinstance(value, PurePath):
            return f"Path({str(value)!a})"
        if isinstance(value, type) and (builtin := _builtin_name(value)):
            return builtin
        if is_dataclass(value) and self._types.get(type(value).__name__) is type(value):
            return self._call(value, depth)
        raise NoSourceError(f"a {type(value).__name__} has no form as source")

    def _collection(self, value: Any, name: str, depth: int) -> str:
        items = ", ".join(self.of(item, name, depth + 1) for item in value)
        if type(value) is tuple and len(value) == 1:
            items += ","
        if not value and type(value) in (set, frozenset):
            return f"{type(value).__name__}()"
        return _BRACKETS[type(value)].format(items)

    def _call(self, value: Any, depth: int) -> str:
        name = type(value).__name__
        given = [(item.name, getattr(value, item.name)) for item in fields(value) if not _is_default(value, item)]
        self.imports.add(name)
        return f"{name}({', '.join(f'{key}={self.of(it, key, depth + 1)}' for key, it in given)})"


def _is_default(value: Any, item: Field[Any]) -> bool:
    default = item.default_factory() if item.default_factory is not MISSING else item.default
    current = getattr(value, item.name)
    return current is default or (type(current) is type(default) and isinstance(current, _PLAIN) and current == default)


def _is_kept(name: str, value: str | bytes) -> bool:
    several = "\n" in value if isinstance(value, str) else b"\n" in value
    return several or len(value) > LONG or (name in FILES and bool(value))


def _builtin_name(value: type) -> str:
    return value.__name__ if vars(builtins).get(value.__name__) is value else ""
