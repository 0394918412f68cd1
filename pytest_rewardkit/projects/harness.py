"""A project in a sandbox: writes its files there, runs its tests, and reads their report."""

from __future__ import annotations

import secrets
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.errors import SandboxSpoilt, SandboxUnavailable, UnscoredError
from pytest_rewardkit.projects.ctrf import read_ctrf
from pytest_rewardkit.projects.junit import read_junit
from pytest_rewardkit.projects.outcomes import ProjectRun, UnreadableReport
from pytest_rewardkit.projects.tap import read_tap
from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.scorers.running.command_run import run_command
from pytest_rewardkit.scorers.running.failures import sandbox_failures
from pytest_rewardkit.scorers.running.scratch import scratch_path
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from e2b.sandbox.filesystem.filesystem import WriteEntry
    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.projects.project import Project
    from pytest_rewardkit.projects.sources import ProjectFile
    from pytest_rewardkit.scorers.running.command_run import CommandRun

FOLDER: Final = "/home/user/project"
STDOUT: Final = "-"
"""The name of a report that the command prints."""

MAX_REPORT: Final = 40_000_000
"""Most bytes of a report."""

_AT_ONCE: Final = 16_000_000
"""Bytes that one request writes."""

_REVERSED: Final = '''"""Runs the tests in the order that is the reverse of theirs."""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.reverse()
'''

_READERS: Final = {STDOUT: read_tap, ".tap": read_tap, ".json": read_ctrf}
"""Readers of reports, by the end of the report's name; all others are JUnit's."""

# This package belongs to pytest, not to the project: an environment may name it without having it.
_PYTEST_OPTIONS: Final = "-p no:rewardkit -p no:cacheprovider -o junit_family=xunit1"

# It opens a port as soon as pytest-xdist is installed too, which some isolation levels forbid.
_NO_RERUNS: Final = "-p no:rerunfailures"

# Variables by which something other than the project's own files would decide how tests run.
_ENVIRONMENT: Final = {
    "PYTEST_ADDOPTS": "",
    "PYTEST_PLUGINS": "",
    "PYTHONPATH": "",
    "PYTHONSTARTUP": "",
    "PYTHONDONTWRITEBYTECODE": "1",
    "BASH_ENV": "",
    "ENV": "",
}


