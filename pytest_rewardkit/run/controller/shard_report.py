"""What a run says about itself if it is one shard of a larger run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit.run.worker.shard import split_in

if TYPE_CHECKING:
    from pytest_rewardkit.ledger.shard import Shard, Split
    from pytest_rewardkit.run.controller.plugin import ControllerPlugin


class ShardReport:
    """Tells the results and the terminal which part of all tests the run had.

    Parameters:
        shard: which shard the run is.
        controller: where its results end.
        leaves_results: whether the run leaves results to join.
    """

    def __init__(
        self, config: pytest.Config, shard: Shard, controller: ControllerPlugin, *, leaves_results: bool
    ) -> None:
        self._config = config
        self._shard = shard
        self._controller = controller
        self._leaves_results = leaves_results
        self._split: Split | None = None

    def end_fields(self) -> dict[str, Any]:
        """Return what the last line of the results says of the shard; nothing if no worker survived to tell."""
        return {} if self._split is None else {"shard": self._split._asdict()}

    def pytest_collection_finish(self) -> None:
        self._note(split_in(self._config))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._note(split_in(node))

    def _note(self, split: Split | None) -> None:
        if split is not None:
            self._split = split
            self._controller.of_other_shards = split.tests - len(split.places)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        # With more shards than tests, some shards have no test, and that is not a mistake.
        if self._split is not None and self._split.tests and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._config.get_verbosity() < -1 or self._config.getoption("collectonly"):
            return
        of = "" if self._split is None else f": {self._split}"
        terminalreporter.write_line(f"{self._shard}{of}; gates decide when all are joined by --rewardkit-from")
        if not self._leaves_results:
            terminalreporter.write_line("it leaves nothing to join; --rewardkit-results=FILE does", yellow=True)
