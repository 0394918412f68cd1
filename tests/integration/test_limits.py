"""Limits of local sandboxes through pytest: a candidate's reward beyond one, and its neighbour, which goes on."""

import json
import os
import sys

import pytest

BOMBS = """\
from textwrap import indent

ONE_PROCESS = "data = b'x' * (600 * 2**20)"
FORKS = '''
import os, time
for _ in range(4):
    if os.fork() == 0:
        data = bytearray(b"x") * (120 * 2**20)
        time.sleep(60)
time.sleep(60)
'''
CHILDREN = '''
import subprocess, sys
code = 'import time; data = bytearray(b"x") * (120 * 2**20); time.sleep(60)'
children = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
for child in children:
    child.wait()
'''


def inside(head, bomb):
    return head + "\\n" + indent(bomb, "    ") + "\\n"


def verdicts(reward):
    return [part.verdict.value for part in reward.parts]
"""

MEMORY = """
import pytest
from bombs import CHILDREN, FORKS, ONE_PROCESS, inside, verdicts
from pytest_rewardkit import Case, FileCheck, score_cases, score_files, score_output

pytestmark = [
    pytest.mark.sandbox(memory_mb=256, disk_mb=16),
    pytest.mark.parametrize("bomb", [ONE_PROCESS, FORKS, CHILDREN], ids=["one", "forks", "children"]),
]


def test_output(sandbox, bomb):
    reward = score_output(sandbox, bomb + "\\nprint('done')", "done", time_limit=30)
    assert (reward.value, reward.verdict) == (0.0, "memory"), reward
    assert score_output(sandbox, "print('on')", "on").value == 1.0


def test_calls(sandbox, bomb):
    candidate = "def g():\\n    return 7\\n" + inside("def f(x):", bomb) + "    return 1\\n"
    cases = [Case(call="g", expected=7), Case(call="f", args=[1], expected=1), Case(call="g", expected=7)]
    assert verdicts(score_cases(sandbox, candidate, cases, time_limit=30)) == ["passed", "memory", "passed"]


def test_code(sandbox, bomb):
    cases = [Case(code=f"{bomb}\\n1", expected=1), Case(code="1 + 1", expected=2)]
    assert verdicts(score_cases(sandbox, "x = 1", cases, time_limit=30)) == ["memory", "passed"]


def test_stdin(sandbox, bomb):
    candidate = inside("if input() == 'bomb':", bomb) + "print('done')"
    cases = [Case(stdin="bomb", expected="done"), Case(stdin="x", expected="done")]
    assert verdicts(score_cases(sandbox, candidate, cases, time_limit=30)) == ["memory", "passed"]


def test_files(sandbox, bomb):
    candidate = "open('a.txt', 'w').write('a')\\n" + bomb
    reward = score_files(sandbox, candidate, [FileCheck(path="a.txt", content="a")], time_limit=30)
    assert (reward.value, reward.verdict) == (0.0, "memory"), reward
"""

OTHERS = """
import pytest
from bombs import verdicts
from pytest_rewardkit import Case, FileCheck, score_cases, score_files, score_output

ENDLESS = "while True:\\n    pass"
FORK_BOMB = '''
import os, time
count = 0
try:
    while count < 200:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        count += 1
except BlockingIOError:
    print("refused", count < 16)
'''
FILL = '''
with open("big", "wb") as file:
    for _ in range(64):
        file.write(bytes(2**20))
'''


@pytest.fixture
def neighbour(sandbox_factory):
    other = sandbox_factory()
    yield
    assert other.run_code("6 * 7").text == "42"


@pytest.mark.usefixtures("neighbour")
class TestBeyond:
    def test_time(self, sandbox):
        assert score_output(sandbox, ENDLESS, "x", time_limit=1).verdict == "timeout"
        assert score_files(sandbox, ENDLESS, [FileCheck(path="a", content="a")], time_limit=1).verdict == "timeout"
        candidate = "def f(x):\\n    while x:\\n        pass\\n    return x"
        cases = [
            Case(call="f", args=[1], expected=1),
            Case(call="f", args=[0], expected=0),
            Case(code="f(1)", expected=1),
        ]
        assert verdicts(score_cases(sandbox, candidate, cases, time_limit=1)) == ["timeout", "passed", "timeout"]
        candidate = "while input():\\n    while True: pass\\nprint('end')"
        cases = [Case(stdin="x", expected="end"), Case(stdin="\\n", expected="end")]
        assert verdicts(score_cases(sandbox, candidate, cases, time_limit=1)) == ["timeout", "passed"]

    @pytest.mark.sandbox(processes=16)
    def test_processes(self, sandbox):
        assert score_output(sandbox, FORK_BOMB, "refused True").value == 1.0
        assert score_output(sandbox, "print('on')", "on").value == 1.0

    @pytest.mark.sandbox(disk_mb=8)
    def test_disk(self, sandbox):
        assert score_output(sandbox, FILL + "print('done')", "done").verdict == "runtime_error"
        assert score_output(sandbox, "import os; os.remove('big'); print('on')", "on").value == 1.0

    @pytest.mark.sandbox(disk_mb=8, memory_mb=128)
    def test_a_full_disk_takes_no_memory(self, sandbox):
        assert score_output(sandbox, FILL + "print('done')", "done").verdict == "runtime_error"
        assert score_output(sandbox, "print(len(bytearray(b'x') * (64 * 2**20)))", str(64 * 2**20)).value == 1.0

    @pytest.mark.sandbox(open_files=32)
    def test_open_files(self, sandbox):
        assert score_output(sandbox, "files = [open('/dev/null') for _ in range(64)]", "x").verdict == "runtime_error"

    @pytest.mark.sandbox(output_mb=1)
    def test_output(self, sandbox):
        execution = sandbox.run_code("print('x' * (3 * 2**20))")
        assert sum(map(len, execution.logs.stdout)) == 2**20
"""


