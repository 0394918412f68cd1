"""What options and pyproject.toml ask of a run, put together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.pyproject import gates_in
from pytest_rewardkit.reports.results.file import Stored, read
from pytest_rewardkit.run.baseline import Baseline
from pytest_rewardkit.run.garbage import garbage_kept
from pytest_rewardkit.run.judge import Judge

if TYPE_CHECKING:
    import pytest

    from pytest_rewardkit.settings import Settings


def judge_of(config: pytest.Config, settings: Settings) -> Judge:
    """Return what decides the run. Raises RewardkitUsageError, with the place, for what cannot be asked."""
    if settings.fail_on is not None and settings.baseline is None:
        raise RewardkitUsageError(
            "--rewardkit-fail-on=regression needs an earlier run to compare with: --rewardkit-baseline=FILE"
        )
    confidence = settings.confidence
    return Judge(
        gates=gates_in(config.rootpath / "pyproject.toml", fail_under=settings.fail_under, confidence=confidence),
        baseline=_baseline_of(config, settings),
        fail_on_regression=settings.fail_on == "regression",
        confidence=confidence,
    )


def stored_in(config: pytest.Config, file: str | None, option: str, *, details: bool = True) -> Stored | None:
    """Return what a results file holds, named relative to the directory in which pytest was started; None for None.

    Parameters
    ----------
    details: as of `read`.

    Raises RewardkitUsageError, naming `option`, when it cannot be read.
    """
    if file is None:
        return None
    try:
        return read(config.invocation_params.dir / Path(file).expanduser(), details=details)
    except RewardkitUsageError as error:
        raise RewardkitUsageError(f"{option}: {error}") from None


def _baseline_of(config: pytest.Config, settings: Settings) -> Baseline | None:
    with garbage_kept():
        earlier = stored_in(config, settings.baseline, "--rewardkit-baseline", details=False)
        return None if earlier is None else Baseline.of(earlier.ledger, earlier.path.name, earlier.unfinished)
