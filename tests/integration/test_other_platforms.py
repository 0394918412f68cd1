"""Tests without sandboxes run on any platform: features of Linux or POSIX are hidden from the package here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HIDING = Path(__file__).with_name("elsewhere")
PLUGINS = ("another_platform", "xdist.plugin", "pytest_rewardkit.plugin")

SUITE = """
import pytest
from pytest_rewardkit import Reward, assert_output, extract_code  # noqa: F401

def test_whole(reward):
    reward.record(1.0)

@pytest.mark.reward(threshold=0.5)
def test_partial(reward):
    reward.record(0.75)

@pytest.mark.reward(threshold=0.5)
def test_wrong(reward):
    reward.record(0.25)

def test_plain():
    pass

def test_in_a_sandbox(sandbox, reward):
    sandbox.run_code("1")
    reward.record(1.0)
"""

EVERY_MODULE = """
import importlib, pkgutil, sys
import pytest_rewardkit

sys.platform = sys.argv[1]
linux_only = ("pytest_rewardkit.local.",)
portable = ("pytest_rewardkit.local.container", "pytest_rewardkit.local.handle", "pytest_rewardkit.local.cli.run",
            "pytest_rewardkit.local.__main__", "pytest_rewardkit.local.settings", "pytest_rewardkit.local.limits")
in_sandboxes = "pytest_rewardkit.datasets.testcode.guest"
for module in pkgutil.walk_packages(pytest_rewardkit.__path__, "pytest_rewardkit.", onerror=lambda name: None):
    name = module.name
    if name.startswith(in_sandboxes) or name.startswith(linux_only) and not name.startswith(portable):
        continue
    importlib.import_module(name)
    print(name)
"""


@pytest.fixture(params=["darwin", "win32"])
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ELSEWHERE", request.param)
    monkeypatch.setenv("PYTHONPATH", str(HIDING))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PATH", "")  # no container engine
    monkeypatch.delenv("E2B_API_KEY", raising=False)
    return request.param


def run_pytest(*arguments: str) -> subprocess.CompletedProcess[str]:
    plugins = [argument for plugin in PLUGINS for argument in ("-p", plugin)]
    command = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", *plugins, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_every_portable_module_can_be_imported(elsewhere: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EVERY_MODULE, elsewhere], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert {"pytest_rewardkit.sandboxes.quota.budget", "pytest_rewardkit.local.container.server"} <= set(
        done.stdout.split()
    )


def test_a_suite_without_sandboxes_is_as_anywhere(elsewhere: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_suite=SUITE)
    done = run_pytest("--deselect=test_suite.py::test_in_a_sandbox")
    assert "1 failed, 3 passed, 1 deselected" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_rewards_are_recorded_and_a_missing_sandbox_is_unscored(
    elsewhere: str, pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    pytester.makepyfile(test_suite=SUITE)
    done = run_pytest(
        *("--rewardkit", "--rewardkit-results=r.jsonl", "--rewardkit-html=r.html", "--rewardkit-artifacts=kept"),
        *("--rewardkit-max-sandboxes=2", "--junitxml=junit.xml", *workers),
    )
    printed = done.stdout + done.stderr
    lines = [json.loads(line) for line in Path("r.jsonl").read_text("utf-8").splitlines()]
    rewards = {line["node_id"].partition("::")[2]: line["reward"] for line in lines if line["type"] == "attempt"}
    assert rewards == {"test_whole": 1.0, "test_partial": 0.75, "test_wrong": 0.25, "test_in_a_sandbox": None}, printed
    assert lines[0]["sandboxes"] == {"provider": "none", "isolation": "none"}
    assert "rewardkit: no sandboxes: local sandboxes are made of Linux's" in done.stdout
    assert "start Docker, OrbStack, Colima or Podman" in done.stdout
    assert "2 failed, 3 passed" in done.stdout
    assert "<html" in Path("r.html").read_text("utf-8")
    kept = sorted(it.name for it in Path("kept").iterdir())
    assert len(kept) == 2
    assert "test_in_a_sandbox" in kept[0]
    assert "test_wrong" in kept[1]


def test_a_provider_that_is_asked_for_by_name_must_work(elsewhere: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_suite=SUITE)
    for provider, reason in (("local", f"this is {elsewhere}"), ("docker", "neither docker nor podman is on PATH")):
        done = run_pytest("--rewardkit", f"--rewardkit-provider={provider}")
        assert done.returncode == pytest.ExitCode.USAGE_ERROR
        assert reason in done.stderr
