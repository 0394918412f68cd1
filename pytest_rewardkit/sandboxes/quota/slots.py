"""Slots: each the right to one sandbox, a file that is locked, and beside it what is known of the sandbox."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.sandboxes.quota.folder import write_whole
from pytest_rewardkit.sandboxes.quota.lock import Lock, try_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

SETTLE_SECONDS: Final = 10.0
"""How long one may still come of a request for a sandbox, after nobody was found to wait for the answer any more."""

AGAIN_SECONDS: Final = 2.0
"""How long to wait before a sandbox that could not be ended is tried again."""


class Slot:
    """The right to one sandbox, until `release`.

    Ends the process that has it, its sandbox may live on. Then whoever wants the slot next ends that first.

    Parameters:
        note: the file that says what is known of the sandbox.
        lock: of the slot.
        owner: who has it.
    """

    def __init__(self, note: Path, lock: Lock, owner: str) -> None:
        self._note = note
        self._lock = lock
        self.mark = secrets.token_hex(8)
        """By which its sandbox can be found, though its creator has never learnt its id."""
        self._known: dict[str, Any] = {"owner": owner, "mark": self.mark}
        self.is_held = True
        self.is_kept = False
        """Whether it is for more than the test that wanted it."""

    def expect(self) -> None:
        """Note that a sandbox is asked for now."""
        self._write(since=time.time())

    def fill(self, sandbox_id: str, lifetime: float) -> None:
        """Note which sandbox it is for, which lives so many seconds at most."""
        self._write(sandbox=sandbox_id, ends=time.time() + lifetime)

    def release(self, *, gone: bool = True) -> None:
        """Give the slot back; harmless when repeated.

        Parameters:
            gone: whether there is no sandbox any more.
        """
        if not self.is_held:
            return
        self.is_held = False
        if gone:
            self._note.unlink(missing_ok=True)
        else:
            self._write(owner="")
        self._lock.release()

    def _write(self, **known: Any) -> None:
        self._known |= known
        _write(self._note, self._known)


class Slots:
    """So many slots, shared by all processes that know the directory.

    Parameters:
        directory: of their files.
        count: how many.
        end: ends what is left of a dead process's sandbox, by what is known of it; whether that has worked.
        owner: who takes them here.
    """

    def __init__(self, directory: Path, count: int, end: Callable[[Mapping[str, Any]], bool], owner: str) -> None:
        self._directory = directory
        self._count = count
        self._end = end
        self._owner = owner

    def take(self) -> Slot | None:
        """A free slot; None where there is none now."""
        for path in self._paths():
            if (lock := try_lock(path)) is None:
                continue
            note = path.with_name(path.name + ".json")
            if not (known := _read(note)) or self._is_over(note, known):
                slot = Slot(note, lock, self._owner)
                slot.expect()
                return slot
            lock.release()
        return None

    def owners(self) -> set[str] | None:
        """Who holds them; None where one is free, or was left by a process that has ended."""
        owners = set()
        for path in self._paths():
            if (lock := try_lock(path)) is not None:
                lock.release()
                return None
            owners.add(_read(path.with_name(path.name + ".json")).get("owner", ""))
        return owners

    def _paths(self) -> Iterator[Path]:
        return (self._directory / f"slot.{number}" for number in range(self._count))

    def _is_over(self, note: Path, known: dict[str, Any]) -> bool:
        """Whether there is nothing left of the sandbox of a process that has ended, or nothing any more."""
        now = time.time()
        if now > known.get("ends", known.get("since", 0.0) + 24 * 3600):
            return True
        if "sandbox" not in known:
            if "found" not in known:
                known["found"] = now
                _write(note, known)
            if abs(now - known["found"]) < SETTLE_SECONDS:
                return False
        if abs(now - known.get("tried", 0.0)) < AGAIN_SECONDS:
            return False
        if self._end(known):
            return True
        _write(note, {**known, "tried": now})
        return False


def _read(note: Path) -> dict[str, Any]:
    try:
        known = json.loads(note.read_text("ascii"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(note: Path, known: Mapping[str, Any]) -> None:
    write_whole(note, json.dumps(known))
