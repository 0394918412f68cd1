"""A candidate is to blame for what it does to its own sandbox: it earns nothing, and is never unscored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit import (
    Case,
    FileCheck,
    Reward,
    Verdict,
    score_analysis,
    score_cases,
    score_files,
    score_output,
    score_quality,
    turn,
)
from pytest_rewardkit.errors import SandboxUnavailable
from pytest_rewardkit.local.handle import LocalServer
from pytest_rewardkit.local.settings import ServerSettings
from pytest_rewardkit.scorers.running import tenants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2b_code_interpreter import Sandbox

# The right answer follows each of them, but in the sandbox that it leaves.
CLOSES_HOME = "import os\nos.chmod(os.path.expanduser('~'), 0o100)\nos.chmod('/home/user', 0)\n"
HIDES_FOLDER = "import os\nos.makedirs('in/side', mode=0o755)\nos.chmod('in', 0o300)\n"
DATES_BACK = "import os\nopen('old', 'x').close()\nos.utime('old', ns=(0, -61_000_000_000 * 10**9))\n"
DATES_FORWARD = "import os\nopen('new', 'x').close()\nos.utime('new', ns=(0, 9 * 10**18))\n"
LONG_NAMES = """
import os
for number in range(70):
    os.mkdir(f"{number}")
    for other in range(1000):
        open(f"{number}/{other:04d}" + "\\u00e4" * 120, "w").close()
"""
ATTRIBUTES = """
import os
for number in range(500):
    open(f"with{number}", "w").close()
    try:
        os.setxattr(f"with{number}", "user.e2b.note", bytes([200 + number % 50]) * 50_000)
    except OSError:
        pass
"""
FILLS_DISK = """
import os
with open("filler", "wb") as file:
    try:
        while True:
            file.write(b"0" * 4_000_000)
            file.flush()
    except OSError:
        pass
"""
TAKES_NAMES = """
import os, tempfile
folder = tempfile.mkdtemp()
try:
    for number in range(10**7):
        os.symlink("nowhere", f"{folder}/{number}")
except OSError:
    pass
"""
CLOSES_OURS = """
import glob, os, time
if os.fork() == 0:
    os.setsid()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for path in glob.glob("/tmp/rewardkit*"):
            try:
                os.chmod(path, 0)
            except OSError:
                pass
    os._exit(0)
"""
REPLACES_OURS = """
import glob, os, time
if os.fork() == 0:
    os.setsid()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for path in glob.glob("/tmp/rewardkit*"):
            try:
                os.rename(path, path + ".old")
                os.symlink("/proc/self/mem", path)
            except OSError:
                pass
    os._exit(0)
"""
SPOILS = {
    "closes its home": CLOSES_HOME,
    "hides a folder": HIDES_FOLDER,
    "dates back": DATES_BACK,
    "dates forward": DATES_FORWARD,
    "long names": LONG_NAMES,
    "attributes": ATTRIBUTES,
    "closes our files": CLOSES_OURS,
    "replaces our files": REPLACES_OURS,
}
USES_UP = {"fills the disk": FILLS_DISK, "takes all names": TAKES_NAMES}


# The expected value is never what they return, so that they earn nothing for the answer.
def output(sandbox: Sandbox, code: str) -> Reward:
    return score_output(sandbox, f"{code}\nprint(7)", expected="8")


def transcript(sandbox: Sandbox, code: str) -> Reward:
    return score_output(sandbox, f"{code}\nprint(7)", expected="8", transcript=True)


def calls(sandbox: Sandbox, code: str) -> Reward:
    cases = [Case(call="f", args=["x" * 60_000], expected="y"), Case(code="f(1)", expected="2")]
    return score_cases(sandbox, f"{code}\ndef f(x): return x", cases, fresh=True)


def stdin(sandbox: Sandbox, code: str) -> Reward:
    cases = [Case(stdin=text, expected="none") for text in ("a", "b")]
    return score_cases(sandbox, f"{code}\nprint(input())", cases)


def files(sandbox: Sandbox, code: str) -> Reward:
    return score_files(sandbox, code, [FileCheck(path="wanted/*.txt", content="hello")])


def analysis(sandbox: Sandbox, code: str) -> Reward:
    return score_analysis(sandbox, f"{code}\nprint(7)", insights=["8.25"], datasets={"a.csv": b"a\n1\n"})


SCORERS = {"output": output, "transcript": transcript, "calls": calls, "stdin": stdin, "files": files, "an": analysis}


@pytest.fixture
def limited_disk(request: pytest.FixtureRequest) -> None:
    """Skips if a level was requested by name that does not limit the total size of a sandbox's files."""
    level = request.config.getoption("--isolation")
    if level not in ("auto", "strict", "full", "no-procfs"):
        pytest.skip(f"level {level!r} does not limit all files of a sandbox together")


