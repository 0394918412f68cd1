"""Watches of directories in a sandbox. The agent keeps what changed until it is asked, and says once that it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.answers import checked_entry, nothing, require_descriptors
from pytest_rewardkit.local.channel import ChannelError
from pytest_rewardkit.local.peer import positive_integer
from pytest_rewardkit.local.subscription import Subscription

if TYPE_CHECKING:
    from pytest_rewardkit.local.peer import Answer, Peer

Change = dict[str, Any]
"""A change in envd's JSON: FilesystemEvent."""

CHANGE_TYPES = frozenset(f"EVENT_TYPE_{kind}" for kind in ("CREATE", "WRITE", "REMOVE", "RENAME", "CHMOD"))


class Watch:
    """A watched directory.

    Parameters:
        number: the agent's name for it.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._changed: Subscription[None] = Subscription()

    def notify(self) -> None:
        """Something has changed."""
        self._changed.put(None)

    async def changed(self, timeout: float) -> bool:
        """Whether something changes within `timeout` seconds."""
        return bool(await self._changed.take(timeout))


class Watches:
    """The watches of one sandbox.

    Parameters:
        peer: its agent.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._watches: dict[int, Watch] = {}

    async def add(self, path: str, *, recursive: bool, entries: bool) -> Watch:
        """Watch a directory.

        Parameters:
            path: absolute.
            recursive: whether to watch what is below it, too.
            entries: whether changes say what the changed file is.

        Raises:
            GuestError: there is no such directory, or there are too many watches.
            GuestGoneError: the sandbox is gone.
        """
        return await self._peer.request("watch", self._adopt, path=path, recursive=recursive, entries=entries)

    def get(self, number: int) -> Watch | None:
        """The watch of that number."""
        return self._watches.get(number)

    async def take(self, watch: Watch) -> list[Change]:
        """Every change up to now that has not been taken.

        Raises:
            GuestError: the watch has been removed meanwhile.
            GuestGoneError: the sandbox is gone.
        """
        return await self._peer.request("watch_events", _changes, watcher=watch.number)

    async def remove(self, watch: Watch) -> None:
        """Watch no more.

        Raises:
            GuestGoneError: the sandbox is gone.
        """
        if self._watches.pop(watch.number, None) is not None:
            await self._peer.request("unwatch", nothing, watcher=watch.number)

    def receive(self, message: dict[str, Any]) -> None:
        """Take an agent's event. Raises ChannelError when it is not as it should be."""
        watch = self._watches.get(positive_integer(message, "watcher"))
        if watch is not None:
            watch.notify()

    def _adopt(self, answer: Answer) -> Watch:
        require_descriptors(answer, 0)
        watch = Watch(answer.integer("watcher"))
        if watch.number in self._watches:
            raise ChannelError("two watches with one number")
        self._watches[watch.number] = watch
        return watch


def _changes(answer: Answer) -> list[Change]:
    require_descriptors(answer, 0)
    changes = answer.fields.get("events")
    if not isinstance(changes, list):
        raise ChannelError("changes must be an array")
    for change in changes:
        if not isinstance(change, dict) or not isinstance(change.get("name"), str):
            raise ChannelError("a change must have a name")
        if change.get("type") not in CHANGE_TYPES or not change.keys() <= {"name", "type", "entry"}:
            raise ChannelError("a change must have a type, and nothing else but an entry")
        if "entry" in change:
            checked_entry(change["entry"])
    return changes
