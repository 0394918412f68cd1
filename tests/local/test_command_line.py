"""`python -m pytest_rewardkit.local`: serve, run, doctor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from processes import all_end, descendants, watch

if TYPE_CHECKING:
    from pathlib import Path

MODULE = [sys.executable, "-m", "pytest_rewardkit.local"]
USE = "from e2b_code_interpreter import Sandbox\nwith Sandbox.create() as s: print(s.run_code('6 * 7').text)"

BUSY = """
import os, threading
from e2b_code_interpreter import Sandbox
def use():
    while True:
        with Sandbox.create() as sandbox:
            sandbox.run_code("1 + 1")
threads = [threading.Thread(target=use) for _ in range(4)]
Sandbox.create().commands.run("sleep 1000", background=True)
for thread in threads: thread.start()
os.write(1, b"busy\\n")
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*MODULE, "run", "--", *command], capture_output=True, text=True, timeout=300, check=False)


def test_run_leads_the_sdk_to_a_fresh_server() -> None:
    result = run(sys.executable, "-c", USE)
    assert (result.stdout, result.stderr, result.returncode) == ("42\n", "", 0)


@pytest.mark.parametrize(
    ("command", "status"), [("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", 143), ("kill -9 $$", 137)]
)
def test_run_passes_on_the_exit_status(command: str, status: int) -> None:
    assert run("sh", "-c", command).returncode == status


def test_run_of_what_is_not_there(tmp_path: Path) -> None:
    assert run("/nowhere/command").returncode == 127
    plain = tmp_path / "plain"
    plain.write_text("no program")
    assert run(str(plain)).returncode == 126
    assert "run needs a command" in run().stderr


def test_run_does_not_start_a_server_for_a_command_that_needs_none() -> None:
    script = "import os; print(len(open(f'/proc/{os.getppid()}/task/{os.getppid()}/children').read().split()))"
    assert run(sys.executable, "-c", script).stdout == "1\n"


def test_run_leaves_ctrl_c_to_the_command_and_leaves_nothing() -> None:
    script = """
import signal, sys
from e2b_code_interpreter import Sandbox
sandbox = Sandbox.create()
sandbox.commands.run("sleep 1000", background=True)
signal.signal(signal.SIGINT, lambda *_: sys.exit(7))
print("ready", flush=True)
signal.pause()
"""
    process = subprocess.Popen(
        [*MODULE, "run", "--", sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    left = watch(descendants(process.pid))
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 7
    process.stdout.close()
    assert len(left) >= 4
    assert all_end(left)


def test_serve_prints_the_variables_until_interrupted() -> None:
    process = subprocess.Popen([*MODULE, "serve"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(6)]
    assert "isolation" in lines[0]
    variables = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines[1:])
    assert set(variables) == {"E2B_API_KEY", "E2B_API_URL", "E2B_SANDBOX_URL", "E2B_DOMAIN", "E2B_DEBUG"}
    used = subprocess.run(
        [sys.executable, "-c", USE], env={**os.environ, **variables}, capture_output=True, text=True, check=True
    )
    assert used.stdout == "42\n"
    left = watch(descendants(process.pid))
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    process.stdout.close()
    assert all_end(left)


def test_serve_names_a_port_that_is_taken() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = subprocess.run([*MODULE, "serve", "--port", port], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert f"cannot listen on port {port}" in result.stderr


def test_doctor_shows_the_level_and_the_layers() -> None:
    result = subprocess.run([*MODULE, "doctor"], capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0
    assert result.stdout.startswith("Isolation level: ")
    assert "seccomp" in result.stdout


def test_a_bad_option_is_named() -> None:
    result = subprocess.run([*MODULE, "serve", "--memory-mb=0"], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "memory_mb must be a whole number of at least 1" in result.stderr


def test_an_interrupted_server_says_nothing() -> None:
    process = subprocess.Popen([*MODULE, "serve"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(5)]
    variables = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines[1:])
    using = subprocess.Popen([sys.executable, "-c", BUSY], env={**os.environ, **variables}, stdout=subprocess.PIPE)
    assert using.stdout is not None
    assert using.stdout.readline() == b"busy\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    using.kill()
    using.communicate()
    assert (process.returncode, errors) == (0, "")
