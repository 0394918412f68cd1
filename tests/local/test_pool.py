"""The pool of sandboxes that are ready: what becomes of those who wait for one."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import pytest

from pytest_rewardkit.local.errors import ForkServerError
from pytest_rewardkit.local.server.pool import Pool


async def never() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.asyncio
@pytest.mark.parametrize("closed_first", [False, True])
async def test_a_closed_pool_leaves_nobody_waiting(closed_first: bool) -> None:
    pool = Pool(never, size=0)
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
