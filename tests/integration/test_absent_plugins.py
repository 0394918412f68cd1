"""Without pytest's terminal, without pytest-xdist, and loaded by name."""

import pytest

SUITE = """
    def test_half(reward):
        reward.record(0.5)
"""


@pytest.fixture(autouse=True)
def suite(pytester):
    pytester.makepyfile(test_suite=SUITE)


@pytest.mark.parametrize(("bound", "status"), [("0.5", 0), ("0.6", 1)])
def test_without_a_terminal_the_gate_still_decides(run, bound, status):
    assert run("-p", "no:terminal", f"--rewardkit-fail-under={bound}").ret == status


def test_without_a_terminal_failed_subtests_still_count(pytester, run):
    pytester.makepyfile(
        test_suite="""
        import pytest

        @pytest.mark.reward
        def test_marked(subtests):
            with subtests.test("wrong"):
                assert 1 == 2
        """
    )
    assert run("-p", "no:terminal", "--rewardkit-fail-under=0.1").ret == 1


def test_without_xdist(pytester):
    result = pytester.runpytest("--rewardkit", "-p", "no:xdist")
    result.stdout.fnmatch_lines(["mean 0.50 over 1 scored test"])
    result.stdout.no_fnmatch_line("*no:xdist*Error*")
    assert result.ret == 0
