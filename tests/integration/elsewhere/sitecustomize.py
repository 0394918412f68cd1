"""Removes what another platform lacks from each Python process that has this folder on its path.

Modules of pytest, the standard library and the SDK that need this machine are imported first. `another_platform.py`
changes the platform's name after pytest has started.
"""

import importlib.abc
import os
import signal
import socket
import sys
import types

PLATFORM = os.environ["ELSEWHERE"]
LINUX_ONLY = {"landlock", "landlockpy", "seccompy"}
POSIX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty", "_posixshmem", "readline"}
OURS_IN_LINUX = "pytest_rewardkit.local.guest"


class Absent(importlib.abc.MetaPathFinder):
    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in self.names or name.startswith(OURS_IN_LINUX):
            raise ModuleNotFoundError(f"No module named {name!r}, as on {PLATFORM}", name=name)
        return


def take_away(module, *names):
    for name in names:
        if hasattr(module, name):
            delattr(module, name)


import asyncio  # noqa: E402, F401
import concurrent.futures  # noqa: E402, F401
import ctypes.util  # noqa: E402, F401
import email.message  # noqa: E402, F401
import getpass  # noqa: E402, F401
import multiprocessing.util  # noqa: E402, F401
import pathlib  # noqa: E402, F401
import shutil  # noqa: E402, F401
import subprocess  # noqa: E402
import tarfile  # noqa: E402, F401
import tempfile  # noqa: E402, F401
import urllib.request  # noqa: E402, F401
import zipfile  # noqa: E402, F401

import _pytest.capture  # noqa: E402
import _pytest.faulthandler  # noqa: E402
import _pytest.pathlib  # noqa: E402
import _pytest.tmpdir  # noqa: E402, F401
import e2b_code_interpreter  # noqa: E402, F401
import execnet.gateway_base  # noqa: E402, F401
import pytest  # noqa: E402, F401

import pytest_rewardkit.sandboxes.quota.lock  # noqa: E402, F401

take_away(os, "pidfd_open", "sched_getaffinity", "memfd_create", "setns", "unshare", "sched_setaffinity")
absent = set(LINUX_ONLY)
if PLATFORM == "win32":
    absent |= POSIX_ONLY
    take_away(os, "fork", "forkpty", "getuid", "geteuid", "getgid", "getegid", "getpgid", "killpg", "setsid", "pread")
    take_away(os, "pwrite", "mkfifo", "chown", "lchown", "uname", "getloadavg", "sysconf", "register_at_fork")
    take_away(os, "O_NOFOLLOW", "O_CLOEXEC", "O_DIRECTORY", "WNOHANG", "waitid", "posix_spawn")
    subprocess._USE_POSIX_SPAWN = False  # it is still this machine's `subprocess`
    take_away(signal, "SIGKILL", "SIGHUP", "SIGALRM", "setitimer", "SIGUSR1", "pthread_kill", "pthread_sigmask")
    take_away(socket, "AF_UNIX")
    # execnet asks Windows for these: pipes that pass bytes on unchanged.
    sys.modules["msvcrt"] = types.ModuleType("msvcrt")
    sys.modules["msvcrt"].setmode = lambda descriptor, mode: 0
    os.O_BINARY = 0
for name in [name for name in sys.modules if name.partition(".")[0] in absent]:
    del sys.modules[name]
sys.meta_path.insert(0, Absent(absent))
