"""Options in all their spellings, and the messages when they are wrong."""

import pytest

SUITE = """
    def test_half(reward):
        reward.record(0.5)
"""


@pytest.fixture(autouse=True)
def suite(pytester):
    pytester.makepyfile(test_suite=SUITE)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--rewardkit-provider=e2", "--rewardkit-provider: unknown value 'e2'; did you mean 'e2b'?"),
        (
            "--rewardkit-provider=moon",
            "*: unknown value 'moon'; known are: auto, docker, e2b, local",
        ),
        ("--rewardkit-sandbox-scope=modul", "--rewardkit-sandbox-scope: unknown value 'modul'; did you mean 'module'?"),
        ("--rewardkit-isolation=strickt", "--rewardkit-isolation: unknown value 'strickt'; did you mean 'strict'?"),
        ("--rewardkit-max-sandboxes=0", "--rewardkit-max-sandboxes: must be a whole number, 1 or more, not '0'"),
        ("--rewardkit-max-sandboxes=two", "--rewardkit-max-sandboxes: must be a whole number, 1 or more, not 'two'"),
        ("--rewardkit-fail-under=80", "--rewardkit-fail-under: must be a number in [[]0, 1], not '80'"),
        ("--rewardkit-fail-under=nan", "--rewardkit-fail-under: must be a number in [[]0, 1], not 'nan'"),
        ("--rewardkit-provider=e2b", "*needs a key: set E2B_API_KEY*--rewardkit-provider=local*"),
    ],
)
def test_wrong_values_are_usage_errors(pytester, option, said):
    result = pytester.runpytest("--rewardkit", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {said}"])


def test_wrong_values_with_workers_are_said_once(pytester):
    result = pytester.runpytest("--rewardkit", "-n2", "--rewardkit-provider=e2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert len([line for line in result.errlines if "did you mean" in line]) == 1


def test_wrong_values_elsewhere_name_their_place(pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_REWARDKIT_PROVIDER", "moon")
    result = pytester.runpytest("--rewardkit")
    result.stderr.fnmatch_lines(["ERROR: PYTEST_REWARDKIT_PROVIDER in the environment: unknown value 'moon'*"])
    pytester.makeini("[pytest]\nrewardkit_provider = mars\n")
    result = pytester.runpytest("--rewardkit")
    result.stderr.fnmatch_lines(["ERROR: rewardkit_provider in *tox.ini: unknown value 'mars'*"])


def test_gate_without_the_report_is_refused(pytester):
    result = pytester.runpytest("--rewardkit-fail-under=0.5")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --rewardkit-fail-under decides nothing without --rewardkit"])


def test_command_line_wins_over_ini_and_ini_over_environment(plain, pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_REWARDKIT", "1")
    monkeypatch.setenv("PYTEST_REWARDKIT_FAIL_UNDER", "0.1")
    assert plain().ret == 0
    pytester.makeini("[pytest]\nrewardkit_fail_under = 0.7\n")
    plain().stdout.fnmatch_lines(["gate FAILED: mean 0.50 < 0.7"])
    plain("--rewardkit-fail-under=0.4").stdout.fnmatch_lines(["gate passed: mean 0.50 >= 0.4"])


def test_ini_alone_turns_the_report_on(plain, pytester):
    pytester.makeini("[pytest]\nrewardkit = true\n")
    plain().stdout.fnmatch_lines(["mean 0.50 over 1 scored test"])


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("treshold=0.5", "unknown keyword 'treshold'; did you mean 'threshold'?"),
        ("threshold=2", "threshold must be a number in [[]0, 1], not 2"),
        ("0.5", "takes keywords only, not 0.5; known are: threshold, *"),
    ],
)
def test_wrong_markers_name_the_test(pytester, plain, marker, said):
    pytester.makepyfile(
        test_suite=f"""
        import pytest

        @pytest.mark.reward({marker})
        def test_marked():
            pass

        def test_other():
            pass
        """
    )
    result = plain()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([f"test_suite.py::test_marked: @pytest.mark.reward: {said}"])


def test_wrong_marker_makes_its_test_unscored(pytester, run):
    pytester.makepyfile("import pytest\n@pytest.mark.reward(treshold=1)\ndef test_marked(): pass")
    run().stdout.fnmatch_lines(
        [
            "   - * unscored       *::test_marked",
            "      @pytest.mark.reward: unknown keyword 'treshold'; did you mean 'threshold*",
        ]
    )


def test_markers_and_options_are_documented(pytester):
    markers = pytester.runpytest("--markers", "-p", "no:asyncio").stdout
    markers.fnmatch_lines(["@pytest.mark.reward([*], threshold=None, *", "@pytest.mark.sandbox([*], template=None, *"])
    usage = pytester.runpytest("--help", "-p", "no:asyncio").stdout
    for option in ("", "-provider", "-sandbox-scope", "-isolation", "-max-sandboxes", "-fail-under"):
        usage.re_match_lines([rf"  --rewardkit{option}[ =]?.*"])
        usage.re_match_lines([rf"  rewardkit{option.replace('-', '_')} \(string\).*"])
    fixtures = pytester.runpytest("--fixtures", "-p", "no:asyncio").stdout.str()
    for fixture in ("sandbox", "async_sandbox", "sandbox_factory", "sandbox_options", "reward"):
        assert f"\n{fixture} " in fixtures


@pytest.mark.parametrize("listing", ["--collect-only", "--setup-plan", "--fixtures", "--markers"])
def test_what_only_lists_starts_nothing(pytester, monkeypatch, listing):
    started = []
    monkeypatch.setattr("pytest_rewardkit.local.handle.LocalServer.listen", lambda *_, **__: started.append(1))
    assert pytester.runpytest_inprocess("--rewardkit", listing, "-p", "no:asyncio").ret == 0
    assert not started
