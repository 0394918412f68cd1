"""The candidate's side: loads the candidate and performs the operations of the test code in another sandbox.

Requests arrive as a list of operations. The result of each goes into a file, line by line, so that a crash costs only
the operation that crashed. The candidate controls everything here, but can forge only its own values.
"""

from __future__ import annotations

import builtins
import itertools
import json
import sys
import traceback
import types
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.datasets.testcode.guest.digests import LARGE, digest
from pytest_rewardkit.datasets.testcode.guest.handing import SENT_TYPE, Receiver, Sent, is_changeable
from pytest_rewardkit.datasets.testcode.guest.surroundings import as_a_program
from pytest_rewardkit.datasets.testcode.guest.time_limit import TimeUp, counted_time_limit
from pytest_rewardkit.local.counted_share import Clock
from pytest_rewardkit.scorers.guest.codec_decoder import decode
from pytest_rewardkit.scorers.guest.codec_encoder import encode
from pytest_rewardkit.scorers.guest.codec_objects import Opaque, TooLargeError
from pytest_rewardkit.scorers.guest.loading import compiled

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TEXT = 2_000
MAX_LISTED = 100_000
"""Items taken from an iterator; a candidate's iterator may be endless."""

MAX_TIMEOUTS = 3
"""How many operations may run out of time before all later ones count as timed out too."""

_SAID: dict[str, Callable[[Any], Any]] = {"len": len, "str": str, "bool": bool}


