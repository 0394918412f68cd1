"""Workers of pytest-xdist that are reached through sockets, like those on other machines."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.run.controller.remote_workers import ADDRESS, KEY, OF_ONE_MACHINE, is_remote, missing_there

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address on which execnet's own server of workers listens."""
    command = [sys.executable, "-u", "-m", "execnet.script.socketserver", "127.0.0.1:0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        *_, port = re.findall(r"\d+", server.stdout.readline())
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.kill()


def test_a_run_by_sockets_is_as_any_other(pytester: pytest.Pytester, address: str) -> None:
    suite = pytester.mkpydir("suite")
    suite.joinpath("test_remote.py").write_text(
        "import pytest\n"
        "from pytest_rewardkit import assert_output\n"
        "@pytest.mark.parametrize('number', range(3))\n"
        "def test_it(sandbox, number):\n"
        "    assert_output(sandbox, f'print({number})', expected=str(number % 2))\n"
    )
    result = pytester.runpytest_subprocess(
        "--rewardkit",
        "-p",
        "no:asyncio",
        "--dist=load",
        f"--tx=socket={address}",
        f"--rsyncdir={suite}",
        str(suite),
    )
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["0.00 *wrong_output*test_it?2?*", "mean 0.67 over 3 scored tests", "3 sandboxes used, *"]
    )


@pytest.mark.parametrize("option", ["--rewardkit-quota=hobby", "--rewardkit-artifacts=a"])
def test_what_is_kept_in_files_of_one_machine_is_refused(pytester: pytest.Pytester, option: str) -> None:
    pytester.makepyfile("def test_it(): raise AssertionError('it runs')")
    # Nobody listens there: the option is refused before any connection.
    result = pytester.runpytest(
        "--rewardkit", "-p", "xdist", "-p", "no:asyncio", "--dist=load", "--tx=socket=127.0.0.1:9", option
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {option.partition('=')[0]} and workers of other machines (--tx): *"])


@pytest.mark.parametrize(
    ("spec", "remote"),
    [
        ("popen", False),
        ("2*popen", False),
        ("popen//python=python3.12", False),
        ("execmodel=main_thread_only//popen", False),
        ("popen//via=far", True),
        ("socket=127.0.0.1:8888", True),
        ("3*ssh=user@host//chdir=/tmp", True),
    ],
)
def test_who_may_be_on_another_machine(spec: str, remote: bool) -> None:
    assert is_remote(spec) is remote


OURS = version("pytest-rewardkit")
HERE = {KEY: "e2b_x", "E2B_DOMAIN": "cluster.example"}


@pytest.mark.parametrize(
    ("found", "has_key", "domain", "missing"),
    [
        (OURS, True, "cluster.example", ""),
        (None, True, "cluster.example", "has no pytest-rewardkit; install"),
        ("0.0.1", True, "cluster.example", "has pytest-rewardkit 0.0.1; install"),
        (OURS, False, "cluster.example", "E2B_API_KEY is not set there"),
        (OURS, True, None, "E2B_DOMAIN is not set there, and cluster.example here"),
    ],
)
def test_what_a_machine_lacks(found: str | None, has_key: bool, domain: str | None, missing: str) -> None:
    address = [domain if name == "E2B_DOMAIN" else None for name in ADDRESS]
    said = missing_there(found, has_key, address, provider="e2b", environ=HERE)
    assert missing in said
    assert bool(said) is bool(missing)


def test_local_sandboxes_need_no_key_there() -> None:
    assert missing_there(OURS, False, [None] * len(ADDRESS), provider="local", environ=HERE) == ""


def test_what_is_refused_are_settings() -> None:
    from pytest_rewardkit.settings import RunSettings

    assert set(OF_ONE_MACHINE) <= set(RunSettings.__annotations__)
