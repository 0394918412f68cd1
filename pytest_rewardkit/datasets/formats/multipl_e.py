"""MultiPL-E: HumanEval and MBPP in other languages.

Fields: ``name``, ``language``, ``prompt`` (which a completion continues), ``tests`` (appended to it)
(Cassano et al. 2022, arXiv:2208.08227; github.com/nuprl/MultiPL-E). A completion is what follows the prompt, or the
whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.datasets.formats.reading import optional_text, text
from pytest_rewardkit.datasets.formats.test_program import TestProgramTask

if TYPE_CHECKING:
    from pytest_rewardkit.datasets.row import Row

_NAME: Final = re.compile(r"(?:HumanEval_\d+|mbpp_\d+)_(\w+)")


def read(row: Row) -> TestProgramTask:
    """Reads a row as a task."""
    named = _NAME.fullmatch(optional_text(row, "name", "task_id") or "")
    return TestProgramTask(
        prompt=text(row, "prompt"),
        reference=optional_text(row, "reference"),
        language=text(row, "language"),
        begun=text(row, "prompt"),
        tests=text(row, "tests"),
        name=named[1] if named else "",
    )
