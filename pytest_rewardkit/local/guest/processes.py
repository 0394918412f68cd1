"""Commands that a guest starts in its sandbox, with pipes from the server or with their own terminal."""

from __future__ import annotations

import fcntl
import os
import resource
import struct
import subprocess
import termios
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.local.errors import Code, RequestError
from pytest_rewardkit.local.guest import landlock
from pytest_rewardkit.local.guest.os_errors import from_os_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_rewardkit.local.guest.plan import IsolationPlan
    from pytest_rewardkit.local.guest.resource_limits import ResourceLimits
    from pytest_rewardkit.local.guest.translation import Translator

_SHELLS: Final = ("bash", "sh")
_PRLIMIT: Final = "/usr/bin/prlimit"
_MAX_TERMINAL_SIZE: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class ProgramStart:
    """A program to run.

    Attributes:
        arguments: its name or path, and its arguments.
        environment: its whole environment.
        directory: its working directory, as the sandbox's processes see it.
    """

    arguments: list[str]
    environment: dict[str, str]
    directory: str


class Starter:
    """Starts commands with a plan's layers and a sandbox's limits.

    Parameters:
        translator: translates their paths, if needed.
        rules: the files that they may touch, if these are fewer than this process may touch.
    """

    def __init__(
        self,
        plan: IsolationPlan,
        limits: ResourceLimits,
        translator: Translator | None,
        rules: landlock.LandlockRules | None,
    ) -> None:
        self._plan = plan
        self._limits = limits
        self._translator = translator
        self._rules = rules

    def start(self, command: ProgramStart, stdio: Sequence[int]) -> int:
        """Start a command on three descriptors and return its pid; it leads its own session and group."""
        prefix = self._confining_prefix(command)
        if prefix is None:
            return self._spawn(command, stdio, self.confine)
        return self._spawn(replace(command, arguments=[*prefix, *command.arguments]), stdio, None)

    def start_in_terminal(self, command: ProgramStart, size: Any) -> tuple[int, int]:
        """Start a command in a new terminal.

        Parameters:
            size: {"cols": …, "rows": …}

        Returns:
            the pid and the terminal's other end, which the caller owns.
        """
        if not self._plan.private_root:
            raise RequestError(Code.FAILED_PRECONDITION, f"no terminals at isolation level {self._plan.level}")
        window = _window(size)
        try:
            master, slave = os.openpty()
        except OSError as error:
            raise from_os_error(error, "open a terminal") from error
        try:
            fcntl.ioctl(slave, termios.TIOCSWINSZ, window)
            return self._spawn(command, (slave, slave, slave), self._take_terminal), master
        except BaseException:
            os.close(master)
            raise
        finally:
            os.close(slave)

    def confine(self) -> None:
        """Confine this process, which becomes a candidate's, before its first instruction."""
        self._limits.apply_to_candidate()
        self._enter_nested_domain()
        if self._translator is not None:
            self._translator.enter()

    def _enter_nested_domain(self) -> None:
        """Keep this process and its children from signalling and tracing the guest, and from the guest's files.

        In a process namespace the guest is the first process, which the others cannot harm.
        """
        if self._rules is not None:
            landlock.restrict(self._rules, self._plan.landlock_abi)
        elif self._plan.landlock_abi and not self._plan.process_namespace:
            landlock.restrict_nested(self._plan.landlock_abi, signals=True)

    def _confining_prefix(self, command: ProgramStart) -> list[str] | None:
        """Return a program and arguments that start a command with what `confine` gives; None if no program can.

        With no function to call in between, this process's memory need not be copied for a moment. The copy takes
        longer than one more program. A missing program has to fail when it is started, so this is only for shells.
        """
        program = command.arguments[0]
        if (
            not self._plan.private_root
            or self._translator is not None
            or self._rules is not None
            or (self._plan.landlock_abi and not self._plan.process_namespace)
            or self._limits.processes is None
            or os.path.basename(program) not in _SHELLS
            or not all(os.path.isabs(path) and os.access(path, os.X_OK) for path in (program, _PRLIMIT))
            # The dynamic linker would do twice what these variables ask for.
            or any(name.startswith("LD_") for name in command.environment)
        ):
            return None
        _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
        processes = self._limits.processes if hard == resource.RLIM_INFINITY else min(self._limits.processes, hard)
        return [_PRLIMIT, f"--nproc={processes}", "--"]

    def _take_terminal(self) -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        self.confine()

    def _spawn(self, command: ProgramStart, stdio: Sequence[int], preparation: Callable[[], None] | None) -> int:
        name = command.arguments[0]
        stdin, stdout, stderr = stdio
        try:
            process = subprocess.Popen(
                self._without_login(command.arguments),
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=command.environment,
                cwd=command.directory,
                start_new_session=True,
                preexec_fn=preparation,
            )
        except OSError as error:
            if error.filename == command.directory:
                raise from_os_error(error, "working directory") from error
            raise from_os_error(error, f"start '{name}'") from error
        except (subprocess.SubprocessError, ValueError) as error:
            raise RequestError(Code.INVALID_ARGUMENT, f"start '{name}': {error}") from error
        # The guest reaps all its children on its own, so Popen must not wait for this one.
        process.returncode = 0
        return process.pid

    def _without_login(self, arguments: list[str]) -> list[str]:
        # On the host's file system a login shell reads the host's profile, which replaces PATH.
        login_shell = os.path.basename(arguments[0]) in _SHELLS and arguments[1:2] == ["-l"]
        return arguments[:1] + arguments[2:] if login_shell and not self._plan.private_root else arguments


def _window(size: Any) -> bytes:
    values = [size.get(name) for name in ("rows", "cols")] if isinstance(size, dict) else [None]
    for value in values:
        if not isinstance(value, int) or not 0 < value <= _MAX_TERMINAL_SIZE:
            raise RequestError(Code.INVALID_ARGUMENT, f"not the size of a terminal: {size!r}")
    return struct.pack("HHHH", *values, 0, 0)
