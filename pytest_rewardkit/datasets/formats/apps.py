"""APPS and similar: programs that read standard input, or functions to be called, with inputs and outputs.

Fields: ``problem_id``, ``question``, ``starter_code``, ``solutions`` (a list, as JSON), ``input_output`` (as JSON),
with ``inputs``, ``outputs`` and, for functions, ``fn_name``; these may also stand in the row itself. TACO has the same
fields (Hendrycks et al. 2021, arXiv:2105.09938; github.com/hendrycks/apps).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.datasets.formats.functions import FunctionTask
from pytest_rewardkit.datasets.formats.reading import data, optional_text, texts, wrong
from pytest_rewardkit.datasets.formats.task import CasesTask
from pytest_rewardkit.scorers.checks.case import Case
from pytest_rewardkit.scorers.values.digits import written

if TYPE_CHECKING:
    from pytest_rewardkit.datasets.formats.task import RowTask
    from pytest_rewardkit.datasets.row import Row

GIVEN: Final = """\
import sys, time, itertools, collections, math, fractions, random, heapq, bisect, functools, operator, re, string
from itertools import accumulate, product, permutations, combinations
from collections import Counter, OrderedDict, deque, defaultdict, ChainMap
from functools import lru_cache
from math import sqrt, sin, cos, tan, ceil, fabs, floor, gcd, exp, log, log2
from typing import *
from heapq import *
"""
"""Imports that the benchmark's solutions rely on."""

RELATIVE: Final = 1e-05
ABSOLUTE: Final = 1e-08
"""Tolerances for numbers in outputs: those of NumPy's `allclose`, which the benchmark's scoring applies."""


def read(row: Row) -> RowTask:
    """Reads a row as a task."""
    found = data(row, "input_output") if "input_output" in row else row
    inputs, outputs = (_listed(row, found, name) for name in ("inputs", "outputs"))
    if len(inputs) != len(outputs) or not inputs:
        raise wrong(
            row, "input_output" if "input_output" in row else "inputs", "as many inputs as outputs, at least one"
        )
    solutions = texts(row, "solutions")
    prompt, reference = optional_text(row, "question", "prompt"), solutions[0] if solutions else None
    name = found.get("fn_name") or row.get("fn_name")
    if name:
        table = list(zip(_numbered(inputs), _numbered(outputs), strict=True))
        return FunctionTask(
            prompt=prompt, reference=reference, name=str(name), table=table, given=GIVEN, only_item=True
        )
    cases = [
        Case(stdin=_lines(given), expected=_lines(wanted), compare="tokens", name=f"case {number}")
        for number, (given, wanted) in enumerate(zip(inputs, outputs, strict=True), start=1)
    ]
    options = {"rel_tol": RELATIVE, "abs_tol": ABSOLUTE}
    return CasesTask(prompt=prompt, reference=reference, cases=cases, options=options)


def _listed(row: Row, found: Any, name: str) -> list[Any]:
    value = found.get(name) if hasattr(found, "get") else None
    if not isinstance(value, list):
        raise wrong(row, "input_output" if "input_output" in row else name, f"a list of {name}")
    return value


def _lines(text: Any) -> str:
    """The input or output of a program; some rows have a list of lines, some a number."""
    if isinstance(text, list):
        return "\n".join(map(written, text))
    return written(text)


def _numbered(value: Any) -> Any:
    """Values in which keys are whole numbers again if JSON turned them into texts."""
    if isinstance(value, dict):
        try:
            return {int(key): item for key, item in value.items()}
        except ValueError:
            return value
    if isinstance(value, list):
        return [_numbered(item) for item in value]
    return value
