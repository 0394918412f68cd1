"""The HTML report of 20,000 tests: time and memory to make it, time to open and use it in Chromium.

    python -m benchmarks.html_report [-n 20000]

"recorded" has what every run records: rewards, parts, expected and actual texts. "full" adds code, output and attempts
of each test.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.timing import Series, print_table
from pytest_rewardkit.ledger import ledger as run
from pytest_rewardkit.ledger.record import Record, SandboxUse
from pytest_rewardkit.reports.html.from_ledger import report_of
from pytest_rewardkit.reports.html.model import PageAttempt, PageEvidence, PageTest, Report
from pytest_rewardkit.reports.html.write import write
from pytest_rewardkit.reward import Part, Reward, Verdict
from tests.chromium import HOW_TO_INSTALL, chromium, missing_programs, set_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from selenium.webdriver import Chrome

CODE = '''\
def count_paths(grid, row=0, column=0):
    """Return the number of ways from the top left to the bottom right."""
    if row >= len(grid) or column >= len(grid[0]) or grid[row][column] == 1:
        return 0
    if (row, column) == (len(grid) - 1, len(grid[0]) - 1):
        return 1
    return sum(count_paths(grid, row + down, column + 1 - down) for down in (0, 1))


'''
OUTPUT = "".join(f"line {number}: {number * number}\n" for number in range(20))

# A reader's actions. Each is over when the page has been drawn again.
ACTIONS = {
    "search": "const s = document.getElementById('search'); s.value = '17'; s.dispatchEvent(new Event('input'))",
    "show all": "document.getElementById('clear').click()",
    "filter by verdict": "document.querySelector('#verdicts button').click()",
    "sort by time": "document.querySelector('th.col-seconds button').click()",
    "sort by name": "document.querySelector('th.col-id button').click()",
    "jump to the end": "scrollTo(0, document.body.scrollHeight)",
    "open a test": "document.querySelector('#tests tbody tr[data-position]').click()",
}
MEASURE = """
const done = arguments[0];
const start = performance.now();
{action};
requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
"""


def reward_of(chance: random.Random) -> Reward:
    parts = []
    for number in range(chance.randint(2, 5)):
        right = chance.random() < 0.7
        parts.append(
            Part(
                f"count_paths(grid_{number})",
                float(right),
                verdict=Verdict.PASSED if right else Verdict.WRONG_OUTPUT,
                reason="" if right else "line 3 differs",
                expected=OUTPUT[:200],
                actual=OUTPUT[:200] if right else OUTPUT[:150].replace("4", "5"),
                duration=0.01,
            )
        )
    return Reward.from_parts(parts, reason="" if all(part.value == 1 for part in parts) else "some cases fail")


def recorded(count: int) -> Report:
    chance = random.Random(1)
    ledger = run.Ledger()
    for number in range(count):
        record = Record(reward_of(chance), group=f"group {number % 12}", sandboxes=(SandboxUse(0.0, 0.02),))
        ledger.add(f"tests/test_{number % 40}.py::test_task[{number}]", run.Attempt("passed", chance.random(), record))
    return report_of(ledger)


def full(count: int) -> Report:
    chance = random.Random(1)
    tests = []
    for number in range(count):
        attempts = []
        for _ in range(chance.choice((1, 1, 3))):
            reward = reward_of(chance)
            attempts.append(
                PageAttempt(
                    verdict=reward.verdict.value,
                    value=reward.value,
                    parts=reward.parts,
                    seconds=chance.random(),
                    evidence=PageEvidence(candidate=f"# {number}\n{CODE * 2}", stdout=OUTPUT),
                )
            )
        name = f"tests/test_{number % 40}.py::test_task[{number}]"
        tests.append(PageTest(node_id=name, attempts=attempts, group=f"group {number % 12}"))
    return Report(tests=tests)


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def generate(make: Callable[[int], Report], count: int, path: Path) -> tuple[float, float]:
    """Return the seconds that writing took, and by how many megabytes it raised the peak memory."""
    report = make(count)
    before = peak_megabytes()
    start = time.perf_counter()
    write(report, path)
    return time.perf_counter() - start, peak_megabytes() - before


def open_and_use(browser: Chrome, path: Path, label: str, rounds: int) -> list[Series]:
    opened = Series(f"{label}: open, until all is loaded")
    painted = Series(f"{label}: open, until something is seen")
    actions = {name: Series(f"{label}: {name}") for name in ACTIONS}
    for _ in range(rounds):
        browser.get("about:blank")
        with opened.measure():
            browser.get(path.as_uri())
        painted.values.append(
            browser.execute_script("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
        )
        for name, action in ACTIONS.items():
            actions[name].values.append(browser.execute_async_script(MEASURE.replace("{action}", action)))
    complaints = browser.get_log("browser")
    assert not complaints, complaints
    return [opened, painted, *actions.values()]


def main() -> None:
    parser = argparse.ArgumentParser(description="Make, open and use a large HTML report.")
    parser.add_argument("-n", type=int, default=20_000, help="tests")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as directory:
        paths = {}
        for make in (recorded, full):
            paths[make.__name__] = path = Path(directory) / f"{make.__name__}.html"
            # Each in a fresh process, so that it has its own memory peak.
            with get_context("spawn").Pool(1) as pool:
                seconds, megabytes = pool.apply(generate, (make, arguments.n, path))
            size = path.stat().st_size / 1e6
            print(
                f"{make.__name__}: {arguments.n:,} tests, {size:.1f} MB written in {seconds:.2f} s, +{megabytes:.0f} MB"
            )
        if missing := missing_programs():
            sys.exit(f"no {' and no '.join(missing)} here; {HOW_TO_INSTALL}")
        series = []
        with chromium(Path(directory) / "profile") as browser:
            set_size(browser, 1440, 900)
            for label, path in paths.items():
                series += open_and_use(browser, path, label, arguments.rounds)
        print_table(series)


if __name__ == "__main__":
    main()
