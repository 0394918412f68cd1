"""Values across the border of a sandbox, and the evaluation of a case behind it.

The source of this module is sent into the candidate's interpreter with each case, and `answer` is called there; the
host calls `encode` and `decode` for the other direction. So it needs the standard library alone.

Whatever a candidate does to its interpreter, all that gets out is a text which the host decodes into plain data of
exact built-in types, or refuses. A forged answer is worth what returning that value would have been worth: the
candidate does not know what is expected.
"""

from __future__ import annotations

import io
import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

TYPING = False
if TYPING:
    from typing import Any

DEEPEST = 100
MOST_ITEMS = 500_000
MOST_CHARACTERS = 4_000_000
LONGEST_TEXT = 1_000_000
LONGEST_TRACEBACK = 4_000
LONGEST_ANSWER = 7_000_000
SAFE_INTEGER = 2**53


class Opaque:
    """What is left of an object of any other type: the names of its type, and its text. It equals nothing else."""

    def __init__(self, type_name: str, text: str) -> None:
        self.type_name = type_name
        self.text = text

    def __repr__(self) -> str:
        return self.text


class TooLargeError(Exception):
    """A value has too many items or characters to be taken out."""


class _Encoder:
    def __init__(self) -> None:
        self.items = 0
        self.characters = 0

    def encode(self, value: Any, depth: int = 0) -> Any:
        self._count(value, depth)
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind.__module__ == "numpy" and hasattr(value, "tolist"):
            return self.encode(value.tolist(), depth + 1)
        for base, encoding in _ENCODINGS:
            if issubclass(kind, base):
                return encoding(self, value, depth)
        if issubclass(kind, Opaque):
            self._count(value.text, depth)
            return {"object": [value.type_name, value.text]}
        return {"object": [_type_name(kind), _text(repr, value, 1000)]}

    def all(self, values: Any, depth: int) -> list[Any]:
        return [self.encode(value, depth + 1) for value in values]

    def _count(self, value: Any, depth: int) -> None:
        self.items += 1
        if isinstance(value, (str, bytes, bytearray)):
            self.characters += len(value)
        elif isinstance(value, int):
            self.characters += value.bit_length() // 4
        if depth > DEEPEST or self.items > MOST_ITEMS or self.characters > MOST_CHARACTERS:
            raise TooLargeError


def encode(value: Any) -> Any:
    """Return `value` as data for JSON, by the methods of its built-in base type, whatever its own class overrides.

    NumPy's arrays and scalars become lists and numbers; objects of other types become their type's name and their text,
    of which the beginning is kept; what stands for such an object already is kept whole.
    Raises TooLargeError.
    """
    return _Encoder().encode(value)


def _int(_: _Encoder, value: int, __: int) -> Any:
    number = int.__pos__(value)
    return number if -SAFE_INTEGER < number < SAFE_INTEGER else {"int": hex(number)}


def _float(_: _Encoder, value: float, __: int) -> Any:
    number = float.__pos__(value)
    return number if math.isfinite(number) else {"float": repr(number)}


def _complex(encoder: _Encoder, value: complex, depth: int) -> Any:
    number = complex.__pos__(value)
    return {"complex": encoder.all([number.real, number.imag], depth)}


def _dict(encoder: _Encoder, value: dict[Any, Any], depth: int) -> Any:
    return {"dict": [encoder.all(item, depth) for item in dict.items(value)]}


def _timedelta(_: _Encoder, value: timedelta, __: int) -> Any:
    return {"timedelta": [value.days, value.seconds, value.microseconds]}


_ENCODINGS: list[tuple[type, Any]] = [
    (bool, lambda _, value, __: int.__bool__(value)),
    (int, _int),
    (float, _float),
    (complex, _complex),
    (str, lambda _, value, __: str.__str__(value)),
    (bytes, lambda _, value, __: {"bytes": bytes.hex(value)}),
    (bytearray, lambda _, value, __: {"bytearray": bytearray.hex(value)}),
    (list, lambda encoder, value, depth: encoder.all(list.__iter__(value), depth)),
    (tuple, lambda encoder, value, depth: {"tuple": encoder.all(tuple.__iter__(value), depth)}),
    (set, lambda encoder, value, depth: {"set": encoder.all(set.__iter__(value), depth)}),
    (frozenset, lambda encoder, value, depth: {"frozenset": encoder.all(frozenset.__iter__(value), depth)}),
    (dict, _dict),
    (Decimal, lambda _, value, __: {"Decimal": Decimal.__str__(value)}),
    (Fraction, lambda _, value, __: {"Fraction": [hex(value.numerator), hex(value.denominator)]}),
    (datetime, lambda _, value, __: {"datetime": datetime.isoformat(value)}),
    (date, lambda _, value, __: {"date": date.isoformat(value)}),
    (time, lambda _, value, __: {"time": time.isoformat(value)}),
    (timedelta, _timedelta),
]


def decode(data: Any) -> Any:
    """Return the value that `encode` made `data` of. Raises ValueError for data that it cannot have made."""
    try:
        return _decode(data, 0)
    except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError) as error:
        raise ValueError(f"malformed value: {type(error).__name__}: {error}") from None


