"""Sandboxes for a script: they keep to the quota that their key shares with pytest runs, and are noted."""

from __future__ import annotations

import os
import secrets
import tempfile
import threading
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.sandboxes.choice import resolve
from pytest_rewardkit.sandboxes.e2b import E2BProvider, kill
from pytest_rewardkit.sandboxes.factory import Factory
from pytest_rewardkit.sandboxes.quota.allowance import VARIABLE, parse_quota
from pytest_rewardkit.sandboxes.quota.budget import Budget
from pytest_rewardkit.sandboxes.quota.folder import folder_of_key
from pytest_rewardkit.sandboxes.servers import open_server
from pytest_rewardkit.sandboxes.usage.bounds import UsageBounds
from pytest_rewardkit.sandboxes.usage.journal import Journal
from pytest_rewardkit.sandboxes.usage.meter import UsageMeter
from pytest_rewardkit.sandboxes.usage.places import end_run, lock_of, path_of, tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_rewardkit.sandboxes.provider import Provider


class ScriptRun:
    """The sandboxes of a process, or of a part of its work. All its threads may ask for them.

    Parameters:
        provider: where sandboxes come from.
        quota: sandboxes at once, and creations per second; None for no bound.
        folder: where processes share their numbers of sandboxes.
        meter: told of each sandbox; None for no meter.
        go_on: called while waiting for a sandbox; raises an exception to end the wait.
    """

    def __init__(
        self,
        provider: Provider,
        quota: tuple[int, float] | None,
        folder: Path,
        meter: UsageMeter | None,
        go_on: Callable[[], object],
    ) -> None:
        self.provider = provider
        self._quota = quota
        self._folder = folder
        self._meter = meter
        self._go_on = go_on
        self._local = threading.local()

    @classmethod
    @contextmanager
    def open(
        cls,
        name: str,
        *,
        isolation: str = "auto",
        quota: str | None = None,
        go_on: Callable[[], object] = lambda: None,
    ) -> Iterator[ScriptRun]:
        """Open one for the time of a `with` block.

        Parameters:
            name: of the provider, as `choose` returns it.
            isolation: as for `resolve`.
            quota: as for `--rewardkit-quota`; None for the environment's.
            go_on: as for the class.

        Raises:
            RewardkitUsageError: the quota is invalid, or such sandboxes do not work here.
        """
        allowed = _quota(quota)
        with ExitStack() as stack:
            server = stack.enter_context(open_server(name) or nullcontext())
            run_id = secrets.token_hex(8)
            provider = resolve(name, environ=os.environ, server=server, run_id=run_id, isolation=isolation)
            if isinstance(provider, E2BProvider):
                meter = stack.enter_context(_noted(provider, run_id))
                folder = folder_of_key(os.environ)
            else:
                # A local server's sandboxes end with it, and no other process uses them.
                meter = None
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rewardkit-slots-")))
            run = cls(provider, allowed, folder, meter, go_on)
            if allowed is not None and isinstance(provider, E2BProvider):
                provider.pace = run._own_budget_of(allowed).pace
            yield run

    @property
    def budget(self) -> Budget | None:
        """This thread's budget; None if there is no bound."""
        return None if self._quota is None else self._own_budget_of(self._quota)

    def factory(self, *, wants: int = 1, keep: bool = False, **options: Any) -> Factory:
        """Return a factory of sandboxes for this thread; the caller closes it.

        Parameters:
            wants, keep, options: as for `Factory`.
        """
        return Factory(
            self.provider,
            options,
            budget=self.budget,
            wants=wants,
            keep=keep,
            meter=self._meter,
            note=lambda *_: None,
        )

    def _own_budget_of(self, quota: tuple[int, float]) -> Budget:
        budget: Budget | None = getattr(self._local, "budget", None)
        if budget is None:
            budget = Budget(self._folder, *quota, option="the quota", go_on=self._go_on)
            self._local.budget = budget
        return budget


@contextmanager
def _noted(provider: E2BProvider, run_id: str) -> Iterator[UsageMeter]:
    """Yield a meter on a run's journal; after the `with` block, end the run's remaining sandboxes.

    The run is marked as going on meanwhile.
    """
    environ = dict(os.environ)
    lock = lock_of(environ, run_id)
    assert lock is not None
    journal = Journal(path_of(environ, run_id))
    provider.on_retry, provider.on_kill = journal.asked_again, journal.gone
    ended = False
    try:
        yield UsageMeter(journal, UsageBounds())
    finally:
        try:
            if (usage := journal.usage()).left() or usage.open_marks:
                provider.close()
            for sandbox_id in journal.usage().left():
                # Not every cluster finds sandboxes by their metadata.
                kill(sandbox_id)
            ended = True
        finally:
            journal.close(remove=ended)
            end_run(environ, run_id, lock)
            tidy(environ)


def _quota(asked: str | None) -> tuple[int, float] | None:
    text = asked or os.environ.get(VARIABLE)
    if not text:
        return None
    try:
        return parse_quota(text)
    except ValueError as error:
        place = "quota" if asked else f"{VARIABLE} in the environment"
        raise RewardkitUsageError(f"{place}: {error}") from None
