"""What failing tests leave: a command to run them again, and artifact folders, alone and under pytest-xdist."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from pytest_rewardkit.reports.results.lines import schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SUITE = """
import pytest
from pytest_rewardkit import Case, assert_cases, assert_output

def test_right(sandbox):
    assert_output(sandbox, "print('right')", "right")

def test_wrong(sandbox):
    assert_cases(sandbox, "def double(n): return n + 1", [
        Case(call="double", args=[1], expected=2),
        Case(call="double", args=[5], expected=10),
    ])

@pytest.mark.reward(threshold=0.5)
def test_marked(reward):
    reward.record(0.25)

@pytest.mark.xfail
def test_expected_to_fail(sandbox):
    assert_output(sandbox, "print(1)", "2")

def test_plain():
    assert False
"""


def folders(directory: Path) -> dict[str, Path]:
    """The folders, by test name."""
    found = (directory.iterdir()) if directory.is_dir() else ()
    return {json.loads((path / "reward.json").read_text())["node_id"].partition("::")[2]: path for path in found}


def test_failures_say_how_to_run_them_again(pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]) -> None:
    pytester.makepyfile(test_suite=SUITE)
    result = run()
    assert sorted(line for line in result.outlines if line.startswith("pytest ")) == [
        "pytest test_suite.py::test_marked",
        "pytest test_suite.py::test_wrong",
    ]


def test_the_line_holds_where_pytest_was_started(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]")
    pytester.mkdir("below").joinpath("test_it.py").write_text(
        "import pytest\n@pytest.mark.parametrize('a', ['it is'])\n@pytest.mark.reward\ndef test_it(a): assert 0\n"
    )
    monkeypatch.chdir(pytester.path / "below")
    run().stdout.fnmatch_lines(["pytest 'test_it.py::test_it[[]it is]'"])


def test_folders_of_failed_tests_repeat_the_failure(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]
) -> None:
    pytester.makepyfile(test_suite=SUITE)
    result = run("--rewardkit-artifacts=kept")
    kept = folders(pytester.path / "kept")
    assert sorted(kept) == ["test_marked", "test_wrong"]
    folder = kept["test_wrong"]
    assert (folder / "candidate.py").read_text() == "def double(n): return n + 1"
    assert not (kept["test_marked"] / "repeat.py").exists()
    command = f"python -m pytest_rewardkit.local run -- python {folder / 'repeat.py'}"
    result.stdout.fnmatch_lines_random([command, f"artifacts: {kept['test_marked']}"])
    repeated = subprocess.run(
        [sys.executable, "-m", "pytest_rewardkit.local", "run", "--", sys.executable, folder / "repeat.py"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (repeated.returncode, repeated.stderr) == (1, "")
    assert repeated.stdout.splitlines() == [
        line[8:].replace("AssertionError: ", "")
        for line in result.outlines
        if line.startswith("E   ") and "assert False" not in line
    ]


def test_a_failure_is_repeated_under_the_limits_of_its_test(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]
) -> None:
    pytester.makepyfile(
        test_suite="""
        import pytest
        from pytest_rewardkit import assert_output

        @pytest.mark.sandbox(memory_mb=160)
        def test_greedy(sandbox):
            assert_output(sandbox, "x = bytearray(200 * 2**20); print(len(x))", "209715200")
        """
    )
    result = run("--rewardkit-artifacts=kept", "--rewardkit-open-files=200")
    (folder,) = (pytester.path / "kept").iterdir()
    options = ["--open-files=200", "--memory-mb=160"]
    result.stdout.fnmatch_lines(
        [f"python -m pytest_rewardkit.local run {' '.join(options)} -- python {folder}/repeat.py"]
    )
    repeated = subprocess.run(
        [sys.executable, "-m", "pytest_rewardkit.local", "run", *options, "--", sys.executable, folder / "repeat.py"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert repeated.returncode == 1
    assert "(memory)" in repeated.stdout


def test_folders_of_all_tests(pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]) -> None:
    pytester.makepyfile(test_suite=SUITE)
    run("--rewardkit-artifacts=kept", "--rewardkit-artifacts-when=always")
    kept = folders(pytester.path / "kept")
    assert sorted(kept) == ["test_expected_to_fail", "test_marked", "test_right", "test_wrong"]
    assert (kept["test_right"] / "stdout.txt").read_text() == "right\n"


def test_what_quality_and_reward_functions_judged_is_kept_too(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]
) -> None:
    pytester.makepyfile(
        """
        from pytest_rewardkit import assert_reward, reward_function, score_output, score_quality

        FENCED = "Here:\\n\\n```python\\nprint(1)\\n```\\n"

        @reward_function
        def short(response):
            return 0.25

        @reward_function
        def scored(response, sandbox):
            return score_output(sandbox, response, "2")

        def test_quality(sandbox):
            assert_reward(score_quality(sandbox, "import os\\nprint(1)\\n", parts=["lints"]))

        def test_function():
            assert_reward(short(FENCED))

        def test_scored(sandbox):
            assert_reward(scored(response=FENCED, sandbox=sandbox))

        def test_no_text():
            assert_reward(short([1]))
        """
    )
    run("--rewardkit-artifacts=kept")
    kept = folders(pytester.path / "kept")
    assert (kept["test_quality"] / "candidate.py").read_text() == "import os\nprint(1)\n"
    assert "score_quality(" in (kept["test_quality"] / "repeat.py").read_text()
    assert (kept["test_function"] / "candidate.py").read_text() == "print(1)\n"
    assert (kept["test_function"] / "response.md").read_text().startswith("Here:")
    assert (
        'sandbox.files.write("candidate.py", text("candidate.py"))' in (kept["test_function"] / "repeat.py").read_text()
    )
    assert (kept["test_scored"] / "stdout.txt").read_text() == "1\n"
    assert not (kept["test_no_text"] / "candidate.py").exists()


@pytest.mark.parametrize("options", [(), ("--rewardkit", "--rewardkit-artifacts-when=off")])
def test_nothing_is_written_unless_asked_for(
    pytester: pytest.Pytester, plain: Callable[..., pytest.RunResult], options: tuple[str, ...]
) -> None:
    pytester.makepyfile(test_suite=SUITE)
    pytester.makeini("[pytest]\nrewardkit_artifacts = kept\n")
    plain(*options)
    assert not (pytester.path / "kept").exists()


def test_each_attempt_has_its_folder_and_the_next_run_clears_them(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]
) -> None:
    pytester.makepyfile(
        """
        import os
        from pytest_rewardkit import assert_reward

        def test_it():
            assert_reward(float(os.environ.get("REWARD_NOW", "0.5")))
        """
    )
    run("--rewardkit-artifacts=kept", "--reruns=1")
    names = sorted(path.name for path in (pytester.path / "kept").iterdir())
    assert len(names) == 2
    assert names[1] == f"{names[0]}-attempt2"
    (pytester.path / "kept" / "mine").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REWARD_NOW", "1")
        run("--rewardkit-artifacts=kept").assert_outcomes(passed=1)
    assert [path.name for path in (pytester.path / "kept").iterdir()] == ["mine"]


def test_a_file_in_place_of_the_directory_is_refused(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]
) -> None:
    pytester.makepyfile(test_suite=SUITE)
    (pytester.path / "kept").write_text("mine")
    result = run("--rewardkit-artifacts=kept")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --rewardkit-artifacts: cannot write to *kept: Not a directory"])


def test_folders_that_cannot_be_written_do_not_fail_tests(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]
) -> None:
    pytester.makepyfile(test_suite=SUITE)
    run("--rewardkit-artifacts=kept")
    folder = folders(pytester.path / "kept")["test_marked"]
    (folder / "reward.json").unlink()
    (folder / "reward.json").mkdir()
    result = run("--rewardkit-artifacts=kept")
    result.assert_outcomes(passed=1, failed=3, xfailed=1)
    result.stdout.fnmatch_lines_random(["artifacts are not written: *reward.json*"])


def test_what_was_judged_is_in_the_results_too(pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]) -> None:
    pytester.makepyfile(
        """
        from pytest_rewardkit import assert_output

        def test_it(sandbox):
            assert_output(sandbox, "import sys; print('out'); print('err', file=sys.stderr)", "right")
        """
    )
    run("--rewardkit-results=results.jsonl")
    lines = [json.loads(line) for line in (pytester.path / "results.jsonl").read_text().splitlines()]
    validator = Draft202012Validator(schema())
    for line in lines:
        validator.validate(line)
    (evidence,) = lines[1]["evidence"]
    code = "import sys; print('out'); print('err', file=sys.stderr)"
    assert evidence == {"candidate": code, "stdout": "out\n", "stderr": "err\n"}


def test_a_row_that_has_a_test_of_its_own_leaves_its_candidate(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]
) -> None:
    row = {
        "task_id": "HumanEval/0",
        "prompt": "def double(n):\n",
        "entry_point": "double",
        "test": "def check(candidate):\n    assert candidate(2) == 4\n",
        "canonical_solution": "    return 2 * n\n",
    }
    (pytester.path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    pytester.makepyfile(
        """
        import pytest
        from pytest_rewardkit.datasets.score import assert_row

        @pytest.mark.reward_dataset("rows.jsonl", format="humaneval")
        def test_it(sandbox, row):
            assert_row(sandbox, row, "def double(n): return n")
        """
    )
    run("--rewardkit-artifacts=kept").assert_outcomes(failed=1)
    (folder,) = folders(pytester.path / "kept").values()
    assert "def double(n): return n" in (folder / "response.md").read_text()
