"""The SDK's watches of directories: the synchronous one asks for changes, the asynchronous one is notified."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from e2b import (
    FileNotFoundException,
    FilesystemEventType,
    InvalidArgumentException,
    NotFoundException,
    SandboxException,
)

if TYPE_CHECKING:
    from e2b import FilesystemEvent
    from e2b_code_interpreter import AsyncSandbox, Sandbox

CREATE, WRITE, CHMOD = FilesystemEventType.CREATE, FilesystemEventType.WRITE, FilesystemEventType.CHMOD


def test_events_are_there_right_after_a_write(sandbox: Sandbox) -> None:
    sandbox.files.make_dir("watched")
    watch = sandbox.files.watch_dir("watched")
    sandbox.files.write("watched/file", "x")
    assert [(event.name, event.type) for event in watch.get_new_events()] == [
        ("file", CREATE),
        ("file", CHMOD),
        ("file", WRITE),
    ]
    assert watch.get_new_events() == []
    sandbox.files.write("watched/file", "again")
    assert {event.type for event in watch.get_new_events()} >= {WRITE}
    sandbox.files.rename("watched/file", "watched/other")
    assert [(event.name, event.type) for event in watch.get_new_events()] == [
        ("file", FilesystemEventType.RENAME),
        ("other", CREATE),
    ]
    sandbox.files.remove("watched/other")
    assert [event.type for event in watch.get_new_events()] == [FilesystemEventType.REMOVE]
    watch.stop()
    with pytest.raises(SandboxException, match="already stopped"):
        watch.get_new_events()


def test_a_recursive_watch_sees_directories_made_later(sandbox: Sandbox) -> None:
    sandbox.files.make_dir("watched/there")
    watch = sandbox.files.watch_dir("watched", recursive=True)
    sandbox.files.write("watched/there/a", "x")
    sandbox.commands.run("mkdir -p watched/new/deep && echo x > watched/new/deep/b")
    names = {event.name for event in watch.get_new_events()}
    assert {"there/a", "new", "new/deep", "new/deep/b"} <= names


def test_events_can_say_what_the_file_is(sandbox: Sandbox) -> None:
    sandbox.files.make_dir("watched")
    watch = sandbox.files.watch_dir("watched", include_entry=True)
    sandbox.files.write("watched/file", "12345")
    events = watch.get_new_events()
    assert {event.entry.path for event in events if event.entry} == {"/home/user/watched/file"}
    sandbox.files.remove("watched/file")
    assert [event.entry for event in watch.get_new_events()] == [None]


def test_what_cannot_be_watched(sandbox: Sandbox) -> None:
    with pytest.raises(FileNotFoundException):
        sandbox.files.watch_dir("nowhere")
    sandbox.files.write("file", "")
    with pytest.raises(InvalidArgumentException):
        sandbox.files.watch_dir("file")
    sandbox.files.make_dir("watched")
    watch = sandbox.files.watch_dir("watched")
    watch._watcher_id = "12345"
    with pytest.raises(NotFoundException):
        watch.get_new_events()


def test_a_flood_of_events_is_bounded(sandbox: Sandbox) -> None:
    sandbox.files.make_dir("watched")
    watch = sandbox.files.watch_dir("watched")
    sandbox.run_code("import os\nfor n in range(20000): open(f'watched/{n}', 'w').close()")
    assert 0 < len(watch.get_new_events()) <= 4096
    assert sandbox.is_running()


@pytest.mark.asyncio
async def test_the_asynchronous_sdk_is_told(async_sandbox: AsyncSandbox) -> None:
    seen: asyncio.Queue[FilesystemEvent] = asyncio.Queue()

    async def on_event(event: FilesystemEvent) -> None:
        seen.put_nowait(event)

    await async_sandbox.files.make_dir("watched")
    watch = await async_sandbox.files.watch_dir("watched", on_event)
    await async_sandbox.files.write("watched/file", "x")
    first = await asyncio.wait_for(seen.get(), 10)
    assert (first.name, first.type) == ("file", CREATE)
    await async_sandbox.commands.run("rm watched/file")
    while (await asyncio.wait_for(seen.get(), 10)).type != FilesystemEventType.REMOVE:
        pass
    await watch.stop()


@pytest.mark.asyncio
async def test_a_stopped_watch_is_gone(async_sandbox: AsyncSandbox) -> None:
    await async_sandbox.files.make_dir("watched")
    for _ in range(50):  # more than a sandbox may have at a time
        watch = await async_sandbox.files.watch_dir("watched", lambda event: None)
        await watch.stop()