@pytest.mark.parametrize("scorer", SCORERS)
@pytest.mark.parametrize("spoils", SPOILS)
def test_a_candidate_that_spoils_its_sandbox_earns_nothing(sandbox: Sandbox, spoils: str, scorer: str) -> None:
    reward = SCORERS[scorer](sandbox, SPOILS[spoils])
    assert reward.value == 0.0, reward
    assert all(part.verdict is not Verdict.UNSCORED for part in reward.parts)


@pytest.mark.parametrize("scorer", SCORERS)
@pytest.mark.parametrize("spoils", SPOILS)
def test_nor_does_it_in_a_second_scorer(sandbox: Sandbox, spoils: str, scorer: str) -> None:
    assert output(sandbox, SPOILS[spoils]).value == 0.0
    assert SCORERS[scorer](sandbox, "").value == 0.0


@pytest.mark.usefixtures("limited_disk")
@pytest.mark.parametrize("scorer", SCORERS)
@pytest.mark.parametrize("uses_up", USES_UP)
def test_nor_when_it_uses_its_sandbox_up(sandbox: Sandbox, uses_up: str, scorer: str) -> None:
    assert SCORERS[scorer](sandbox, USES_UP[uses_up]).value == 0.0
    assert SCORERS[scorer](sandbox, "").value == 0.0


def test_the_verdict_says_whose_doing_it_is(sandbox: Sandbox) -> None:
    reward = score_files(sandbox, CLOSES_HOME, [FileCheck(path="a")])
    assert reward.verdict == "runtime_error"
    assert reward.parts[0].reason.startswith("the candidate has spoilt its own sandbox: ")


def test_in_a_fresh_sandbox_they_are_as_right_as_others(sandbox: Sandbox) -> None:
    assert score_output(sandbox, DATES_FORWARD + "print(7)", expected="7").value == 1.0
    assert score_files(sandbox, DATES_BACK.replace("'x'", "'w'"), [FileCheck(path="old", content="")]).value == 1.0


@pytest.fixture
def turns() -> Iterator[list[object]]:
    entered: list[object] = []
    yield entered
    for _ in entered:
        turn.leave()


class Test:
    """Stands for the test that runs now."""


def test_another_test_s_candidate_is_not_blamed(sandbox: Sandbox, turns: list[object]) -> None:
    turns.append(Test())
    turn.enter(turns[-1])
    assert output(sandbox, CLOSES_HOME).value == 0.0
    turns.append(Test())
    turn.enter(turns[-1])
    reward = score_cases(sandbox, "print(input())", [Case(stdin="a", expected="a")])
    assert reward.verdict == "unscored"
    assert reward.reason.startswith("a candidate that ran in this sandbox before has spoilt it: ")


def test_what_the_test_itself_has_spoilt_is_not_the_candidate_s_doing(sandbox: Sandbox) -> None:
    sandbox.commands.run("chmod 0 /home/user", cwd="/tmp")
    reward = score_cases(sandbox, "print(input())", [Case(stdin="a", expected="a")])
    assert reward.verdict == "unscored"


