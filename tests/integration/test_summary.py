"""The reward section, letters and words, at each verbosity, with one process and with workers."""

import pytest

SUITE = """
    import pytest
    from pytest_rewardkit import Part, Reward, Verdict

    def test_right(reward):
        reward.record(1.0)

    def test_partial(reward):
        reward.record(Reward.from_parts([
            Part("adds", 1.0, weight=3),
            Part("sorts", 0.0, expected="[1, 2]", actual="[2, 1]"),
        ]))

    @pytest.mark.reward(threshold=0.5)
    def test_under_threshold(reward):
        reward.record(Reward(0.25, reason="a quarter is there"))

    @pytest.mark.reward
    def test_wrong():
        assert 1 == 2

    def test_no_sandbox():
        from pytest_rewardkit import SandboxUnavailable
        raise SandboxUnavailable("no sandbox could be created: 503")

    def test_without_reward():
        pass
"""

TABLE = """\
   - ##########  unscored       test_suite.py::test_no_sandbox
      no sandbox could be created: 503
0.00 ##########  wrong_output   test_suite.py::test_wrong
      assert 1 == 2
0.25 ##########  partial        test_suite.py::test_under_threshold
      a quarter is there
0.75 ##########  partial        test_suite.py::test_partial

mean 0.50 over 4 scored tests, 0.40 with 1 unscored as 0
1 passed, 2 partial, 1 wrong_output, 1 unscored
a digit in the progress is a reward: 5 from 0.50 to 0.59
""".splitlines()


@pytest.fixture(autouse=True)
def suite(pytester):
    pytester.makepyfile(test_suite=SUITE)


def rewards_section(result):
    lines = result.outlines
    start = next(number for number, line in enumerate(lines) if line.strip("=") == " rewards ")
    end = next(number for number, line in enumerate(lines[start + 1 :], start + 1) if line.startswith("==="))
    bars = str.maketrans(dict.fromkeys("▏▎▍▌▋▊▉█·", "#"))
    return [line.translate(bars) for line in lines[start + 1 : end]]


def test_section_letters_and_header(run):
    result = run()
    section = rewards_section(result)
    assert section[: len(TABLE)] == TABLE
    assert section[len(TABLE)].startswith("slowest: ")
    letters = "".join(line.split()[-2] for line in result.outlines if line.endswith("%]"))
    assert sorted(letters) == sorted(".7FF?.")
    result.stdout.fnmatch_lines(["rewardkit: local sandboxes*"])
    result.assert_outcomes(passed=3, failed=3)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_words_and_every_test_with_its_parts(run):
    result = run("-vv")
    for word, name in {
        "PASSED 1.00": "right",
        "PASSED 0.75": "partial",
        "FAILED 0.25": "under_threshold",
        "FAILED 0.00": "wrong",
        "UNSCORED": "no_sandbox",
        "PASSED": "without_reward",
    }.items():
        # pytest-xdist writes the word before the test, pytest after it.
        result.stdout.re_match_lines_random(
            [rf"(test_suite.py::test_{name} {word} +\[|\[gw.*%\] {word} test_suite.py::test_{name} $)"]
        )
    result.stdout.fnmatch_lines_random(
        [
            "FAILED 0.25 test_suite.py::test_under_threshold - reward 0.25*",
            "FAILED 0.00 test_suite.py::test_wrong - assert 1 == 2",
            "UNSCORED test_suite.py::test_no_sandbox - *",
        ]
    )
    section = rewards_section(result)
    assert "1.00 ##########  passed         test_suite.py::test_right" in section
    assert "      a quarter is there" in section
    start = section.index("0.75 ##########  partial        test_suite.py::test_partial") + 1
    assert section[start : start + 2] == [
        "      1.00  passed         adds",
        "      0.00  wrong_output   sorts  expected [1, 2], got [2, 1]",
    ]


def test_quiet_is_one_line_and_very_quiet_none(run):
    line = "rewards: mean 0.50, 0.40 with 1 unscored as 0, 1 passed, 2 partial, 1 wrong_output, 1 unscored"
    assert [text for text in run("-q").outlines if "mean" in text] == [line]
    assert "mean" not in run("-qq").stdout.str()


def test_ascii_terminal(pytester, monkeypatch, plugin_args):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    result = pytester.runpytest_subprocess("--rewardkit", *plugin_args)
    result.stdout.fnmatch_lines(["0.25 ##........  partial        test_suite.py::test_under_threshold"])
    assert result.stdout.str().isascii()


def test_colors_only_where_they_are_wanted(run, monkeypatch):
    assert "\x1b[" not in run().stdout.str()
    monkeypatch.delenv("NO_COLOR")
    colored = run("--color=yes").stdout.str()
    assert "\x1b[35m\x1b[1m   - \x1b[0m" in colored
    assert "\x1b[31m\x1b[1m0.00 \x1b[0m" in colored
    assert "\x1b[33m\x1b[1m0.75 \x1b[0m" in colored


def test_without_the_option_it_is_plain_pytest(plain, pytester):
    pytester.makeconftest(
        """
        def pytest_runtest_logreport(report):
            assert not report.user_properties
        """
    )
    result = plain("-v")
    result.assert_outcomes(passed=3, failed=3)
    for word in ("rewardkit: ", " rewards ", "0.75", "UNSCORED", "INTERNALERROR"):
        assert word not in result.stdout.str()
    result.stdout.fnmatch_lines(["reward 0.25 < threshold 0.5 (partial): a quarter is there"])


def test_no_rewards_at_all_is_said(run, pytester):
    pytester.makepyfile(test_suite="def test_plain(): pass")
    result = run()
    assert rewards_section(result)[0] == "no test earned a reward"
    assert result.ret == 0


def test_collect_only_reports_nothing(run):
    assert " rewards " not in run("--collect-only").stdout.str()
