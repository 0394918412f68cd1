"""The real paths of a sandbox's files if it has no root of its own and uses the machine's file system. Pure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.guest.homes import GUEST_PREFIXES, VAR_TEMPORARY

if TYPE_CHECKING:
    from collections.abc import Sequence

_GUEST_PREFIXES: Final = tuple(os.fsencode(path) for path in GUEST_PREFIXES)
_VAR_TEMPORARY: Final = os.fsencode(VAR_TEMPORARY)
# Links in these directories may lead to the sandbox's own files.
_MAY_LEAD_HOME: Final = (b"/proc/", b"/dev/")


class Paths:
    """Translates between the guest's names of paths and the real ones.

    Parameters:
        top: the directory that holds a sandbox's own directories, without links.
        spared: paths of the host that keep their meaning, though they lie in a directory that the guest replaces.
    """

    def __init__(self, top: str, spared: Sequence[str]) -> None:
        self.top = os.fsencode(top)
        own = [os.fsencode(path) for path in (top, *spared)]
        self._spared = tuple(path for path in own if _below_any(path, _GUEST_PREFIXES))
        ancestors = {ancestor for path in self._spared for ancestor in _ancestors(path)}
        # The directories that lead to them have to be visible, too.
        self._leading = frozenset(ancestor for ancestor in ancestors if ancestor not in _GUEST_PREFIXES)

    def real(self, path: bytes) -> bytes | None:
        """Return where a guest's path really is; None if it is real already."""
        if not path.startswith(b"/"):
            return None
        given = path
        if b"//" in path or b"/." in path:
            path = _without_detours(path)
        if not path.startswith(_GUEST_PREFIXES):
            # The path leaves a directory by "..", and the host may lack the directory to start from.
            return path if _below_any(given, _GUEST_PREFIXES) else None
        stripped = path.rstrip(b"/")
        if not _below_any(stripped, _GUEST_PREFIXES) or _below_any(stripped, self._spared) or stripped in self._leading:
            return None
        return self.top + path

    def below_top(self, path: bytes) -> bytes | None:
        """Return the path from the top to a path of the sandbox's own, if no link is on it; None for other paths."""
        if not path.startswith(b"/"):
            return None
        path = b"/" + os.path.normpath(path).lstrip(b"/")
        real = self.real(path) or path
        if not _below(real, self.top):
            return None
        way = real[len(self.top) :]
        if _below(way, _VAR_TEMPORARY):  # /var/tmp is itself a link
            way = way.removeprefix(b"/var")
        return way[1:] if _below_any(way, _GUEST_PREFIXES) else None

    def is_own(self, real: bytes) -> bool:
        """Return whether a real path is the sandbox's own."""
        return _below(real, self.top)

    def guest(self, path: bytes) -> bytes:
        """Return the guest's name of a real path."""
        if not _below(path, self.top):
            return path
        return path[len(self.top) :] or b"/"

    def may_answer_with_own(self, path: bytes) -> bool:
        """Return whether reading the link at this real path may give a path of the sandbox's own."""
        return not path.startswith(b"/") or path.startswith((self.top, *_MAY_LEAD_HOME))


def _below(path: bytes, prefix: bytes) -> bool:
    return path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in (b"", b"/")


def _below_any(path: bytes, prefixes: Sequence[bytes]) -> bool:
    return any(_below(path, prefix) for prefix in prefixes)


def _without_detours(path: bytes) -> bytes:
    """Return an absolute path whose start is resolved; the kernel follows links further on."""
    squeezed = b"/" + path.lstrip(b"/")
    for prefix in _GUEST_PREFIXES:
        if _below(squeezed, prefix) and not _climbs(squeezed[len(prefix) :]):
            return squeezed
    return b"/" + os.path.normpath(path).lstrip(b"/")


def _climbs(rest: bytes) -> bool:
    """Return whether the rest of a path leads out of its directory."""
    depth = 0
    for name in rest.split(b"/"):
        if name == b"..":
            depth -= 1
        elif name not in (b"", b"."):
            depth += 1
        if depth < 0:
            return True
    return False


def _ancestors(path: bytes) -> list[bytes]:
    names = path.split(b"/")
    return [b"/".join(names[:count]) for count in range(2, len(names))]
