"""The supply of a template ends when nobody has used it for some time, and comes back when it is asked for."""

from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from pytest_rewardkit.local.server import supplies as supplies_module
from pytest_rewardkit.local.server.supplies import Supplies
from pytest_rewardkit.local.settings import ServerSettings
from pytest_rewardkit.local.templates.named_template import template_from, to_text

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pytest_rewardkit.local.server.supply import Supply


class _Supply:
    """A supply without a fork server."""

    def __init__(self) -> None:
        self.in_use = True
        self.is_closed = False

    async def isolation(self) -> Any:
        return SimpleNamespace(level="none")

    def warm_up(self) -> None: ...

    async def close(self) -> None:
        self.is_closed = True


def test_a_template_that_nobody_uses_ends_and_comes_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    held: list[int] = []

    def hold() -> list[int]:
        held.append(os.open(tmp_path, os.O_RDONLY))
        return held[-1:]

    async def build(*_: object) -> Any:
        return SimpleNamespace(held=hold)

    monkeypatch.setattr(supplies_module, "_build", build)
    monkeypatch.setattr(supplies_module, "launch", lambda *_, **__: None)
    monkeypatch.setattr(supplies_module, "IDLE_SECONDS", 0.01)
    settings = ServerSettings(templates=to_text([template_from("old", {"packages": ["tariffs"]}, tmp_path)]))
    made: list[_Supply] = []

    def make(*_: object) -> Supply:
        made.append(_Supply())
        return cast("Supply", made[-1])

    async def lived() -> None:
        own = _Supply()
        supplies = Supplies(settings, cast("Supply", own), make)
        first = cast("_Supply", await supplies.of("old"))
        await asyncio.sleep(0.05)
        assert await supplies.of("old") is cast("Supply", first)
        assert not first.is_closed
        first.in_use = False
        async with asyncio.timeout(30):
            while not first.is_closed or _is_open(held[0]):
                await asyncio.sleep(0.01)
        assert len(supplies.all()) == 1
        second = cast("_Supply", await supplies.of("old"))
        assert second is not cast("_Supply", first)
        await supplies.close()
        assert second.is_closed
        assert own.is_closed
        assert not any(map(_is_open, held))

    asyncio.run(lived())


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
