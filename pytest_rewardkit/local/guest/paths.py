"""What a sandbox's paths are in the machine's file system, where it has no root of its own. Pure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.guest.homes import GUEST_PREFIXES, VAR_TEMPORARY

if TYPE_CHECKING:
    from collections.abc import Sequence

_GUEST_PREFIXES: Final = tuple(os.fsencode(path) for path in GUEST_PREFIXES)
_VAR_TEMPORARY: Final = os.fsencode(VAR_TEMPORARY)
# Links there may lead to what is a sandbox's own.
_MAY_LEAD_HOME: Final = (b"/proc/", b"/dev/")


class Paths:
    """The guest's names of paths and the real ones.

    Parameters:
        top: the directory below which a sandbox's own directories are, without links.
        spared: paths of the host that stay what they are, though they lie in a directory that the guest has its own of.
    """

    def __init__(self, top: str, spared: Sequence[str]) -> None:
        self.top = os.fsencode(top)
        own = [os.fsencode(path) for path in (top, *spared)]
        self._spared = tuple(path for path in own if _below_any(path, _GUEST_PREFIXES))
        ancestors = {ancestor for path in self._spared for ancestor in _ancestors(path)}
        # What leads to them has to be seen, too.
        self._leading = frozenset(ancestor for ancestor in ancestors if ancestor not in _GUEST_PREFIXES)

    def real(self, path: bytes) -> bytes | None:
        """Return where a guest's path really is; None where it is what it says."""
        if not path.startswith(b"/"):
            return None
        given = path
        if b"//" in path or b"/." in path:
            path = _without_detours(path)
        if not path.startswith(_GUEST_PREFIXES):
            # Out of a directory by its parents: the host may lack the one to start from.
            return path if _below_any(given, _GUEST_PREFIXES) else None
        stripped = path.rstrip(b"/")
        if not _below_any(stripped, _GUEST_PREFIXES) or _below_any(stripped, self._spared) or stripped in self._leading:
            return None
        return self.top + path

    def below_top(self, path: bytes) -> bytes | None:
        """Return the way from the top to a path of the sandbox's own, where no link is on it; None for others."""
        if not path.startswith(b"/"):
            return None
        path = b"/" + os.path.normpath(path).lstrip(b"/")
        real = self.real(path) or path
        if not _below(real, self.top):
            return None
        way = real[len(self.top) :]
        if _below(way, _VAR_TEMPORARY):  # it is a link itself
            way = way.removeprefix(b"/var")
        return way[1:] if _below_any(way, _GUEST_PREFIXES) else None

    def is_own(self, real: bytes) -> bool:
        """Return whether a real path is the sandbox's own."""
        return _below(real, self.top)

    def guest(self, path: bytes) -> bytes:
        """Return how the guest calls a real path."""
        if not _below(path, self.top):
            return path
        return path[len(self.top) :] or b"/"

    def may_answer_with_own(self, path: bytes) -> bool:
        """Return whether what is read at this path, which is real, may be a path of the sandbox's own."""
        return not path.startswith(b"/") or path.startswith((self.top, *_MAY_LEAD_HOME))


def _below(path: bytes, prefix: bytes) -> bool:
    return path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in (b"", b"/")


def _below_any(path: bytes, prefixes: Sequence[bytes]) -> bool:
    return any(_below(path, prefix) for prefix in prefixes)


def _without_detours(path: bytes) -> bytes:
    """Return an absolute path that begins with where it leads; links further on are the kernel's to follow."""
    squeezed = b"/" + path.lstrip(b"/")
    for prefix in _GUEST_PREFIXES:
        if _below(squeezed, prefix) and not _climbs(squeezed[len(prefix) :]):
            return squeezed
    return b"/" + os.path.normpath(path).lstrip(b"/")


def _climbs(rest: bytes) -> bool:
    """Return whether what follows a directory leads out of it."""
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
