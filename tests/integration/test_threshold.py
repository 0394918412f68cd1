"""The threshold of a run: what passes if nothing else sets one, and which settings take precedence."""

import pytest

SUITE = """
    import pytest
    from pytest_rewardkit import assert_reward

    def test_asserted():
        assert_reward(0.6)

    def test_recorded(reward):
        reward.record(0.6)

    def test_lower_mean():
        assert_reward(0.2)
        assert_reward(0.9)

    def test_its_own():
        assert_reward(0.3, threshold=0.2)

    @pytest.mark.reward(threshold=0.1)
    def test_of_its_marker():
        assert_reward(0.3)

    @pytest.mark.reward(group="sums")
    def test_of_a_marker_without():
        assert_reward(0.6)

    def test_without_rewards():
        pass
"""


@pytest.mark.parametrize("place", ["option", "ini", "environment", "pyproject"])
def test_it_decides_where_nothing_else_does(plain, pytester, monkeypatch, place):
    pytester.makepyfile(SUITE)
    args = []
    if place == "option":
        pytester.makeini("[pytest]\nrewardkit_threshold = 0.9\n")
        args = ["--rewardkit-threshold=0.5"]
    elif place == "ini":
        pytester.makeini("[pytest]\nrewardkit_threshold = 0.5\n")
        pytester.makepyprojecttoml("[tool.rewardkit]\nthreshold = 0.9\n")
    elif place == "environment":
        monkeypatch.setenv("PYTEST_REWARDKIT_THRESHOLD", "0.5")
    else:
        pytester.makepyprojecttoml("[tool.rewardkit]\nthreshold = 0.5\n")
    plain(*args).assert_outcomes(passed=7)


def test_what_is_under_it_fails(plain, pytester):
    pytester.makepyfile(SUITE)
    result = plain("--rewardkit-threshold=0.7")
    result.assert_outcomes(passed=3, failed=4)
    result.stdout.fnmatch_lines_random(
        ["reward 0.60 < threshold 0.7 (partial)", "reward 0.55 < threshold 0.7 (partial)"]
    )


def test_without_it_an_assert_takes_all(plain, pytester):
    pytester.makepyfile(SUITE)
    plain().assert_outcomes(passed=4, failed=3)


def test_attempts_are_successes_by_it(run, pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.xfail(strict=False)
        @pytest.mark.reward(attempts=2, reduce="pass_at_1")
        def test_it(reward, attempt):
            reward.record(0.3 * attempt)
        """
    )
    run("--rewardkit-threshold=0.5").stdout.fnmatch_lines(["pass@1 0.500 over 1 in *"])
    refused = run("--rewardkit-threshold=0", "--runxfail")
    refused.stdout.fnmatch_lines(["*every reward reaches threshold=0; set one above 0"])


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("threshold = 1.5", "pyproject.toml:2: [[]tool.rewardkit] threshold: must be a number in [[]0, 1], not 1.5"),
        ("threshold = '1'", "pyproject.toml:2: [[]tool.rewardkit] threshold: must be a number in [[]0, 1], not '1'"),
    ],
)
def test_a_wrong_one_names_its_place(plain, pytester, file, said):
    pytester.makepyfile(SUITE)
    pytester.makepyprojecttoml(f"[tool.rewardkit]\n{file}\n")
    result = plain()
    result.stderr.fnmatch_lines([f"ERROR: {said}"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_gates_that_nobody_asks_say_so(plain, pytester):
    pytester.makepyfile("def test_it(): pass")
    pytester.makepyprojecttoml("[tool.rewardkit]\nfail_under = 0.9\n")
    said = "the gates of [[]tool.rewardkit] in pyproject.toml decide nothing without --rewardkit"
    plain("-q").stdout.fnmatch_lines([said])
    assert "without --rewardkit" not in plain("--rewardkit").stdout.str()
    pytester.makepyprojecttoml("[tool.rewardkit]\nthreshold = 0.9\n")
    assert "without --rewardkit" not in plain().stdout.str()
