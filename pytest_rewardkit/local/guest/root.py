"""The file system of a sandbox: a read-only root made once, and each sandbox's own directories mounted into it.

The root holds the system's programs, the interpreter's environment and a few files in /etc that name `user`. It holds
nothing else of the host: no home directories, no project, no keys.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from typing import Final

from pytest_rewardkit.local.guest import etc, mounts
from pytest_rewardkit.local.guest.identity import GUEST_ID
from pytest_rewardkit.local.guest.layout import (
    DEVICES,
    HOME,
    READABLE_PROC,
    SHARED_MEMORY,
    SYSTEM_PATHS,
    TEMPORARY,
    environment_paths,
)
from pytest_rewardkit.local.guest.overlays import can_be_laid_over, lay_over, mount_points
from pytest_rewardkit.local.guest.own_packages import PIP_SETTINGS
from pytest_rewardkit.local.guest.resource_limits import MAX_FILES

# Each sandbox mounts its own directories over these.
_PRIVATE: Final = (HOME, TEMPORARY, SHARED_MEMORY)
_MOUNT_POINTS: Final = (*_PRIVATE, "/proc", "/dev/pts", "/mnt", "/run")
# Sandboxes get copies of the files in this directory, because it is small.
_COPIED: Final = "/etc"
# Parts of the host's tree that lie in a private directory wait here until a sandbox has mounted its own.
_STASH: Final = "/.stash"

_DEVICE_LINKS: Final = {
    "fd": "/proc/self/fd",
    "ptmx": "pts/ptmx",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}

_READ_ONLY: Final = mounts.MOUNT_ATTR_RDONLY | mounts.MOUNT_ATTR_NOSUID | mounts.MOUNT_ATTR_NODEV
_PLAIN: Final = mounts.MS_NOSUID | mounts.MS_NODEV
_ROOT_SIZE: Final = "32m"
_DEFAULT_DISK_MB: Final = 1024
_MAX_LINKS: Final = 40
_MAX_TERMINALS: Final = 64


def replace_root() -> None:
    """Make the working directory, which is a mount of this process's mount namespace, its root."""
    try:
        mounts.pivot_root(".", ".")
    except OSError:
        # Docker's filter of system calls forbids this to everybody, and so does the kernel on an initial file system.
        # Moved over the root, the directory is the namespace's root too, and nobody can reach what is below it.
        mounts.mount(".", "/", None, mounts.MS_MOVE)
        os.chroot(".")
    else:
        mounts.unmount(".", mounts.MNT_DETACH)
    os.chdir("/")


