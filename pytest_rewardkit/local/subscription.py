"""What one listener has yet to hear of a source that does not wait."""

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
        on_room: called when the listener has taken what made the queue full, so that the source may go on.
    """

    def __init__(self, on_room: Callable[[], None] = lambda: None) -> None:
        self._items: list[T] = []
        self._bytes = 0
        self._ended = False
        self._discarding = False
        self._on_room = on_room
        self._waiter: asyncio.Future[None] | None = None

    @property
    def full(self) -> bool:
        """Whether the source had better stop until `on_room`."""
        return self._bytes >= HIGH_WATER_BYTES

    @property
    def ended(self) -> bool:
        """Whether everything has been put and taken."""
        return self._ended and not self._items

    def put(self, item: T, size: int = 0) -> None:
        """Add an item that stands for `size` bytes of memory. Ignored after `end` and `discard`."""
        if not self._ended and not self._discarding:
            self._items.append(item)
            self._bytes += size
            self._wake()

    def end(self) -> None:
        """Say that no more will come."""
        self._ended = True
        self._wake()

    def discard(self) -> None:
        """Drop what is there and what will come: nobody listens any more, but the source is to go on."""
        self._discarding = True
        self._items.clear()
        was_full, self._bytes = self.full, 0
        if was_full:
            self._on_room()

    async def take(self, timeout: float | None = None) -> list[T]:
        """What has come, oldest first; waits for at least one item.

        Parameters:
            timeout: seconds after which nothing is returned; None waits for ever.

        Returns:
            The items; an empty list after `timeout`, or when `ended`.
        """
        if not self._items and not self._ended:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = loop.call_later(timeout, self._wake) if timeout is not None else None
            try:
                await self._waiter
            finally:
                self._waiter = None
                if timer is not None:
                    timer.cancel()
        items, self._items = self._items, []
        was_full, self._bytes = self.full, 0
        if was_full:
            self._on_room()
        return items

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
