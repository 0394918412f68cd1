"""The command line of a container engine: Docker's, or Podman's, which takes the same words."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pytest_rewardkit.local.errors import ContainerError

COMMANDS = ("docker", "podman")
"""The commands to look for on PATH. Docker Desktop, OrbStack and Colima provide the first one."""

ANSWER_SECONDS = 15.0
"""How long an engine may take for a small answer; a Docker Desktop that sleeps takes some seconds to wake up."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A container engine that has answered."""

    program: str

    @classmethod
    def find(cls, command: str = "") -> Engine:
        """The engine to use.

        Parameters:
            command: the name or path of its command line; empty for the first of `COMMANDS` that answers.

        Raises:
            ContainerError: there is no such command, or its engine does not answer.
        """
        names = (command,) if command else COMMANDS
        programs = [program for name in names if (program := shutil.which(name))]
        if not programs:
            raise ContainerError(
                f"the container engine's command {command!r} is not on PATH"
                if command
                else "there is no container engine: neither docker nor podman is on PATH; install Docker, OrbStack, "
                "Colima or Podman, or name its command with the option docker-command"
            )
        reasons = []
        for program in programs:
            engine = cls(program)
            reason = engine._why_silent()
            if reason is None:
                return engine
            reasons.append(f"{engine.name} is there, but its engine does not answer, so start it: {reason}")
        raise ContainerError("; ".join(reasons))

    @property
    def name(self) -> str:
        """The command's name, as in `docker`."""
        return Path(self.program).stem

    def call(self, *arguments: str, seconds: float = ANSWER_SECONDS) -> subprocess.CompletedProcess[str]:
        """Run the command, with its output and errors in one.

        Parameters:
            arguments: the words after the command's name.
            seconds: how long it may take.

        Raises:
            ContainerError: it took longer, or could not be started.
        """
        try:
            return subprocess.run(
                [self.program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ContainerError(f"`{self.name} {arguments[0]}` has not answered within {seconds:g} s") from None
        except OSError as error:
            raise ContainerError(f"{self.program} cannot be started: {error.strerror}") from None

    def _why_silent(self) -> str | None:
        try:
            answer = self.call("ps", "--quiet")
        except ContainerError as error:
            return str(error)
        if answer.returncode == 0:
            return None
        return " ".join(answer.stdout.split())[-500:] or f"`{self.name} ps` ended with status {answer.returncode}"
