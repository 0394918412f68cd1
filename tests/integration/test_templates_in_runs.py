"""Templates in a run: by marker, by row, in an evaluation; built once, whatever the number of workers."""

from __future__ import annotations

import sys

import pytest
from docs.pages import ROOT, sections
from wheels import make_wheel

MAKE = "python -m pytest_rewardkit.local templates"

TESTS = """
    import pytest
    from pytest_rewardkit import Case, assert_cases, assert_output, assert_row, evaluate_dataset

    VERSION = "import iniconfig; print(getattr(iniconfig, 'VERSION', 'of pytest'))"
    ROWS = [
        {"id": "old", "template": "old", "response": VERSION, "expected": "of the template"},
        {"id": "prose", "template": "Write {x}", "response": VERSION, "expected": "of pytest"},
    ]
    TESTED = {
        "task_id": "t", "prompt": "def f():\\n", "entry_point": "f", "canonical_solution": "    return 1\\n",
        "test": "import iniconfig\\ndef check(f): assert f() == iniconfig.VERSION",
    }
    SAMPLES = [{"task_id": "t", "completion": "    import iniconfig\\n    return iniconfig.VERSION\\n"}]

    @pytest.mark.sandbox(template="old")
    @pytest.mark.parametrize("number", range(2))
    def test_marked(sandbox, number):
        source = "import iniconfig\\ndef version(): return iniconfig.VERSION"
        assert_cases(sandbox, source, [Case(call="version", expected="of the template")])

    def test_unmarked(sandbox):
        assert_output(sandbox, VERSION, "of pytest")

    @pytest.mark.reward_dataset(ROWS)
    def test_rows(sandbox, row):
        assert_output(sandbox, row.candidate, row["expected"])

    @pytest.mark.sandbox(template="old")
    @pytest.mark.reward_dataset([TESTED], format="humaneval", samples=SAMPLES)
    def test_the_tests_of_rows(sandbox, row):
        assert_row(sandbox, row)

    def test_evaluation():
        results = evaluate_dataset(
            None, [TESTED], format="humaneval", samples=SAMPLES, template="old", progress=False, concurrency=1
        )
        assert [result.reward.value for result in results] == [1.0]

    @pytest.mark.sandbox(template="broken")
    def test_broken(sandbox):
        assert_output(sandbox, "print(1)", "1")

    @pytest.mark.sandbox(template="od")
    def test_unknown(sandbox):
        assert_output(sandbox, "print(1)", "1")
"""


def test_candidates_get_what_the_template_has(pytester: pytest.Pytester, plugin_args: tuple[str, ...]) -> None:
    make_wheel(pytester.path / "wheels", "iniconfig", "0.0.1", "VERSION = 'of the template'\n")
    pytester.makepyprojecttoml(
        """
        [tool.rewardkit.templates.old]
        packages = ["iniconfig==0.0.1"]
        find_links = ["wheels"]
        index = false

        [tool.rewardkit.templates.broken]
        packages = ["no-such-package"]
        index = false
        """
    )
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess(*plugin_args, "--rewardkit", "-rA")
    result.assert_outcomes(passed=7, failed=2)
    result.stdout.fnmatch_lines_random(
        [
            "*test_unknown: sandbox_factory: template 'od' not found; did you mean 'old'?*",
            "UNSCORED *test_broken*",
            "*the template 'broken' cannot be made: *no-such-package*",
        ]
    )
    told = [line for line in result.outlines + result.errlines if "making the template 'old'" in line]
    assert len(told) == 1


def test_a_wrong_table_ends_the_run_before_it_begins(pytester: pytest.Pytester, plugin_args: tuple[str, ...]) -> None:
    pytester.makepyprojecttoml('[tool.rewardkit.templates.old]\npackges = ["a"]')
    result = pytester.runpytest(*plugin_args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stderr.str() + result.stdout.str()
    assert "pyproject.toml:2: [tool.rewardkit.templates.old] unknown key 'packges'; did you mean 'packages'?" in text


def test_the_page_about_packages(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's files unchanged, with a package of that name and version instead of the index's."""
    make_wheel(pytester.path / "wheels", "pydantic", "1.10.26", "VERSION = '1.10.26'\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(pytester.path / "wheels"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    files = [
        block
        for section in sections(ROOT / "docs" / "how-to" / "packages.md")
        for block in section.blocks
        if block.file_name and (block.language == "toml" or block.language == "python")
    ]
    for file in files:
        (pytester.path / file.file_name).write_text(file.text)
    made = pytester.run(sys.executable, *MAKE.split()[1:])
    assert made.ret == 0
    made.stdout.fnmatch_lines(["pydantic-1: *"])
    pytester.runpytest_subprocess("--rewardkit").assert_outcomes(passed=3)
    missing = pytester.run(sys.executable, *MAKE.split()[1:], "pydantc-1")
    assert missing.ret == 1
    missing.stderr.fnmatch_lines(["*: there is no template 'pydantc-1'; did you mean 'pydantic-1'?"])