class Root:
    """The read-only root, built and entered by the fork server in a mount namespace of its own.

    Parameters:
        overlays: whether sandboxes get the host's directories, if possible, as their own file systems, laid over the
            host's, so that they lock and watch only their own files.
    """

    def __init__(self, *, overlays: bool) -> None:
        self._overlays = overlays
        self._placed: list[str] = []
        self._directories: list[str] = []
        self._own_directories: list[str] = []
        self._own_files: list[str] = []
        self._stashed: list[str] = []
        self._mount_point = ""

    def enter(self) -> None:
        """Build the root and make it this process's."""
        parent = tempfile.gettempdir()
        parent_directory = os.open(parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._mount_point = tempfile.mkdtemp(prefix="rewardkit-root-", dir=parent)
        try:
            self._build()
            os.chdir(self._mount_point)
            replace_root()
            if self._overlays:
                self._own_directories = [path for path in self._directories if self._can_be_own(path)]
            # This is for the fork server itself. Sandboxes do it again over their own directories.
            self._unstash()
        finally:
            # On the host it is an empty directory; only this namespace saw the mounts.
            with contextlib.suppress(OSError):
                os.rmdir(os.path.basename(self._mount_point), dir_fd=parent_directory)
            os.close(parent_directory)

    @property
    def shared_directories(self) -> tuple[str, ...]:
        """The machine's directories that sandboxes see directly, and whose locks they share with it."""
        own = set(self._own_directories)
        return tuple(path.removeprefix(_STASH) for path in self._directories if path not in own)

    def seal(self) -> None:
        """Make the root itself read-only, once nothing more has to be written into it."""
        mounts.set_mount_attributes("/", _READ_ONLY, recursive=False)

    def mount_private(self, owner: int, seen_as: int, disk_mb: int | None) -> None:
        """Mount a sandbox's own directories and terminals; call it in the sandbox's namespaces.

        Parameters:
            owner: the user and group id of `user`, in this process's user namespace.
            seen_as: the same id as the sandbox sees it.
            disk_mb: how much all its files together may take, in MiB.
        """
        for path in self._own_directories:
            lay_over(path)
        for path in self._own_files:
            mounts.mount(_copied_place(path), path, None, mounts.MS_BIND)
        options = f"size={disk_mb or _DEFAULT_DISK_MB}m,nr_inodes={MAX_FILES},mode=755"
        mounts.mount("tmpfs", "/mnt", "tmpfs", _PLAIN, options)
        for path in _PRIVATE:
            source = f"/mnt/{path.replace('/', '-')}"
            os.mkdir(source)
            if path == HOME:
                os.chown(source, owner, owner)
            else:
                os.chmod(source, 0o1777)
            mounts.mount(source, path, None, mounts.MS_BIND)
        if seen_as != GUEST_ID:
            _give_name(seen_as)
        mounts.unmount("/mnt", mounts.MNT_DETACH)
        self._unstash()
        terminals = f"newinstance,ptmxmode=0666,mode=620,max={_MAX_TERMINALS}"
        mounts.mount("devpts", "/dev/pts", "devpts", mounts.MS_NOSUID | mounts.MS_NOEXEC, terminals)

    def mount_proc(self) -> None:
        """Mount a sandbox's own /proc; call it in the sandbox's namespaces."""
        mounts.mount("proc", "/proc", "proc", _PLAIN | mounts.MS_NOEXEC)

    def cover_proc(self) -> None:
        """Hide this root's /proc except for its files about the machine; call it in a sandbox's namespaces."""
        mounts.mount("tmpfs", "/mnt", "tmpfs", _PLAIN, f"size={_ROOT_SIZE},mode=755")
        for path in filter(os.path.exists, READABLE_PROC):
            covering = f"/mnt/{os.path.basename(path)}"
            os.mknod(covering)
            mounts.mount(path, covering, None, mounts.MS_BIND)
        mounts.set_mount_attributes("/mnt", _READ_ONLY, recursive=True)
        mounts.mount("/mnt", "/proc", None, mounts.MS_MOVE)

    def _build(self) -> None:
        mounts.mount(None, "/", None, mounts.MS_REC | mounts.MS_PRIVATE)
        mounts.mount("tmpfs", self._mount_point, "tmpfs", _PLAIN, f"size={_ROOT_SIZE},mode=755")
        for path in _MOUNT_POINTS:
            os.makedirs(self._mount_point + path)
        os.makedirs(f"{self._mount_point}/var")
        os.symlink(TEMPORARY, f"{self._mount_point}/var/tmp")
        for path in (*SYSTEM_PATHS, *environment_paths()):
            self._place(path)
        for path in filter(os.path.isdir, sys.path):
            self._leave_empty(path)
        if not self._shown(settings := f"{sys.prefix}/pip.conf"):
            self._write(_location(settings), PIP_SETTINGS)
        self._stashed = self._stashed_entries()
        self._directories = [_COPIED, *mount_points(self._mount_point)]
        # The kernel only allows a fresh /proc to be mounted if a whole one is visible already.
        mounts.mount("/proc", f"{self._mount_point}/proc", None, mounts.MS_BIND | mounts.MS_REC)
        for name in DEVICES:
            self._write(f"/dev/{name}", "")
            mounts.mount(f"/dev/{name}", f"{self._mount_point}/dev/{name}", None, mounts.MS_BIND)
        for name, target in _DEVICE_LINKS.items():
            os.symlink(target, f"{self._mount_point}/dev/{name}")
        for path, text in (*etc.accounts(GUEST_ID).items(), *etc.FILES.items()):
            self._write(path, text)

    def _place(self, path: str, links: int = 0) -> None:
        """Show a path of the host read-only, along with the symbolic links that lead to it."""
        if links > _MAX_LINKS or not os.path.exists(path):
            return
        current = ""
        names = path.strip("/").split("/")
        for position, name in enumerate(names, start=1):
            current = f"{current}/{name}"
            if os.path.islink(current):
                self._link(current)
                target = os.path.join(os.path.dirname(current), os.readlink(current))
                self._place(os.path.normpath(os.path.join(target, *names[position:])), links + 1)
                return
        if self._shown(current):
            return
        inside = self._mount_point + _location(current)
        self._placed.append(current)
        if current.startswith(f"{_COPIED}/") or not os.path.isdir(current):
            _copy(current, inside)
            if self._overlays and not current.startswith(f"{_COPIED}/"):
                _copy(current, self._mount_point + _copied_place(current))
                self._own_files.append(_location(current))
            return
        os.makedirs(inside, exist_ok=True)
        mounts.mount(current, inside, None, mounts.MS_BIND | mounts.MS_REC)
        mounts.set_mount_attributes(inside, _READ_ONLY, recursive=True)

    def _leave_empty(self, path: str) -> None:
        """Show a directory of the host as empty: Python 3.15 complains if one that its environment names is missing."""
        if not self._shown(path) and _location(path) == path:
            os.makedirs(self._mount_point + path, exist_ok=True)

    def _link(self, path: str) -> None:
        inside = self._mount_point + _location(path)
        if not self._shown(path) and not os.path.lexists(inside):
            os.makedirs(os.path.dirname(inside), exist_ok=True)
            os.symlink(os.readlink(path), inside)

    def _shown(self, path: str) -> bool:
        return any(path == placed or path.startswith(f"{placed}/") for placed in self._placed)

    def _can_be_own(self, path: str) -> bool:
        """Whether a sandbox can lay its own directory over this one; that hides mounts below it."""
        return not any(other.startswith(f"{path}/") for other in self._directories) and can_be_laid_over(path)

    def _stashed_entries(self) -> list[str]:
        entries: list[str] = []
        for private in _PRIVATE:
            stash = self._mount_point + _STASH + private
            if os.path.isdir(stash):
                entries.extend(f"{private}/{name}" for name in sorted(os.listdir(stash)))
        return entries

    def _unstash(self) -> None:
        for path in self._stashed:
            stashed = _STASH + path
            if os.path.islink(stashed):
                os.symlink(os.readlink(stashed), path)
                continue
            if os.path.isdir(stashed):
                os.mkdir(path)
            else:
                os.mknod(path)
            mounts.mount(stashed, path, None, mounts.MS_BIND | mounts.MS_REC)

    def _write(self, path: str, text: str) -> None:
        inside = self._mount_point + path
        os.makedirs(os.path.dirname(inside), exist_ok=True)
        with open(inside, "w", encoding="utf-8") as file:
            file.write(text)


def _give_name(user_id: int) -> None:
    """Give the user the name `user` if its number is not the usual one, by files on the sandbox's own file system."""
    for path, text in etc.accounts(user_id).items():
        source = f"/mnt/{path.replace('/', '-')}"
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        mounts.mount(source, path, None, mounts.MS_BIND)


def _copy(path: str, inside: str) -> None:
    os.makedirs(os.path.dirname(inside), exist_ok=True)
    # Files that their owner lets nobody read are left out.
    with contextlib.suppress(shutil.Error, PermissionError):
        if os.path.isdir(path):
            shutil.copytree(path, inside, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy(path, inside)


def _copied_place(path: str) -> str:
    """Return where in /etc a file from elsewhere is copied to, so that each sandbox can have its own copy."""
    return f"{_COPIED}/.files{path.removeprefix(_STASH)}"


def _location(path: str) -> str:
    """Return where in the root a path of the host is shown first."""
    hidden = any(path.startswith(f"{private}/") for private in _PRIVATE)
    return _STASH + path if hidden else path
