"""HumanEval-X: HumanEval in C++, Go, Java, JavaScript and Rust.

Fields: ``task_id`` (``CPP/0``), ``prompt``, ``declaration``, ``canonical_solution``, ``test``, ``import``
(Zheng et al. 2023, arXiv:2303.17568; github.com/THUDM/CodeGeeX). A completion is what follows the prompt, or the whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.datasets.formats.reading import optional_text, text
from pytest_rewardkit.datasets.formats.test_program import TestProgramTask
from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean

if TYPE_CHECKING:
    from pytest_rewardkit.datasets.row import Row

_LANGUAGES: Final = {"cpp": "cpp", "java": "java", "javascript": "javascript", "js": "javascript", "rust": "rust"}


def read(row: Row) -> TestProgramTask:
    """Reads a row as a task."""
    prefix = text(row, "task_id").partition("/")[0]
    language = _LANGUAGES.get(prefix.lower())
    if language is None:
        raise RewardkitUsageError(f"{row.place}: no language {prefix!r}{did_you_mean(prefix, _LANGUAGES)}")
    return TestProgramTask(
        prompt=text(row, "prompt"),
        reference=text(row, "canonical_solution"),
        language=language,
        before=optional_text(row, "import") or "",
        begun=text(row, "prompt"),
        tests=text(row, "test"),
    )
