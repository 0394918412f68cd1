"""A level counts as available once its sandbox has run a cell; else the next is tried, and the failure reported."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest
from found import found
from guest_driver import MODULE, ForkServer
from refusing import without

from pytest_rewardkit.local.guest.levels import Feature
from pytest_rewardkit.local.level import examine
from pytest_rewardkit.local.server.launch import options_after

if TYPE_CHECKING:
    from pathlib import Path

GUEST = [sys.executable, *MODULE]
LOCAL = [sys.executable, "-m", "pytest_rewardkit.local"]
USE = "from e2b_code_interpreter import Sandbox\nwith Sandbox.create() as s: print(s.run_code('6 * 7').text)"
# The probe does not make this call; sandboxes with namespaces do.
HIDDEN_OBSTACLE = "sethostname"
RIGHT = """
from pytest_rewardkit import assert_output
def test_right(sandbox):
    assert_output(sandbox, "print(open('/tmp/a', 'w').write('a'))", expected="1")
"""


def below_mounts() -> str:
    """The strongest level without mounts: for root it depends on whether other users can read this interpreter."""
    if os.geteuid() != 0:
        return "ns-nocap"
    return "uid" if found().works(Feature.INTERPRETER) else "landlock"


BELOW = below_mounts()


def greeting(command: list[str], *arguments: str) -> dict[str, object]:
    with ForkServer(*arguments, command=command) as server:
        return server.greeting


def settled(command: list[str]) -> tuple[dict[str, object], dict[str, str]]:
    """The greeting of the fork server that finally works, and the levels that failed with their reasons."""
    failed: dict[str, str] = {}
    while True:
        found = greeting(command, *options_after(failed))
        if found["event"] == "ready":
            return found, failed
        assert found["plan"] not in failed
        failed[str(found["plan"])] = str(found["message"])


@pytest.fixture
def full_here() -> None:
    if greeting(GUEST)["level"] != "full":
        pytest.skip("needs a machine that allows the level 'full'")


@pytest.mark.usefixtures("full_here")
def test_what_only_a_real_sandbox_shows_costs_its_level():
    found, failed = settled([*without(HIDDEN_OBSTACLE), *GUEST])
    assert list(failed) == ["full", "no-procfs"]
    assert all("Operation not permitted" in reason for reason in failed.values())
    assert found["level"] == BELOW
    refusals = found["refusals"]
    assert isinstance(refusals, dict)
    assert {name: refusals[name] for name in failed} == failed


@pytest.mark.usefixtures("full_here")
@pytest.mark.parametrize(
    "calls", [(HIDDEN_OBSTACLE, "ptrace"), ("mount", "ptrace"), ("mount", "seccomp")], ids=["late", "ptrace", "seccomp"]
)
def test_where_paths_cannot_be_translated_nothing_is_scored(tmp_path: Path, calls: tuple[str, ...]):
    refused = without(*calls)
    doctor = subprocess.run([*refused, *LOCAL, "doctor"], capture_output=True, text=True, check=False)
    assert doctor.returncode == 1
    assert "with translated paths: " in doctor.stdout
    assert "Operation not permitted" in doctor.stdout
    assert "; full: " in doctor.stdout
    tmp_path.joinpath("test_right.py").write_text(RIGHT)
    run = [
        *refused,
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--rewardkit",
        "--rewardkit-provider=local",
    ]
    ran = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout.count("test_right")) == (pytest.ExitCode.USAGE_ERROR, 0)
    assert doctor.stdout.strip().removeprefix("There can be no sandboxes: ") in ran.stderr


@pytest.mark.usefixtures("full_here")
def test_a_level_without_paths_runs_by_its_name():
    found = greeting([*without("ptrace"), *GUEST], f"--isolation={BELOW}")
    assert (found["level"], found["layers"]["translated paths"]) == (BELOW, False)
    assert "/home/user and /tmp do not exist for code, only for the SDK's files" in found["gaps"]
    assert found["refusals"] == {f"{BELOW} with translated paths": "ptrace: Operation not permitted"}


@pytest.mark.usefixtures("full_here")
@pytest.mark.parametrize(
    ("calls", "level"),
    [
        (("pivot_root",), "full"),
        (("mount",), BELOW),
        (("mount", "unshare"), BELOW),
        (("mount", "unshare", "setgroups", "landlock_create_ruleset"), "weak"),
    ],
    ids=["pivot_root", "mount", "namespaces", "landlock"],
)
def test_what_is_refused_costs_what_needs_it(calls: tuple[str, ...], level: str):
    found, failed = settled([*without(*calls), *GUEST])
    assert (found["level"], failed) == (level, {})


@pytest.mark.usefixtures("full_here")
def test_without_landlock_the_servers_proc_is_covered():
    command = [*without("landlock_create_ruleset"), *GUEST]
    with ForkServer("--isolation=no-procfs", command=command) as server, server.spawn() as box:
        assert server.greeting["layers"]["landlock abi"] == 0
        kernel = box.kernel()
        assert kernel.run("import os\nsorted(name for name in os.listdir('/proc') if name.isdigit())").text == "[]"
        assert int(kernel.run("open('/proc/meminfo').read().count('MemTotal')").text) == 1
        assert kernel.run("open('/tmp/a', 'w').write('a'), open('/home/user/a', 'w').write('a')").text == "(1, 1)"


def test_a_named_level_is_had_or_refused_with_the_reason():
    found = greeting(GUEST, "--isolation=full", *options_after({"full": "the moon is full"}))
    assert found["event"] == "failed"
    assert str(found["message"]).startswith("isolation 'full' does not work here: full: the moon is full")


@pytest.mark.parametrize(
    ("patch", "reason"),
    [
        (
            "fork_server._CANARY_SECONDS = 0.5\nkernel.run = lambda *_: time.sleep(1000)",
            "did not run a cell within 0.5 s",
        ),
        ("kernel.run = lambda *_: os._exit(3)", "its interpreter has ended"),
        ("guest.Guest.serve = lambda _: 1 / 0", "ZeroDivisionError"),
        ("guest.Guest.serve = lambda _: os.kill(os.getpid(), 9)", "it has ended"),
        ("kernel.PythonKernel._execute = broken", "its interpreter has ended: RuntimeError: no cell"),
    ],
    ids=["hangs", "ends", "fails", "dies", "runs nothing"],
)
def test_a_canary_that_does_not_sing_is_no_sandbox(patch: str, reason: str):
    program = """
    import os, sys, time
    from pytest_rewardkit.local.guest import fork_server, guest, kernel
    from pytest_rewardkit.local.guest.__main__ import main
    def broken(*_):
        raise RuntimeError("no cell")
    {patch}
    sys.exit(main(sys.argv[1:]))
    """
    program = textwrap.dedent(program).format(patch=patch)
    with ForkServer(command=[sys.executable, "-c", program]) as server:
        assert server.greeting["event"] == "failed"
        assert "plan" in server.greeting
        assert reason in server.greeting["message"]
        assert server.process.wait() == 1


@pytest.mark.usefixtures("full_here")
def test_a_root_that_is_waited_for_in_vain_costs_its_level(monkeypatch: pytest.MonkeyPatch):
    program = """
    import sys, time
    from pytest_rewardkit.local.guest import __main__ as guest
    from pytest_rewardkit.local.guest.root import Root
    guest._ROOT_SECONDS = 0.5
    Root.enter = lambda _: time.sleep(1000)
    sys.exit(guest.main(sys.argv[1:]))
    """
    original = subprocess.Popen

    def hanging(command: list[str], **how: Any) -> subprocess.Popen[bytes]:
        return original([sys.executable, "-c", textwrap.dedent(program), *command[4:]], **how)

    monkeypatch.setattr(subprocess, "Popen", hanging)
    found = examine(["--isolation=auto"])
    assert found.level == BELOW
    reason = "a root of its own was not there in time"
    assert {found.refusals[name] for name in ("full", "no-procfs")} == {reason}


@pytest.mark.usefixtures("full_here")
@pytest.mark.parametrize("waits", ["_build_root", "network.lead_all_to_loopback", "_filter_calls", "_translate_paths"])
def test_what_is_tried_has_an_end(waits: str):
    program = f"""
    import time
    from pytest_rewardkit.local.guest import probe
    probe._TRIAL_SECONDS, probe._INNER_SECONDS = 2, 1
    probe.{waits} = lambda *_: time.sleep(1000)
    print(set(probe.probe(thorough=True).obstacles.values()))
    """
    tried = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    assert "it was not done within" in tried.stdout


@pytest.mark.usefixtures("full_here")
def test_the_server_and_the_doctor_come_to_the_same():
    refused = without(HIDDEN_OBSTACLE)
    doctor = subprocess.run([*refused, *LOCAL, "doctor"], capture_output=True, text=True, check=False)
    assert doctor.returncode == 0, doctor.stderr
    assert doctor.stdout.startswith(f"Isolation level: {BELOW}\n")
    assert re.search(r"^  - full: .*Operation not permitted$", doctor.stdout, re.MULTILINE)
    find = "from pytest_rewardkit.local.level import find_level; print(find_level('auto'))"
    found = subprocess.run([*refused, sys.executable, "-c", find], capture_output=True, text=True, check=False)
    assert found.stdout.strip() == BELOW
    used = subprocess.run(
        [*refused, *LOCAL, "run", "--", sys.executable, "-c", USE], capture_output=True, text=True, check=False
    )
    assert (used.stdout, used.returncode) == ("42\n", 0), used.stderr


@pytest.mark.usefixtures("full_here")
def test_the_doctor_names_the_directories_whose_locks_are_shared():
    """A directory with another mount below it cannot be covered: that would hide the mount."""
    mounting = 'mount -t tmpfs none /usr/share/man && exec "$@"'
    apart = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c", mounting, "sh"]
    doctor = subprocess.run([*apart, *LOCAL, "doctor"], capture_output=True, text=True, check=False)
    assert doctor.returncode == 0, doctor.stderr
    assert re.search(r"^  own file locks     not in (\S+, )*/usr(, \S+)*$", doctor.stdout, re.MULTILINE), doctor.stdout
    assert re.search(r"^  - a candidate can lock and watch files in .*/usr.*$", doctor.stdout, re.MULTILINE)
    assert "/usr/share/man" not in doctor.stdout
