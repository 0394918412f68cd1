"""The question to a model, as far as it is known before asking: as plain values with a digest. Pure."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEPTH: Final = 50
_FUNCTIONS: Final = 100


def plain(value: object) -> Any:
    """Return `value` in JSON's types; None if that is not possible.

    Messages of clients' own types are converted by their ``model_dump``.
    """
    try:
        return _plain(value, _DEPTH)
    except _NotPlainError:
        return None


def digest(value: Any) -> str:
    """Return the digest of a plain value."""
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def readable(prompt: Any) -> str:
    """Return a prompt for people: a text as it is, messages one after another."""
    if isinstance(prompt, str):
        return prompt
    if isinstance(prompt, list) and all(_is_message(item) for item in prompt):
        return "\n\n".join(f"{item['role']}: {item['content']}" for item in prompt)
    return json.dumps(prompt, ensure_ascii=False, indent=1)


def source_digest(function: object) -> str:
    """Return the digest of the texts in a function's code, and of the module's constants and functions that it names.

    It is the same in every version of Python, and unlike a digest of source it does not change with a comment.
    """
    return digest(sorted(set(_texts(function, set()))))


class _NotPlainError(Exception):
    pass


def _plain(value: object, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if depth:
        if isinstance(value, list | tuple):
            return [_plain(item, depth - 1) for item in value]
        if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
            return {str(name): _plain(item, depth - 1) for name, item in value.items()}
        if is_dataclass(value) and not isinstance(value, type):
            return _plain(asdict(value), depth - 1)
        if callable(dump := getattr(value, "model_dump", None)) and not isinstance(value, type):
            return _plain(dump(mode="json"), depth - 1)
    raise _NotPlainError


def _is_message(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("role"), str) and isinstance(item.get("content"), str)


def _texts(function: object, seen: set[int]) -> Iterator[str]:
    if callable(function):
        function = inspect.unwrap(function)
    function = getattr(function, "__func__", function)
    if not isinstance(function, FunctionType) or id(function) in seen or len(seen) >= _FUNCTIONS:
        return
    seen.add(id(function))
    for code in _codes(function.__code__):
        yield from _constants(code.co_consts, function.__doc__)
        for name in code.co_names:
            value = function.__globals__.get(name)
            if isinstance(value, FunctionType) and value.__globals__ is function.__globals__:
                yield from _texts(value, seen)
            elif _is_constant(value) and (constant := plain(value)) is not None:
                yield f"{name} = {digest(constant)}"


def _is_constant(value: object) -> bool:
    """Whether a name in the function's module may stand for a prompt, and not for a counter or a collection."""
    if isinstance(value, str | tuple):
        return True
    if isinstance(value, Mapping):
        return all(isinstance(text, str) for text in value.values())
    return isinstance(value, list) and bool(value) and all(map(_is_message, value))


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _constants(constants: tuple[Any, ...], doc: str | None) -> Iterator[str]:
    for constant in constants:
        if isinstance(constant, str) and constant != doc:
            yield constant
        elif isinstance(constant, tuple):
            yield from _constants(constant, doc)
