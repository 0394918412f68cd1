"""Resets a sandbox to an earlier state without extra interpreters, processes or files, and verifies that.

The checks in the sandbox use only the system's own programs, with no influence of the candidate: not its home, whose
start-up files a shell reads, and not its variables. They run when no process of the candidate's user is left.
"""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.sandboxes.reuse.state import (
    State,
    changed_paths,
    new_paths,
    read_files,
    read_processes,
    strange_processes,
)
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.sandboxes.reuse.state import SeenProcess

PLACES: Final = ("/home/user", "/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - in the sandbox
"""Places where a candidate can leave files."""

MAX_LISTING: Final = 4_000_000
MAX_PATHS: Final = 500
ROUNDS: Final = 5
"""How often remaining processes are killed. A process that keeps getting new children is given up."""

SECONDS: Final = 120

_ENVIRONMENT: Final = {"HOME": "/", "PATH": "/usr/bin:/bin", "BASH_ENV": "", "LD_PRELOAD": "", "LC_ALL": "C"}

# Uses shell builtins only. It reads the whole file, because a process may have line breaks in its name.
_PROCESSES: Final = r"""
printf '%s\0' $$
for place in /proc/[0-9]*; do
    stat= own=0
    { IFS= read -r -d '' stat < "$place/stat"; } 2>/dev/null
    [ -O "$place" ] && own=1
    [ -n "$stat" ] && printf '%s\0%s\0%s\0' "${place#/proc/}" "$own" "$stat"
done
true
"""

# A candidate can set any time of a file except its change time.
_FILES: Final = (
    rf"for place in {' '.join(PLACES)}; do [ -d $place ] && "
    r"find $place -xdev -printf '%p\0%y\0%U\0%m\0%i\0%s\0%C@\0' 2>/dev/null; done | "
    f"head -c {MAX_LISTING}"
)

_RIGHTS: Final = "[ $(id -u) = 0 ] || { command -v sudo && sudo -n true; } >/dev/null 2>&1 && echo all; true"


class NotCleanError(Exception):
    """A sandbox cannot be reset, or cannot be verified."""


def observe(sandbox: Sandbox) -> State:
    """Return a sandbox's processes and files.

    Raises:
        NotCleanError: they cannot be read.
    """
    files = _said(sandbox, _FILES)
    if len(files.encode()) >= MAX_LISTING:
        raise NotCleanError("there are too many files to look through")
    try:
        return State(_processes(sandbox), read_files(files))
    except ValueError as error:
        raise NotCleanError(f"its files cannot be told: {error}") from error


def _processes(sandbox: Sandbox) -> frozenset[SeenProcess]:
    teller, _, processes = _said(sandbox, _PROCESSES).partition("\0")
    try:
        return read_processes(processes, but=int(teller))
    except (ValueError, IndexError) as error:
        raise NotCleanError(f"its processes cannot be told: {error}") from error


def require_lesser_user(sandbox: Sandbox) -> None:
    """Refuse a sandbox whose user can do anything in it, because nothing that it reports can be trusted.

    Raises:
        RewardkitUsageError: the user can become root.
        NotCleanError: the user's rights cannot be read.
    """
    if _said(sandbox, _RIGHTS):
        raise RewardkitUsageError(
            "in sandboxes of this template any code can become root, so that nothing shows whether one is as before; "
            "use --rewardkit-sandbox-scope=function, or a template whose user has no sudo"
        )


def reset(sandbox: Sandbox, before: State) -> frozenset[SeenProcess]:
    """End all interpreters and processes, and remove all files that were not there before.

    Returns:
        The processes that are there now, including a fresh interpreter.

    Raises:
        NotCleanError: the sandbox is not as it was.
    """
    try:
        old = _contexts(sandbox)
        for context in old:
            again(partial(sandbox.remove_code_context, context))
        now = _without_processes(sandbox, before)
        if paths := new_paths(now, before):
            _remove(sandbox, paths)
            now = observe(sandbox)
        _require_as_before(now, before)
        execution = sandbox.run_code("pass")
        left = old & _contexts(sandbox)
    except NotCleanError:
        raise
    except Exception as error:
        raise NotCleanError(one_line(f"{type(error).__name__}: {error}", 300)) from error
    if left or execution.error is not None or execution.execution_count != 1:
        raise NotCleanError("its interpreter is not a fresh one")
    return _processes(sandbox)


def _contexts(sandbox: Sandbox) -> set[str]:
    return {context.id for context in again(sandbox.list_code_contexts)}


def _without_processes(sandbox: Sandbox, before: State) -> State:
    for _ in range(ROUNDS):
        if not (strange := strange_processes(_processes(sandbox), before)):
            break
        _said(sandbox, f"kill -9 {' '.join(str(process.pid) for process in strange)} 2>/dev/null; true")
    return observe(sandbox)


def _remove(sandbox: Sandbox, paths: Sequence[str]) -> None:
    if len(paths) > MAX_PATHS:
        raise NotCleanError(f"{len(paths)} files and folders are new")
    # The next look still finds files that could not be removed.
    _said(sandbox, f"rm -rf --one-file-system -- {shlex.join(paths)} >/dev/null 2>&1; true")


def _require_as_before(now: State, before: State) -> None:
    if strange := strange_processes(now.processes, before):
        raise NotCleanError(f"{len(strange)} processes cannot be ended")
    if paths := new_paths(now, before):
        raise NotCleanError(f"{_path(paths)} cannot be removed")
    if paths := changed_paths(now, before):
        raise NotCleanError(f"{_path(paths)} has been changed")


def _path(paths: Sequence[str]) -> str:
    return one_line(repr(paths[0]), 100)


def _said(sandbox: Sandbox, command: str) -> str:
    """Run a command that may run twice, and return what it has printed."""
    from e2b import CommandExitException

    def once() -> Any:
        try:
            return sandbox.commands.run(command, envs=_ENVIRONMENT, cwd="/", timeout=SECONDS)
        except CommandExitException as error:
            raise NotCleanError(one_line(f"{type(error).__name__}: {error}", 300)) from error

    try:
        result = again(once)
    except NotCleanError:
        raise
    except Exception as error:
        raise NotCleanError(one_line(f"{type(error).__name__}: {error}", 300)) from error
    return str(result.stdout)
