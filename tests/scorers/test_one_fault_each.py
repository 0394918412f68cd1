"""One fault at each request of each scorer: a right candidate is right or unscored, a wrong one is never right.

Most faults are temporary, and steps that are safe to repeat are repeated; so most candidates are right despite them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from faulty_proxy import Fault, FaultyProxy, answered

from pytest_rewardkit import Case, FileCheck, score_analysis, score_cases, score_files, score_output
from pytest_rewardkit.datasets.formats import find_format
from pytest_rewardkit.datasets.rows import Row
from pytest_rewardkit.datasets.score import score_row
from pytest_rewardkit.datasets.testcode.test_runner import TestRunner
from pytest_rewardkit.sandboxes import again
from pytest_rewardkit.scorers.running import cell_execution

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit import Reward

    Make = Callable[[], Sandbox]


@pytest.fixture
def make(far_sandbox: Callable[[float], Sandbox]) -> Make:
    return lambda: far_sandbox(3.0)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_execution, "END_SECONDS", 2.0)
    monkeypatch.setattr(again, "PATIENCE", 2.5)


LIMIT = 30.0
ALL = bool(os.environ.get("REWARDKIT_ALL_FAULTS"))
"""Whether to try all faults, which takes some ten minutes."""


def output(make: Make) -> Reward:
    return score_output(make(), "print(6 * 7)", expected="42", time_limit=LIMIT)


def with_setup(make: Make) -> Reward:
    return score_output(make(), "print(seven * 6)", expected="42", time_limit=LIMIT, setup="seven = 7")


def transcript(make: Make) -> Reward:
    return score_output(make(), "print(6)\n'seven'", expected="6\nseven", time_limit=LIMIT, transcript=True)


def calls(make: Make) -> Reward:
    code = "held = []\ndef keep(x):\n    held.append(x)\n    return len(held)"
    cases = [Case(call="keep", args=["x" * 60_000], expected=1), Case(code="keep(2)", expected=2)]
    return score_cases(make(), code, cases, time_limit=LIMIT)


def stdin(make: Make) -> Reward:
    code = "import os\nos.mkdir(input())\nprint(len(os.listdir()))"
    cases = [Case(stdin="a\n", expected="1"), Case(stdin="b\n", expected="2")]
    return score_cases(make(), code, cases, time_limit=LIMIT)


def files(make: Make) -> Reward:
    code = "open('a.txt', 'x').write('hello')\nopen('b.txt', 'x').write('bye')"
    checks = [FileCheck(path="a.txt", content="hello"), FileCheck(path="b.txt", content="bye")]
    return score_files(make(), code, checks, time_limit=LIMIT, nothing_else=True)


def analysis(make: Make) -> Reward:
    code = "import os\nprint('mean', 42 if os.path.exists('a.csv') else 0)"
    return score_analysis(make(), code, insights=["42"], time_limit=LIMIT, datasets={"a.csv": b"a\n1\n"})


TEST = "def check(candidate):\n    assert candidate(2) == 3\n    assert candidate(5) == 6\n"


def row(make: Make) -> Reward:
    fields = {"task_id": "a", "prompt": "def f(x):\n", "entry_point": "f", "test": TEST}
    given = Row(fields, id="a", place="here", format=find_format("humaneval"))
    with TestRunner(make) as test_runner:
        return score_row(make(), given, "    return x + 1\n", test_runner=test_runner, time_limit=LIMIT)


RIGHT = {
    "output": output,
    "setup": with_setup,
    "transcript": transcript,
    "calls": calls,
    "stdin": stdin,
    "files": files,
    "analysis": analysis,
    "row": row,
}
FAULTS = {
    "cut before": Fault("cut", "/", times=1),
    "closed before": Fault("close", "/", times=1),
    "cut after the head": Fault("cut", "/", times=1, after=0),
    "closed in the body": Fault("close", "/", times=1, after=25),
    "503": Fault("answer", "/", times=1, answer=answered(503)),
    "500": Fault("answer", "/", times=1, answer=answered(500, '{"code": 500, "message": "No space left on device"}')),
    "429": Fault("answer", "/", times=1, answer=answered(429)),
    "no HTTP": Fault("answer", "/", times=1, answer=b"\xff\xfe\r\n\r\n"),
    "empty": Fault("answer", "/", times=1, answer=answered(200, "")),
}
HANGS = {"hangs before": Fault("hang", "/", times=1), "hangs after the head": Fault("hang", "/", times=1, after=0)}
USUAL = ("cut before", "closed in the body", "503", "empty")
BEFORE = ("cut before", "closed before", "503", "429")
"""Temporary faults that keep a request from the server."""


def tried(make: Make, proxy: FaultyProxy, scorer: str, faults: dict[str, Fault]) -> dict[tuple[str, int], Reward]:
    """The rewards of a right candidate, by the fault and the number of the affected request."""
    proxy.spoil(Fault("cut", "/", seen=10**9))
    assert RIGHT[scorer](make).value == 1.0
    requests = proxy.met
    assert requests
    rewards = {}
    for name, fault in faults.items():
        for number in range(requests):
            proxy.spoil(Fault(**{**vars(fault), "seen": number}))
            rewards[name, number] = RIGHT[scorer](make)
            assert proxy.hits or proxy.met <= number, "the fault was not met"
    proxy.spoil(None)
    return rewards


@pytest.mark.parametrize("scorer", RIGHT)
def test_no_single_fault_makes_a_right_candidate_wrong(make: Make, proxy: FaultyProxy, scorer: str) -> None:
    rewards = tried(make, proxy, scorer, FAULTS if ALL else {name: FAULTS[name] for name in USUAL})
    print(f"{len(rewards)} points, {sum(reward.value is None for reward in rewards.values())} unscored")
    assert not {place: reward for place, reward in rewards.items() if reward.value not in (1.0, None)}
    # A program that was not started is run again; so are requests that create, read and remove.
    passed = [reward.value == 1.0 for (fault, _), reward in rewards.items() if fault in BEFORE]
    assert all(passed), {place: reward for place, reward in rewards.items() if reward.value is None}


@pytest.mark.skipif(not ALL, reason="takes minutes; set REWARDKIT_ALL_FAULTS=1")
@pytest.mark.parametrize("scorer", RIGHT)
def test_no_hang_makes_a_right_candidate_wrong(make: Make, proxy: FaultyProxy, scorer: str) -> None:
    rewards = tried(make, proxy, scorer, HANGS)
    print(f"{len(rewards)} points, {sum(reward.value is None for reward in rewards.values())} unscored")
    assert not {place: reward for place, reward in rewards.items() if reward.value not in (1.0, None)}
