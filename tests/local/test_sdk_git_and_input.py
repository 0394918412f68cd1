"""The SDK's git helpers, which are commands in the sandbox, and its input streams."""

from __future__ import annotations

import shutil

import pytest
from e2b import CommandExitException, PtySize
from e2b_code_interpreter import AsyncSandbox, Sandbox

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git, which sandboxes have from their machine")


@needs_git
def test_git(sandbox: Sandbox) -> None:
    git = sandbox.git
    git.configure_user("A", "a@example.org")
    git.init("origin", bare=True, initial_branch="main")
    git.init("work", initial_branch="main")
    git.set_config("pull.ff", "only", scope="local", path="work")
    assert git.get_config("pull.ff", scope="local", path="work") == "only"
    sandbox.files.write("work/f", "first")
    git.add("work")
    git.commit("work", "first")
    git.remote_add("work", "origin", "/home/user/origin")
    assert git.remote_get("work", "origin") == "/home/user/origin"
    git.push("work", "origin", "main")
    git.clone("/home/user/origin", "copy")
    assert sandbox.files.read("copy/f") == "first"
    sandbox.files.write("work/f", "second")
    assert [file.name for file in git.status("work").file_status] == ["f"]
    git.restore("work", ["f"])
    assert git.status("work").is_clean
    git.create_branch("work", "other")
    git.checkout_branch("work", "main")
    assert sorted(git.branches("work").branches) == ["main", "other"]
    git.delete_branch("work", "other")
    git.commit("work", "empty", allow_empty=True)
    git.push("work", "origin", "main")
    git.pull("copy")
    assert sandbox.commands.run("git -C copy log --format=%s").stdout == "empty\nfirst\n"
    git.reset("copy", mode="hard", target="HEAD~1")
    assert sandbox.commands.run("git -C copy log --format=%s").stdout == "first\n"
    git.dangerously_authenticate("user", "secret", host="git.example.org")
    assert "git.example.org" in sandbox.files.read(".git-credentials")


@needs_git
@pytest.mark.asyncio
async def test_git_by_the_asynchronous_sdk(async_sandbox: AsyncSandbox) -> None:
    git = async_sandbox.git
    await git.configure_user("A", "a@example.org")
    await git.init("work", initial_branch="main")
    await async_sandbox.files.write("work/f", "first")
    await git.add("work")
    await git.commit("work", "first")
    assert (await git.status("work")).is_clean
    assert (await git.branches("work")).branches == ["main"]


def test_a_stream_of_input(sandbox: Sandbox) -> None:
    command = sandbox.commands.run("wc -c", background=True, stdin=True)
    sandbox.commands.stream_input(command.pid, (piece for piece in ("ab", b"cd", "e")))
    command.close_stdin()
    assert command.wait().stdout.strip() == "5"
    other = sandbox.commands.run("read line; echo got $line", background=True, stdin=True)
    other.send_stdin("it\n")
    assert other.wait().stdout == "got it\n"


def test_a_stream_of_input_to_a_terminal(sandbox: Sandbox) -> None:
    output = bytearray()
    terminal = sandbox.pty.create(PtySize(rows=24, cols=80))
    again = sandbox.pty.connect(terminal.pid)
    sandbox.pty.stream_input(terminal.pid, [b"echo $((40 + 2))\n", b"exit\n"])
    again.wait(on_pty=output.extend)
    assert b"42" in output


@pytest.mark.asyncio
async def test_streams_of_input_by_the_asynchronous_sdk(async_sandbox: AsyncSandbox) -> None:
    command = await async_sandbox.commands.run("wc -c", background=True, stdin=True)
    stream = async_sandbox.commands.stream_input(command.pid)
    await stream.send("ab")
    await stream.send(b"cd")
    await stream.close()
    await command.close_stdin()
    assert (await command.wait()).stdout.strip() == "4"
    output = bytearray()
    terminal = await async_sandbox.pty.create(PtySize(rows=24, cols=80), lambda data: None)
    again = await async_sandbox.pty.connect(terminal.pid, on_data=output.extend)
    keys = async_sandbox.pty.stream_input(terminal.pid)
    await keys.send(b"echo $((40 + 2)); exit\n")
    await keys.close()
    await again.wait()
    assert b"42" in output
    other = await async_sandbox.pty.create(PtySize(rows=24, cols=80), lambda data: None)
    assert await async_sandbox.pty.kill(other.pid) is True
    with pytest.raises(CommandExitException):
        await other.wait()


@pytest.mark.asyncio
async def test_handles_of_the_asynchronous_sdk(async_sandbox: AsyncSandbox) -> None:
    command = await async_sandbox.commands.run("read line; echo $line > result", background=True, stdin=True)
    await command.disconnect()
    again = await async_sandbox.commands.connect(command.pid)
    await again.send_stdin("alive\n")
    await again.wait()
    assert await async_sandbox.files.read("result") == "alive\n"
    written = await async_sandbox.files.write_files([{"path": "one", "data": "1"}, {"path": "two", "data": b"2"}])
    assert [info.name for info in written] == ["one", "two"]
    snapshot = await async_sandbox.create_snapshot()
    (listed,) = await async_sandbox.list_snapshots().next_items()
    assert listed.snapshot_id == snapshot.snapshot_id
    assert await AsyncSandbox.delete_snapshot(snapshot.snapshot_id, **async_sandbox.connection_config.get_api_params())
