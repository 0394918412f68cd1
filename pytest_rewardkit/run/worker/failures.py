"""What a failing test leaves for those who look into it: how to run it again, and artifacts where they are asked for.

Only with ``--rewardkit``. This happens where tests run: what a candidate put out does not travel to where the run ends.
"""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pytest_rewardkit.run.transport.node_ids import name_of, plain
from pytest_rewardkit.run.worker.recorder_of import recorder_of

if TYPE_CHECKING:
    from pytest_rewardkit.reward import Reward
    from pytest_rewardkit.settings import RunSettings

SECTION: Final = "Run it again"

_RUNS: Final = pytest.StashKey[int]()


class Failures:
    """Adds a section to the reports of tests that failed by their reward, and writes folders of artifacts.

    Parameters:
        config: the session's config.
        settings: what the user asked for.

    Raises pytest.UsageError where artifacts cannot be written.
    """

    def __init__(self, config: pytest.Config, settings: RunSettings) -> None:
        self._config = config
        self._settings = settings
        self._when = settings.artifacts_when
        self._directory: Path | None = None
        if settings.artifacts is not None and self._when != "off":
            self._directory = config.invocation_params.dir.absolute() / Path(settings.artifacts).expanduser()
            if self._directory.exists() and not self._directory.is_dir():
                raise pytest.UsageError(f"--rewardkit-artifacts: {self._directory} is not a directory")

    @property
    def keeps_artifacts(self) -> bool:
        """Whether anything is to be written; if not, the hooks of this object have nothing to do."""
        return self._directory is not None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        run_number = item.stash[_RUNS] = item.stash.get(_RUNS, 0) + 1
        if run_number == 1:
            self._clear(item)

    def explain(self, item: pytest.Item, report: pytest.TestReport, reward: Reward) -> None:
        """Add to the report of a test's call how to look into it, once it is known whether the test has failed."""
        if not (report.failed or self._when == "always"):
            return
        lines = self._written(item, reward) if self.keeps_artifacts else []
        if report.failed:
            report.sections.append((SECTION, "\n".join([self._command(item), *lines])))

    def _command(self, item: pytest.Item) -> str:
        from pytest_rewardkit.text import printable

        _, colons, rest = plain(item.nodeid, self._config).partition("::")
        # A node id begins at the root directory, and an argument where pytest was started.
        path = os.path.relpath(item.path, self._config.invocation_params.dir)
        return f"pytest {shlex.quote(printable(path + colons + rest))}"

    def _written(self, item: pytest.Item, reward: Reward) -> list[str]:
        """Write what there is to keep, and return what to say about it."""
        from pytest_rewardkit.reports import artifacts
        from pytest_rewardkit.text import one_line

        assert self._directory is not None
        node_id, run_number = name_of(item), item.stash[_RUNS]
        folder = self._directory / artifacts.folder_name(node_id, run_number)
        recorder = recorder_of(item)
        files = artifacts.contents(
            node_id, reward, threshold=recorder.threshold, run_number=run_number, steps=recorder.steps
        )
        try:
            artifacts.write(folder, files)
        except OSError as error:
            # No reason to fail a test, nor a warning, which may be one.
            return [f"artifacts are not written: {one_line(str(error), 300)}"]
        if artifacts.SCRIPT not in files:
            return [f"artifacts: {folder}"]
        limits = {**self._settings.changed_limits(), **_own_limits(item)}
        options = "".join(f" --{name.replace('_', '-')}={value}" for name, value in limits.items())
        script = shlex.quote(str(folder / artifacts.SCRIPT))
        return [f"python -m pytest_rewardkit.local run{options} -- python {script}"]

    def _clear(self, item: pytest.Item) -> None:
        """Remove what an earlier run has kept of this test, so that what is there is of this run."""
        from pytest_rewardkit.reports import artifacts

        assert self._directory is not None
        node_id = name_of(item)
        run_number = 1
        # What cannot be removed cannot be written anew either, and that is told.
        with suppress(OSError):
            while (folder := self._directory / artifacts.folder_name(node_id, run_number)).is_dir():
                artifacts.clear(folder)
                run_number += 1


def _own_limits(item: pytest.Item) -> dict[str, int]:
    """Return the limits that the test's sandboxes had of their own; where they differ, those of the last one."""
    return {name: limit for *_, limits in recorder_of(item).sandboxes for name, limit in limits.items()}
