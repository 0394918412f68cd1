"""Directories of sandboxes that share the host's file system (levels without a root of their own)."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Final

from pytest_rewardkit.local.guest import layout

_OWN: Final = (layout.HOME, layout.TEMPORARY, layout.SHARED_MEMORY)
VAR_TEMPORARY: Final = "/var/tmp"
GUEST_PREFIXES: Final = (*_OWN, VAR_TEMPORARY)
"""The sandbox's own directories, as guests name them."""


@dataclass(frozen=True, slots=True)
class Directories:
    """Where a sandbox's own directories are in the file system that its processes see.

    Paths that cross the channel are the guest's (/home/user/...). At levels with a private root both are the same.

    Attributes:
        top: the directory that holds them as a root would, so that a path with ".." leads from one to another.
    """

    top: str = ""

    @property
    def writable(self) -> tuple[str, ...]:
        """Where files may be made."""
        return tuple(self.top + path for path in _OWN)

    @property
    def home(self) -> str:
        """The home directory."""
        return self.top + layout.HOME

    @property
    def temporary(self) -> str:
        """The directory for temporary files."""
        return self.top + layout.TEMPORARY

    def real_path(self, path: str) -> str:
        """Return where a guest's absolute path really is; a path that is real already stays as it is."""
        if _below(path, self.top) or not any(_below(path, prefix) for prefix in GUEST_PREFIXES):
            return path
        return self.top + path

    def guest_path(self, path: str) -> str:
        """Return the guest's name of a real path."""
        return path[len(self.top) :] or "/" if _below(path, self.top) else path


class Homes:
    """Makes and removes the directories; lives in the fork server, outside all sandboxes."""

    def __init__(self) -> None:
        # A path without links, as the kernel shows it.
        self.base = os.path.realpath(tempfile.mkdtemp(prefix="rewardkit-homes-"))
        # Other users pass through to their own sandbox, and cannot list the others.
        os.chmod(self.base, 0o711)

    def make(self, name: str, user_id: int | None) -> Directories:
        """Make one sandbox's directories.

        Parameters:
            user_id: the owner of the directories; None for this process's user.
        """
        directories = Directories(os.path.join(self.base, name))
        made = [directories.top]
        for path in (*_OWN, os.path.dirname(VAR_TEMPORARY)):
            made += [directories.top + parent for parent in (os.path.dirname(path), path) if parent != "/"]
        for path in dict.fromkeys(made):
            os.mkdir(path, 0o700)
            if user_id is not None:
                os.chown(path, user_id, user_id)
        os.symlink(os.path.relpath(layout.TEMPORARY, os.path.dirname(VAR_TEMPORARY)), directories.top + VAR_TEMPORARY)
        return directories

    def start_removing(self, name: str) -> subprocess.Popen[bytes]:
        """Start a process that removes one sandbox's directories; the caller waits for it.

        rm and chmod walk by descriptors, so links, depth or odd names do not lead them astray.
        """
        remove = 'rm -rf --one-file-system -- "$1"'
        command = f'{remove} || {{ chmod -R u+rwx -- "$1"; {remove}; }}'
        return subprocess.Popen(
            ["/bin/sh", "-c", command, "sh", os.path.join(self.base, name)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def close(self) -> None:
        """Remove the base and all that is left in it."""
        for name in os.listdir(self.base):
            self.start_removing(name).wait()
        shutil.rmtree(self.base, ignore_errors=True)


def _below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory}/")
