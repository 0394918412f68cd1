"""The isolation that sandboxes get on this machine, found out without a server. Imports little."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pytest_rewardkit.local.first_fork_server import FirstForkServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.local.isolation import Isolation


def find_level(isolation: str) -> str:
    """The name of the level that sandboxes get; like :func:`find_isolation`."""
    return find_isolation(isolation).level


@cache
def find_isolation(isolation: str) -> Isolation:
    """The isolation that sandboxes get; each process tries it only once.

    Parameters:
        isolation: as in `Settings`.

    Raises:
        NoSuchLevelError: the requested isolation is not possible.
    """
    return examine([f"--isolation={isolation}", "--cold"])


def examine(options: Sequence[str]) -> Isolation:
    """The findings of a server's fork server, by the same attempts: for each, one is started, queried and ended.

    Parameters:
        options: options of the fork server.

    Raises:
        NoSuchLevelError: there can be no sandboxes.
    """
    fork_server = FirstForkServer(options)
    try:
        return fork_server.isolation()
    finally:
        fork_server.end()
