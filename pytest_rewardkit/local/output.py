"""What a candidate writes, bounded, and put together into pieces worth sending."""

from __future__ import annotations

import asyncio
import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

COALESCE_SECONDS = 0.05
FLUSH_BYTES = 256 * 2**10


class OutputLimit:
    """Admits a number of bytes and no more.

    Parameters:
        limit_mb: the number, in MiB.
    """

    def __init__(self, limit_mb: int) -> None:
        self._limit_mb = limit_mb
        self._left = limit_mb * 2**20
        self._noted = False

    def admit(self, data: bytes) -> bytes:
        """The part of `data` that is within the limit."""
        admitted = data[: self._left]
        self._left -= len(admitted)
        return admitted

    def admit_whole(self, size: int) -> bool:
        """Whether something of `size` bytes that cannot be cut is within the limit."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def note(self, dropped: int) -> bytes:
        """The one line that says that output was dropped, the first time that `dropped` is not 0; else nothing."""
        if self._noted or not dropped:
            return b""
        self._noted = True
        return f"\n[output beyond {self._limit_mb} MiB was dropped]\n".encode()


class TextBuffer:
    """Collects one stream's bytes for a moment and hands them on as text, so that two prints make one piece.

    Parameters:
        on_text: called with each piece, never an empty one.
    """

    def __init__(self, on_text: Callable[[str], None]) -> None:
        self._on_text = on_text
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._chunks: list[bytes] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, data: bytes) -> None:
        """Collect `data`."""
        self._chunks.append(data)
        self._size += len(data)
        if self._size >= FLUSH_BYTES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(COALESCE_SECONDS, self.flush)

    def flush(self, *, final: bool = False) -> None:
        """Hand on what is there; with `final`, also a character that was cut in half, as U+FFFD."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        text = self._decoder.decode(b"".join(self._chunks), final)
        self._chunks.clear()
        self._size = 0
        if text:
            self._on_text(text)
