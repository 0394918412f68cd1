"""HumanEval-X: HumanEval in C++, Go, Java, JavaScript and Rust.

Fields: ``task_id`` (``CPP/0``), ``prompt``, ``declaration``, ``canonical_solution``, ``test``, ``import``,
``test_setup``
(Zheng et al. 2023, arXiv:2303.17568; github.com/THUDM/CodeGeeX). A completion follows the prompt, or is the whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.datasets.formats.reading import optional_text, text
from pytest_rewardkit.datasets.formats.test_program import TestProgramTask
from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean

if TYPE_CHECKING:
    from pytest_rewardkit.datasets.row import Row

_LANGUAGES: Final = {
    "cpp": "cpp",
    "go": "go_test",
    "java": "java",
    "javascript": "javascript",
    "js": "javascript",
    "rust": "rust_test",
}
# The benchmark's own runner puts this before each program; a failed assertion must end the program.
_BEFORE: Final = {
    "cpp": """\
#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <vector>
using namespace std;""",
    "javascript": """\
console.assert = (ok, ...said) => {
  if (!ok) throw new Error(`assertion failed ${said.join(" ")}`);
};""",
}
_CRATE: Final = re.compile(
    r"^use (?!std\b|core\b|alloc\b|self\b|super\b|crate\b)(\w+)(?:::\{?(\w+)\}?)?;[ \t]*$", re.MULTILINE
)


def read(row: Row) -> TestProgramTask:
    """Reads a row as a task."""
    prefix = text(row, "task_id").partition("/")[0]
    language = _LANGUAGES.get(prefix.lower())
    if language is None:
        raise RewardkitUsageError(f"{row.place}: no language {prefix!r}{did_you_mean(prefix, _LANGUAGES)}")
    begun, tests = text(row, "prompt"), text(row, "test")
    if language == "rust_test":
        if not re.search(r"\bfn (?!main\b)\w+", begun):
            begun = f"{optional_text(row, 'declaration') or ''}{begun}"
        begun = _CRATE.sub(lambda used: used[0] if _is_used(used, begun, tests) else "", begun)
    given = [_BEFORE.get(language), optional_text(row, "test_setup"), optional_text(row, "import")]
    return TestProgramTask(
        prompt=text(row, "prompt"),
        reference=text(row, "canonical_solution"),
        language=language,
        before="\n".join(it for it in given if it),
        begun=begun,
        tests=tests,
    )


def _is_used(use: re.Match[str], begun: str, tests: str) -> bool:
    """Whether this row uses a crate that all Rust rows name, apart from the code that a candidate writes."""
    name = use[2] or use[1]
    return bool(re.search(rf"\b{name}\b", f"{begun.replace(use[0], '')}{tests}"))
