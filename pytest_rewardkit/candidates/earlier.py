"""Candidates of an earlier run to score again, from its results file, its artifacts or its record of candidates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_rewardkit.candidates.answer import ModelAnswer
from pytest_rewardkit.candidates.file import read_answers
from pytest_rewardkit.candidates.record import OnRecord
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.reports import artifacts
from pytest_rewardkit.reports.results.file import is_results_file, read
from pytest_rewardkit.text import is_excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_INSTEAD = "keep candidates whole by --rewardkit-candidates=FILE"


def read_earlier(path: Path) -> OnRecord:
    """Return the candidates of an earlier run, from its results file, its folder of artifacts, or its record of them.

    Raises RewardkitUsageError if `path` is none of these.
    """
    if path.is_dir():
        return _of_artifacts(path)
    if not path.is_file():
        raise RewardkitUsageError(f"{path} is neither a file nor a folder")
    return _of_results(path) if is_results_file(path) else OnRecord(read_answers(path))


def _of_results(path: Path) -> OnRecord:
    found: dict[str, list[str]] = {}
    for test in read(path).ledger.tests:
        reward = test.reward
        evidence = () if reward is None else reward.evidence
        found[test.node_id] = [item.candidate for item in evidence if item.candidate]
    return _on_record(found, path.name)


def _of_artifacts(folder: Path) -> OnRecord:
    found: dict[str, list[str]] = {}
    # Reruns have later names; the last one counts.
    for about in sorted(folder.glob(f"*/{artifacts.REWARD}"), key=lambda about: (len(about.parent.name), about)):
        try:
            node_id = str(json.loads(about.read_bytes())["node_id"])
            found[node_id] = [
                file.read_bytes().decode("utf-8", "surrogatepass") for file in artifacts.candidates_in(about.parent)
            ]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RewardkitUsageError(f"cannot read a candidate from {about.parent}: {error}") from None
    if not found:
        raise RewardkitUsageError(f"{folder} holds no folder of a test, as --rewardkit-artifacts writes them")
    return _on_record(found, folder.name)


def _on_record(candidates: dict[str, list[str]], name: str) -> OnRecord:
    answers: dict[tuple[str, str, int], ModelAnswer] = {}
    faults: dict[str, str] = {}
    for test, texts in candidates.items():
        if fault := _fault(dict.fromkeys(texts)):
            faults[test] = f"{name} has {fault} of {test}; {_INSTEAD}"
        else:
            answer = ModelAnswer(test=test, value=texts[0])
            answers[answer.key] = answer
    return OnRecord(answers, faults)


def _fault(texts: Iterable[str]) -> str:
    """Return why a test cannot be given again the texts that its scorers judged; "" if it can."""
    found = list(texts)
    if not found:
        return "no candidate"
    if any(map(is_excerpt, found)):
        return "only an excerpt of the candidate"
    return "" if len(found) == 1 else f"{len(found)} candidates"
