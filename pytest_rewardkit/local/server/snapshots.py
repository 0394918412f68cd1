"""Copies of sandboxes' files, from which new sandboxes are made.

Each sandbox packs and unpacks its own files with its own rights, so that nothing in them can reach the host. The
packed files are in memory files of the server. They are sealed once they are complete, so a candidate that kept the
descriptor cannot change them any more.
"""

from __future__ import annotations

import fcntl
import itertools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_rewardkit.local.errors import SnapshotError
from pytest_rewardkit.local.server.sandbox import new_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_rewardkit.local.server.sandbox import Sandbox

MAX_SNAPSHOTS = 100
MAX_NAME_CHARACTERS = 128

_PACK = """
cd "{directory}" && find . -xdev -mindepth 1 -user "$(id -u)" -print0 |
    tar -c -f - --xattrs --null --no-recursion -T -
"""
_UNPACK = 'exec tar -x -f - -C "{directory}" --xattrs --xattrs-include="user.*" --no-same-owner --no-overwrite-dir'
_CHANGED_MEANWHILE = 1
_DIRECTORIES = ("$HOME", "${TMPDIR:-/tmp}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of a sandbox at one time.

    Parameters:
        id: its id; a sandbox whose template is this id is created from it.
        name: the name that its maker gave it.
        source: the sandbox that it was taken from.
        serial: its place in the order of creation.
        archives: a descriptor for each packed directory.
    """

    id: str
    name: str | None
    source: str
    serial: int
    archives: tuple[int, ...]


class Snapshots:
    """All snapshots of a server; they end with it."""

    def __init__(self) -> None:
        self._snapshots: dict[str, Snapshot] = {}
        self._serials = itertools.count(1)

    def get(self, name: str) -> Snapshot | None:
        """The snapshot with that id, else the newest one with that name."""
        named = [snapshot for snapshot in self._snapshots.values() if snapshot.name == name]
        return self._snapshots.get(name) or (named[-1] if named else None)

    def find(self, *, source: str | None, name: str | None) -> Iterator[Snapshot]:
        """The snapshots of a sandbox or with a name, or all."""
        for snapshot in self._snapshots.values():
            if (source is None or snapshot.source == source) and (name is None or name in (snapshot.name, snapshot.id)):
                yield snapshot

    async def take(self, sandbox: Sandbox, name: str | None) -> Snapshot:
        """Pack a sandbox's files.

        Raises:
            SnapshotError: they could not be packed, or there are too many snapshots.
            GuestError, GuestGoneError: the sandbox has failed.
        """
        if len(self._snapshots) >= MAX_SNAPSHOTS:
            raise SnapshotError(f"there are {MAX_SNAPSHOTS} snapshots, which is the limit")
        if name is not None and not 0 < len(name) <= MAX_NAME_CHARACTERS:
            raise SnapshotError(f"a snapshot's name has 1 to {MAX_NAME_CHARACTERS} characters")
        snapshot = await self.pack(sandbox, name)
        self._snapshots[snapshot.id] = snapshot
        return snapshot

    async def pack(self, sandbox: Sandbox, name: str | None) -> Snapshot:
        """Pack a sandbox's files for a caller that keeps them; raises as `take`."""
        archives: list[int] = []
        try:
            for directory in _DIRECTORIES:
                archives.append(os.memfd_create("snapshot", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING))
                status = await sandbox.guest.tools.run(_PACK.format(directory=directory), stdout=archives[-1])
                if status not in (0, _CHANGED_MEANWHILE):
                    raise SnapshotError(f"the sandbox's files could not be packed (exit status {status})")
                _seal(archives[-1])
        except BaseException:
            _close(archives)
            raise
        return Snapshot(new_id(), name, sandbox.id, next(self._serials), tuple(archives))

    async def restore(self, snapshot: Snapshot, sandbox: Sandbox) -> None:
        """Unpack a snapshot into a fresh sandbox.

        Raises:
            SnapshotError: it could not be unpacked.
            GuestError, GuestGoneError: the sandbox has failed.
        """
        for archive, directory in zip(snapshot.archives, _DIRECTORIES, strict=True):
            # A separate open file: sandboxes that unpack at the same time must not share a position.
            own = os.open(f"/proc/self/fd/{archive}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                status = await sandbox.guest.tools.run(_UNPACK.format(directory=directory), stdin=own)
            finally:
                os.close(own)
            if status != 0:
                raise SnapshotError(f"the snapshot could not be unpacked (exit status {status})")

    def delete(self, name: str) -> bool:
        """Forget the snapshot with that id or name; return whether there was one."""
        snapshot = self.get(name)
        if snapshot is None:
            return False
        del self._snapshots[snapshot.id]
        _close(snapshot.archives)
        return True


def _seal(descriptor: int) -> None:
    try:
        fcntl.fcntl(
            descriptor,
            fcntl.F_ADD_SEALS,
            fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL,
        )
    except OSError as error:
        raise SnapshotError(f"the packed files are still being written to: {error.strerror}") from error


def _close(descriptors: list[int] | tuple[int, ...]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
