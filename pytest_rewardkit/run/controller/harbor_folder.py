"""Writes ``reward.json`` for Harbor's verifier into a folder, at the session's end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.errors import UnscoredError
from pytest_rewardkit.reports.harbor import harbor_rewards
from pytest_rewardkit.run.controller.ctrf_file import write_json
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from pytest_rewardkit.run.controller.plugin import ControllerPlugin


class HarborFolder:
    """Writes ``reward.json``. If the reward is not known, it writes none and the run fails.

    Parameters:
        folder: where to write, relative to the directory pytest started in.

    Raises pytest.UsageError if an earlier ``reward.json``, which the code under test may have written,
    cannot be removed.
    """

    def __init__(self, config: pytest.Config, folder: str, controller: ControllerPlugin) -> None:
        self._config = config
        self._path = config.invocation_params.dir / Path(folder).expanduser() / "reward.json"
        self._controller = controller
        self._failure = ""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise pytest.UsageError(f"--rewardkit-harbor: {self._path}: {error.strerror or error}") from None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        controller = self._controller
        try:
            rewards = harbor_rewards(
                controller.ledger, complete=controller.complete, uncollected=controller.uncollected
            )
            if not rewards:
                raise UnscoredError("no test earned a reward")
            write_json(self._path, rewards)
        except (UnscoredError, OSError) as error:
            reason = f"{self._path}: {error.strerror or error}" if isinstance(error, OSError) else str(error)
            self._failure = one_line(reason, 500)
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._failure:
            terminalreporter.write_line(f"no reward for Harbor: {self._failure}", red=True)
        elif self._config.get_verbosity() >= 0:
            terminalreporter.write_line(f"reward for Harbor: {self._path}")
