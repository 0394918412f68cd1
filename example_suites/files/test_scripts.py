"""Candidates that are whole programs: stored as scripts and run as commands, with arguments and input."""

import pytest
from e2b_code_interpreter import CommandExitException, TimeoutException

from pytest_rewardkit import Reward, extract_code

# With your own model, a test passes if it earns the whole reward.
pytestmark = pytest.mark.reward(threshold=1.0)


@pytest.fixture
def script(sandbox, candidate) -> str:
    """The path of the candidate, stored in the sandbox as a script."""
    return sandbox.files.write("script.py", extract_code(candidate)).path


@pytest.mark.deserves(1.0, "passed")
def test_find_todos(sandbox, reward, script):
    sandbox.files.write("src/app.py", "import sys\n# TODO: read the arguments\nprint('hi')\n")
    sandbox.files.write("src/lib/net.py", "retries = 3  # TODO: make it a setting\n# TODO: back off\n")
    sandbox.files.write("src/readme.md", "TODO: not a Python file\n")

    result = sandbox.commands.run(f"python3 {script} src", timeout=10)
    reward.record(
        result.stdout.splitlines()
        == [
            "src/app.py:2: read the arguments",
            "src/lib/net.py:1: make it a setting",
            "src/lib/net.py:2: back off",
        ],
        name="listing",
    )


@pytest.mark.deserves(0.0, "wrong_output")
def test_unique_lines(sandbox, reward, script):
    """Drop repeated lines and keep the order. The candidate uses a set and sorts."""
    sandbox.files.write("names.txt", "Linus\nGrace\nAda\nGrace\nLinus\n")

    result = sandbox.commands.run(f"python3 {script} < names.txt", timeout=10)
    reward.record(result.stdout == "Linus\nGrace\nAda\n", name="stdout", reason=f"printed {result.stdout!r}")


@pytest.mark.deserves(0.5, "partial")
def test_tail(sandbox, reward, script):
    """The candidate works, but not on an empty file."""
    sandbox.files.write("long.log", "".join(f"line {number}\n" for number in range(1, 101)))
    sandbox.files.write("empty.log", "")

    result = sandbox.commands.run(f"python3 {script} long.log 3", timeout=10)
    works = result.stdout == "line 98\nline 99\nline 100\n"
    reward.record(works, name="long file")
    try:
        result = sandbox.commands.run(f"python3 {script} empty.log 3", timeout=10)
        reward.record(works and result.stdout == "", name="empty file")
    except CommandExitException as error:
        reason = error.stderr.splitlines()[-1]
        reward.record(Reward(0.0, verdict="runtime_error", reason=reason), name="empty file")


@pytest.mark.deserves(0.0, "timeout")
def test_wait_for_file(sandbox, reward, script):
    """Print the file as soon as it exists. The candidate waits for a name that is never written."""
    sandbox.files.write("result.txt", "42\n")
    try:
        result = sandbox.commands.run(f"python3 {script} result.txt", timeout=1)
        reward.record(result.stdout == "42\n", name="stdout")
    except TimeoutException:
        reward.record(Reward(0.0, verdict="timeout", reason="still waiting after 1 s"), name="stdout")
