"""The formats of known benchmarks: one file per benchmark, each with a function that reads a row as a `RowTask`.

The benchmarks' own data is not part of this package; only the names of its fields are here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.datasets.fields import (
    CANDIDATE_FIELDS,
    DIRECTIONS,
    ID_FIELDS,
    MESSAGES,
    missing_field,
    unknown_field,
)
from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_rewardkit.datasets.formats.task import RowTask
    from pytest_rewardkit.datasets.row import Row
    from pytest_rewardkit.datasets.store import Fields


@dataclass(frozen=True, slots=True)
class Format:
    """A benchmark's format.

    Parameters:
        reader: the function that reads a row, as ``module:function`` here; imported when a row is first read.
        shapes: the fields that a row needs, for each published form of the benchmark.
        known: all fields that a row may have; None for benchmarks, which may add fields.
        ours: whether rows are written for this package, and so may hold candidates and configure their own tests.
    """

    reader: str
    shapes: tuple[frozenset[str], ...]
    known: frozenset[str] | None = None
    ours: bool = False

    def check(self, fields: Fields, place: str) -> None:
        """Raises RewardkitUsageError for a row with a missing or unknown field, and names the nearest one."""
        if self.known is not None and not self.known.issuperset(fields):
            raise unknown_field(next(name for name in fields if name not in self.known), self.known, place)
        if any(shape <= fields.keys() for shape in self.shapes):
            return
        nearest = min(self.shapes, key=lambda shape: len(shape - fields.keys()))
        raise missing_field(min(nearest - fields.keys()), fields, place)

    def read(self, row: Row) -> RowTask:
        """Returns the row's task. Raises RewardkitUsageError if a field holds a wrong value."""
        self.check(row, row.place)
        module, _, function = self.reader.partition(":")
        reader: Callable[[Row], RowTask] = getattr(import_module(f"{__name__}.{module}"), function)
        return reader(row)


def _shape(fields: str) -> frozenset[str]:
    return frozenset(fields.split())


EXPECTED: Final = ("expected", "expected_output", "output", "ground_truth")
CASES: Final = ("cases", "test_cases")
OPTIONS: Final = ("setup", "compare", "rel_tol", "abs_tol", "similarity", "time_limit", "language")

OWN: Final = Format(
    "own:read",
    tuple(frozenset([name]) for name in (*EXPECTED, *CASES)),
    frozenset(
        [
            *EXPECTED,
            *CASES,
            *OPTIONS,
            *ID_FIELDS,
            *DIRECTIONS,
            *CANDIDATE_FIELDS,
            MESSAGES,
            "prompt",
            "reference",
            "name",
        ]
    ),
    ours=True,
)
"""This package's own format."""

UNNAMED: Final = replace(OWN, known=None)
"""The format of rows that name none; they may have fields that only their test knows."""

_TEST_CODE: Final = _shape("prompt entry_point test")
_INPUTS: Final = _shape("prompt entry_point canonical_solution base_input plus_input")
_CRUXEVAL: Final = _shape("code input output")

PROJECT: Final = Format(
    "project:read",
    (frozenset(["project"]), frozenset(["files"])),
    frozenset(
        [
            *("project", "files", "commit", "command", "report", "tests", "setup", "envs", "any_order"),
            *("time_limit", "setup_time_limit", "fail_to_pass", "pass_to_pass", "weights"),
            *("prompt", "reference", "name", *ID_FIELDS, *DIRECTIONS, *CANDIDATE_FIELDS, MESSAGES),
        ]
    ),
    ours=True,
)
"""Changes of a project, judged by the project's own tests."""

FORMATS: Final = {
    "rewardkit": OWN,
    "project": PROJECT,
    "humaneval": Format("humaneval:read", (_TEST_CODE,)),
    "humaneval+": Format("evalplus:read_humaneval", (_INPUTS, _TEST_CODE)),
    "mbpp": Format("mbpp:read", (_shape("test_list"),)),
    "mbpp+": Format("evalplus:read_mbpp", (_INPUTS, _shape("test test_list"))),
    "multipl-e": Format("multipl_e:read", (_shape("prompt tests language"),)),
    "humaneval-x": Format("humaneval_x:read", (_shape("prompt test canonical_solution"),)),
    "cruxeval-o": Format("cruxeval:read_output", (_CRUXEVAL,)),
    "cruxeval-i": Format("cruxeval:read_input", (_CRUXEVAL,)),
    "bigcodebench": Format("bigcodebench:read", (_shape("code_prompt test entry_point"),)),
    "apps": Format("apps:read", (_shape("input_output"), _shape("inputs outputs"))),
    "livecodebench": Format("livecodebench:read", (_shape("question_content public_test_cases"),)),
}

_OTHER_NAMES: Final = {
    "cruxeval": "cruxeval-o",
    "humanevalplus": "humaneval+",
    "humaneval_plus": "humaneval+",
    "lcb": "livecodebench",
    "live_code_bench": "livecodebench",
    "mbppplus": "mbpp+",
    "multiple": "multipl-e",
    "humanevalx": "humaneval-x",
    "mbpp_plus": "mbpp+",
    "taco": "apps",
}


def find_format(name: str) -> Format:
    """Returns the format with that name, in any case. Raises RewardkitUsageError with the nearest name."""
    wanted = str(name).lower()
    wanted = _OTHER_NAMES.get(wanted, wanted)
    if wanted not in FORMATS:
        raise RewardkitUsageError(f"no format {name!r}{did_you_mean(wanted, [*FORMATS, *_OTHER_NAMES])}")
    return FORMATS[wanted]
