"""The local server dies or hangs in the middle of a run: the run says so and goes on with a new one."""

import signal
import sys
from functools import partial

from pytest_rewardkit.local.handle import LocalServer
from pytest_rewardkit.local.vigil import Patience

# The process of the run's local server, as seen from a test anywhere.
FIND_SERVER = """
    import os
    from pathlib import Path

    def server():
        variables = Path("/proc/self/environ")
        port = os.environ["E2B_API_URL"].rpartition(":")[2]
        inode = next(
            line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()
            if line.split()[1].endswith(f":{int(port):04X}") and line.split()[3] == "0A"
        )
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if b"pytest_rewardkit.local\\0serve" not in process.joinpath("cmdline").read_bytes():
                    continue
                if any(os.readlink(fd) == f"socket:[{inode}]" for fd in process.joinpath("fd").iterdir()):
                    return int(process.name)
            except OSError:
                continue
        raise LookupError("no server")
"""

SUITE = (
    FIND_SERVER
    + """
    import os, pytest, signal
    from pytest_rewardkit import score_output

    def test_before(sandbox, reward):
        reward.record(score_output(sandbox, "print(1)", expected="1"))

    def test_scorer_meets_it(sandbox, reward):
        assert sandbox.is_running()
        os.kill(server(), signal.SIGKILL)
        reward.record(score_output(sandbox, "print(1)", expected="1"))

    @pytest.mark.reward(threshold=0.5)
    def test_itself_meets_it(sandbox):
        assert sandbox.is_running()
        os.kill(server(), signal.SIGKILL)
        assert sandbox.run_code("1 + 1").text == "2"

    def test_after(sandbox, reward):
        reward.record(score_output(sandbox, "print(1)", expected="1"))
    """
)


def test_a_killed_server_costs_the_test_that_ran(run, pytester, one_worker):
    pytester.makepyfile(test_suite=SUITE)
    result = run(*one_worker, "-rA")
    result.stdout.fnmatch_lines(["rewardkit: the local server was ended by SIGKILL; another one takes its place"] * 2)
    result.stdout.fnmatch_lines_random(
        [
            "   - * unscored       test_suite.py::test_scorer_meets_it",
            "   - * unscored       test_suite.py::test_itself_meets_it",
            "      the local server was ended by SIGKILL; another one takes its place (*",
            "mean 1.00 over 2 scored tests, 0.50 with 2 unscored as 0",
        ]
    )
    # At the end, errors from killing sandboxes that are already gone are not reported.
    assert "could not be killed" not in result.stdout.str()


def test_the_server_dies_between_two_tests(run, pytester, one_worker):
    pytester.makepyfile(
        test_suite=FIND_SERVER
        + """
    import os, pytest, signal

    def test_before(sandbox, reward):
        reward.record(1.0)

    def test_kills():
        os.kill(server(), signal.SIGKILL)

    @pytest.mark.parametrize("number", range(4))
    def test_after(sandbox, reward, number):
        reward.record(float(sandbox.run_code("1 + 1").text == "2"))
    """
    )
    result = run(*one_worker)
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["mean 1.00 over 5 scored tests"])


def test_a_stopped_server_makes_tests_unscored_and_is_replaced(pytester, monkeypatch, run, one_worker):
    # Users cannot set how long a run waits; a test cannot wait that long.
    listen = partial(LocalServer.listen, patience=Patience(answer=2.0, interval=0.1))
    monkeypatch.setattr(LocalServer, "listen", listen)
    pytester.makepyfile(
        test_suite=FIND_SERVER
        + """
    import os, pytest, signal

    @pytest.mark.reward(threshold=0.5)
    def test_meets_it(sandbox):
        assert sandbox.is_running()
        os.kill(server(), signal.SIGSTOP)
        sandbox.files.write("a", "b")

    def test_after(sandbox, reward):
        reward.record(float(sandbox.run_code("1 + 1").text == "2"))
    """
    )
    result = run(*one_worker)
    result.stdout.fnmatch_lines(
        [
            "rewardkit: the local server did not answer within 2 s, and was killed; another one takes its place",
            "   - * unscored       test_suite.py::test_meets_it",
            "      the local server did not answer within 2 s, and was killed; *",
            "mean 1.00 over 1 scored test, 0.50 with 1 unscored as 0",
        ]
    )


def test_a_command_of_run_is_told(pytester):
    program = pytester.makepyfile(
        "\n".join(line[4:] for line in FIND_SERVER.splitlines())
        + f"""
import httpx, os
from e2b_code_interpreter import Sandbox
Sandbox.create().kill()
os.kill(server(), {int(signal.SIGKILL)})
while True:
    try:
        with Sandbox.create() as sandbox:
            print("answer", sandbox.run_code("6 * 7").text)
        break
    except httpx.WriteError:  # the SDK has kept a connection to the dead one
        continue
"""
    )
    result = pytester.run(sys.executable, "-m", "pytest_rewardkit.local", "run", "--", sys.executable, program)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["answer 42"])
    result.stderr.fnmatch_lines(["*: the local server was ended by SIGKILL; another one takes its place*"])
