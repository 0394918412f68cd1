"""Puts together what options and pyproject.toml ask of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.ledger.baseline import Baseline
from pytest_rewardkit.ledger.judge import Judge
from pytest_rewardkit.ledger.modes import MUTANTS
from pytest_rewardkit.ledger.pairing import ROW, label_of
from pytest_rewardkit.pyproject import gates_in
from pytest_rewardkit.reports.results.file import Stored, read
from pytest_rewardkit.reports.results.shards import Joined, join, shard_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from pytest_rewardkit.ledger.gate import Gate
    from pytest_rewardkit.settings import RunSettings


def judge_of(config: pytest.Config, settings: RunSettings, *, joins_shards: bool = False) -> Judge:
    """Return what decides the run.

    Parameters:
        joins_shards: whether the run is joined from shards.

    Raises RewardkitUsageError, with the place, for what is not possible.
    """
    if settings.pair_by is not None and not settings.baseline:
        raise RewardkitUsageError("--rewardkit-pair-by needs an earlier run to pair with: --rewardkit-baseline=FILE")
    if settings.fail_on is not None and not settings.baseline:
        raise RewardkitUsageError(
            "--rewardkit-fail-on=regression needs an earlier run to compare with: --rewardkit-baseline=FILE"
        )
    confidence = settings.confidence
    gates = gates_in(config.rootpath / "pyproject.toml", fail_under=settings.fail_under, confidence=confidence)
    chosen = [gate for gate in _applying(gates, settings.selfcheck) if gate.has_conditions]
    if settings.shard is not None:
        return Judge(chosen, waiting=f"this is {settings.shard}, and gates decide when all are joined")
    return Judge(
        gates=chosen,
        baselines=_baselines(config, settings),
        fail_on_regression=settings.fail_on == "regression",
        confidence=confidence,
        joins_shards=joins_shards,
    )


def with_options_of(shards: Joined, settings: RunSettings) -> RunSettings:
    """Return `settings`, with the shards' baselines and bounds for whatever the settings leave open."""
    given: dict[str, Any] = dict(shards.options)
    if "baseline" in given:
        given["baseline"] = tuple(given["baseline"])
    return settings._replace(**{name: value for name, value in given.items() if getattr(settings, name) is None})


def told_run(config: pytest.Config, settings: RunSettings) -> Stored | Joined | None:
    """Return the earlier run to decide and report again, joined from its shards if it has some; None if there is none.

    Raises RewardkitUsageError if a file is not such a run.
    """
    if settings.stored is None:
        return None
    files: list[Stored] = []
    unreadable: list[str] = []
    try:
        for path in _results_in(config, settings.stored):
            try:
                files.append(read(path))
            except RewardkitUsageError as error:
                unreadable.append(str(error))
        if len(files) == 1 and not unreadable and shard_of(files[0]) is None:
            return files[0]
        if all(shard_of(stored) is None for stored in files):
            runs = "; ".join(f"{stored.path} is a whole run, and no shard of one" for stored in files)
            raise RewardkitUsageError("; ".join([*unreadable, *([runs] if len(files) > 1 else [])]))
        return join(files, unreadable)
    except RewardkitUsageError as error:
        raise RewardkitUsageError(f"--rewardkit-from: {error}") from None


def _results_in(config: pytest.Config, names: Sequence[str]) -> list[Path]:
    """Return the named results files, and those in named directories at any depth."""
    found: dict[Path, None] = {}
    for name in names:
        path = config.invocation_params.dir / Path(name).expanduser()
        if not path.is_dir():
            found[path] = None
            continue
        inside = sorted(file for file in path.rglob("*") if file.name.endswith((".jsonl", ".jsonl.gz")))
        if not inside:
            raise RewardkitUsageError(f"{path} holds no results files (.jsonl or .jsonl.gz)")
        found.update(dict.fromkeys(inside))
    return list(found)


def stored_in(config: pytest.Config, file: str | None, option: str, *, details: bool = True) -> Stored | None:
    """Return the contents of a results file; None for None. The name is relative to the directory pytest started in.

    Parameters:
        details: as for `read`.

    Raises RewardkitUsageError, naming `option`, when it cannot be read.
    """
    if file is None:
        return None
    try:
        return read(config.invocation_params.dir / Path(file).expanduser(), details=details)
    except RewardkitUsageError as error:
        raise RewardkitUsageError(f"{option}: {error}") from None


def _applying(gates: Sequence[Gate], checks: Sequence[str] | None) -> list[Gate]:
    """Return the gates that apply to this run: of candidates, or of graders if graders are checked."""
    if checks is None:
        return [gate.of_candidates() for gate in gates]
    return [gate.of_graders() for gate in gates] if MUTANTS in checks else []


def _baselines(config: pytest.Config, settings: RunSettings) -> list[Baseline]:
    return [_baseline(config, file, settings) for file in settings.baseline or ()]


def _baseline(config: pytest.Config, file: str, settings: RunSettings) -> Baseline:
    by = settings.pair_by
    earlier = stored_in(config, file, "--rewardkit-baseline", details=False)
    assert earlier is not None
    tests = earlier.ledger.tasks
    # Otherwise no test has a pair, and every test counts as new or gone.
    if by is not None and not any(label_of(test, by) is not None for test in tests):
        params = {name for test in tests if test.known is not None for name in test.known.params}
        has_rows = any(label_of(test, ROW) is not None for test in tests)
        known = did_you_mean(by, [*params, *([ROW] if has_rows else [])]) if params or has_rows else ""
        what = "is about a row of a dataset" if by == ROW else f"has a parameter {by!r}"
        raise RewardkitUsageError(f"--rewardkit-pair-by={by}: no test of {file} {what}{known}")
    # Files of several runs may share a name in separate directories.
    names = [Path(other).name for other in settings.baseline or ()]
    name = earlier.path.name if names.count(earlier.path.name) == 1 else file
    return Baseline.of(earlier.ledger, name, earlier.unfinished, by)