class OperationRunner:
    """A candidate in its own module, and the results of the operations on it."""

    def __init__(self) -> None:
        self._module = types.ModuleType("candidate")
        self._operations: dict[int, dict[str, Any]] = {}
        self._results: dict[int, Any] = {}
        self._timeouts = 0

    def load(self, sources: list[str], seconds: float) -> dict[str, Any]:
        """Runs pieces of source, one after another; returns ``{"loaded": true}``, or the exception.

        A piece that exits ends the loading; the candidate is then what it has defined so far.
        """
        sys.modules["candidate"] = self._module
        compiling = True
        try:
            with counted_time_limit(seconds):
                programs = [compiled(source, f"<candidate {number}>") for number, source in enumerate(sources)]
                compiling = False
                with suppress(SystemExit):
                    for program in programs:
                        program.run(self._module.__dict__)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return {**_failure(error), "compiling": compiling}
        return {"loaded": True}

    def note(self, operations: list[dict[str, Any]]) -> None:
        """Notes operations from an earlier, ended interpreter; results that others need are computed again."""
        self._operations.update((operation["id"], operation) for operation in operations)

    def answer(self, operation: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Performs one operation; returns its value, or the exception."""
        if self._timeouts >= MAX_TIMEOUTS or seconds <= 0:
            return {"timeout": True}
        number = operation["id"]
        self._operations[number] = operation
        changed: list[Any] = []
        try:
            with counted_time_limit(seconds):
                answer = self._told(operation, self._perform(operation, changed))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._timeouts += isinstance(error, TimeUp)
            answer = _failure(error)
        return {**answer, "changed": changed} if changed else answer

    def _told(self, operation: dict[str, Any], value: Any) -> dict[str, Any]:
        large = None if operation["do"] == "whole" else digest(value, over=LARGE)
        if large is not None:
            return {"large": large, "of": type(value).__name__}
        self._results[operation["id"]] = value
        return {"value": _encoded(value)}

    def _perform(self, operation: dict[str, Any], changed: list[Any] | None = None) -> Any:
        """Performs an operation; changes of its arguments go into `changed`, as pairs of a key and data."""
        do = operation["do"]
        if do == "name":
            return self._named(operation["name"])
        target = self._result(operation["of"])
        if do == "call":
            arguments, keywords = (self._decoded(operation[part]) for part in ("args", "kwargs"))
            try:
                return target(*arguments, **keywords)
            finally:
                if changed is not None:
                    changed += _changes(operation, arguments, keywords)
        if do == "get":
            return getattr(target, operation["name"])
        if do == "set":
            return setattr(target, operation["name"], self._decoded(operation["value"]))
        if do == "list":
            return list(itertools.islice(iter(target), MAX_LISTED))
        return target if do == "whole" else _SAID[do](target)

    def _named(self, name: str) -> Any:
        try:
            return self._module.__dict__[name]
        except KeyError:
            raise NameError(f"the candidate defines no {name!r}") from None

    def _result(self, number: int) -> Any:
        """The result of an earlier operation. Large values are not kept, but computed again."""
        if number not in self._results:
            return self._perform(self._operations[number])
        return self._results[number]

    def _decoded(self, data: Any) -> Any:
        """The values from the test, with the objects that they refer to filled in."""
        receiver: Receiver

        def resolved(value: Any) -> Any:
            if isinstance(value, Opaque):
                return receiver.value(value.text) if value.type_name == SENT_TYPE else self._result(int(value.text))
            if isinstance(value, list | tuple | set | frozenset):
                return type(value)(map(resolved, value))
            if isinstance(value, dict):
                return {resolved(key): resolved(item) for key, item in value.items()}
            return value

        receiver = Receiver(lambda part: resolved(decode(part, rebuild=True)))
        return resolved(decode(data, rebuild=True))


_runners: list[OperationRunner] = []


def execute(task: dict[str, Any], answers_path: str) -> None:
    """Answers operations; loads the candidate first, unless this interpreter has already loaded it.

    Parameters:
        task: ``sources``, ``earlier`` and ``operations``; ``seconds`` for loading and for each operation, and
            ``seconds_in_all``.
        answers_path: the file that receives one line of JSON for the loading and one for each operation.
    """
    clock = Clock()
    with open(answers_path, "w", encoding="ascii", buffering=1) as answers, as_a_program():
        loaded: dict[str, Any] = {"loaded": True}
        if not _runners:
            _runners.append(OperationRunner())
            loaded = _runners[0].load(task["sources"], task["seconds"])
        answers.write(json.dumps(loaded) + "\n")
        runner = _runners[0]
        runner.note(task["earlier"])
        for operation in task["operations"] if "loaded" in loaded else ():
            seconds = min(task["seconds"], clock.left(task["seconds_in_all"], enough=task["seconds"]))
            answers.write(json.dumps(runner.answer(operation, seconds)) + "\n")


def _changes(operation: dict[str, Any], arguments: list[Any], keywords: dict[str, Any]) -> list[Any]:
    """The arguments that have changed, by position or name. Objects in them are not inspected."""
    given: list[tuple[Any, Any]] = [*enumerate(operation["args"]), *operation["kwargs"]["dict"]]
    now: list[Any] = [*arguments, *keywords.values()]
    changes = []
    for (key, before), value in zip(given, now, strict=True):
        if is_changeable(value) and '"object"' not in json.dumps(before) and (after := _encoded(value)) != before:
            changes.append([key, after])
    return changes


def _encoded(value: Any) -> Any:
    try:
        return encode(Sent({"named": ["builtins", value.__name__]}) if _is_built_in_type(value) else value)
    except TooLargeError:
        return {"object": [type(value).__name__, "a value too large to be taken out of the sandbox"]}


def _is_built_in_type(value: Any) -> bool:
    return type(value) is type and vars(builtins).get(value.__name__) is value


def _failure(error: BaseException) -> dict[str, Any]:
    if isinstance(error, TimeUp):
        return {"timeout": True}
    kind = type(error)
    try:
        message = str(error)
        # The candidate's own innermost frame; the frames around it are ours.
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith("<cand")]
        where = f"line {frames[-1].lineno}, in {frames[-1].name}" if frames else ""
    except Exception:
        message = where = ""
    bases = [base.__name__ for base in kind.__mro__ if base.__module__ == "builtins"]
    return {
        "raised": {
            "type": kind.__name__[:200],
            "builtin": bases[0] if bases else "Exception",
            "message": message[:MAX_TEXT],
            "where": where[:200],
        }
    }
