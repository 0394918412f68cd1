"""The example suites, run as a newcomer runs them: all pass, with the same rewards alone and with two workers."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from pytest_rewardkit.reward import Verdict

ROOT = Path(__file__).parents[2]
COMMAND = "pytest --rewardkit example_suites"
SELFCHECK = "pytest example_suites --rewardkit-selfcheck"
TIME_LIMIT = 900
ONLY_EXAMPLES = ("-p", "no:cacheprovider", "-p", "pytest_rewardkit.plugin", "-p", "xdist")
"""The plugins that the extra `examples` installs."""


class Run(NamedTuple):
    exit_status: int
    output: str
    rewards: dict[str, float]

    @property
    def table(self) -> list[str]:
        """The rows of the reward section and its figures, without those about time."""
        _, _, section = self.output.rpartition(" rewards ===")
        rows, _, _ = section.partition("slowest: ")
        return rows.splitlines()[1:]


def started(command: str, *options: str) -> subprocess.CompletedProcess[str]:
    foreign = ("E2B_", "PYTEST_", "GITHUB_", "COV_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return subprocess.run(
        [sys.executable, "-m", *shlex.split(command), *options, *ONLY_EXAMPLES],
        cwd=ROOT,
        env={**environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "120", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )


def run(tmp_path: Path, *options: str) -> Run:
    report = tmp_path / "rewards.xml"
    completed = started(COMMAND, *options, f"--junitxml={report}")
    assert report.exists(), completed.stdout + completed.stderr
    rewards = {
        f"{case.get('classname')}::{case.get('name')}": float(entry.get("value", ""))
        for case in ElementTree.parse(report).iter("testcase")
        for entry in case.iter("property")
        if entry.get("name") == "reward"
    }
    return Run(completed.returncode, completed.stdout, rewards)


def test_green_and_the_same_alone_and_with_two_workers(tmp_path: Path) -> None:
    alone = run(tmp_path, "-v")
    assert alone.exit_status == 0, alone.output
    assert len(alone.rewards) == len(re.findall(r"^\S+::.* PASSED", alone.output, re.MULTILINE))
    assert 0 < sum(0 < reward < 1 for reward in alone.rewards.values()) < len(alone.rewards)
    for verdict in Verdict:
        assert (f" {verdict} " in alone.output) == (verdict is not Verdict.UNSCORED)

    parallel = run(tmp_path, "-v", "-n", "2")
    assert parallel.exit_status == 0, parallel.output
    assert parallel.rewards == alone.rewards
    assert len(alone.table) > len(alone.rewards)
    assert parallel.table == alone.table


def test_right_answers_pass_and_empty_ones_do_not() -> None:
    checked = started(SELFCHECK, "-n", "2")
    assert checked.returncode == 0, checked.stdout
    assert re.search(r"^\d+ right, 0 broken$", checked.stdout, re.MULTILINE)
