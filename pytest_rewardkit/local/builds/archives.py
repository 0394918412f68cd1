"""The packed files of builds, as the SDK sends them: they have no path, and only sandboxes unpack them."""

from __future__ import annotations

import os
import tarfile
import tempfile
from typing import IO, TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MAX_BYTES: Final = 2**31
"""The limit for all of them together."""
MAX_TEXT_BYTES: Final = 2**20
_GZIP: Final = b"\x1f\x8b"


class Archives:
    """All packed files of a server, by the digests that the SDK gives them."""

    def __init__(self) -> None:
        self._files: dict[str, IO[bytes]] = {}

    def __contains__(self, digest: object) -> bool:
        return digest in self._files

    async def add(self, digest: str, chunks: AsyncIterator[bytes]) -> None:
        """Keep a packed file.

        Raises:
            BuildError: there are too many bytes.
        """
        file = tempfile.TemporaryFile()  # noqa: SIM115 - it stays
        size = sum(os.fstat(other.fileno()).st_size for other in self._files.values())
        async for chunk in chunks:
            size += len(chunk)
            if size > MAX_BYTES:
                file.close()
                raise BuildError(f"the packed files of all builds have more than {MAX_BYTES >> 20} MiB")
            file.write(chunk)
        file.flush()
        if (older := self._files.get(digest)) is not None:
            older.close()
        self._files[digest] = file

    def open(self, digest: str) -> tuple[int, str]:
        """Return a separate descriptor, at the beginning of a packed file, and the options by which `tar` unpacks it.

        Raises:
            BuildError: there is no such packed file.
        """
        if digest not in self._files:
            raise BuildError("the files of this step have not been sent")
        descriptor = os.open(f"/proc/self/fd/{self._files[digest].fileno()}", os.O_RDONLY | os.O_CLOEXEC)
        return descriptor, "-xz" if os.pread(descriptor, 2, 0) == _GZIP else "-x"

    def text(self, digest: str, name: str) -> str:
        """Return a file's text.

        Raises:
            BuildError: there is no such file, or it is not text.
        """
        descriptor, _ = self.open(digest)
        try:
            with os.fdopen(descriptor, "rb") as file, tarfile.open(fileobj=file) as archive:
                member = archive.extractfile(name)
                return "" if member is None else member.read(MAX_TEXT_BYTES).decode()
        except (KeyError, tarfile.TarError, OSError, EOFError, UnicodeDecodeError, RecursionError) as error:
            raise BuildError(f"{name!r} cannot be read: {error}") from None
