"""Registers the plugins that keep or replay candidates, according to the settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_rewardkit.candidates.plugin import Candidates
from pytest_rewardkit.candidates.questions import QUESTIONS, Questions
from pytest_rewardkit.candidates.record import REPLAY, CandidatesOnRecord, OnRecord
from pytest_rewardkit.errors import RewardkitUsageError

if TYPE_CHECKING:
    import pytest

    from pytest_rewardkit.settings import RunSettings


def register_candidates(config: pytest.Config, settings: RunSettings) -> None:
    """Register the plugins that keep and replay candidates, in this process.

    Raises RewardkitUsageError for what is not possible.
    """
    if settings.rescore is not None and settings.candidates is not None:
        raise RewardkitUsageError(
            "--rewardkit-rescore scores what is on record, and --rewardkit-candidates asks for more: use one of them"
        )
    register = config.pluginmanager.register
    is_worker = hasattr(config, "workerinput")
    if settings.rescore is not None:
        from pytest_rewardkit.candidates.earlier import read_earlier
        from pytest_rewardkit.candidates.rescoring import Rescoring

        path = _located(config, settings.rescore)
        try:
            earlier = None if is_worker else read_earlier(path)
        except RewardkitUsageError as error:
            raise RewardkitUsageError(f"--rewardkit-rescore: {error}") from None
        register(Rescoring(), "rewardkit-rescoring")
        _watch(config, CandidatesOnRecord(lambda: earlier or read_earlier(path), path.name, REPLAY, any_prompt=True))
        return
    if settings.candidates is None:
        _watch(config, CandidatesOnRecord())
        return
    from pytest_rewardkit.candidates.file import read_answers

    path, mode = _located(config, settings.candidates), settings.candidates_mode
    if mode == REPLAY and not path.is_file():
        raise RewardkitUsageError(f"--rewardkit-candidates: there is no {path} to replay")
    _watch(config, CandidatesOnRecord(lambda: OnRecord(read_answers(path)), path.name, mode))
    if not is_worker and not config.getoption("collectonly"):
        from pytest_rewardkit.candidates.collecting import CandidatesFile

        try:
            register(CandidatesFile(config, path, mode), "rewardkit-candidates-file")
        except RewardkitUsageError as error:
            raise RewardkitUsageError(f"--rewardkit-candidates: {error}") from None


def _watch(config: pytest.Config, record: CandidatesOnRecord) -> None:
    questions = config.stash[QUESTIONS] = Questions(record)
    config.pluginmanager.register(Candidates(questions), "rewardkit-candidates")


def _located(config: pytest.Config, file: str) -> Path:
    return config.invocation_params.dir / Path(file).expanduser()
