"""Slots: each is the right to one sandbox, in the form of a locked file with a note on the sandbox beside it."""

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
"""How long a request may still create a sandbox after its process was found to have ended."""

AGAIN_SECONDS: Final = 2.0
"""How long to wait before another try to end a sandbox."""


class Slot:
    """The right to one sandbox, until `release`.

    If its process ends, its sandbox may live on. The next process that wants the slot ends that sandbox first.

    Parameters:
        note: the file with what is known of the sandbox.
        lock: of the slot.
        owner: who has it.
    """

    def __init__(self, note: Path, lock: Lock, owner: str) -> None:
        self._note = note
        self._lock = lock
        self.mark = secrets.token_hex(8)
        """Identifies its sandbox even if its creator has never learnt the sandbox's id."""
        self._known: dict[str, Any] = {"owner": owner, "mark": self.mark}
        self.is_held = True
        self.is_kept = False
        """Whether the slot outlives the test that wanted it."""

    def expect(self) -> None:
        """Note that a sandbox is being requested."""
        self._write(since=time.time())

    def fill(self, sandbox_id: str, lifetime: float) -> None:
        """Note the slot's sandbox, and its lifetime in seconds at most."""
        self._write(sandbox=sandbox_id, ends=time.time() + lifetime)

    def release(self, *, gone: bool = True) -> None:
        """Give the slot back; harmless when repeated.

        Parameters:
            gone: whether the sandbox no longer exists.
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
    """A number of slots, shared by all processes that know the directory.

    Parameters:
        directory: of their files.
        count: how many.
        end: ends what is left of a dead process's sandbox, given what is known of it; returns whether that has worked.
        owner: who takes the slots here.
    """

    def __init__(self, directory: Path, count: int, end: Callable[[Mapping[str, Any]], bool], owner: str) -> None:
        self._directory = directory
        self._count = count
        self._end = end
        self._owner = owner

    def take(self) -> Slot | None:
        """Take a free slot; None if there is none now."""
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
        """Return the holders of the slots; None if one is free or its process has ended."""
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
        """Whether nothing is left of an ended process's sandbox, because it is over or is ended now."""
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
