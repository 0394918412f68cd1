"""Items for one listener from a source that does not wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

HIGH_WATER_BYTES = 256 * 2**10


class Subscription(Generic[T]):
    """A queue between a source that calls and one listener that awaits.

    Parameters:
        on_room: called when the listener has emptied the full queue, so that the source may continue.
    """

    def __init__(self, on_room: Callable[[], None] = lambda: None) -> None:
        self._items: list[T] = []
        self._bytes = 0
        self._ended = False
        self._discarding = False
        self._woken = False
        self._on_room = on_room
        self._waiter: asyncio.Future[None] | None = None

    @property
    def full(self) -> bool:
        """Whether the source should stop until `on_room`."""
        return self._bytes >= HIGH_WATER_BYTES

    @property
    def ended(self) -> bool:
        """Whether everything has been put and taken."""
        return self._ended and not self._items

    def put(self, item: T, size: int = 0, *, wake: bool = True) -> None:
        """Add an item. Ignored after `end` and `discard`.

        Parameters:
            item: the item.
            size: how many bytes of memory it takes.
            wake: whether the listener gets it now, or only with the next item that wakes it.
        """
        if not self._ended and not self._discarding:
            self._items.append(item)
            self._bytes += size
            if wake or self.full:
                self.wake()

    def end(self) -> None:
        """Announce that no more items will come."""
        self._ended = True
        self.wake()

    def discard(self) -> None:
        """Drop present and later items: nobody listens any more, but the source should continue."""
        self._discarding = True
        self._items.clear()
        was_full, self._bytes = self.full, 0
        if was_full:
            self._on_room()

    def wake(self) -> None:
        """Give the listener what is there."""
        self._woken = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def take(self, timeout: float | None = None) -> list[T]:
        """The items so far, oldest first; waits until it is woken or ended.

        Parameters:
            timeout: seconds after which it returns what there is; None waits forever.

        Returns:
            The items; an empty list if none came within `timeout`, or if it has `ended`.
        """
        if not self._woken:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = loop.call_later(timeout, self.wake) if timeout is not None else None
            try:
                await self._waiter
            finally:
                self._waiter = None
                if timer is not None:
                    timer.cancel()
        self._woken = self._ended
        items, self._items = self._items, []
        was_full, self._bytes = self.full, 0
        if was_full:
            self._on_room()
        return items
