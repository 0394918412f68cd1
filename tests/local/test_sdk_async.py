"""The asynchronous SDK: each everyday call once, and many at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from e2b import CommandExitException, NotFoundException, PtySize, SandboxException, SandboxQuery
from e2b_code_interpreter import AsyncSandbox

if TYPE_CHECKING:
    from e2b_code_interpreter import OutputMessage

pytestmark = pytest.mark.asyncio


async def test_life(address: dict[str, str]) -> None:
    sandbox = await AsyncSandbox.create(metadata={"test": "async life"}, timeout=100, **address)
    assert await sandbox.is_running()
    pages = AsyncSandbox.list(query=SandboxQuery(metadata={"test": "async life"}), **address)
    assert [info.sandbox_id for info in await pages.next_items()] == [sandbox.sandbox_id]
    again = await AsyncSandbox.connect(sandbox.sandbox_id, **address)
    await again.set_timeout(200)
    info = await sandbox.get_info()
    assert (info.end_at - info.started_at).total_seconds() > 150
    assert await sandbox.kill() is True
    assert await sandbox.kill() is False
    assert not await sandbox.is_running()
    with pytest.raises(NotFoundException):
        await sandbox.get_info()


async def test_run_code_with_callbacks(async_sandbox: AsyncSandbox) -> None:
    printed: list[str] = []

    async def on_stdout(message: OutputMessage) -> None:
        printed.append(message.line)

    execution = await async_sandbox.run_code("print('hi')\n6 * 7", on_stdout=on_stdout)
    assert execution.text == "42"
    assert printed == ["hi\n"]


async def test_contexts(async_sandbox: AsyncSandbox) -> None:
    context = await async_sandbox.create_code_context(cwd="/tmp")
    await async_sandbox.run_code("x = 1", context=context)
    assert (await async_sandbox.run_code("x", context=context)).text == "1"
    await async_sandbox.restart_code_context(context)
    error = (await async_sandbox.run_code("x", context=context)).error
    assert error is not None
    assert error.name == "NameError"
    assert context.id in [listed.id for listed in await async_sandbox.list_code_contexts()]
    await async_sandbox.remove_code_context(context)
    with pytest.raises(NotFoundException):
        await async_sandbox.run_code("x", context=context)


async def test_a_cancelled_run_is_interrupted(async_sandbox: AsyncSandbox) -> None:
    started = asyncio.Event()

    async def on_stdout(_: OutputMessage) -> None:
        started.set()

    running = asyncio.create_task(async_sandbox.run_code("print('go')\nwhile True: pass", on_stdout=on_stdout))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await async_sandbox.run_code("'free'")).text == "free"


async def test_commands(async_sandbox: AsyncSandbox) -> None:
    assert (await async_sandbox.commands.run("echo hi")).stdout == "hi\n"
    handle = await async_sandbox.commands.run("cat; exit 3", background=True, stdin=True)
    assert handle.pid in [process.pid for process in await async_sandbox.commands.list()]
    await async_sandbox.commands.send_stdin(handle.pid, "in")
    await async_sandbox.commands.close_stdin(handle.pid)
    with pytest.raises(CommandExitException) as error:
        await handle.wait()
    assert (error.value.stdout, error.value.exit_code) == ("in", 3)
    other = await async_sandbox.commands.run("sleep 1000", background=True)
    assert await (await async_sandbox.commands.connect(other.pid)).kill() is True
    assert await async_sandbox.commands.kill(other.pid) is False


async def test_a_terminal(async_sandbox: AsyncSandbox) -> None:
    output = bytearray()

    async def on_data(data: bytes) -> None:
        output.extend(data)

    terminal = await async_sandbox.pty.create(PtySize(rows=24, cols=80), on_data)
    await async_sandbox.pty.resize(terminal.pid, PtySize(rows=30, cols=100))
    await async_sandbox.pty.send_stdin(terminal.pid, b"stty size; exit\n")
    await terminal.wait()
    assert b"30 100" in output


async def test_files(async_sandbox: AsyncSandbox) -> None:
    files = async_sandbox.files
    await files.write("a/b", "text")
    await files.write("a/c", b"packed", gzip=True)
    assert await files.read("a/b") == "text"
    assert b"".join([chunk async for chunk in await files.read("a/c", format="stream")]) == b"packed"
    assert [entry.name for entry in await files.list("a")] == ["b", "c"]
    assert await files.make_dir("d") is True
    await files.rename("a/b", "d/e")
    assert await files.exists("d/e")
    assert (await files.get_info("d/e")).size == 4
    await files.remove("d")
    assert not await files.exists("d")


async def test_many_sandboxes_at_once(address: dict[str, str]) -> None:
    async def use(number: int) -> str | None:
        sandbox = await AsyncSandbox.create(**address)
        try:
            return (await sandbox.run_code(f"{number} * 2")).text
        finally:
            await sandbox.kill()

    assert await asyncio.gather(*map(use, range(30))) == [str(number * 2) for number in range(30)]


async def test_a_kill_ends_a_command_with_its_reason(address: dict[str, str]) -> None:
    sandbox = await AsyncSandbox.create(**address)
    command = await sandbox.commands.run("sleep 1000", background=True)
    await sandbox.kill()
    with pytest.raises(SandboxException, match="killed or reached its end of life"):
        await command.wait()
