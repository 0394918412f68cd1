"""Directories of sandboxes that share the host's file system (levels without a root of their own)."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Final

from pytest_rewardkit.local.guest import root

_HOME: Final = "home"
_TEMPORARY: Final = "tmp"


@dataclass(frozen=True, slots=True)
class Directories:
    """Where a sandbox's own directories are in the file system that its processes see.

    Paths that cross the channel are the guest's (/home/user/...); at levels with a private root both are the same.
    """

    home: str = root.HOME
    temporary: str = root.TEMPORARY

    def real_path(self, path: str) -> str:
        """Return where a guest's absolute path really is; code may have found out the real one, which stays."""
        if _move(path, {self.home: "", self.temporary: ""}) != path:
            return path
        return _move(path, {root.HOME: self.home, root.TEMPORARY: self.temporary})

    def guest_path(self, path: str) -> str:
        """Return how a guest calls a real path."""
        return _move(path, {self.home: root.HOME, self.temporary: root.TEMPORARY})


class Homes:
    """Makes and removes the directories; lives in the fork server, outside of all sandboxes."""

    def __init__(self) -> None:
        self.base = tempfile.mkdtemp(prefix="rewardkit-homes-")
        # Other users pass through to their own sandbox, and see nobody else's.
        os.chmod(self.base, 0o711)

    def make(self, name: str, user_id: int | None) -> Directories:
        """Make one sandbox's directories.

        Parameters:
            user_id: their owner, where that is not this process's user.
        """
        top = os.path.join(self.base, name)
        directories = Directories(os.path.join(top, _HOME), os.path.join(top, _TEMPORARY))
        for path in (top, directories.home, directories.temporary):
            os.mkdir(path, 0o700)
            if user_id is not None:
                os.chown(path, user_id, user_id)
        return directories

    def start_removing(self, name: str) -> subprocess.Popen[bytes]:
        """Start to remove one sandbox's directories, in a process to be waited for.

        rm and chmod walk by descriptors, so neither links nor depth nor odd names left there lead them astray.
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
        """Remove the base, with what is left in it."""
        for name in os.listdir(self.base):
            self.start_removing(name).wait()
        shutil.rmtree(self.base, ignore_errors=True)


def _move(path: str, places: dict[str, str]) -> str:
    for old, new in places.items():
        if path == old or path.startswith(f"{old}/"):
            return new + path[len(old) :]
    return path
