"""All workers and all runs of an account's key keep to its quota: a real server counts, and refuses more."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from pytest_rewardkit import evaluate_dataset
from pytest_rewardkit.local.handle import LocalServer
from pytest_rewardkit.local.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUITE = """
    import pytest
    from pytest_rewardkit import assert_output

    @pytest.mark.parametrize("number", range(8))
    def test_one(sandbox, number):
        assert_output(sandbox, "print(42)", expected="42")
"""


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Callable[[str], Callable[[], dict[str, Any]]]]:
    """Points runs to a cloud with the given faults; returns a function that asks it what it has seen."""
    servers: list[LocalServer] = []

    def make(faults: str) -> Callable[[], dict[str, Any]]:
        server = LocalServer.listen(ServerSettings(faults=faults, warm_sandboxes=1))
        servers.append(server)
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        return lambda: _report(server)

    # The temporary directory of runs in this process, and of their workers.
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield make
    for server in servers:
        server.stop()


def _report(server: LocalServer) -> dict[str, Any]:
    address = urlsplit(server.environment()["E2B_API_URL"])
    connection = HTTPConnection(address.hostname or "", address.port)
    connection.request("GET", "/faults")
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def test_a_run_keeps_to_its_quota(run, pytester, account):
    report = account("create:at-once/2,create:rate/20")
    pytester.makepyfile(SUITE)
    run("--rewardkit-quota=2,20").assert_outcomes(passed=8)
    seen = report()
    assert seen["calls"]["created"] == 8
    assert seen["faults"] == {"create:at-once/2:1": 0, "create:rate/20:1": 0}
    assert (seen["most_at_once"] <= 2, seen["alive"]) == (True, 0)


def test_two_runs_of_a_key_keep_to_its_quota(pytester, account):
    report = account("create:at-once/2,create:rate/20")
    pytester.makepyfile(SUITE)
    command = [sys.executable, "-m", "pytest", "--rewardkit", "-n2", "--rewardkit-quota=2,20", "-p", "no:cacheprovider"]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=pytester.path) for _ in range(2)]
    outputs = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    seen = report()
    assert seen["calls"]["created"] == 16
    assert seen["faults"] == {"create:at-once/2:1": 0, "create:rate/20:1": 0}
    assert seen["most_at_once"] <= 2


def test_a_killed_workers_sandbox_keeps_its_slot_until_it_is_gone(pytester, account):
    report = account("create:at-once/2")
    pytester.makepyfile(
        SUITE
        + """
    def test_killed(sandbox):
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
    """
    )
    command = ("-m", "pytest", "--rewardkit", "-n2", "--rewardkit-max-sandboxes=2", "-p", "no:cacheprovider")
    result = pytester.run(sys.executable, *command)
    result.assert_outcomes(passed=8, failed=1)
    seen = report()
    assert seen["faults"]["create:at-once/2:1"] == 0
    assert (seen["most_at_once"], seen["alive"]) == (2, 0)


def test_what_is_over_the_quota_is_asked_for_again(plain, pytester, account):
    """Without a quota of ours, and while others use the account too."""
    report = account("create:429/1:0.4")
    pytester.makepyfile(SUITE)
    plain().assert_outcomes(passed=8)
    seen = report()
    assert seen["faults"]["create:429/1:0.4"] > 0
    assert seen["calls"]["created"] == 8


def test_rows_with_test_code_count_both_of_their_sandboxes(run, pytester, account):
    report = account("create:at-once/3")
    row = {
        "prompt": "def add(x):\n",
        "entry_point": "add",
        "canonical_solution": "    return x + 1\n",
        "response": "    return x + 1\n",
        "test": "def check(candidate):\n    assert candidate(1) == 2\n",
    }
    lines = [json.dumps({"task_id": f"HumanEval/{number}", **row}) for number in range(4)]
    pytester.path.joinpath("rows.jsonl").write_text("\n".join(lines) + "\n")
    pytester.makepyfile(
        """
        import pytest
        from pytest_rewardkit import assert_row

        @pytest.mark.reward_dataset("rows.jsonl", format="humaneval")
        def test_row(sandbox, row):
            assert_row(sandbox, row, row["response"])
        """
    )
    run("--rewardkit-max-sandboxes=3").assert_outcomes(passed=4)
    seen = report()
    assert seen["faults"]["create:at-once/3:1"] == 0
    assert (seen["most_at_once"] <= 3, seen["alive"]) == (True, 0)


@pytest.mark.parametrize("value", ["20", "20,", "0,1", "20,0", "hoby"])
def test_a_wrong_quota_is_told(pytester, value):
    result = pytester.runpytest("--rewardkit", f"--rewardkit-quota={value}", "-p", "no:asyncio")
    result.stderr.fnmatch_lines([f"*--rewardkit-quota: must be hobby, pro, or sandboxes at once and *not '{value}'"])


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ("--rewardkit-quota=20,1 --rewardkit-max-sandboxes=21", "max-sandboxes=21 is more than the 20 of"),
        ("--rewardkit-quota=20,1 --rewardkit-create-rate=1.5", "create-rate=1.5 is more than the 1 of"),
        ("--rewardkit-max-sandboxes=3 --rewardkit-shard=1/4", "4 shards cannot share 3 sandboxes"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_runs(pytester, options, wrong):
    result = pytester.runpytest("--rewardkit", *options.split(), "-p", "no:asyncio")
    result.stderr.fnmatch_lines([f"*{wrong}*"])


def _sweep(*options: str) -> str:
    command = [sys.executable, "-m", "pytest_rewardkit", "sweep", *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


USES = """
    import pytest
    from pytest_rewardkit import score_output

    @pytest.mark.parametrize("number", range(3))
    def test_one(sandbox, reward, number):
        reward.record(score_output(sandbox, "print(42)", expected="42"))
