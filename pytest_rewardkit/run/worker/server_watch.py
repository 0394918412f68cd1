"""Tells a test that the server of its sandboxes has died. The session's config leads to the watch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import pytest

if TYPE_CHECKING:
    from pytest_rewardkit.run.worker.recorder import Recorder


class ServerWatch(Protocol):
    """Watches the server as far as tests need it."""

    def note_beginning(self) -> None:
        """Note that a test begins: an earlier death of the server is not one of its causes."""
        ...

    def add_cause(self, error: BaseException | None, recorder: Recorder) -> None:
        """Name the server's death as the cause of a test's exception and of its unscored reward, if it is the cause."""
        ...


WATCH: Final = pytest.StashKey[ServerWatch]()


def watch_of(config: pytest.Config) -> ServerWatch | None:
    """Return the watch over this session's server; None while no test has asked for a sandbox."""
    # A stash takes longer to return a default than to say that it has nothing.
    if WATCH not in config.stash:
        return None
    return config.stash[WATCH]
