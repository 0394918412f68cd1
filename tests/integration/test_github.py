"""A step of GitHub Actions: its summary, its outputs and annotations, once per run."""

import pytest

SUITE = """
    import pytest
    from pytest_rewardkit import Reward

    def test_right(reward):
        reward.record(1.0)

    def test_partial(reward):
        reward.record(Reward(0.75, reason="::error::forged"))

    @pytest.mark.reward(threshold=0.5)
    def test_under_threshold(reward):
        reward.record(0.25)
"""


@pytest.fixture
def step(pytester, monkeypatch):
    """The files of a step, in a repository that has its tests in a folder."""
    pytester.makepyfile(test_suite=SUITE)
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.setenv(name, str(pytester.path / name))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(pytester.path.parent))
    return pytester.path


def test_summary_outputs_and_annotations(step, run):
    (step / "GITHUB_STEP_SUMMARY").write_text("### Before\n")
    (step / "GITHUB_OUTPUT").write_text("earlier=1\n")
    result = run("--rewardkit-fail-under=0.8")
    summary = (step / "GITHUB_STEP_SUMMARY").read_text()
    assert summary.startswith("### Before\n### Rewards: FAILED, mean 0.67 over 3 scored tests\n")
    assert summary.count("### Rewards") == 1
    assert (step / "GITHUB_OUTPUT").read_text().splitlines() == [
        "earlier=1",
        "reward_mean=0.666667",
        "reward_strict_mean=0.666667",
        "reward_tests=3",
        "reward_scored=3",
        "reward_unscored=0",
        "reward_missing=0",
        "reward_gate=failed",
    ]
    commands = [line for line in result.errlines if line.lstrip().startswith("::")]
    assert commands == [
        "::error title=reward gate::mean 0.67 < 0.8",
        f"::warning file={step.name}/test_suite.py,line=7,title=reward 0.75::test_suite.py::test_partial: partial: "
        "::error::forged",
    ]


def test_nothing_on_the_terminal_is_a_command(step, run):
    result = run("-vv", "-rA")
    assert not [line for line in result.outlines if line.lstrip().startswith("::") or "##[" in line]


def test_a_run_that_passes(step, run):
    run("--rewardkit-fail-under=0.5", "-k", "not threshold")
    assert "### Rewards: passed, mean 0.88 over 2 scored tests" in (step / "GITHUB_STEP_SUMMARY").read_text()
    assert "reward_gate=passed" in (step / "GITHUB_OUTPUT").read_text()


def test_without_a_terminal(step, run):
    run("-p", "no:terminal", "--rewardkit-fail-under=0.8")
    assert "reward_gate=failed" in (step / "GITHUB_OUTPUT").read_text()
    assert "gate **failed**" in (step / "GITHUB_STEP_SUMMARY").read_text()


def test_a_summary_that_is_nearly_full_is_not_made_too_large(step, run):
    (step / "GITHUB_STEP_SUMMARY").write_text("x" * 900 * 1024)
    run()
    assert (step / "GITHUB_STEP_SUMMARY").stat().st_size < 1000 * 1024
    assert "<details>" not in (step / "GITHUB_STEP_SUMMARY").read_text()


@pytest.mark.parametrize("actions", ["false", None])
def test_elsewhere_nothing_is_written(step, run, monkeypatch, actions):
    monkeypatch.delenv("GITHUB_ACTIONS")
    if actions:
        monkeypatch.setenv("GITHUB_ACTIONS", actions)
    run()
    assert not (step / "GITHUB_STEP_SUMMARY").exists()
    assert not (step / "GITHUB_OUTPUT").exists()


def test_without_rewardkit_nothing_is_written(step, plain):
    plain()
    assert not (step / "GITHUB_STEP_SUMMARY").exists()


def test_files_that_cannot_be_written_are_told_and_do_no_harm(step, run, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    result = run("-k", "right")
    assert result.ret == 0
    result.stderr.fnmatch_lines(["rewardkit: cannot write to *Is a directory*"])
