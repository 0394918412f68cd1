"""Commands in a sandbox: pipes, terminals, environment, signals."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import struct
import sys
import termios
from pathlib import Path

import pytest
from guest_driver import Box, ForkServer, RequestFailedError


@pytest.fixture(scope="module")
def fork_server():
    with ForkServer(SECRET_OF_THE_SERVER="do not pass on") as server:
        yield server


@pytest.fixture
def box(fork_server: ForkServer):
    with fork_server.spawn() as box:
        yield box


def terminal(box: Box, command: str, **fields: object) -> tuple[int, int]:
    answer, (master,) = box.answer(
        box.send("start", cmd="/bin/bash", args=["-c", command], pty={"cols": 80, "rows": 24}, **fields)
    )
    return answer["pid"], master


def read_all(descriptor: int) -> str:
    data = b""
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:
            # A terminal reports this after its last process has gone.
            break
        if not chunk:
            break
        data += chunk
    os.close(descriptor)
    return data.decode()


def test_output_and_status(box):
    assert box.run("echo out; echo err >&2; exit 3") == ("out\nerr\n", 3)


@pytest.mark.parametrize("variables", [{}, {"LD_BIND_NOW": "1"}])
def test_a_command_has_its_limit_of_processes_however_it_is_started(fork_server, variables):
    with fork_server.spawn(processes=20) as box:
        assert box.run("ulimit -Su; ulimit -Hu; ulimit -u 21 2>&1 | grep -c not", envs=variables) == ("20\n20\n1\n", 0)
        assert box.run("tr '\\0' ' ' < /proc/$$/cmdline", envs=variables)[0].startswith("/bin/bash -l -c tr")


def test_a_shell_that_is_not_there_is_not_started(box):
    with pytest.raises(RequestFailedError, match="No such file"):
        box.request("start", [0, 1, 2], cmd="/no/bash", args=["-c", "true"])


def test_a_signal_shows_as_a_negative_status(box):
    assert box.run("kill -TERM $$") == ("", -signal.SIGTERM)


def test_standard_input_is_the_servers(box):
    reader, writer = os.pipe()
    output, output_end = os.pipe()
    box.request("start", [reader, output_end, output_end], cmd="cat")
    os.close(reader)
    os.close(output_end)
    os.write(writer, b"through")
    os.close(writer)
    assert read_all(output) == "through"


def test_the_environment_is_the_guests_own(box):
    text, _ = box.run("env", envs={"MINE": "set"})
    variables = dict(line.split("=", 1) for line in text.splitlines())
    path = variables.pop("PATH")
    assert path.startswith(f"{Path(sys.executable).parent}:")
    for name in ("PWD", "SHLVL", "_"):
        variables.pop(name)
    assert variables == {
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "HOME": "/home/user",
        "LANG": "C.UTF-8",
        "LOGNAME": "user",
        "MINE": "set",
        "SHELL": "/bin/bash",
        "USER": "user",
    }


def test_login_shells_find_the_test_environments_python(box):
    text, _ = box.run("command -v python; python -c 'import IPython, sys; print(sys.prefix)'")
    assert text.splitlines() == [shutil.which("python", path=Path(sys.executable).parent), sys.prefix]


def test_a_path_of_ones_own_survives_the_login_shell(box):
    assert box.run("echo $PATH", envs={"PATH": "/own:/bin"})[0] == "/own:/bin\n"


def test_programs_can_be_named_without_their_path(box):
    reader, writer = os.pipe()
    box.request("start", [0, writer, writer], cmd="printf", args=["%s", "a b"])
    os.close(writer)
    assert read_all(reader) == "a b"


def test_the_working_directory(box):
    assert box.run("pwd")[0] == "/home/user\n"
    assert box.run("pwd", cwd="/tmp")[0] == "/tmp\n"
    with pytest.raises(RequestFailedError, match="cwd '/none' does not exist") as caught:
        box.run("pwd", cwd="/none")
    assert caught.value.code == "invalid_argument"


def test_the_user(box):
    assert box.run("id -un; id -u; id -G; hostname; echo ~")[0] == "user\n1000\n1000\nsandbox\n/home/user\n"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"cmd": "no-such-program"}, "not_found"),
        ({"cmd": "/etc/passwd"}, "permission_denied"),
        ({"cmd": ""}, "invalid_argument"),
        ({"cmd": 5}, "invalid_argument"),
        ({"cmd": "a\0b"}, "invalid_argument"),
        ({"cmd": "true", "args": [1]}, "invalid_argument"),
        ({"cmd": "true", "envs": {"A": 1}}, "invalid_argument"),
        ({"cmd": "true", "envs": {"A=B": "1"}}, "invalid_argument"),
        ({"cmd": "true", "envs": {"A": "\0"}}, "invalid_argument"),
        ({"cmd": "true", "pty": {"cols": 0, "rows": 1}}, "invalid_argument"),
        ({"cmd": "true", "pty": {"cols": "80", "rows": 24}}, "invalid_argument"),
        ({"cmd": "true", "pty": 5}, "invalid_argument"),
    ],
)
def test_what_cannot_be_started_is_refused(box, fields, code):
    with pytest.raises(RequestFailedError) as caught:
        box.request("start", [0, 1, 2], **fields)
    assert caught.value.code == code
    assert box.run("echo fine")[0] == "fine\n"


def test_a_command_needs_its_three_descriptors(box):
    with pytest.raises(RequestFailedError, match="3 descriptors are needed, 1 came"):
        box.request("start", [0], cmd="true")


def test_a_terminal_is_one(box):
    pid, master = terminal(box, "tty; stty size; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo yes; ps -o tty= $$")
    lines = read_all(master).split("\r\n")
    assert lines[0].startswith("/dev/pts/")
    assert lines[1:3] == ["24 80", "yes"]
    assert box.event("exit", pid=pid)["status"] == 0


def test_a_terminal_echoes_resizes_and_passes_control_c_on(box):
    pid, master = terminal(
        box, "trap 'stty size; echo interrupted; exit 4' INT; echo ready; while :; do sleep 0.05; done"
    )
    text = b""
    while b"ready" not in text:
        text += os.read(master, 1000)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
    os.write(master, b"\x03")
    assert "^C50 132\r\ninterrupted\r\n" in read_all(master)
    assert box.event("exit", pid=pid)["status"] == 4


def test_signals_reach_a_process_or_its_whole_group(box):
    for group in (True, False):
        reader, writer = os.pipe()
        pid = box.request(
            "start", [0, writer, 2], cmd="/bin/bash", args=["-c", "sleep 1000 > /dev/null & echo $!; wait"]
        )["pid"]
        os.close(writer)
        child = int(os.read(reader, 10))
        os.close(reader)
        box.request("signal", pid=pid, signal=signal.SIGKILL, group=group)
        assert box.event("exit", pid=pid)["status"] == -signal.SIGKILL
        if group:
            assert box.run(f"while [ -e /proc/{child} ]; do :; done")[1] == 0
        else:
            assert box.run(f"[ -e /proc/{child} ] && ! grep -q '^State:.Z' /proc/{child}/status")[1] == 0


def test_only_processes_that_the_server_started_can_be_signalled(box):
    for pid in (1, 0, -1, 99999, None, "1"):
        with pytest.raises(RequestFailedError) as caught:
            box.request("signal", pid=pid, signal=signal.SIGKILL)
        assert caught.value.code == "not_found"


def test_a_signal_that_does_not_exist(box):
    kernel = box.kernel()
    for number in (0, 99, "TERM", None):
        with pytest.raises(RequestFailedError, match="not a signal"):
            box.request("signal", pid=kernel.pid, signal=number)


def test_daemons_are_reaped_by_the_guest(box):
    box.run("for n in 1 2 3 4 5; do (setsid sleep 0.01 &) ; done; sleep 0.1")
    assert box.run("ps -eo stat= | grep -c Z")[0] == "0\n"


def test_commands_signal_each_other(box):
    """As on one machine: a command ends what another one started."""
    pid = box.request("start", [0, 1, 2], cmd="sleep", args=["1000"])["pid"]
    assert box.run(f"kill -KILL {pid}") == ("", 0)
    assert box.event("exit", pid=pid)["status"] == -signal.SIGKILL
