"""Runs a command in whose processes some system calls are refused, as by a container's filter:
`python refusing.py CALL[,CALL ...] COMMAND [ARGUMENT ...]`."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from seccompy.filter import Action, Filter

from pytest_rewardkit.local.guest import syscalls


def without(*calls: str) -> list[str]:
    """The beginning of a command line whose processes cannot make these calls."""
    return [sys.executable, str(Path(__file__)), ",".join(calls)]


def main(calls: str, *command: str) -> None:
    rules = Filter(default=Action.ALLOW)
    for call in calls.split(","):
        rules.errno(call, errno.EPERM)
    syscalls.set_no_new_privileges()
    syscalls.load_seccomp_program(rules.program)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
