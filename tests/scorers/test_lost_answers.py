"""A faulty connection never counts against a candidate: a broken answer makes a reward unscored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faulty_proxy import Fault, FaultyProxy, answered

from pytest_rewardkit import Case, FileCheck, Verdict, score_analysis, score_cases, score_files, score_output
from pytest_rewardkit.sandboxes import again
from pytest_rewardkit.scorers.running import cell_execution

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit import Reward


@pytest.fixture
def far(far_sandbox: Callable[[float], Sandbox]) -> Sandbox:
    return far_sandbox(5.0)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_execution, "END_SECONDS", 1.0)
    monkeypatch.setattr(again, "PATIENCE", 0.0)  # a permanent fault is not tried again


def output(sandbox: Sandbox, limit: float = 20) -> Reward:
    return score_output(sandbox, "print(6 * 7)", expected="42", time_limit=limit)


def calls(sandbox: Sandbox, limit: float = 20) -> Reward:
    code = "def double(x):\n    return 2 * x"
    return score_cases(sandbox, code, [Case(call="double", args=[4], expected=8)], time_limit=limit)


def stdin(sandbox: Sandbox, limit: float = 20) -> Reward:
    return score_cases(sandbox, "print(int(input()) * 2)", [Case(stdin="4\n", expected="8")], time_limit=limit)


def files(sandbox: Sandbox, limit: float = 20) -> Reward:
    code = "open('a.txt', 'w').write('hello')"
    return score_files(sandbox, code, [FileCheck(path="a.txt", content="hello")], time_limit=limit)


def analysis(sandbox: Sandbox, limit: float = 20) -> Reward:
    return score_analysis(sandbox, "print('mean', 42)", insights=["42"], time_limit=limit)


RIGHT = {"output": output, "calls": calls, "stdin": stdin, "files": files, "analysis": analysis}

RUN = r"/(execute|process\.Process/Start)"
CUTS = [
    Fault("cut", RUN),
    Fault("close", RUN),
    Fault("cut", RUN, after=0),
    Fault("cut", RUN, after=30),
    Fault("close", RUN, after=30),
    Fault("answer", RUN, answer=b"\xff\xfe not http\r\n\r\n"),
    *(Fault("answer", RUN, answer=answered(status)) for status in (429, 500, 502, 503, 504)),
]
OTHERS = [
    Fault("cut", "/contexts"),
    Fault("answer", "/contexts", answer=answered(200, "[]")),
    Fault("answer", "/contexts", answer=answered(500)),
    Fault("answer", "/files", method="POST", answer=answered(429)),
    Fault("cut", "/files", method="POST"),
]


def named(fault: Fault) -> str:
    words = [fault.what, fault.path.strip("/").split("|")[0].strip("(/"), fault.method[:4]]
    words += [str(fault.after)] * (fault.after is not None) + [fault.answer[9:12].decode("latin-1")] * bool(
        fault.answer
    )
    return "-".join(words)


@pytest.mark.parametrize("scorer", RIGHT)
def test_right_candidates_are_right_through_the_proxy(far: Sandbox, scorer: str) -> None:
    assert RIGHT[scorer](far).value == 1.0


@pytest.mark.parametrize("scorer", RIGHT)
@pytest.mark.parametrize("fault", [*CUTS, *OTHERS], ids=named)
def test_a_spoilt_answer_is_unscored(far: Sandbox, proxy: FaultyProxy, scorer: str, fault: Fault) -> None:
    proxy.spoil(fault)
    reward = RIGHT[scorer](far)
    if proxy.hits:
        assert reward.value is None, reward
        assert reward.reason
    else:
        assert reward.value == 1.0


@pytest.mark.parametrize("after", [None, 0, 30])
@pytest.mark.parametrize("scorer", RIGHT)
def test_an_answer_that_never_comes_is_unscored(
    far: Sandbox, proxy: FaultyProxy, scorer: str, after: int | None
) -> None:
    proxy.spoil(Fault("hang", RUN, after=after))
    reward = RIGHT[scorer](far, 0.2)
    assert proxy.hits
    assert reward.value is None, reward


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_file_that_cannot_be_fetched_is_unscored(far: Sandbox, proxy: FaultyProxy, status: int) -> None:
    proxy.spoil(Fault("answer", "/files", method="GET", answer=answered(status)))
    assert files(far).value is None
    assert proxy.hits


@pytest.mark.parametrize("fault", ["cut", "close"])
@pytest.mark.parametrize("after", [None, 0, 2])
def test_a_file_that_is_cut_off_is_unscored(far: Sandbox, proxy: FaultyProxy, fault: str, after: int | None) -> None:
    proxy.spoil(Fault(fault, "/files", method="GET", after=after))
    assert files(far).value is None
    assert proxy.hits


@pytest.mark.parametrize(
    "leaves",
    [
        "import os; os.symlink('/nowhere', 'a.txt')",
        "import os; os.mkfifo('a.txt')",
        "import os; os.mkdir('a.txt')",
        "open('b.txt', 'w').write('hello')",
    ],
    ids=["dangling link", "pipe", "folder", "another"],
)
def test_what_a_candidate_leaves_is_its_own(far: Sandbox, leaves: str) -> None:
    assert score_files(far, leaves, [FileCheck(path="a.txt", content="hello")]).value == 0.0


@pytest.mark.parametrize(
    "code",
    ["while True: pass", "import time; time.sleep(1000)", "import signal, os; os.kill(os.getpid(), signal.SIGSTOP)"],
    ids=["busy", "asleep", "stopped"],
)
def test_a_candidate_s_own_time_is_its_own(far: Sandbox, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_execution, "END_SECONDS", 20.0)
    reward = score_output(far, code, expected="", time_limit=1)
    assert (reward.value, reward.parts[0].verdict) == (0.0, Verdict.TIMEOUT)
    case = score_cases(far, code, [Case(stdin="", expected="")], time_limit=1)
    assert (case.value, case.parts[0].verdict) == (0.0, Verdict.TIMEOUT)


def test_a_candidate_that_ends_its_interpreter_is_wrong(far: Sandbox) -> None:
    assert score_output(far, "import os; os._exit(0)", expected="42").value == 0.0
