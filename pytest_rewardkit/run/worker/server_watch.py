"""What tells a test that the server of its sandboxes has died, by the session's config."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import pytest

if TYPE_CHECKING:
    from pytest_rewardkit.run.worker.recorder import Recorder


class ServerWatch(Protocol):
    """Watches the server as far as tests have to know of it."""

    def note_beginning(self) -> None:
        """Note that a test begins: what became of the server before is none of its causes."""
        ...

    def add_cause(self, error: BaseException | None, recorder: Recorder) -> None:
        """Say of what a test has raised, and of its unscored reward, that the server's death is the cause, if it is."""
        ...


WATCH: Final = pytest.StashKey[ServerWatch]()


def watch_of(config: pytest.Config) -> ServerWatch | None:
    """Return what watches the server of this session; None as long as nobody has asked for a sandbox."""
    return config.stash.get(WATCH, None)
