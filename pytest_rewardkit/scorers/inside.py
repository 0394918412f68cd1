"""The evaluation of a case behind the border of a sandbox.

The source of this module is sent into the candidate's interpreter, after across.py which takes values over the border,
and `answer` is called there with each case. So it needs the standard library alone. A forged answer is worth what
returning that value would have been worth: the candidate does not know what is expected.
"""

from __future__ import annotations

import io
import json
import sys

from pytest_rewardkit.scorers.across import decode, encode
from pytest_rewardkit.scorers.structures import TooLargeError, text_of, type_name

TYPING = False
if TYPING:
    from typing import Any

LONGEST_TEXT = 1_000_000
LONGEST_TRACEBACK = 4_000
LONGEST_ANSWER = 7_000_000


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
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
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
        args, kwargs = (decode(question[part], rebuild=True) for part in ("args", "kwargs"))
        value = function(*args, **kwargs)
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
    texts = [text_of(str, value, LONGEST_TEXT), text_of(repr, value, LONGEST_TEXT)] if question["texts"] else []
    return {"value": encoded, "texts": texts}


def _too_large(kind: type) -> Any:
    return {"object": [type_name(kind), "<too large to be taken out of the sandbox>"]}


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
        "types": [type_name(base) for base in type(error).__mro__],
        "message": text_of(str, error, 2000),
        "traceback": "".join(lines)[-LONGEST_TRACEBACK:],
    }