@pytest.fixture(scope="module")
def open_server() -> Iterator[LocalServer]:
    """A server whose sandboxes let candidates end their surroundings."""
    with LocalServer.listen(ServerSettings(isolation="none", warm_sandboxes=1)) as server:
        yield server


def sandbox_of(server: LocalServer) -> Sandbox:
    from e2b_code_interpreter import Sandbox

    variables = server.environment()
    return Sandbox.create(
        api_key=variables["E2B_API_KEY"],
        api_url=variables["E2B_API_URL"],
        sandbox_url=variables["E2B_SANDBOX_URL"],
        domain=variables["E2B_DOMAIN"],
    )


@pytest.mark.parametrize("scorer", ["output", "transcript", "calls", "files"])
def test_who_ends_what_holds_it_has_done_so_itself(open_server: LocalServer, scorer: str) -> None:
    reward = SCORERS[scorer](sandbox_of(open_server), "import os\nos.kill(os.getppid(), 9)\nos.kill(os.getpid(), 9)")
    assert reward.value == 0.0
    assert "it has ended what holds it" in reward.parts[0].reason


@pytest.mark.parametrize(
    ("ending", "verdict"),
    [("own_memory", "memory"), ("ended_from_within", "runtime_error"), ("machine_memory", None), ("lost", None)],
)
def test_how_a_sandbox_has_ended_decides_whose_doing_it_was(ending: str, verdict: str | None) -> None:
    sandbox = EndedSandbox(ending)
    tenants.moves_in(sandbox)
    lost = SandboxUnavailable("gone")
    if verdict is None:
        with pytest.raises(SandboxUnavailable):
            tenants.settled(sandbox, lost, failed)
    else:
        assert tenants.settled(sandbox, lost, failed).verdict == verdict


class EndedSandbox:
    """A sandbox whose server says how it has ended."""

    def __init__(self, ending: str) -> None:
        self._ending = ending

    def get_info(self, **_: object) -> None:
        from e2b import SandboxException

        raise SandboxException(f"410: {self._ending}", status_code=410)


def failed(verdict: Verdict, reason: str) -> Reward:
    return Reward(0.0, verdict=verdict, reason=reason)


def test_whose_sandbox_is_killed_by_another_has_not(open_server: LocalServer) -> None:
    sandbox = sandbox_of(open_server)
    assert score_output(sandbox, "print(7)", expected="8").value == 0.0
    sandbox.kill()
    assert score_output(sandbox, "print(7)", expected="8").verdict == "unscored"


STOPS_TOOLS = {
    "outside a loop": "if True:\n    continue",
    "outside a function": "value = 1\nyield value",
    "no such name": "def f():\n    nonlocal missing\n    missing = 1",
    "nested deep": "value = " + "-" * 4_000 + "1",
}


@pytest.mark.parametrize("code", STOPS_TOOLS.values(), ids=STOPS_TOOLS)
def test_code_that_tools_do_not_get_through_earns_nothing(sandbox: Sandbox, code: str) -> None:
    assert score_quality(sandbox, f"import os\n{code}", parts=["types"]).value == 0.0


def test_any_number_of_findings_is_told(sandbox: Sandbox) -> None:
    code = "\n".join(f"value{number}: int = 'text'.name{number}" for number in range(900))
    value = score_quality(sandbox, code, parts=["types"]).value
    assert value is not None
    assert value < 0.5


# Exceptions can have any name; only the server uses one to say that no interpreter is available.
FORGED = "class {name}(Exception): pass\nraise {name}('the interpreter could not be started')"


@pytest.mark.parametrize("name", ["ContextUnavailable", "ContextRefused", "ContextRestarting", "SandboxException"])
def test_no_name_of_an_exception_makes_unscored(sandbox: Sandbox, name: str) -> None:
    code = FORGED.format(name=name)
    assert transcript(sandbox, code).value == 0.0
    assert calls(sandbox, code).value == 0.0
