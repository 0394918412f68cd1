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

from pytest_rewardkit.run.node_ids import plain
from pytest_rewardkit.run.recording import recorder_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_rewardkit.reward import Reward
    from pytest_rewardkit.settings import Settings

SECTION: Final = "Run it again"

_ATTEMPT: Final = pytest.StashKey[int]()


class Failures:
    """Adds a section to the reports of tests that failed by their reward, and writes folders of artifacts.

    Parameters
    ----------
    config: the session's config.
    settings: what the user asked for.

    Raises pytest.UsageError where artifacts cannot be written.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._when = settings.artifacts_when
        self._directory: Path | None = None
        if settings.artifacts is not None and self._when != "off":
            self._directory = config.invocation_params.dir.absolute() / Path(settings.artifacts).expanduser()
            if self._directory.exists() and not self._directory.is_dir():
                raise pytest.UsageError(f"--rewardkit-artifacts: {self._directory} is not a directory")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if self._directory is None:
            return
        attempt = item.stash[_ATTEMPT] = item.stash.get(_ATTEMPT, 0) + 1
        if attempt == 1:
            self._clear(item)

    # Outermost, so that what a test is expected to fail is known.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.when != "call" or not (report.failed or self._when == "always"):
            return report
        reward = recorder_of(item).concluded()
        if reward is None:
            return report
        lines = self._written(item, reward) if self._directory is not None else []
        if report.failed:
            report.sections.append((SECTION, "\n".join([self._command(item), *lines])))
        return report

    def _command(self, item: pytest.Item) -> str:
        from pytest_rewardkit.text import printable

        file, colons, rest = plain(item.nodeid, self._config).partition("::")
        # A node id begins at the root directory, and an argument where pytest was started.
        path = os.path.relpath(self._config.rootpath / file, self._config.invocation_params.dir)
        return f"pytest {shlex.quote(printable(path + colons + rest))}"

    def _written(self, item: pytest.Item, reward: Reward) -> list[str]:
        """Write what there is to keep, and return what to say about it."""
        from pytest_rewardkit.reports import artifacts
        from pytest_rewardkit.text import one_line

        assert self._directory is not None
        node_id, attempt = plain(item.nodeid, self._config), item.stash[_ATTEMPT]
        folder = self._directory / artifacts.folder_name(node_id, attempt)
        threshold = recorder_of(item).threshold
        files = artifacts.contents(node_id, reward, threshold=threshold, attempt=attempt)
        try:
            artifacts.write(folder, files)
        except OSError as error:
            # No reason to fail a test, nor a warning, which may be one.
            return [f"artifacts are not written: {one_line(str(error), 300)}"]
        if artifacts.SCRIPT not in files:
            return [f"artifacts: {folder}"]
        script = shlex.quote(str(folder / artifacts.SCRIPT))
        return [f"python -m pytest_rewardkit.local run -- python {script}"]

    def _clear(self, item: pytest.Item) -> None:
        """Remove what an earlier run has kept of this test, so that what is there is of this run."""
        from pytest_rewardkit.reports import artifacts

        assert self._directory is not None
        node_id = plain(item.nodeid, self._config)
        attempt = 1
        # What cannot be removed cannot be written anew either, and that is told.
        with suppress(OSError):
            while (folder := self._directory / artifacts.folder_name(node_id, attempt)).is_dir():
                artifacts.clear(folder)
                attempt += 1
