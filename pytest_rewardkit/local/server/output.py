"""A candidate's output, limited in size and collected into pieces worth sending."""

from __future__ import annotations

import codecs


class OutputLimit:
    """Admits a number of bytes, and no more.

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
        """The one line that reports dropped output, the first time that `dropped` is not 0; else nothing."""
        if self._noted or not dropped:
            return b""
        self._noted = True
        return f"\n[output beyond {self._limit_mb} MiB was dropped]\n".encode()


class TextBuffer:
    """Collects one stream's bytes, to be taken as text."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._chunks: list[bytes] = []
        self.size = 0

    def add(self, data: bytes) -> None:
        """Collect `data`."""
        self._chunks.append(data)
        self.size += len(data)

    def take(self, *, final: bool = False) -> str:
        """The text so far; with `final`, a character that was cut in half becomes U+FFFD."""
        text = self._decoder.decode(b"".join(self._chunks), final)
        self._chunks.clear()
        self.size = 0
        return text