"""


def test_the_summary_ends_with_what_was_used(run, pytester, account):
    report = account("create:503:0.2")
    pytester.makepyfile(USES)
    result = run("--rewardkit-vcpu-price=3600", "--rewardkit-gib-price=0", "--rewardkit-max-cost=1000000")
    result.stdout.fnmatch_lines(
        ["3 sandboxes created, 0 reused, 3 killed, 0 left; * sandbox-seconds, about $*.* (* vCPU and * GiB)"]
    )
    assert report()["alive"] == 0
    assert _sweep() == "0 sandboxes left\n"


def test_a_run_that_has_had_too_much_asks_for_no_more_and_fails(run, pytester, account):
    report = account("create:delay/0.001")
    pytester.makepyfile(USES)
    result = run("--rewardkit-max-sandbox-seconds=0.001", "--dist=loadfile")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*no further sandbox is created: * of 0.001 sandbox-seconds*",
            "mean 1.00 over 1 scored test, 0.33 with 2 unscored as 0",
            "gate max-sandbox-seconds FAILED: *",
        ]
    )
    assert report()["calls"]["created"] == 1


def test_a_cost_needs_prices(pytester, account):
    account("create:delay/0.001")
    result = pytester.runpytest("--rewardkit", "--rewardkit-max-cost=1", "-p", "no:asyncio")
    result.stderr.fnmatch_lines(["*--rewardkit-max-cost needs prices*"])


@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP", "SIGINT", "SIGKILL"])
def test_a_run_that_is_ended_leaves_nothing_but_what_the_sweep_lists(pytester, account, number):
    report = account("create:delay/0.001")
    pytester.makepyfile(
        f"""
        import os, signal

        def test_ended(sandbox):
            sandbox.run_code("1")
            os.kill(os.getpid(), signal.{number})
            sandbox.run_code("import time; time.sleep(60)")
        """
    )
    command = [sys.executable, "-m", "pytest", "--rewardkit", "-p", "no:cacheprovider", "-p", "no:xdist"]
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=pytester.path,
        check=False,
        # Under nohup the signal is ignored, and a process that ignores it goes on.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    assert ended.returncode != 0
    left = 1 if number == "SIGKILL" else 0
    assert report()["alive"] == left, ended.stdout + ended.stderr
    listed = _sweep()
    assert listed.count("  run ") == left
    assert _sweep("--older-than", "1h").startswith("0 sandboxes left")
    _sweep("--yes")
    assert report()["alive"] == 0


def test_a_run_that_goes_on_is_left_alone(pytester, account):
    account("create:delay/0.001")
    pytester.makepyfile(
        """
        import subprocess, sys

        def test_sweeps_itself(sandbox):
            sandbox.run_code("1")
            sweep = [sys.executable, "-m", "pytest_rewardkit", "sweep", "--yes"]
            said = subprocess.run(sweep, capture_output=True, text=True, check=True).stdout
            assert said.startswith("0 sandboxes left\\n1 more of runs that go on here")
            assert sandbox.is_running()
        """
    )
    command = [sys.executable, "-m", "pytest", "--rewardkit", "-p", "no:cacheprovider", "-n1"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=pytester.path, check=False)
    assert ended.returncode == 0, ended.stdout


def test_evaluations_keep_to_the_quota_too(account):
    report = account("create:at-once/2,create:rate/20")
    code = {"prompt": "def add(x):\n", "entry_point": "add", "canonical_solution": "    return x + 1\n"}
    test = "def check(candidate):\n    assert candidate(2) == 3\n"
    rows = [{"task_id": str(number), **code, "test": test} for number in range(4)]
    samples = [{"task_id": str(number), "completion": f"    return x + {number}\n"} for number in range(4)]
    with_tests = evaluate_dataset(
        dataset_path=rows, format="humaneval", samples=samples, concurrency=4, quota="2,20", progress=False
    )
    assert with_tests.rewards == [0.0, 1.0, 0.0, 0.0], [result.reward.reason for result in with_tests]
    rows = [{"response": f"print({number})", "expected": "1"} for number in range(6)]
    plain = evaluate_dataset(dataset_path=rows, format="rewardkit", concurrency=6, quota="2,20", progress=False)
    assert plain.rewards == [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    seen = report()
    assert seen["faults"] == {"create:at-once/2:1": 0, "create:rate/20:1": 0}
    assert (seen["most_at_once"] <= 2, seen["alive"]) == (True, 0)


SCRIPT = """
import time
from concurrent.futures import ThreadPoolExecutor
from pytest_rewardkit import evaluate_dataset, reward_function

