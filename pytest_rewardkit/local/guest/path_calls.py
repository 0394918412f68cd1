"""The system calls that wait for translation, and the positions of their path arguments."""

from __future__ import annotations

from typing import Final

from seccompy.syscalls import syscall_nr

PATH_ARGUMENTS: Final = {
    (0,): """
        access chdir chmod chown creat execve getxattr lchown lgetxattr listxattr llistxattr lremovexattr lsetxattr
        lstat mkdir mknod open readlink removexattr rmdir setxattr stat statfs truncate unlink utime utimes
    """,
    (1,): """
        execveat faccessat faccessat2 fchmodat fchmodat2 fchownat futimesat getxattrat inotify_add_watch listxattrat
        mkdirat mknodat newfstatat openat openat2 readlinkat removexattrat setxattrat statx unlinkat utimensat
    """,
    (0, 1): "link rename symlink",
    (0, 2): "symlinkat",
    (1, 3): "linkat renameat renameat2",
}
ANSWERS: Final = {"getcwd": 0, "readlink": 1, "readlinkat": 2}
"""Calls that answer with a path, and the position of the argument that says where to put it."""

SOCKETS: Final = ("bind", "connect")
"""Calls that the guest makes in the candidate's place."""
NAMES_OF_SOCKETS: Final = ("getpeername", "getsockname")
LOCKS: Final = ("fcntl", "flock", "inotify_init", "inotify_init1")
"""Calls that are made only for the sandbox's own files, as is `inotify_add_watch`."""


def names() -> list[str]:
    """Return the system calls that have to wait, as far as this machine has them."""
    listed = [name for names in PATH_ARGUMENTS.values() for name in names.split()]
    return [name for name in (*listed, "getcwd", *SOCKETS, *NAMES_OF_SOCKETS, *LOCKS) if number_of(name) is not None]


def number_of(name: str) -> int | None:
    """Return the number of a system call; None if this machine does not have it."""
    try:
        return syscall_nr(name)
    except ValueError:  # an older call, which newer machines lack
        return None