@pytest.fixture(autouse=True)
def bombs(pytester):
    pytester.makepyfile(bombs=BOMBS)
    pytester.syspathinsert()


def test_a_candidate_beyond_its_memory_is_judged_memory(plain, pytester):
    pytester.makepyfile(test_suite=MEMORY)
    plain().assert_outcomes(passed=15)


def test_other_limits_hold_and_say_so(plain, pytester):
    pytester.makepyfile(test_suite=OTHERS)
    plain().assert_outcomes(passed=6)


LIMITS = """
import pytest
from e2b_code_interpreter import Sandbox

SHOW = "import resource; [resource.getrlimit(n)[0] for n in (resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE)]"

def limits(sandbox):
    return sandbox.get_info().memory_mb, eval(sandbox.run_code(SHOW).text)

def test_of_the_run(sandbox):
    assert limits(sandbox) == (300, [40, 1024])

def test_of_code_that_makes_its_own():
    with Sandbox.create() as sandbox:
        assert limits(sandbox) == (300, [40, 1024])

@pytest.mark.sandbox(memory_mb=200)
class TestMarked:
    def test_marker(self, sandbox):
        assert limits(sandbox) == (200, [40, 1024])

    @pytest.mark.sandbox(open_files=100)
    def test_call(self, sandbox_factory):
        assert limits(sandbox_factory(processes=30)) == (200, [30, 100])

    @pytest.mark.sandbox(memory_mb=None)
    def test_back_to_the_run(self, sandbox):
        assert limits(sandbox) == (300, [40, 1024])

class TestFixture:
    @pytest.fixture
    def sandbox_options(self):
        return {"memory_mb": 250}

    def test_fixture(self, sandbox):
        assert limits(sandbox) == (250, [40, 1024])
"""


def test_limits_of_run_marker_fixture_and_call(run, pytester, monkeypatch):
    """In all three spellings of an option; the results file names the run's limits."""
    monkeypatch.setenv("PYTEST_REWARDKIT_PROCESSES", "40")
    pytester.makeini("[pytest]\nrewardkit_memory_mb = 300\n")
    pytester.makepyfile(test_suite=LIMITS)
    run("--rewardkit-disk-mb=20", "--rewardkit-results=results.jsonl").assert_outcomes(passed=6)
    header = json.loads((pytester.path / "results.jsonl").read_text().splitlines()[0])
    options = {name: header["options"][name] for name in ("memory_mb", "processes", "disk_mb", "open_files")}
    assert options == {"memory_mb": 300, "processes": 40, "disk_mb": 20, "open_files": 1024}


def test_a_worker_that_cannot_share_the_server_starts_its_own_with_the_same_limits(pytester, monkeypatch):
    """Like a worker on another machine, which has none of this one's variables."""
    monkeypatch.setenv("PYTEST_REWARDKIT_PROCESSES", "40")
    monkeypatch.setenv("PATH", str(pytester.path), prepend=os.pathsep)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    remote = pytester.path / "ssh"
    remote.write_text('#!/bin/sh\nunset PYTEST_REWARDKIT_PROCESSES\nfor command; do :; done\nexec sh -c "$command"\n')
    remote.chmod(0o755)
    pytester.makepyfile(test_suite=LIMITS)
    there = f"ssh=elsewhere//python={sys.executable}//chdir={pytester.path}"
    plugins = ("-p", "pytest_rewardkit.plugin", "-p", "xdist")
    result = pytester.runpytest_subprocess(
        *plugins, "--rewardkit", "--rewardkit-memory-mb=300", f"--tx={there}", "--dist=load"
    )
    result.assert_outcomes(passed=6)


SAID = [
    ("memory_mb=0", "memory_mb must be a whole number of at least 16, not 0"),
    ("memory_mb='1g'", "memory_mb must be a whole number of at least 16, not '1g'"),
    ("processes=True", "processes must be a whole number of at least 1, not True"),
    ("memory=256", "unknown keyword 'memory'; did you mean 'memory_mb'[?]"),
]


@pytest.mark.parametrize(("keyword", "said"), SAID)
def test_a_limit_that_cannot_be_names_the_test(plain, pytester, keyword, said):
    pytester.makepyfile(
        test_suite=f"""
        import pytest

        @pytest.mark.sandbox({keyword})
        def test_marker(sandbox): pass

        def test_call(sandbox_factory): sandbox_factory({keyword})

        class TestFixture:
            @pytest.fixture
            def sandbox_options(self): return dict({keyword})

            def test_options(self, sandbox): pass
        """
    )
    result = plain()
    result.assert_outcomes(errors=2, failed=1)
    for place in ("test_marker: @pytest.mark.sandbox", "test_call: sandbox_factory"):
        result.stdout.fnmatch_lines_random([f"test_suite.py::{place}: {said}"])
    result.stdout.fnmatch_lines_random([f"test_suite.py::TestFixture::test_options: sandbox_options: {said}"])


def test_limits_are_refused_where_they_belong_to_the_template(plain, pytester, monkeypatch):
    monkeypatch.setenv("E2B_API_KEY", "e2b_" + "0" * 40)
    monkeypatch.setenv("E2B_API_URL", "http://127.0.0.1:9")
    pytester.makepyfile(
        test_suite="""
        import pytest

        @pytest.mark.sandbox(memory_mb=256)
        def test_marker(sandbox): pass
        """
    )
    result = plain("--rewardkit-provider=e2b")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*::test_marker: @pytest.mark.sandbox: memory_mb cannot be set for a sandbox of the e2b provider, *"]
    )
