"""Watches of directories in a sandbox: changes are kept until a request takes them, or passed on as they come.

The guest has the notifier. It answers ``watch`` (path, recursive, entries) with a number, and sends
``{"event": "changes", "watch": NUMBER, "changes": [...]}`` as things happen. It answers ``watch_events`` (watch) with
the changes that it has not sent yet, drained from the notifier at that moment, and stops at ``unwatch`` (watch). A
change has a name relative to the directory, a type, and with ``entries`` an entry if there is a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.errors import ChannelError
from pytest_rewardkit.local.server.subscription import Subscription
from pytest_rewardkit.local.wire.answers import checked_entry, nothing, require_descriptors
from pytest_rewardkit.local.wire.peer import positive_integer

if TYPE_CHECKING:
    from pytest_rewardkit.local.wire.peer import GuestAnswer, Peer

Change = dict[str, Any]
"""A change in envd's JSON: FilesystemEvent."""

MAX_KEPT = 4096
CHANGE_TYPES = frozenset(f"EVENT_TYPE_{kind}" for kind in ("CREATE", "WRITE", "REMOVE", "RENAME", "CHMOD"))


class Watch:
    """A watched directory.

    Parameters:
        number: the guest's name for it.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._changes: Subscription[Change] = Subscription()
        self._kept = 0

    def put(self, changes: list[Change]) -> None:
        """Keep changes until they are taken; beyond `MAX_KEPT` they are lost, as in the kernel's own queue."""
        for change in changes[: MAX_KEPT - self._kept]:
            self._kept += 1
            self._changes.put(change)

    async def take(self, timeout: float | None) -> list[Change]:
        """The changes that have come; like `Subscription.take`."""
        taken = await self._changes.take(timeout)
        self._kept -= len(taken)
        return taken


class Watches:
    """The watches of one sandbox.

    Parameters:
        peer: the connection to its guest.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._watches: dict[int, Watch] = {}

    async def add(self, path: str, *, recursive: bool, entries: bool) -> Watch:
        """Watch a directory.

        Raises:
            GuestError: there is no such directory.
            GuestGoneError: the sandbox is gone.
        """
        return await self._peer.ask("watch", self._adopt, path=path, recursive=recursive, entries=entries)

    def get(self, number: int) -> Watch | None:
        """The watch with that number."""
        return self._watches.get(number)

    async def drain(self, watch: Watch) -> list[Change]:
        """All changes up to now that have not been taken.

        Raises:
            GuestGoneError: the sandbox is gone.
        """
        watch.put(await self._peer.ask("watch_events", _changes, watch=watch.number))
        return await watch.take(timeout=0)

    async def remove(self, watch: Watch) -> None:
        """Stop watching.

        Raises:
            GuestGoneError: the sandbox is gone.
        """
        if self._watches.pop(watch.number, None) is not None:
            await self._peer.ask("unwatch", nothing, watch=watch.number)

    def receive(self, message: dict[str, Any]) -> None:
        """Take a guest's event. Raises ChannelError if it breaks the protocol."""
        watch = self._watches.get(positive_integer(message, "watch"))
        changes = _checked_changes(message.get("changes"))
        if watch is not None:
            watch.put(changes)

    def _adopt(self, answer: GuestAnswer) -> Watch:
        require_descriptors(answer, 0)
        watch = Watch(answer.integer("watch"))
        if watch.number in self._watches:
            raise ChannelError("two watches with one number")
        self._watches[watch.number] = watch
        return watch


def _changes(answer: GuestAnswer) -> list[Change]:
    require_descriptors(answer, 0)
    return _checked_changes(answer.fields.get("changes"))


def _checked_changes(value: object) -> list[Change]:
    if not isinstance(value, list):
        raise ChannelError("changes must be an array")
    for change in value:
        if not isinstance(change, dict) or not isinstance(change.get("name"), str):
            raise ChannelError("a change must have a name")
        if change.get("type") not in CHANGE_TYPES or not change.keys() <= {"name", "type", "entry"}:
            raise ChannelError("a change must have a type, and nothing else but an entry")
        if "entry" in change:
            checked_entry(change["entry"])
    return value
