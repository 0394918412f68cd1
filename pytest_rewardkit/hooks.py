"""The hooks that conftest files and other plugins may implement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_rewardkit.ledger.ledger import Ledger
    from pytest_rewardkit.ledger.record import Record
    from pytest_rewardkit.sandboxes.provider import Provider


@pytest.hookspec(firstresult=True)
def pytest_rewardkit_provider(config: pytest.Config) -> Provider | None:
    """Return the source of this process's sandboxes, or None to leave the choice to ``--rewardkit-provider``.

    Called once in each process that needs sandboxes, and with ``--rewardkit`` also in the process where the run
    begins, for the header. Stops at the first result that is not None.

    :param config: The pytest config object.

    Use in conftest plugins
    =======================

    Any conftest file that is loaded when pytest starts can implement this hook.
    """


@pytest.hookspec
def pytest_rewardkit_modify_record(item: pytest.Item, record: Record) -> None:
    """Called with ``--rewardkit`` for each record that a test leaves, before it is reported; changes it in place.

    Runs in the process that ran the test: under pytest-xdist, in the worker.

    :param item: The test.
    :param record: What the test leaves behind: its reward, marker and sandboxes.

    Use in conftest plugins
    =======================

    Any conftest file can implement this hook; it is called for the tests below its directory.
    """


@pytest.hookspec
def pytest_rewardkit_summary(ledger: Ledger, config: pytest.Config) -> Iterable[str] | None:
    """Return lines to add at the end of the terminal's reward section.

    Called with ``--rewardkit`` once, in the process where the run ends: under pytest-xdist, in the controller.

    :param ledger: Every test's results, records and figures.
    :param config: The pytest config object.

    Use in conftest plugins
    =======================

    Any conftest file that is loaded when pytest starts can implement this hook.
    """
