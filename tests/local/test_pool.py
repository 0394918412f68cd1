"""The pool of ready sandboxes, and what happens to callers that wait for one."""

from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from pytest_rewardkit.local.errors import ForkServerError
from pytest_rewardkit.local.server.pool import Pool


async def never() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.asyncio
@pytest.mark.parametrize("closed_first", [False, True])
async def test_a_closed_pool_leaves_nobody_waiting(closed_first: bool) -> None:
    pool = Pool(never, lambda _: never(), size=0)
    if closed_first:
        pool.refill()
        pool.close()
        taking = asyncio.ensure_future(pool.take())
    else:
        taking = asyncio.ensure_future(pool.take())
        await asyncio.sleep(0)
        pool.close()
    with pytest.raises(ForkServerError, match="the server is shutting down"):
        await asyncio.wait_for(taking, 10)


class Made:
    """Makes sandboxes at once; each becomes warm when a test lets it.

    Attributes:
        warming: by a sandbox's name, the future that lets it become warm, or makes it fail.
    """

    def __init__(self) -> None:
        self.count = 0
        self.warming: dict[str, asyncio.Future[None]] = {}

    async def spawn(self) -> Any:
        self.count += 1
        return SimpleNamespace(id=str(self.count))

    async def warm(self, sandbox: Any) -> None:
        future = self.warming[sandbox.id] = asyncio.get_running_loop().create_future()
        await future


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_who_waits_waits_for_no_interpreter_his_own_or_anothers() -> None:
    made = Made()
    pool = Pool(made.spawn, made.warm, size=4)
    pool.refill()
    await settled()
    taken = await asyncio.wait_for(asyncio.gather(*(pool.take() for _ in range(50))), 10)
    assert len({sandbox.id for sandbox in taken}) == 50
    pool.close()


@pytest.mark.asyncio
async def test_those_that_become_warm_are_as_many_as_there_are_processors() -> None:
    made = Made()
    pool = Pool(made.spawn, made.warm, size=100)
    pool.refill()
    await settled()
    assert 0 < len(made.warming) == made.count <= 2 * len(os.sched_getaffinity(0))
    count = made.count
    for warming in made.warming.values():
        warming.set_result(None)
    await settled()
    assert made.count > count
    pool.close()


@pytest.mark.asyncio
async def test_one_that_does_not_become_warm_is_given_to_nobody() -> None:
    made = Made()
    pool = Pool(made.spawn, made.warm, size=1)
    pool.refill()
    await settled()
    made.warming["1"].set_exception(ForkServerError("no interpreter"))
    await settled()
    assert (await pool.take()).id == "2"
    pool.close()
