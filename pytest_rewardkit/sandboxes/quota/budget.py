"""Bounds the sandboxes that all processes with one key have alive at once, and create per second."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable
from pytest_rewardkit.sandboxes.quota import left
from pytest_rewardkit.sandboxes.quota.line import WaitingLine
from pytest_rewardkit.sandboxes.quota.pace import Pace
from pytest_rewardkit.sandboxes.quota.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pytest_rewardkit.sandboxes.quota.pace import PacedRequest
    from pytest_rewardkit.sandboxes.quota.slots import Slot

WAKE_SECONDS: Final = 1.0
"""How long to wait before looking again without being woken: a killed process does not ring."""

_FOR: Final = "+"
"""Follows a parent's name in the name of an owner."""

TWO: Final = 2
ANY: Final = 1000
"""How many slots one test may want at once, if that is known and if it is not."""

PATIENCE_SECONDS: Final = 1800.0
"""How long to wait if nothing moves at all: no slot is given back, and none is taken."""


class Budget:
    """At most `slots` sandboxes alive at once, and `rate` created per second, in all processes that share `directory`.

    For a caller that does one thing after another: a process that runs tests, or one of several threads.

    A caller that may want more than one sandbox takes a turn first: two that hold one and want another would wait for
    each other. The number of turns is limited so that one of them can always go on. If callers without a turn block
    each other, that is detected when all slots are held by processes that wait.

    Parameters:
        directory: a directory that the processes share.
        slots: sandboxes alive at once, 1 or more; None for no bound.
        rate: creations per second; None for no bound.
        option: the source of the number of slots, for messages.
        end: ends what is left of a dead process's sandbox (left.py).
        patience: seconds to wait while nothing moves.
        go_on: called during a wait; raises an exception to end it.
        parent: that of the caller for whom this one works in a thread, and who goes on when it is done.
    """

    def __init__(
        self,
        directory: Path,
        slots: int | None,
        rate: float | None = None,
        *,
        option: str = "--rewardkit-max-sandboxes",
        end: Callable[[Mapping[str, Any]], bool] = left.end,
        patience: float = PATIENCE_SECONDS,
        go_on: Callable[[], object] = lambda: None,
        parent: Budget | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._limit, self._rate, self._end = directory, slots, rate, end
        self._option = option
        self._patience = patience
        self._go_on = go_on
        self._parent = parent
        self._owner = f"{os.getpid()}.{secrets.token_hex(4)}"
        if parent is not None:
            self._owner = f"{parent._owner}{_FOR}{self._owner}"
        self._slots = None if slots is None else Slots(directory, slots, end, self._owner)
        self._line = WaitingLine(directory, "ticket", self._owner)
        self._turns = {wants: _Turns(directory, wants, slots or 0, self._owner) for wants in (TWO, ANY)}
        self._moves = directory / "moves"
        self._moves.touch()
        self._pace = None if rate is None else Pace(directory, rate)
        self._turn: tuple[_Turns, Slot] | None = None
        self._stuck: tuple[int, float] | None = None
        self._give_up: Callable[[], object] | None = None
        self.held = 0
        self._kept = 0
        self.paced_seconds = 0.0
        """Seconds spent waiting for the pace, in total."""

    def for_thread(self) -> Budget:
        """Return a budget with the same bounds for a thread that works for this one's caller."""
        return Budget(
            self._directory,
            self._limit,
            self._rate,
            option=self._option,
            end=self._end,
            patience=self._patience,
            go_on=self._go_on,
            parent=self,
        )

    def acquire(self, *, wants: int = 1, keep: bool = False) -> Slot | None:
        """Wait for a slot; None if there is no bound on them.

        Parameters:
            wants: how many slots may be wanted before this one is released, including this one: 1, `TWO` or `ANY`.
            keep: whether the slot outlives the test that wants it.

        Raises:
            RewardkitUsageError: this process already holds all slots, so none could ever become free.
            SandboxUnavailable: none became free, and none ever will.
        """
        if self._slots is None or self._limit is None:
            return None
        if (held := self._held_for_it) >= self._limit:
            raise RewardkitUsageError(
                f"this test wants {held + 1} sandboxes at once, and {self._option} allows {self._limit}"
            )
        self._take_turn(wants)
        try:
            slot = self._wait(self._line, self._slots)
        except BaseException:
            self._end_turn()
            raise
        self.held += 1
        self._kept += keep
        slot.is_kept = keep
        return slot

    def pace(self) -> PacedRequest | nullcontext[None]:
        """Return a context, plain and asynchronous, that waits until a sandbox may be requested, and requests it."""
        return nullcontext() if self._pace is None else self._pace.request(self._go_on, self._note_paced)

    def _note_paced(self, seconds: float) -> None:
        self.paced_seconds += seconds

    def give_back(self, slot: Slot, *, gone: bool = True) -> None:
        """Release a slot.

        Parameters:
            gone: whether its sandbox is gone, so that another may take its place at once.
        """
        if not slot.is_held:
            return
        slot.release(gone=gone)
        self.held -= 1
        self._kept -= slot.is_kept
        self._moves.touch()
        self._line.wake()
        self._end_turn()

    def set_aside(self, give_up: Callable[[], object]) -> None:
        """Keep a sandbox for later tests until this process or another one needs its slot.

        Parameters:
            give_up: ends the sandbox and gives its slot back.
        """
        if self._slots is not None:
            self._give_up = give_up
            self._end_turn()

    def use_again(self) -> None:
        """Wait until the kept sandbox can be used together with another one; it may have been given up meanwhile."""
        if self._give_up is not None:
            self._take_turn(TWO)
            self._give_up = None

    def yield_to_others(self) -> None:
        """Give up the kept sandbox if another process waits."""
        if self._give_up is not None and self._line.first():
            self._give_up_aside()

    def _give_up_aside(self) -> None:
        give_up, self._give_up = self._give_up, None
        if give_up is not None:
            give_up()

    def _take_turn(self, wants: int) -> None:
        if wants > 1 and self._limit is not None and self._limit > 1 and self.held == self._kept and self._turn is None:
            turns = self._turns[wants]
            self._turn = turns, self._wait(turns.line, turns.slots)

    def _wait(self, line: WaitingLine, slots: Slots) -> Slot:
        ticket = line.join(holds=self.held > 0)
        moved = self._moves.stat().st_mtime_ns
        since = time.monotonic()
        try:
            while True:
                if ticket.is_first and (slot := slots.take()) is not None:
                    self._moves.touch()
                    return slot
                self._give_up_aside()
                before, moved = moved, self._moves.stat().st_mtime_ns
                since = since if moved == before else time.monotonic()
                self._give_up_in_vain(moved, since)
                self._go_on()
                ticket.wait(WAKE_SECONDS)
        finally:
            ticket.leave()

    def _give_up_in_vain(self, moved: int, since: float) -> None:
        if self._all_wait(moved):
            raise SandboxUnavailable(
                f"each of the {self._limit} sandboxes that {self._option} allows is held by a test that waits for "
                "another one; allow as many for each worker as one test takes at once"
            )
        if time.monotonic() - since > self._patience:
            raise SandboxUnavailable(
                f"none of the {self._limit} sandboxes that {self._option} allows became free, and nothing has moved "
                f"for {self._patience:g} s"
            )

    def _all_wait(self, moved: int) -> bool:
        """Whether every holder of a slot waits for one more, and this one is the first and so must give up."""
        owners = self._slots.owners() if self._slots is not None and self._held_for_it else None
        if (
            owners is None
            or not _are_waiting(owners, self._line.owners())
            or not self._line.first().endswith(f"-{self._owner}")
        ):
            self._stuck = None
            return False
        # A process may have just received a slot and not left the line yet, so the state must last.
        since = self._stuck[1] if self._stuck is not None and self._stuck[0] == moved else time.monotonic()
        self._stuck = moved, since
        return time.monotonic() - since >= WAKE_SECONDS

    @property
    def _held_for_it(self) -> int:
        """How many slots stay taken while it waits."""
        return self.held + (0 if self._parent is None else self._parent.held)

    def _end_turn(self) -> None:
        if self._turn is not None and self.held == self._kept:
            turns, slot = self._turn
            self._turn = None
            slot.release()
            turns.line.wake()


def _are_waiting(owners: set[str], waiting: set[str]) -> bool:
    """Whether all owners of slots wait, or others wait for them and none of these has a slot and goes on."""
    going_on = {owner.partition(_FOR)[0] for owner in owners if _FOR in owner and owner not in waiting}
    for_them = {owner.partition(_FOR)[0] for owner in waiting if _FOR in owner}
    return owners <= waiting | (for_them - going_on)


class _Turns:
    """The turns of callers that want the same number of slots."""

    def __init__(self, directory: Path, wants: int, limit: int, owner: str) -> None:
        directory = directory / f"turns-{wants}"
        directory.mkdir(exist_ok=True)
        # One turn for any number of slots. For two, as many turns as leave one slot free, so that one caller can go on.
        self.slots = Slots(directory, max(1, limit - 2) if wants == TWO else 1, lambda _: True, owner)
        self.line = WaitingLine(directory, "ticket", owner)
