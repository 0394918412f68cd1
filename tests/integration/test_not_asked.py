"""Group gates without selected tests are not evaluated; if all tests were to run, they fail."""

import json

import pytest

GATES = """
    [tool.rewardkit.groups.sums]
    fail_under = 0.5

    [tool.rewardkit.groups.sorting]
    select = "test_sorting"
    must_pass = true
"""


@pytest.fixture
def suite(pytester):
    pytester.makepyprojecttoml(GATES)
    pytester.makepyfile(
        test_sums="""
        import pytest

        @pytest.mark.reward(group="sums")
        def test_add(reward):
            reward.record(1.0)
        """,
        test_sorting="""
        def test_sorted(reward):
            reward.record(1.0)

        def test_slowly(reward):
            reward.record(1.0)
        """,
        test_plain="""
        import pytest

        @pytest.mark.slow
        def test_nothing(): pass
        """,
    )
    pytester.makeini("[pytest]\nmarkers = slow\n")
    return pytester


@pytest.mark.parametrize(
    ("args", "sums", "sorting"),
    [
        ((), "passed: mean 1.00 >= 0.5", "passed: 2 tests that must pass did"),
        (("test_sums.py",), "passed: mean*", "not asked: none of its tests was selected (test_sums.py)"),
        (
            ("-k", "sorted"),
            "not asked: none of its tests was selected (-k sorted)",
            "passed: 1 test that must pass did",
        ),
        (
            ("test_sorting.py::test_slowly",),
            "not asked: none of its tests was selected (test_sorting.py::test_slowly)",
            "passed: 1 test*",
        ),
        (("-m", "slow"), "not asked: *(-m slow)", "not asked: *(-m slow)"),
        (("--deselect", "test_sums.py"), "not asked: *(--deselect)", "passed: 2 tests*"),
        (("--ignore=test_sums.py",), "not asked: *(--ignore)", "passed: 2 tests*"),
        (("-k", "sorted", "test_sums.py", "test_sorting.py", "test_plain.py"), "not asked: *", "passed: 1 test*"),
        ((".",), "passed: *", "passed: *"),
    ],
)
def test_what_was_not_selected(run, suite, args, sums, sorting):
    result = run(*args)
    result.stdout.fnmatch_lines([f"gate sums {sums}", f"gate sorting {sorting}"])
    assert result.ret == 0


def test_only_failed_tests_again(run, suite):
    suite.makepyfile(test_sums="import pytest\n@pytest.mark.reward(group='sums')\ndef test_add(): assert False\n")
    assert run("-p", "cacheprovider").ret == 1
    run("--lf").stdout.fnmatch_lines(
        ["gate sums FAILED: mean 0.00 < 0.5", "gate sorting not asked: none of its tests was selected (--lf)"]
    )


def test_a_plugin_that_deselects(run, suite):
    suite.makeconftest(
        """
        def pytest_collection_modifyitems(config, items):
            out = [item for item in items if "sort" in item.nodeid]
            config.hook.pytest_deselected(items=out)
            items[:] = [item for item in items if item not in out]
        """
    )
    result = run()
    result.stdout.fnmatch_lines(["gate sorting not asked: none of its tests was selected (2 tests deselected)"])
    assert result.ret == 0


def test_in_a_whole_run_a_group_without_tests_fails(run, suite):
    suite.path.joinpath("test_sums.py").unlink()
    suite.path.joinpath("test_sorting.py").unlink()
    result = run()
    result.stdout.fnmatch_lines(
        ["gate sums FAILED: none of its tests ran", "gate sorting FAILED: none of its tests ran"]
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    suite.makeini("[pytest]\ntestpaths = test_plain.py\nmarkers = slow\n")
    assert run("test_plain.py").ret == pytest.ExitCode.TESTS_FAILED


def test_skipped_tests_were_selected(run, suite):
    suite.makepyfile(
        test_sums="import pytest\n@pytest.mark.skip\n@pytest.mark.reward(group='sums')\ndef test_add(): pass\n",
        test_sorting="import pytest\n@pytest.mark.skip\ndef test_sorted(reward): pass\n",
    )
    result = run("-k", "sort or add")
    result.stdout.fnmatch_lines(
        ["gate sums FAILED: none of its tests ran", "gate sorting FAILED: none of its tests ran"]
    )


def test_every_report_says_so(run, suite, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(suite.path / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(suite.path / "output"))
    result = run("test_sums.py", "--rewardkit-results=results.jsonl", "--rewardkit-html=report.html")
    assert result.ret == 0
    *_, end = map(json.loads, suite.path.joinpath("results.jsonl").read_text().splitlines())
    reason = "none of its tests was selected (test_sums.py)"
    assert end["gates"][1] == {"name": "sorting", "state": "not asked", "reason": reason}
    assert "**not asked**" in suite.path.joinpath("summary.md").read_text()
    assert "reward_gate=passed" in suite.path.joinpath("output").read_text()
    assert '"not asked"' in suite.path.joinpath("report.html").read_text()
    again = run("--rewardkit-from=results.jsonl")
    again.stdout.fnmatch_lines([f"gate sorting not asked: {reason}"])
    assert again.ret == 0


def test_a_gate_that_failed_as_all_was_skipped_fails_again(run, pytester):
    pytester.makepyprojecttoml("[tool.rewardkit.groups.basics]\nmust_pass = true\n")
    pytester.makepyfile(
        test_other="def test_it(reward): reward.record(1.0)",
        test_basics="""
        import pytest

        @pytest.mark.reward(group="basics")
        def test_one():
            pytest.skip("not here")

        def test_two(reward):
            reward.record(1.0)
        """,
    )
    for args in (("test_basics.py", "--rewardkit-results=results.jsonl"), ("--rewardkit-from=results.jsonl",)):
        result = run(*args)
        result.stdout.fnmatch_lines(["gate basics FAILED: none of its tests ran"])
        assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_the_gate_of_the_run_is_always_asked(run, suite):
    result = run("test_plain.py", "--rewardkit-fail-under=0.1")
    result.stdout.fnmatch_lines(["gate FAILED: no test earned a reward, so there is no mean"])