@reward_function
def slow(response, *, sandbox):
    sandbox.run_code(response)
    print("up", flush=True)
    time.sleep(100)
    return 1.0

with ThreadPoolExecutor() as pool:
    pool.submit(slow, "1")
    evaluate_dataset(slow, [{"response": "1"}], provider="e2b", progress=False)
"""


def test_the_sweep_knows_scripts(account):
    report = account("create:delay/0.001")
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True) as script:
        assert script.stdout is not None
        assert [script.stdout.readline() for _ in range(2)] == ["up\n", "up\n"]
        assert _sweep("--yes").startswith("0 sandboxes left\n2 more of runs that go on here")
        script.kill()
    assert _sweep().count("  run ") == 2
    _sweep("--yes")
    assert report()["alive"] == 0


def test_reward_functions_in_tests_count_as_these(run, pytester, account):
    """A reward function without a sandbox gets one of the run's, and waits like a test that already has one.

    So do those of one test that are in flight together.
    """
    report = account("create:at-once/3,create:rate/50")
    pytester.makepyfile(
        """
        import asyncio

        import pytest
        from pytest_rewardkit.asynchronous import awaitable
        from pytest_rewardkit.rewards import e2b_code_execution_reward

        @pytest.mark.parametrize("number", range(2))
        def test_one(reward, number):
            reward.record(e2b_code_execution_reward("print(1)", expected_output="1"))

        def test_several_together(sandbox):
            async def judged():
                judge = awaitable(e2b_code_execution_reward)
                return await asyncio.gather(*(judge("print(1)", expected_output="1") for _ in range(6)))

            assert sandbox.is_running()
            assert asyncio.run(judged()) == [1.0] * 6
        """
    )
    run("--rewardkit-quota=3,50").assert_outcomes(passed=3)
    seen = report()
    assert (seen["most_at_once"] <= 3, seen["calls"]["created"], seen["alive"]) == (True, 9, 0)
    assert seen["faults"] == {"create:at-once/3:1": 0, "create:rate/50:1": 0}
