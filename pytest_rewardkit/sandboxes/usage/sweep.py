"""Sandboxes that runs have left behind: those with a run in their metadata, and those that a journal names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.sandboxes.e2b import RUN_KEY
from pytest_rewardkit.sandboxes.usage.journal import Journal
from pytest_rewardkit.sandboxes.usage.places import goes_on, journals_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e2b import SandboxInfo


@dataclass(frozen=True, slots=True)
class LeftSandbox:
    """A live sandbox.

    Parameters:
        sandbox_id: its id.
        run: the key of the run that created it.
        seconds: how long it has lived.
        goes_on: whether its run goes on, on this machine.
    """

    sandbox_id: str
    run: str
    seconds: float
    goes_on: bool


def find_left(environ: Mapping[str, str]) -> list[LeftSandbox]:
    """Return the sandboxes that runs have created at the place that E2B's variables point to, the oldest first.

    Raises what the SDK raises.
    """
    listed = _listed()
    infos = {info.sandbox_id: (info.metadata or {}).get(RUN_KEY, "") for info in listed}
    begun = {info.sandbox_id: info.started_at for info in listed}
    runs = {sandbox_id: run for sandbox_id, run in infos.items() if run}
    for path in journals_of(environ):
        for sandbox_id in Journal(path).usage().left():
            # Not every cluster keeps metadata. A sandbox that is not listed does not live.
            if sandbox_id in infos:
                runs.setdefault(sandbox_id, path.stem)
    going_on = {run: goes_on(environ, run) for run in set(runs.values())}
    now = datetime.now(UTC)
    found = [
        LeftSandbox(sandbox_id, run, (now - begun[sandbox_id]).total_seconds(), going_on[run])
        for sandbox_id, run in runs.items()
    ]
    return sorted(found, key=lambda it: -it.seconds)


def forget_ended(environ: Mapping[str, str]) -> None:
    """Remove the journals of runs whose sandboxes can no longer live."""
    for path in journals_of(environ):
        if not goes_on(environ, path.stem) and not Journal(path).usage().left():
            path.unlink(missing_ok=True)


def _listed() -> list[SandboxInfo]:
    from e2b_code_interpreter import Sandbox

    def all_pages() -> list[SandboxInfo]:
        listing = Sandbox.list()
        found: list[SandboxInfo] = []
        while listing.has_next:
            found += listing.next_items()
        return found

    return again(all_pages)
