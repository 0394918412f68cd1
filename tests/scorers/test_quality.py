"""Lints and types as parts of a reward, from the tools in the sandbox."""

from __future__ import annotations

import pytest

from pytest_rewardkit import RewardkitUsageError, Verdict, score_quality
from pytest_rewardkit.scorers.quality import without_pragmas

CLEAN = "def double(number: int) -> int:\n    return 2 * number\n\n\nprint(double(4))\n"


def by_name(reward):
    return {part.name: part for part in reward.parts}


def test_clean_code_earns_one(sandbox):
    assert score_quality(sandbox, CLEAN) == 1.0


def test_findings_are_counted_by_statement_and_shown(sandbox):
    code = "import os\nimport sys\n\nvalue = 1\nprint(value)\n"
    lints = by_name(score_quality(sandbox, code, parts=["lints"]))["lints"]
    assert lints.value == 0.5
    assert "line 1: F401" in lints.actual and "line 2: F401" in lints.actual


def test_type_errors_are_found(sandbox):
    parts = by_name(score_quality(sandbox, CLEAN + "double('four')\n"))
    assert parts["lints"].value == 1.0
    assert parts["types"].value == pytest.approx(3 / 4)
    assert "line 6" in parts["types"].actual


def test_comments_cannot_make_the_tools_look_away(sandbox):
    honest = "import os\nnumber: int = 'one'\n"
    evasive = "# ruff: noqa\n# mypy: ignore-errors\nimport os  # noqa\nnumber: int = 'one'  # type: ignore\n"
    for part in score_quality(sandbox, evasive).parts:
        assert part.value == by_name(score_quality(sandbox, honest))[part.name].value == 0.5


def test_a_planted_tool_is_not_run(sandbox):
    sandbox.files.write("ruff.py", "print('[]')")
    sandbox.files.write("mypy.py", "")
    assert score_quality(sandbox, "import os\nnumber: int = 'one'\n") == 0.5


def test_the_candidate_does_not_run(sandbox):
    score_quality(sandbox, "open('ran', 'w').close()\n", parts=["lints"])
    assert not sandbox.files.exists("ran")


def test_what_is_no_python_earns_nothing(sandbox):
    reward = score_quality(sandbox, "```python\ndef broken(:\n```")
    assert (reward.value, reward.verdict) == (0.0, Verdict.COMPILE_ERROR)
    assert score_quality(sandbox, "").verdict is Verdict.NO_CODE


def test_a_missing_tool_is_unscored_and_says_what_to_install(sandbox, monkeypatch):
    monkeypatch.setattr("pytest_rewardkit.scorers.quality.TOOLS", {"lints": "no_such_linter"})
    monkeypatch.setattr("pytest_rewardkit.scorers.quality._ruff", lambda select: ["no_such_linter"])
    reward = score_quality(sandbox, CLEAN, parts=["lints"])
    assert reward.verdict is Verdict.UNSCORED
    assert "pip install no_such_linter" in reward.reason


def test_unknown_parts_are_refused(sandbox):
    with pytest.raises(RewardkitUsageError, match="did you mean 'lints'"):
        score_quality(sandbox, CLEAN, parts=["lint"])


def test_pragmas_go_and_lines_stay():
    code = "x = 1  # type: ignore[assignment]\n# noqa: F401\ny = '# noqa'  # a remark\n"
    assert without_pragmas(code) == "x = 1\n\ny = '# noqa'  # a remark\n"
