"""LiveCodeBench's code generation: programs that read standard input, or methods of a class `Solution`.

Fields: ``question_id``, ``question_content``, ``starter_code``; ``public_test_cases`` and ``private_test_cases``, lists
of ``input``, ``output`` and ``testtype`` as JSON, the latter also packed; ``metadata``, as JSON, with ``func_name``
(Jain et al. 2024, arXiv:2403.07974; github.com/LiveCodeBench/LiveCodeBench). Rows have no solutions; an added
``reference`` is taken as one.
"""

from __future__ import annotations

import base64
import io
import pickle
import zlib
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pytest_rewardkit.datasets.formats.functions import FunctionTask
from pytest_rewardkit.datasets.formats.reading import data, optional_text, text, wrong
from pytest_rewardkit.datasets.formats.task import CasesTask
from pytest_rewardkit.scorers.checks.case import Case
from pytest_rewardkit.scorers.values.digits import json_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_rewardkit.datasets.formats.task import RowTask
    from pytest_rewardkit.datasets.row import Row

_ALL_OF: Final = (
    *("string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random", "statistics"),
    *("itertools", "functools", "operator", "io", "sys", "json"),
)
GIVEN: Final = "\n".join(
    [
        *(f"from {module} import *" for module in (*_ALL_OF, "builtins", "typing")),
        f"import {', '.join(_ALL_OF)}",
        "sys.setrecursionlimit(50_000)",
    ]
)
"""Imports that the benchmark's candidates rely on; Python's own functions keep their meaning."""

TIME_LIMIT: Final = 6.0
"""Seconds for each test, as in the benchmark."""

_CASES: Final = "a list of tests with input, output and testtype"


def read(row: Row) -> RowTask:
    """Reads a row as a task."""
    tests = [*_tests(row, "public_test_cases"), *_tests(row, "private_test_cases")]
    if not tests:
        raise wrong(row, "public_test_cases", _CASES)
    starter = optional_text(row, "starter_code") or ""
    prompt = "\n\n".join(filter(None, [text(row, "question_content"), starter]))
    reference = optional_text(row, "reference")
    kinds = {test.get("testtype", "stdin") for test in tests}
    if kinds == {"functional"}:
        table = [_call(row, test) for test in tests]
        return FunctionTask(
            prompt=prompt, reference=reference, name=_name(row), table=table, given=GIVEN, time_limit=TIME_LIMIT
        )
    if kinds != {"stdin"}:
        raise wrong(row, "public_test_cases", "tests that are all 'stdin' or all 'functional'")
    cases = [
        Case(stdin=test["input"], expected=test["output"], compare="tokens", name=f"case {number}")
        for number, test in enumerate(tests, start=1)
    ]
    # Numbers in outputs are compared by value, but exactly.
    options = {"setup": GIVEN, "time_limit": TIME_LIMIT, "rel_tol": 0.0, "abs_tol": 0.0}
    return CasesTask(prompt=prompt, reference=reference, cases=cases, options=options)


def _tests(row: Row, name: str) -> list[Mapping[str, Any]]:
    value = row.get(name)
    packed = isinstance(value, str) and value.strip() and value.lstrip()[0] not in "[{"
    tests = _json(row, name, _unpacked(row, name, value)) if packed else data(row, name)
    if not isinstance(tests, list) or not all(map(_is_test, tests)):
        raise wrong(row, name, _CASES)
    return tests


def _is_test(test: Any) -> bool:
    return isinstance(test, dict) and all(isinstance(test.get(name), str) for name in ("input", "output"))


def _json(row: Row, name: str, text: str) -> Any:
    try:
        return json_of(text)
    except (ValueError, RecursionError):
        raise wrong(row, name, _CASES) from None


class _TextUnpickler(pickle.Unpickler):
    """Reads a pickled text, and refuses everything that would run code."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _unpacked(row: Row, name: str, packed: str) -> str:
    """The text of tests that are released in base64, compressed and pickled."""
    try:
        found = _TextUnpickler(io.BytesIO(zlib.decompress(base64.b64decode(packed, validate=True)))).load()
    except Exception as error:  # the bytes may make the unpickler raise anything
        raise wrong(row, name, f"{_CASES}, as JSON or packed as released ({type(error).__name__}: {error})") from None
    if not isinstance(found, str):
        raise wrong(row, name, f"a packed text, not a packed {type(found).__name__},")
    return found


def _call(row: Row, test: Mapping[str, Any]) -> tuple[list[Any], Any]:
    """The arguments, each a line of JSON, and the expected result."""
    try:
        return [json_of(line) for line in test["input"].split("\n") if line.strip()], json_of(test["output"])
    except (ValueError, RecursionError):
        raise wrong(row, "public_test_cases", "functional tests with lines of JSON") from None


def _name(row: Row) -> str:
    metadata = data(row, "metadata")
    name = metadata.get("func_name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or not name.isidentifier():
        raise wrong(row, "metadata", "JSON with func_name, since its tests are functional")
    return name
