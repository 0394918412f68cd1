"""EvalPlus's method of testing: the candidate must agree with the reference on many inputs.

Restates the rules of EvalPlus (Liu et al. 2023, arXiv:2305.01210; github.com/evalplus/evalplus, evalplus/eval and
evalplus/data/mbpp.py, release 0.3): which inputs were tuples before JSON made lists of them, how close numbers must be,
and which tasks' outputs are compared differently. Runs before the test, in its namespace.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

RELATIVE = 1e-07
FLOATS = 1e-06
"""Absolute tolerance if floats are expected and the row gives none."""

AS_SETS = frozenset(
    [
        *("similar_elements", "find_char_long", "common_in_nested_lists", "extract_singly", "larg_nnum"),
        *("intersection_array", "find_dissimilar", "Diff"),
    ]
)
AS_FOUND_OR_NOT = frozenset(["check_str", "text_match_three", "text_starta_endb"])


class Agreement:
    """The checks of a row; its methods raise AssertionError if the candidate does not agree with the reference.

    Parameters:
        task: ``benchmark``, ``number``, ``entry_point``, ``atol``.
        source: the reference.
        inputs: lists of arguments, for ``base`` and ``plus``.
    """

    def __init__(self, task: dict[str, Any], source: str, inputs: dict[str, list[Any]]) -> None:
        self._task = task
        space: dict[str, Any] = {"__name__": "reference"}
        exec(compile(source, "<reference>", "exec"), space)
        reference = space[task["entry_point"]]
        found_or_not = task["entry_point"] in AS_FOUND_OR_NOT

        def expected(given: list[Any]) -> Any:
            value = reference(*copy.deepcopy(given))
            return value is not None if found_or_not else value

        self._base, self._plus = (
            [(given, expected(given)) for given in restored(task, inputs[kind])] for kind in ("base", "plus")
        )
        self.base, self.plus = range(len(self._base)), range(len(self._plus))

    def assert_base(self, candidate: Callable[..., Any], number: int) -> None:
        """Checks one of the benchmark's original inputs."""
        self._check(candidate, *self._base[number])

    def assert_plus(self, candidate: Callable[..., Any], number: int) -> None:
        """Checks one of the inputs that EvalPlus has added."""
        self._check(candidate, *self._plus[number])

    def _check(self, candidate: Callable[..., Any], given: list[Any], expected: Any) -> None:
        if not _agrees(self._task, given, candidate(*copy.deepcopy(given)), expected):
            raise AssertionError(f"expected {repr(expected)[:300]}")


def _agrees(task: dict[str, Any], given: list[Any], out: Any, expected: Any) -> bool:
    name, tolerance = task["entry_point"], task["atol"]
    if task["benchmark"] == "humaneval" and name == "find_zero":
        return bool(abs(_polynomial(given[0], out)) <= tolerance)
    exact = bool(out == expected)
    if task["benchmark"] == "mbpp":
        if name == "are_equivalent":
            return True
        if name in AS_SETS:
            return set(out) == set(expected)
        if name in AS_FOUND_OR_NOT:
            return bool(expected == (out if isinstance(out, bool) else out is not None))
        exact = exact or _is_other_answer(name, given, out, tolerance)
    if exact:
        return True
    if tolerance == 0 and _is_floats(expected):
        tolerance = FLOATS
    # Not `type`: a proxy replaces a large value, and only its class tells the value's type.
    return bool(tolerance) and out.__class__ is expected.__class__ and _close(out, expected, tolerance)


def _is_other_answer(name: str, given: list[Any], out: Any, tolerance: float) -> bool:
    if name == "sum_div":
        return bool(out == 0)
    if name == "surface_Area":
        base, height = given
        return bool(abs(out - round(base**2 + 2 * base * math.sqrt((base / 2) ** 2 + height**2))) <= tolerance)
    if name == "digit_distance_nums":
        width = max(len(str(number)) for number in given)
        first, second = (str(number).zfill(width) for number in given)
        return bool(out == sum(abs(int(a) - int(b)) for a, b in zip(first, second, strict=True)))
    return False


def _is_floats(value: Any) -> bool:
    if isinstance(value, list | tuple) and value:
        return all(isinstance(item, float) for item in value)
    return isinstance(value, float)


def _close(out: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, list | tuple):
        pairs = zip(out, expected, strict=True)
        return len(out) == len(expected) and all(_close(one, other, tolerance) for one, other in pairs)
    return bool(out == expected or abs(out - expected) <= tolerance + RELATIVE * abs(expected))


def _polynomial(coefficients: list[float], x: float) -> float:
    # Not `math.fsum`: a root by the benchmark's own sum must be a root here.
    return sum(coefficient * math.pow(x, power) for power, coefficient in enumerate(coefficients))


def restored(task: dict[str, Any], inputs: list[Any]) -> list[Any]:
    """Returns inputs as they were before JSON converted their tuples, sets and complex numbers."""
    restore = _RESTORED.get(task["number"]) if task["benchmark"] == "mbpp" else None
    return [list(restore(given)) for given in inputs] if restore else inputs


def _each(given: list[Any]) -> list[Any]:
    return [tuple(item) for item in given]


def _each_inside(given: list[Any]) -> list[Any]:
    return [[tuple(item) for item in items] for items in given]


def _deep(value: Any) -> Any:
    return tuple(map(_deep, value)) if isinstance(value, list) else value


def _first(given: list[Any]) -> list[Any]:
    return [tuple(given[0]), *given[1:]]


_BY_SHAPE: list[tuple[Callable[[list[Any]], Any], tuple[int, ...]]] = [
    (
        _each,
        (2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429, 470, 560, 579, 596, 616, 630, 726, 740, 744, 809),
    ),
    (_each_inside, (63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780)),
    (lambda given: [[tuple(item) for item in given[0]], given[1]], (75, 413, 444, 753)),
    (lambda given: [given[0], tuple(given[1])], (106, 750)),
    (lambda given: [[set(item) if isinstance(item, list) and item else {} for item in given[0]]], (115,)),
    (lambda given: [float(given[0]), complex(given[1])], (124,)),
    (_first, (250, 307, 405, 446, 617, 720, 763, 808)),
    (lambda given: [complex(given[0])], (252,)),
    (lambda given: _each(_each_inside(given)), (259, 401, 445)),
    (lambda given: [tuple(tuple(item) if isinstance(item, list) else item for item in given[0])], (278,)),
    (_deep, (580, 615, 791)),
    (lambda given: [{key: tuple(value) for key, value in given[0].items()}, *given[1:]], (722,)),
]
_RESTORED = {number: restore for restore, numbers in _BY_SHAPE for number in numbers}
