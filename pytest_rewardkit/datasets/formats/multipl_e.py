"""MultiPL-E: HumanEval and MBPP in other languages.

Fields: ``name``, ``language``, ``prompt`` (which a completion continues), ``tests`` (appended to it), ``stop_tokens``
(Cassano et al. 2022, arXiv:2208.08227; github.com/nuprl/MultiPL-E). A completion follows the prompt, or is the whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.datasets.formats.reading import optional_text, text, texts
from pytest_rewardkit.datasets.formats.test_program import TestProgramTask

if TYPE_CHECKING:
    from pytest_rewardkit.datasets.row import Row

_NAME: Final = re.compile(r"(?:HumanEval_\d+|mbpp_\d+)_(\w+)")

_LANGUAGES: Final = {"go_test.go": "go_test", "go": "go_test"}
# All rows in Java import this library, but few use it.
_IMPORTED: Final = "import org.javatuples.*;"
_TUPLES: Final = re.compile(r"\b(?:Unit|Pair|Triplet|Quartet|Quintet|Sextet|Septet|Octet|Ennead|Decade)\b")


def read(row: Row) -> TestProgramTask:
    """Reads a row as a task."""
    named = _NAME.fullmatch(optional_text(row, "name", "task_id") or "")
    language, prompt = text(row, "language"), text(row, "prompt")
    if language == "java" and not _TUPLES.search(f"{prompt.replace(_IMPORTED, '')}{text(row, 'tests')}"):
        prompt = prompt.replace(_IMPORTED, "")
    return TestProgramTask(
        prompt=text(row, "prompt"),
        reference=optional_text(row, "reference"),
        language=_LANGUAGES.get(language, language),
        begun=prompt,
        tests=text(row, "tests"),
        name=named[1] if named else "",
        stops=tuple(texts(row, "stop_tokens")),
    )
