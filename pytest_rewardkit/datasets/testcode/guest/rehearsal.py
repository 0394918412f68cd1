"""Runs a dummy candidate and its test, so that one-time work is done before any sandbox exists.

After a function has run several times, the interpreter specialises its bytecode; patterns, caches and the like are also
created once. A sandbox that does this itself writes to memory that it shared with all others until then.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from typing import Any

from pytest_rewardkit.datasets.testcode.guest import operation_runner, replying, row_test

TIMES = 10
"""How many runs of a function the interpreter needs to specialise it."""

LIMIT = 200_000

_CANDIDATE = 'def double(x: int) -> int:\n    """Twice."""\n    import math\n    return math.floor(2 * x)\n'
_TEST = "def check(candidate):\n    assert candidate(2) == 4\n    assert abs(candidate(3) - 6) < 1e-6\n"
_PROGRAM = {"test": _TEST, "entry_point": "double", "setup": [_CANDIDATE], "defined": [], "seconds": 5.0}


def rehearse() -> None:
    """Load a candidate and test it, several times, and leave nothing of either."""
    limited = hasattr(sys, "set_int_max_str_digits")
    digits = sys.get_int_max_str_digits() if limited else 0
    try:
        with tempfile.TemporaryDirectory() as directory:
            for _ in range(TIMES):
                _rehearse(os.path.join(directory, "result"))
    finally:
        for name in ("candidate", "row_test"):
            sys.modules.pop(name, None)
        if limited:
            sys.set_int_max_str_digits(digits)
        random.seed()


def _rehearse(path: str) -> None:
    try:
        asked = json.loads(_told(row_test, "_advanced", {"token": "", "program": _PROGRAM}, path))["operations"]
        task = {"sources": [_CANDIDATE], "earlier": [], "operations": asked, "seconds": 5.0, "seconds_in_all": 20.0}
        answers = _told(operation_runner, "execute", task, path).splitlines()[1:]
        numbers = [operation["id"] for operation in asked]
        _told(row_test, "_advanced", {"token": "", "numbers": numbers, "answers": answers}, path)
    finally:
        row_test._tests.clear()
        operation_runner._runners.clear()


def _told(module: Any, function: str, task: dict[str, Any], path: str) -> str:
    return repr(replying.reply(module.__name__, function, json.dumps(task), path, LIMIT))
