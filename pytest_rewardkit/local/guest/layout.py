"""Where things are in a sandbox: its own directories, and the machine's files that it sees."""

from __future__ import annotations

import glob
import os
import sys
from functools import cache
from typing import Final

HOME: Final = "/home/user"
TEMPORARY: Final = "/tmp"
SHARED_MEMORY: Final = "/dev/shm"
HOST_NAME: Final = "sandbox"

SYSTEM_PATHS: Final = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/gnu/store",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/debian_version",  # pip must be able to read this if it exists
    "/etc/fonts",
    "/etc/inputrc",
    *sorted(glob.glob("/etc/java-*")),  # a JVM reads these when it starts, on Debian
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/perl",
    "/etc/pki/ca-trust/extracted",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/terminfo",
    "/etc/timezone",
    "/var/cache/fontconfig",
)
# An environment's directory may also be somebody's project, so only the parts of an environment are shown.
_ENVIRONMENT_PARTS: Final = (
    "bin",
    "conda-meta",
    "include",
    "lib",
    "lib32",
    "lib64",
    "libexec",
    "pyvenv.cfg",
    "share",
    "ssl",
)
PACKAGE_DIRECTORIES: Final = ("site-packages", "dist-packages")
READABLE_PROC: Final = tuple(
    f"/proc/{name}" for name in ("cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "uptime", "version")
)
"""The files of /proc that describe the machine, not its processes."""
DEVICES: Final = ("full", "null", "random", "urandom", "zero")
DEVICE_PATHS: Final = tuple(f"/dev/{name}" for name in DEVICES)


@cache
def environment_paths() -> tuple[str, ...]:
    """Return the paths that make up the running interpreter and its packages."""
    paths: list[str] = []
    for prefix in dict.fromkeys((sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)):
        paths.extend(os.path.join(prefix, part) for part in _ENVIRONMENT_PARTS)
    paths.extend(path for path in sys.path if os.path.basename(path) in PACKAGE_DIRECTORIES)
    return tuple(path for path in dict.fromkeys(paths) if os.path.exists(path))
