"""Runs of a selection of tests: the others are neither counted nor missing."""

import pytest

SUITE = """
    import pytest

    def test_right(reward):
        reward.record(1.0)

    @pytest.mark.reward(threshold=0.5)
    def test_wrong(reward):
        reward.record(0.25)

    @pytest.mark.skip
    @pytest.mark.reward
    def test_skipped():
        pass
"""


@pytest.fixture(autouse=True)
def suite(pytester):
    pytester.makepyfile(test_suite=SUITE)


@pytest.mark.parametrize(
    ("args", "mean"),
    [
        ((), "mean 0.62 over 2 scored tests"),
        (("-k", "right"), "mean 1.00 over 1 scored test"),
        (("test_suite.py::test_wrong",), "mean 0.25 over 1 scored test"),
        (("--deselect", "test_suite.py::test_wrong"), "mean 1.00 over 1 scored test"),
    ],
)
def test_selected_tests_are_the_run(run, args, mean):
    result = run(*args)
    result.stdout.fnmatch_lines([mean])
    result.stdout.no_fnmatch_line("*never ran*")


def test_last_failed(run):
    run()
    result = run("--lf")
    result.stdout.fnmatch_lines(["mean 0.25 over 1 scored test"])
    result.stdout.no_fnmatch_line("*never ran*")


def test_groups_of_xdist_leave_no_mark_on_names(pytester, monkeypatch):
    pytester.makepyfile(
        test_suite="""
        import pytest

        @pytest.mark.xdist_group("a@b")
        @pytest.mark.parametrize("address", ["me@home"])
        def test_half(reward, address):
            reward.record(0.5)
        """
    )
    result = pytester.runpytest("--rewardkit", "-n2", "--dist=loadgroup")
    result.stdout.fnmatch_lines(["0.50 * partial        test_suite.py::test_half[[]me@home]"])
    result.stdout.fnmatch_lines(["mean 0.50 over 1 scored test"])
    result.stdout.no_fnmatch_line("*never ran*")