def _decode(data: Any, depth: int) -> Any:
    if depth > DEEPEST + 2:
        raise ValueError("nested too deep")
    if data is None or isinstance(data, (bool, int, float, str)):
        return data
    if isinstance(data, list):
        return [_decode(item, depth + 1) for item in data]
    if not isinstance(data, dict) or len(data) != 1:
        raise ValueError("not one tag")
    [(tag, content)] = data.items()
    if tag in _SCALARS:
        return _SCALARS[tag](content)
    items = [_decode(item, depth + 1) for item in content]
    if tag == "tuple":
        return tuple(items)
    if tag == "complex":
        return complex(*items)
    if tag == "dict":
        _refuse_collisions([key for key, _ in items])
        return dict(items)
    if tag in ("set", "frozenset"):
        _refuse_collisions(items)
        return set(items) if tag == "set" else frozenset(items)
    raise ValueError(f"no tag {tag!r}")


def _object(content: Any) -> Opaque:
    type_name, text = content
    return Opaque(str(type_name), str(text))


_SCALARS: dict[str, Any] = {
    "int": lambda content: int(content, 16),
    "float": float,
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "Decimal": lambda content: Decimal(_short(content)),
    "Fraction": lambda content: Fraction(*(int(_short(part), 16) for part in content)),
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda content: timedelta(*content),
    "object": _object,
}


def _short(digits: str) -> str:
    """`digits`, unless there are so many that arithmetic with them would take long."""
    if len(digits) > 10_000:
        raise ValueError("too many digits")
    return digits


def _refuse_collisions(keys: list[Any]) -> None:
    """Raise ValueError for keys chosen so that they all hash alike: a dictionary of them takes quadratic time."""
    if len(keys) > 1000 and len({hash(key) for key in keys}) < len(keys) // 8:
        raise ValueError("keys that collide")


class _Answer:
    """Shows itself as the answer's text, so that it leaves the sandbox as the cell's result."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def answer(nonce: str, question: str, user: dict[str, Any]) -> _Answer:
    """Run one case among the candidate's names; called in the sandbox.

    Parameters
    ----------
    nonce: what the answer begins with, to be told from what the candidate shows.
    question: JSON, or the path of a file that holds it: `statements` to execute, then a `call` to make with encoded
        `args` and `kwargs`, or an `expression` to evaluate; `texts`, whether the value is wanted as text too.
    user: the candidate's names.

    Returns an object whose text is the nonce and JSON: the encoded `value` and its `texts`, or what was `raised`.
    """
    try:
        if question.startswith("/"):
            with io.open(question, encoding="ascii") as file:  # noqa: UP020 - candidates take the built-in name at times
                question = file.read()
        text = json.dumps(_evaluated(json.loads(question), user))
    except BaseException as error:
        text = json.dumps({"raised": _described(error)})
    if len(text) > LONGEST_ANSWER:  # escapes can make it several times as long as the value
        text = json.dumps({"value": _too_large(object), "texts": []})
    return _Answer(nonce + text)


def _evaluated(question: dict[str, Any], user: dict[str, Any]) -> dict[str, Any]:
    if question["statements"]:
        exec(_compiled(question["statements"], "exec"), user)  # noqa: S102 - this is what a sandbox is for
    if question["call"]:
        function = eval(_compiled(question["call"], "eval"), user)  # noqa: S307
        value = function(*decode(question["args"]), **decode(question["kwargs"]))
    elif question["expression"]:
        value = eval(_compiled(question["expression"], "eval"), user)  # noqa: S307
    else:
        return {}
    if type(value).__name__ == "coroutine":
        value = _awaited(value)
    try:
        encoded = encode(value)
    except TooLargeError:
        encoded = _too_large(type(value))
    texts = [_text(str, value, LONGEST_TEXT), _text(repr, value, LONGEST_TEXT)] if question["texts"] else []
    return {"value": encoded, "texts": texts}


def _too_large(kind: type) -> Any:
    return {"object": [_type_name(kind), "<too large to be taken out of the sandbox>"]}


def _compiled(source: str, mode: str) -> Any:
    import linecache

    linecache.cache["<case>"] = (len(source), None, source.splitlines(True), "<case>")
    return compile(source, "<case>", mode)


def _awaited(coroutine: Any) -> Any:
    """The result of a coroutine; in a thread, because the interpreter's own may have an event loop that runs."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, coroutine).result()


def _described(error: BaseException) -> dict[str, Any]:
    import traceback

    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == "<rewardkit>":
        frames = frames.tb_next
    lines = traceback.format_exception(type(error), error, frames)
    return {
        "types": [_type_name(base) for base in type(error).__mro__],
        "message": _text(str, error, 2000),
        "traceback": "".join(lines)[-LONGEST_TRACEBACK:],
    }


def _type_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"[:200]


def _text(write: Any, value: Any, limit: int) -> str:
    try:
        return str.__str__(write(value))[:limit]
    except Exception as error:
        return f"<no text: {type(error).__name__}>"
