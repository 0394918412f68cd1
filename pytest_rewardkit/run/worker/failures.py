"""What a failing test leaves for debugging: how to run it again, and artifacts if they are enabled.

Only with ``--rewardkit``, and in the process that runs the test: a candidate's output does not travel to where the run
ends.
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
    """Adds a section to the reports of tests that failed because of their reward, and writes folders of artifacts.

    Parameters:
        config: the session's config.
        settings: what the user asked for.
    """

    def __init__(self, config: pytest.Config, settings: RunSettings) -> None:
        self._config = config
        self._settings = settings
        self._when = settings.artifacts_when
        self._directory: Path | None = None
        if settings.artifacts is not None and self._when != "off":
            self._directory = config.invocation_params.dir.absolute() / Path(settings.artifacts).expanduser()

    @property
    def keeps_artifacts(self) -> bool:
        """Whether artifacts are to be written; if not, the hooks of this object do nothing."""
        return self._directory is not None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        run_number = item.stash[_RUNS] = item.stash.get(_RUNS, 0) + 1
        if run_number == 1:
            self._clear(item)

    def explain(self, item: pytest.Item, report: pytest.TestReport, reward: Reward) -> None:
        """Add how to debug the test to the report of its call, once it is known whether the test has failed."""
        if not (report.failed or self._when == "always"):
            return
        lines = self._written(item, reward) if self.keeps_artifacts else []
        if report.failed:
            report.sections.append((SECTION, "\n".join([self._command(item), *lines])))

    def _command(self, item: pytest.Item) -> str:
        from pytest_rewardkit.text import printable

        _, colons, rest = plain(item.nodeid, self._config).partition("::")
        # A node id is relative to the root directory, an argument to the directory pytest started in.
        path = os.path.relpath(item.path, self._config.invocation_params.dir)
        return f"pytest {shlex.quote(printable(path + colons + rest))}"

    def _written(self, item: pytest.Item, reward: Reward) -> list[str]:
        """Write the artifacts, and return what to say about them."""
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
            # Not a reason to fail a test, and no warning, because a warning may fail it.
            return [f"artifacts are not written: {one_line(str(error), 300)}"]
        if artifacts.SCRIPT not in files:
            return [f"artifacts: {folder}"]
        limits = {**self._settings.changed_limits(), **_own_limits(item)}
        options = "".join(f" --{name.replace('_', '-')}={value}" for name, value in limits.items())
        script = shlex.quote(str(folder / artifacts.SCRIPT))
        return [f"python -m pytest_rewardkit.local run{options} -- python {script}"]

    def _clear(self, item: pytest.Item) -> None:
        """Remove what an earlier run kept of this test, so that everything there is from this run."""
        from pytest_rewardkit.reports import artifacts

        assert self._directory is not None
        node_id = name_of(item)
        run_number = 1
        # If removing fails, writing fails too, and that is reported.
        with suppress(OSError):
            while (folder := self._directory / artifacts.folder_name(node_id, run_number)).is_dir():
                artifacts.clear(folder)
                run_number += 1


def _own_limits(item: pytest.Item) -> dict[str, int]:
    """Return the limits of the test's own sandboxes; if they differ, those of the last one."""
    return {name: limit for *_, limits in recorder_of(item).sandboxes for name, limit in limits.items()}
