"""The files of one sandbox, as its guest sees them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.wire.answers import close_opened, entries, entry, nothing, regular_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_rewardkit.local.wire.answers import Entry
    from pytest_rewardkit.local.wire.peer import Peer


class GuestFiles:
    """Asks a guest about files.

    Parameters:
        peer: the connection to it.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def stat(self, path: str) -> Entry:
        """The entry of `path`. Raises GuestError, GuestGoneError."""
        return await self._peer.ask("stat", entry, path=path)

    async def list_directory(self, path: str, depth: int) -> list[Entry]:
        """The entries in a directory, down to `depth` levels. Raises GuestError, GuestGoneError."""
        return await self._peer.ask("list", entries, path=path, depth=depth)

    async def make_directory(self, path: str) -> Entry:
        """Make a directory and its parents. Raises GuestError, GuestGoneError."""
        return await self._peer.ask("mkdir", entry, path=path)

    async def move(self, source: str, destination: str) -> Entry:
        """Rename, and make the destination's parents. Raises GuestError, GuestGoneError."""
        return await self._peer.ask("move", entry, source=source, destination=destination)

    async def remove(self, path: str) -> None:
        """Remove a file or a whole directory. Raises GuestError, GuestGoneError."""
        await self._peer.ask("remove", nothing, path=path)

    async def open_file(self, path: str, mode: str, metadata: Mapping[str, str] | None = None) -> tuple[int, Entry]:
        """Open a regular file as the sandbox sees it.

        Parameters:
            path: absolute.
            mode: `r`; or `w`, which makes parents, and makes or empties the file.
            metadata: with `w`, replaces the file's metadata.

        Returns:
            The descriptor, which the caller owns, and the file's entry.

        Raises:
            GuestError: it could not be opened.
            GuestGoneError: the sandbox is gone.
        """
        fields: dict[str, Any] = {"path": path, "mode": mode}
        if metadata:
            fields["metadata"] = dict(metadata)
        opened = self._peer.request("open", regular_file, **fields)
        async with self._peer.patience("open"):
            try:
                return await asyncio.shield(opened)
            except asyncio.CancelledError:
                opened.add_done_callback(close_opened)
                raise
