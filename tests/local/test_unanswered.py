"""Nothing waits forever: fork servers and sandboxes that never answer, answer garbage, or die again and again."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import fork_servers
import pytest
from fork_servers import Launches, table_of

from pytest_rewardkit.local.errors import ForkServerError, GuestError, UnansweredError
from pytest_rewardkit.local.server.process import Command
from pytest_rewardkit.local.server.sandbox import Sandbox, SandboxRequest
from pytest_rewardkit.local.wire.bounds import BOUNDS, Bounds, bounded

if TYPE_CHECKING:
    from pytest_rewardkit.local.server.table import SandboxTable

REQUEST = SandboxRequest(template="base")
# These tests wait for something that never comes; everything else has its usual time.
IMPATIENT = Bounds(boot=0.2, sandbox=0.2, create=20.0, order=0.2, request=0.2, end=0.2)
pytestmark = pytest.mark.asyncio


async def works(table: SandboxTable) -> bool:
    sandbox = await table.create(REQUEST)
    return sandbox.default_context() is not None and not sandbox.guest.closed


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (fork_servers.SILENT, "the fork server was not ready within 0.2 s"),
        (fork_servers.DEAF, "the fork server was not ready within 0.2 s"),
        (fork_servers.GARBAGE, "the fork server broke the protocol: a frame of"),
        (fork_servers.NO_GREETING, "the fork server broke the protocol: a fork server must say its level"),
        (fork_servers.DYING, "the fork server ended with status 3 before it was ready"),
        (fork_servers.READY_AND_DYING, "the fork server ended with status 3"),
        (fork_servers.READY_AND_SILENT, "the fork server did not make a sandbox within 0.2 s"),
        (fork_servers.READY_AND_GARBAGE, "the fork server broke the protocol: a frame of"),
        (fork_servers.READY_AND_WRONG, "the fork server broke the protocol: pid must be a positive integer"),
        (fork_servers.NEVER_READY_SANDBOXES, "a new sandbox was not ready within 0.2 s"),
    ],
)
async def test_fork_servers_that_fail_for_ever_are_given_up_with_the_reason(script: str, reason: str) -> None:
    launches = Launches(script, forever=True)
    # Only the missing part must be short: a busy machine may take long to start the script.
    slow = "ready()" in script or "not ready" not in reason
    bounds = replace(IMPATIENT, boot=15.0) if slow else IMPATIENT
    async with table_of(launches, bounds) as table:
        with pytest.raises(ForkServerError, match="no fork server works here: ") as failure:
            await table.create(REQUEST)
        assert reason in str(failure.value)
        assert len(launches.processes) == IMPATIENT.failures
        with pytest.raises(ForkServerError, match="no fork server works here: "):
            await table.create(REQUEST)
        assert len(launches.processes) == IMPATIENT.failures, "another one was tried at once"


@pytest.mark.parametrize(
    "script",
    [fork_servers.GARBAGE, fork_servers.DYING, fork_servers.READY_AND_DYING, fork_servers.READY_AND_WRONG],
)
async def test_one_that_fails_costs_no_sandbox(script: str) -> None:
    launches = Launches(script)
    async with table_of(launches, BOUNDS) as table:
        assert await works(table)
        assert len(launches.processes) == 2


async def test_one_that_refuses_is_believed() -> None:
    launches = Launches(fork_servers.REFUSING, forever=True)
    async with table_of(launches, BOUNDS) as table:
        with pytest.raises(ForkServerError, match="no fork server works here: not on this machine"):
            await table.create(REQUEST)
        assert len(launches.processes) == 1


async def test_after_a_rest_another_one_is_tried() -> None:
    launches = Launches(*[fork_servers.DYING] * 3)
    async with table_of(launches, replace(BOUNDS, rest=0.0)) as table:
        assert await works(table)
        assert len(launches.processes) == 4


async def test_everybody_who_waits_is_told() -> None:
    launches = Launches(fork_servers.DYING, forever=True)
    async with table_of(launches, BOUNDS, warm=2) as table:
        table.warm_up()
        answers = await asyncio.gather(*(table.create(REQUEST) for _ in range(5)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [ForkServerError] * 5


async def test_a_create_has_a_bound_of_its_own() -> None:
    launches = Launches(fork_servers.SILENT, forever=True)
    async with table_of(launches, replace(BOUNDS, create=0.2)) as table:
        with pytest.raises(ForkServerError, match=r"no sandbox was ready within 0\.2 s"):
            await table.create(REQUEST)


async def test_a_stopped_fork_server_is_replaced_and_its_sandboxes_go_on() -> None:
    launches = Launches()
    async with table_of(launches, replace(BOUNDS, sandbox=4.0, order=0.5, end=0.5)) as table:
        before = await table.create(REQUEST)
        os.kill(launches.processes[0].pid, signal.SIGSTOP)
        assert await works(table)
        assert len(launches.processes) > 1
        assert (await before.guest.files.stat("/"))["path"] == "/"
        with pytest.raises(GuestError, match="the fork server did not answer 'pause' within"):
            await table.pause(before, keep_memory=True)
        table.kill(before)


@pytest.mark.parametrize(
    "ask",
    [
        lambda sandbox: sandbox.guest.files.stat("/"),
        lambda sandbox: sandbox.guest.files.list_directory("/", 1),
        lambda sandbox: sandbox.guest.files.open_file("/tmp/a", "w"),
        lambda sandbox: sandbox.guest.signal(1, 0),
        lambda sandbox: sandbox.guest.tools.run("true"),
        lambda sandbox: sandbox.guest.processes.start(Command("true", (), {}, None)),
        lambda sandbox: sandbox.guest.start_kernel("/", {}, "python"),
        lambda sandbox: sandbox.guest.watches.add("/", recursive=False, entries=False),
    ],
    ids=["stat", "list", "open", "signal", "tool", "command", "interpreter", "watch"],
)
async def test_a_stopped_sandbox_answers_nothing_and_keeps_nobody(ask: object) -> None:
    launches = Launches()
    async with table_of(launches, replace(BOUNDS, request=0.3, tool=0.3)) as table:
        # The pool's wait for its interpreter also depends on the guest; this sandbox has no such wait.
        sandbox = await table._own._spawn(table.settings)
        assert isinstance(sandbox, Sandbox)
        os.kill(sandbox.spawned.pid, signal.SIGSTOP)
        with pytest.raises(GuestError, match=r"within 0\.3 s"):
            await ask(sandbox)  # type: ignore[operator]
        # Late answers do no harm.
        os.kill(sandbox.spawned.pid, signal.SIGCONT)
        async with asyncio.timeout(15):
            while True:
                try:
                    await sandbox.guest.files.stat("/")
                    break
                except GuestError:
                    continue
        table.kill(sandbox)


async def test_what_is_bounded_says_what_it_waited_for() -> None:
    with pytest.raises(UnansweredError, match=r"it did not come within 0\.01 s"):
        async with bounded(0.01, "it did not come"):
            await asyncio.Event().wait()
    with pytest.raises(TimeoutError, match="its own"):
        async with bounded(60, "it did not come"):
            raise TimeoutError("its own")
