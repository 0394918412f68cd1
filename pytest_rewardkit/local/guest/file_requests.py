"""The server's requests about a sandbox's files and about changes of them."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

from pytest_rewardkit.local.errors import Code, RequestError
from pytest_rewardkit.local.guest.watching import MAX_WATCHERS, DirectoryWatcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_rewardkit.local.guest.files import SandboxFiles
    from pytest_rewardkit.local.wire.frames import Message

Reply = tuple["Message", list[int]]
"""The answer to a request, and the descriptors that go with it, which are closed when sent."""


class FileRequests:
    """Serves these requests.

    Parameters:
        files: the sandbox's files.
        poll: gets the descriptors of watchers.

    Attributes:
        operations: the function that serves each request, by the request's name.
    """

    def __init__(self, files: SandboxFiles, poll: select.poll) -> None:
        self._files = files
        self._poll = poll
        self._watchers: dict[int, DirectoryWatcher] = {}
        self.operations: dict[str, Callable[[Message, tuple[int, ...]], Reply]] = {
            "stat": self._stat,
            "list": self._list,
            "mkdir": self._mkdir,
            "move": self._move,
            "remove": self._remove,
            "open": self._open,
            "watch": self._watch,
            "watch_events": self._watch_events,
            "unwatch": self._unwatch,
        }

    def events(self, ready: set[int]) -> Iterator[Message]:
        """Yield the changes behind those descriptors that belong to watchers."""
        for number in ready & self._watchers.keys():
            if changes := self._watchers[number].take():
                yield {"event": "changes", "watch": number, "changes": changes}

    def _stat(self, message: Message, _: tuple[int, ...]) -> Reply:
        return {"entry": self._files.stat(message.get("path"))}, []

    def _list(self, message: Message, _: tuple[int, ...]) -> Reply:
        return {"entries": self._files.list(message.get("path"), message.get("depth", 1))}, []

    def _mkdir(self, message: Message, _: tuple[int, ...]) -> Reply:
        return {"entry": self._files.mkdir(message.get("path"))}, []

    def _move(self, message: Message, _: tuple[int, ...]) -> Reply:
        return {"entry": self._files.move(message.get("source"), message.get("destination"))}, []

    def _remove(self, message: Message, _: tuple[int, ...]) -> Reply:
        self._files.remove(message.get("path"))
        return {}, []

    def _open(self, message: Message, _: tuple[int, ...]) -> Reply:
        entry, descriptor = self._files.open(message.get("path"), message.get("mode"), message.get("metadata"))
        return {"entry": entry}, [descriptor]

    def _watch(self, message: Message, _: tuple[int, ...]) -> Reply:
        if len(self._watchers) >= MAX_WATCHERS:
            raise RequestError(Code.RESOURCE_EXHAUSTED, f"there are {MAX_WATCHERS} watchers, which is the limit")
        watcher = DirectoryWatcher(
            self._files,
            message.get("path"),
            recursive=bool(message.get("recursive")),
            entries=bool(message.get("entries")),
        )
        self._watchers[watcher.fileno()] = watcher
        self._poll.register(watcher, select.POLLIN)
        return {"watch": watcher.fileno()}, []

    def _watch_events(self, message: Message, _: tuple[int, ...]) -> Reply:
        return {"changes": self._watcher(message).take()}, []

    def _unwatch(self, message: Message, _: tuple[int, ...]) -> Reply:
        watcher = self._watcher(message)
        self._poll.unregister(watcher)
        del self._watchers[watcher.fileno()]
        watcher.close()
        return {}, []

    def _watcher(self, message: Message) -> DirectoryWatcher:
        number = message.get("watch")
        if not isinstance(number, int) or number not in self._watchers:
            raise RequestError(Code.NOT_FOUND, f"no watcher {number!r}")
        return self._watchers[number]
