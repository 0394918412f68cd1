"""Removes the tests of other shards, in each process that collects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.ledger.shard import Split, split
from pytest_rewardkit.reports.results.durations import read_durations
from pytest_rewardkit.run.transport.node_ids import plain

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from pytest_rewardkit.ledger.shard import Shard
    from pytest_rewardkit.settings import RunSettings

OUTPUT: Final = "rewardkit_shard"
"""The key under which a worker of pytest-xdist says at its end how tests were split."""

_SPLIT: Final = pytest.StashKey[Split]()
_OF_PYTEST_SPLIT: Final = ".test_durations"


class ShardSelection:
    """Keeps only one shard of all selected tests."""

    def __init__(self, config: pytest.Config, shard: Shard, settings: RunSettings) -> None:
        self._shard = shard
        if config.getoption("dist", "no") == "each":
            raise RewardkitUsageError("--rewardkit-shard divides the tests, and --dist=each does not: use one of them")
        if settings.stored is not None:
            raise RewardkitUsageError("--rewardkit-shard runs tests, and --rewardkit-from none: use one of them")
        self._durations = _durations(config, settings.durations)

    # Around all other hooks, and after their deselection, including --lf's, which comes late.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, object, object]:
        result = yield
        found = split([plain(item.nodeid, config) for item in items], self._shard, self._durations)
        config.stash[_SPLIT] = found
        if hasattr(config, "workeroutput"):
            config.workeroutput[OUTPUT] = tuple(found)
        places = set(found.places)
        if others := [item for place, item in enumerate(items) if place not in places]:
            items[:] = [items[place] for place in found.places]
            config.hook.pytest_deselected(items=others)
        return result


def split_in(source: pytest.Config | Any) -> Split | None:
    """Return how tests were split in this process, or in an ended worker; None if they were not."""
    if isinstance(source, pytest.Config):
        return source.stash.get(_SPLIT, None)
    said = getattr(source, "workeroutput", {}).get(OUTPUT)
    return None if said is None else Split(*said)


def _durations(config: pytest.Config, file: str | None) -> Mapping[str, float]:
    usual = config.rootpath / _OF_PYTEST_SPLIT
    if file is None:
        return read_durations(usual) if usual.is_file() else {}
    try:
        return read_durations(config.invocation_params.dir / Path(file).expanduser())
    except RewardkitUsageError as error:
        raise RewardkitUsageError(f"--rewardkit-durations: {error}") from None