class Harness:
    """Runs a project's tests in one sandbox.

    Parameters:
        sandbox: where they run; no code of a candidate has run in it.
        project: whose tests they are.
    """

    def __init__(self, sandbox: Sandbox, project: Project) -> None:
        self._sandbox = sandbox
        self._project = project

    def put(self, files: Mapping[str, ProjectFile]) -> None:
        """Create the project's folder with these files only. Raises SandboxUnavailable."""
        with sandbox_failures():
            if again(lambda: self._sandbox.files.exists(FOLDER)):
                again(lambda: self._sandbox.files.remove(FOLDER))
            again(lambda: self._sandbox.files.make_dir(FOLDER))
        self.write(files)

    def write(self, files: Mapping[str, ProjectFile]) -> None:
        """Write files into the project's folder. Raises SandboxUnavailable."""
        batch: list[WriteEntry] = []
        size = 0
        for path, file in files.items():
            batch.append({"path": f"{FOLDER}/{path}", "data": file.content})
            size += len(file.content)
            if size > _AT_ONCE or len(batch) >= 500:
                self._write(batch)
                batch, size = [], 0
        self._write(batch)
        programs = [path for path, file in files.items() if file.executable]
        for first in range(0, len(programs), 100):
            names = shlex.join(f"./{path}" for path in programs[first : first + 100])
            self._run(f"chmod +x {names}", self._project.time_limit)

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files from the project's folder. Raises SandboxUnavailable."""
        with sandbox_failures():
            again(lambda: [self._sandbox.files.remove(f"{FOLDER}/{path}") for path in paths])

    def set_up(self) -> None:
        """Run the project's own setup. Raises SandboxUnavailable, and UnscoredError if it fails."""
        if not self._project.setup:
            return
        run = self._run(self._project.setup, self._project.setup_time_limit)
        if run.status != 0:
            raise UnscoredError(f"the project's setup failed: {run.reason or _last(run)}")

    def test(self, *, reverse: bool = False) -> ProjectRun:
        """Run the tests once. Raises SandboxUnavailable.

        Parameters:
            reverse: whether to run them in reverse order, which only pytest can.
        """
        folder = scratch_path()
        report = self._project.report
        path = f"{folder}/{secrets.token_hex(8)}.xml" if report is None else f"{FOLDER}/{report}"
        with sandbox_failures():
            again(lambda: self._sandbox.files.make_dir(folder))
            if reverse:
                plugin = f"rewardkit_{secrets.token_hex(8)}"
                again(lambda: self._sandbox.files.write(f"{folder}/{plugin}.py", _REVERSED))
        command, envs = self._project.command, dict(self._project.envs)
        if report is None:
            command += f" {_PYTEST_OPTIONS} --junitxml={path}"
            if not self._project.reruns:
                command += f" {_NO_RERUNS}"
            if reverse:
                command += f" -p {plugin}"
                envs["PYTHONPATH"] = ":".join(filter(None, [folder, envs.get("PYTHONPATH", "")]))
        elif report != STDOUT:
            self._remove(path)  # one that the candidate has put there
        try:
            run = self._run(command, self._project.time_limit, envs)
            if run.verdict is not None:
                return ProjectRun(verdict=run.verdict, reason=run.reason, output=_output(run))
            return self._read(run, path)
        finally:
            self._remove(folder)

    def _read(self, run: CommandRun, path: str) -> ProjectRun:
        report = self._project.report
        output = _output(run)
        data = "".join(run.stdout).encode("utf-8", "surrogateescape") if report == STDOUT else self._content(path)
        if data is None:
            reason = f"the tests ended with status {run.status} and left no report"
            return ProjectRun((), run.status, Verdict.RUNTIME_ERROR, reason, output)
        read = next((read for ending, read in _READERS.items() if (report or "").endswith(ending)), read_junit)
        try:
            return ProjectRun(read(data), run.status, output=output)
        except UnreadableReport as error:
            return ProjectRun((), run.status, Verdict.RUNTIME_ERROR, one_line(str(error), 300), output)

    def _content(self, path: str) -> bytes | None:
        from e2b import NotFoundException

        def taken() -> bytes:
            content = bytearray()
            for chunk in self._sandbox.files.read(path, format="stream"):
                content += chunk
                if len(content) > MAX_REPORT:
                    break
            return bytes(content)

        try:
            with sandbox_failures():
                if again(lambda: self._sandbox.files.get_info(path)).symlink_target:
                    return None
                return again(taken)
        except SandboxSpoilt as error:
            if isinstance(error.__cause__, NotFoundException):
                return None
            raise

    def _run(self, command: str, limit: float, envs: Mapping[str, str] | None = None) -> CommandRun:
        given = {**_ENVIRONMENT, **(self._project.envs if envs is None else envs)}
        return run_command(self._sandbox, command, cwd=FOLDER, envs=given, limit=limit)

    def _write(self, batch: list[WriteEntry]) -> None:
        if batch:
            with sandbox_failures():
                again(lambda: self._sandbox.files.write_files(batch))

    def _remove(self, path: str) -> None:
        with suppress(SandboxUnavailable), sandbox_failures():
            again(lambda: self._sandbox.files.remove(path))


def _output(run: CommandRun) -> str:
    return "".join(run.stdout)[-8_000:] + "".join(run.stderr)[-8_000:]


def _last(run: CommandRun) -> str:
    lines = [line for line in _output(run).splitlines() if line.strip()]
    return one_line(lines[-1], 300) if lines else f"status {run.status}"
