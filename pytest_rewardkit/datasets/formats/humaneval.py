"""HumanEval: a signature with a docstring to continue, and a function `check` that tests the result.

Fields: ``task_id``, ``prompt``, ``entry_point``, ``canonical_solution``, ``test``
(Chen et al. 2021, arXiv:2107.03374; github.com/openai/human-eval). HumanEval+ has a form with the same fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_rewardkit.datasets.formats.assembly import completed
from pytest_rewardkit.datasets.formats.reading import optional_text, text
from pytest_rewardkit.datasets.formats.task import TestCodeTask
from pytest_rewardkit.datasets.testcode.test_runner import TestCode

if TYPE_CHECKING:
    from pytest_rewardkit.datasets.row import Row


def read(row: Row) -> TestCodeTask:
    """Reads a row as a task."""
    prompt, entry_point = text(row, "prompt"), text(row, "entry_point")
    return TestCodeTask(
        prompt=prompt,
        reference=optional_text(row, "canonical_solution"),
        # A prompt may define helpers that its test uses too.
        test=TestCode(text(row, "test"), entry_point, (completed(prompt),)),
        begun=prompt,
        defines=(entry_point,),
    )
