"""The SDK's commands: run, background, connect, list, kill, input, timeouts, terminals."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from e2b import CommandExitException, InvalidArgumentException, NotFoundException, PtySize, TimeoutException
from processes import eventually

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox


def test_run_gives_output_and_exit_code(sandbox: Sandbox) -> None:
    result = sandbox.commands.run("echo out; echo err >&2")
    assert (result.stdout, result.stderr, result.exit_code) == ("out\n", "err\n", 0)


def test_a_failing_command_raises_with_its_output(sandbox: Sandbox) -> None:
    with pytest.raises(CommandExitException) as error:
        sandbox.commands.run("echo before; exit 3")
    assert error.value.exit_code == 3
    assert error.value.stdout == "before\n"


def test_directory_environment_and_user(sandbox: Sandbox) -> None:
    run = sandbox.commands.run
    assert run("pwd").stdout == "/home/user\n"
    assert run("pwd", cwd="/tmp").stdout == "/tmp\n"
    assert run("echo $HOME $USER $LOGNAME $X", envs={"X": "y z"}).stdout == "/home/user user user y z\n"
    assert run("whoami").stdout == "user\n"
    assert run("python -c 'print(6 * 7)'").stdout == "42\n"


def test_a_missing_directory_is_an_invalid_argument(sandbox: Sandbox) -> None:
    with pytest.raises(InvalidArgumentException):
        sandbox.commands.run("true", cwd="/nowhere")


def test_a_character_cut_between_chunks_comes_whole(sandbox: Sandbox) -> None:
    text = "x" + "é" * 50_000
    sandbox.files.write("text", text)
    assert sandbox.commands.run("cat text").stdout == text


def test_output_comes_while_the_command_runs(sandbox: Sandbox) -> None:
    seen = threading.Event()
    handle = sandbox.commands.run("echo first; read line; echo $line", background=True, stdin=True)

    def on_stdout(text: str) -> None:
        seen.set()

    waiter = threading.Thread(target=handle.wait, kwargs={"on_stdout": on_stdout})
    waiter.start()
    assert seen.wait(10)
    sandbox.commands.send_stdin(handle.pid, "second\n")
    waiter.join(10)
    assert handle.wait().stdout == "first\nsecond\n"


def test_list_shows_running_commands_and_kill_ends_them(sandbox: Sandbox) -> None:
    handle = sandbox.commands.run("sleep 1000", background=True, cwd="/tmp", envs={"A": "b"})
    (listed,) = [process for process in sandbox.commands.list() if process.pid == handle.pid]
    assert listed.args == ["-l", "-c", "sleep 1000"]
    assert listed.cwd == "/tmp"
    assert listed.envs["A"] == "b"
    assert sandbox.commands.kill(handle.pid) is True
    with pytest.raises(CommandExitException) as error:
        handle.wait()
    assert error.value.exit_code == -1
    assert "signal: killed" in str(error.value.error)
    assert sandbox.commands.kill(handle.pid) is False
    assert [process for process in sandbox.commands.list() if process.pid == handle.pid] == []


def test_connect_hears_what_comes_after(sandbox: Sandbox) -> None:
    first = sandbox.commands.run("read line; echo got $line", background=True, stdin=True)
    second = sandbox.commands.connect(first.pid)
    sandbox.commands.send_stdin(first.pid, "it\n")
    assert second.wait().stdout == "got it\n"
    assert first.wait().stdout == "got it\n"


def test_an_ended_command_still_tells_its_end(sandbox: Sandbox) -> None:
    handle = sandbox.commands.run("exit 0", background=True)
    handle.wait()
    assert sandbox.commands.connect(handle.pid).wait().exit_code == 0


def test_connect_to_nothing(sandbox: Sandbox) -> None:
    with pytest.raises(NotFoundException):
        sandbox.commands.connect(999_999)


def test_disconnecting_leaves_the_command_alone(sandbox: Sandbox) -> None:
    handle = sandbox.commands.run("read line; echo $line > result", background=True, stdin=True)
    handle.disconnect()
    again = sandbox.commands.connect(handle.pid)
    sandbox.commands.send_stdin(handle.pid, "alive\n")
    again.wait()
    assert sandbox.files.read("result") == "alive\n"


def test_closing_stdin_ends_what_reads_it(sandbox: Sandbox) -> None:
    handle = sandbox.commands.run("cat", background=True, stdin=True)
    sandbox.commands.send_stdin(handle.pid, "all of it")
    sandbox.commands.close_stdin(handle.pid)
    assert handle.wait().stdout == "all of it"


def test_without_stdin_there_is_nothing_to_read(sandbox: Sandbox) -> None:
    assert sandbox.commands.run("cat", stdin=False).stdout == ""


def test_a_timeout_kills_the_command(sandbox: Sandbox) -> None:
    with pytest.raises(TimeoutException):
        sandbox.commands.run("sleep 1234; true", timeout=1)

    def sleeps() -> bool:
        return "sleep 1234" in sandbox.commands.run("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout

    # The SDK's own timer may be a moment ahead of the server's.
    assert eventually(lambda: not sleeps())


def test_large_input_goes_through(sandbox: Sandbox) -> None:
    handle = sandbox.commands.run("wc -c", background=True, stdin=True)
    sandbox.commands.send_stdin(handle.pid, "x" * 1_000_000)
    sandbox.commands.close_stdin(handle.pid)
    assert handle.wait().stdout.strip() == "1000000"


def test_a_flood_of_output_is_cut_with_a_note(sandbox: Sandbox) -> None:
    result = sandbox.commands.run("head -c 100000000 /dev/zero | tr '\\0' x")
    assert len(result.stdout) <= 16 * 2**20
    assert "output beyond 16 MiB was dropped" in result.stderr


def test_a_terminal(sandbox: Sandbox) -> None:
    output = bytearray()
    terminal = sandbox.pty.create(PtySize(rows=24, cols=80))
    sandbox.pty.send_stdin(terminal.pid, b"stty size; tty\n")
    sandbox.pty.resize(terminal.pid, PtySize(rows=30, cols=100))
    sandbox.pty.send_stdin(terminal.pid, b"stty size; exit 5\n")
    with pytest.raises(CommandExitException) as error:
        terminal.wait(on_pty=output.extend)
    assert error.value.exit_code == 5
    assert b"/dev/pts/" in output
    assert b"30 100" in output


def test_a_terminal_is_killed(sandbox: Sandbox) -> None:
    terminal = sandbox.pty.create(PtySize(rows=24, cols=80))
    assert sandbox.pty.kill(terminal.pid) is True
    with pytest.raises(CommandExitException):
        terminal.wait()


def test_a_command_has_its_limits_from_its_first_instruction(sandbox: Sandbox) -> None:
    said = {sandbox.commands.run("ulimit -u").stdout for _ in range(50)}
    assert said == {"128\n"}
