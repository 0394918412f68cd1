"""Measures what recording and reporting thousands of rewards adds to pytest's own time and memory, per report.

    python -m benchmarks.reports [-n 10000] [--rounds 2] [--instructions]

The variants take turns, so that other load on the machine slows all of them alike; the figure is each one's least
processor time. 10,000 tests take some 6 seconds, nine times in a round.

With `--instructions` valgrind counts what one test more executes, in the process of pytest, which no load changes:
the difference between runs of 700 and of 200 tests. That takes some minutes.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

EMPTY = """
import pytest

@pytest.mark.parametrize("n", range({count}))
def test_it(n):
    pass
"""
RECORDED = """
import pytest

@pytest.mark.parametrize("n", range({count}))
def test_it(n, reward):
    reward.record(n % 5 / 4, reason="for the benchmark")
"""


@dataclass
class Variant:
    """A way to run a suite, and its cost: seconds of processor time, and peak bytes of memory."""

    name: str
    file: str
    args: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    memory: int = 0

    @property
    def least(self) -> float:
        return min(self.seconds)


PLUGIN = ("-p", "pytest_rewardkit.plugin")
REPORTING = (*PLUGIN, "--rewardkit")
GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "summary.md", "GITHUB_OUTPUT": "output.txt"}


def variants() -> list[Variant]:
    results = "--rewardkit-results=results.jsonl"
    return [
        Variant("pytest alone, empty tests", "test_empty.py", ()),
        Variant("plugin loaded, empty tests", "test_empty.py", PLUGIN),
        Variant("rewards recorded, no report", "test_recorded.py", PLUGIN),
        Variant("  + table and figures", "test_recorded.py", REPORTING),
        Variant("  + results file", "test_recorded.py", (*REPORTING, results)),
        Variant("  + results, gates, baseline, GitHub", "test_recorded.py", (*REPORTING, *GATED), GITHUB),
        Variant("  + all that and HTML", "test_recorded.py", (*REPORTING, *GATED, "--rewardkit-html=r.html"), GITHUB),
        Variant("pytest's JUnit file, no report", "test_recorded.py", (*PLUGIN, "--junitxml=j.xml")),
        Variant("  + table, figures, properties", "test_recorded.py", (*REPORTING, "--junitxml=j.xml")),
    ]


_COUNTING = (
    *("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"),
    *("--log-file=count", "--child-silent-after-fork=yes"),
)
_FEW, _MORE = 200, 700

GATED = (
    "--rewardkit-results=new.jsonl",
    "--rewardkit-fail-under=0.4",
    "--rewardkit-confidence=0.95",
    "--rewardkit-baseline=results.jsonl",
    "--rewardkit-fail-on=regression",
)


def run(variant: Variant, directory: Path, prefix: tuple[str, ...] = ()) -> None:
    """Runs pytest once, and notes its processor time and memory from the kernel's account of this child alone."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONHASHSEED": "0", **variant.env}
    pytest = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    with subprocess.Popen(
        [*prefix, *pytest, *variant.args, variant.file],
        cwd=directory,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, variant.name
    variant.seconds.append(usage.ru_utime + usage.ru_stime)
    variant.memory = max(variant.memory, usage.ru_maxrss * 1024)


def write_suites(directory: Path, count: int) -> None:
    (directory / "test_empty.py").write_text(EMPTY.format(count=count))
    (directory / "test_recorded.py").write_text(RECORDED.format(count=count))


def instructions(variant: Variant, directory: Path, count: int) -> int:
    """Returns how many instructions pytest executes for so many tests."""
    write_suites(directory, count)
    run(variant, directory, _COUNTING)
    found = re.search(r"I\s+refs:\s+([\d,]+)", (directory / "count").read_text())
    assert found is not None
    return int(found[1].replace(",", ""))


def show_instructions(directory: Path) -> None:
    print("instructions a test, in thousands; in per cent: more than pytest alone")
    alone = 0.0
    for variant in variants()[:4]:
        more, few = (instructions(variant, directory, count) for count in (_MORE, _FEW))
        each = (more - few) / (_MORE - _FEW)
        alone = alone or each
        print(f"{variant.name:<40}{each / 1000:>10,.0f}{each / alone - 1:>+9.1%}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the reports.")
    parser.add_argument("-n", type=int, default=10_000, help="tests")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--instructions", action="store_true", help="count instructions with valgrind instead")
    arguments = parser.parse_args()

    found = variants()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if arguments.instructions:
            show_instructions(directory)
            return
        write_suites(directory, arguments.n)
        for _ in range(arguments.rounds):
            for variant in found:
                run(variant, directory)

    print(f"{arguments.n:,} tests, least processor time of {arguments.rounds} runs")
    alone = found[0].least
    for variant in found:
        base = found[-2].least if variant is found[-1] else found[2].least
        added = f"{(variant.least - base) / alone:+8.1%}" if variant.name.startswith(" ") else ""
        print(f"{variant.name:<40}{variant.least:>8.2f} s{variant.memory / 1e6:>8.0f} MB{added:>9}")
    print("in per cent: of the time of pytest alone, on top of the same tests without --rewardkit")


if __name__ == "__main__":
    main()
