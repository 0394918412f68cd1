"""Evaluates a case inside a sandbox.

The source of this module is sent into the candidate's interpreter, after the codec, and `answer` is called there with
each case. So it needs only the standard library. A forged answer gains no more than returning that value would: the
candidate does not know what is expected.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys

from pytest_rewardkit.scorers.guest.codec_decoder import decode
from pytest_rewardkit.scorers.guest.codec_encoder import encode, has_plain_text
from pytest_rewardkit.scorers.guest.codec_objects import TooLargeError, text_of, type_name
from pytest_rewardkit.scorers.guest.loading import AWAITS, NAME, alone, compiled

TYPING = False
if TYPING:
    from typing import Any

MAX_TEXT = 1_000_000
MAX_MESSAGE = 2_000
MAX_TRACEBACK = 4_000
MAX_ANSWER = 7_000_000
MAX_BASES = 30


class _Answer:
    """Its text is the answer, so that the answer leaves the sandbox as the cell's result."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def answer(nonce: str, question: str, user: dict[str, Any]) -> _Answer:
    """Run one case with the candidate's names; called in the sandbox.

    Parameters:
        nonce: begins the answer, to distinguish it from the candidate's output.
        question: JSON, or the path of a file that holds it: what to evaluate and what is wanted of it (evaluation.py).
        user: the candidate's names.

    Returns an object whose text is the nonce and JSON: the kind of the one thing said, and that thing (protocol.py).
    """
    _allow_long_integers()
    try:
        if question.startswith("/"):
            with io.open(question, encoding="ascii") as file:  # noqa: UP020 - candidates take the built-in name at times
                question = file.read()
        with alone():
            text = json.dumps(_evaluated(json.loads(question), user))
    except BaseException as error:
        text = json.dumps(["raised", _described(error)])
    if len(text) > MAX_ANSWER:  # escapes can make it several times as long as the value
        text = json.dumps(["value", _too_large(object)])
    return _Answer(nonce + text)


def _allow_long_integers() -> None:
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)


def load(source: str, name: str, user: dict[str, Any]) -> None:
    """Run the source of a module with the names `user`; if it exits, loading ends, and its definitions so far count.

    Raises SyntaxError, without frames of the source, if it does not compile, and whatever the source raises.
    """
    import linecache
    import os

    # The code under a main guard does not run; lookups by the module's name succeed.
    user["__name__"] = MODULE
    user["__file__"] = os.path.join(os.getcwd(), NAME)  # noqa: PTH109, PTH118
    user["exit"] = user["quit"] = sys.exit  # a notebook's take no status, and go on
    sys.modules[MODULE] = sys.modules["__main__"]
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    program = compiled(source, name, _shell)
    with contextlib.suppress(SystemExit):
        program.run(user)


MODULE = "candidate"
"""The name of a candidate that is a module."""


def _shell() -> Any:
    """The IPython shell whose cell runs this. Raises ImportError."""
    from IPython import get_ipython

    return get_ipython()


def _evaluated(question: dict[str, Any], user: dict[str, Any]) -> list[Any]:
    if question["load"]:
        load(question["load"], question["name"], user)
        return ["done", None]
    if question["tree"] or question["steps"]:
        return ["compared", _compared(question, user)]
    if question["statements"]:
        _run(question["statements"], "exec", user)
    if question["call"]:
        function = _run(question["call"], "eval", user)
        args, kwargs = (decode(question[part], rebuild=True) for part in ("args", "kwargs"))
        return _said(_settled(function(*args, **kwargs)), question["wants"])
    return _expressed(question, user)


def _expressed(question: dict[str, Any], user: dict[str, Any]) -> list[Any]:
    if not question["expression"]:
        return ["done", None]
    return _said(_settled(_run(question["expression"], "eval", user)), question["wants"])


def _compared(question: dict[str, Any], user: dict[str, Any]) -> list[Any]:
    """The record of what a case's code asserts, and the answer; None if an assertion failed before the answer."""
    from pytest_rewardkit.scorers.guest.operand_recorder import OperandRecorder

    recorder = OperandRecorder(lambda source: _settled(_run(source, "eval", user)))
    asserted = []
    for kind, content in question["steps"]:
        if kind == "do":
            _run(content, "exec", user)
            continue
        record, value = recorder.record(content)
        asserted.append(record)
        if not value:
            return [asserted, None]
    if not question["tree"]:
        return [asserted, _expressed(question, user)]
    record, value = recorder.record(question["tree"])
    if question["assigns"]:
        user[question["assigns"]] = value
    return [asserted, ["tree", record]]


def _settled(value: Any) -> Any:
    return _awaited(value) if type(value).__name__ == "coroutine" else value


def reported(value: Any, wants: str) -> str:
    """Return an answer that holds a value, as JSON."""
    _allow_long_integers()
    try:
        text = json.dumps(_said(value, wants))
    except BaseException as error:
        text = json.dumps(["value", {"object": [type_name(type(value)), f"<no value: {type(error).__name__}>"]}])
    return text if len(text) <= MAX_ANSWER else json.dumps(["value", _too_large(type(value))])


def _said(value: Any, wants: str) -> list[Any]:
    """A value or, if its text is wanted and the host cannot make it from plain data, that one text."""
    try:
        if wants == "value" or has_plain_text(value):
            return ["value", encode(value)]
    except TooLargeError:
        if wants == "value":
            return ["value", _too_large(type(value))]
    kind: Any = type(value)
    write = repr if wants == "shown" and kind.__repr__ is not object.__repr__ else str
    return ["text", text_of(write, value, MAX_TEXT)]


def _too_large(kind: type) -> Any:
    return {"object": [type_name(kind), "<too large to be taken out of the sandbox>"]}


def _run(source: str, mode: str, user: dict[str, Any]) -> Any:
    """Run a piece of a case's code, which may `await`, and return its value."""
    import linecache

    linecache.cache["<case>"] = (len(source), None, source.splitlines(True), "<case>")
    code = compile(source, "<case>", mode, ALLOW_AWAIT, dont_inherit=True)
    value = eval(code, user)  # noqa: S307 - this is what a sandbox is for
    return _awaited(value) if code.co_flags & AWAITS else value


ALLOW_AWAIT = 0x2000
"""ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, without importing ast."""


def _awaited(coroutine: Any) -> Any:
    import asyncio

    return asyncio.run(coroutine)


def _described(error: BaseException) -> dict[str, Any]:
    import traceback

    frames = _frames(error, lambda name: name in ("<case>", NAME, "setup.py"))
    if frames is None:
        frames = _frames(error, lambda name: name != "<rewardkit>")
    lines = traceback.format_exception(type(error), error, frames)
    return {
        "bases": [type_name(base) for base in type(error).__mro__][:MAX_BASES],
        "message": text_of(str, error, MAX_MESSAGE),
        "traceback": "".join(lines)[-MAX_TRACEBACK:],
    }


def _frames(error: BaseException, begins: Any) -> Any:
    """The frames of an exception, from the first one in a file where they may begin."""
    frames = error.__traceback__
    while frames is not None and not begins(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return frames
