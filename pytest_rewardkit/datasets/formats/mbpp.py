"""MBPP: a description, and assert statements that name the function which they ask for.

Fields: ``task_id``, ``text`` or (sanitized) ``prompt``, ``code``, ``test_list``, ``test_setup_code`` or (sanitized)
``test_imports``; ``challenge_test_list`` is not part of the score
(Austin et al. 2021, arXiv:2108.07732; github.com/google-research/google-research/tree/master/mbpp).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_rewardkit.datasets.formats.reading import optional_text, texts, wrong
from pytest_rewardkit.datasets.formats.task import TestCodeTask
from pytest_rewardkit.datasets.testcode.referee import TestCode
from pytest_rewardkit.scorers.source import read_source

if TYPE_CHECKING:
    from pytest_rewardkit.datasets.rows import Row


def read(row: Row) -> TestCodeTask:
    """Reads a row as a task."""
    setup = optional_text(row, "test_setup_code") or ""
    if not texts(row, "test_list"):
        raise wrong(row, "test_list", "at least one assertion")
    return task_of(row, "\n".join([*texts(row, "test_imports"), setup, *texts(row, "test_list")]))


def task_of(row: Row, test: str) -> TestCodeTask:
    """Returns the task of a row whose test names what it asks for. Raises RewardkitUsageError."""
    source = read_source(test)
    if source is None:
        raise wrong(row, "test" if "test" in row else "test_list", "Python")
    return TestCodeTask(
        prompt=optional_text(row, "prompt", "text"),
        reference=optional_text(row, "code"),
        test=TestCode(test),
        defines=source.uses,
    )
