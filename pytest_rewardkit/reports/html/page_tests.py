"""Converts a ledger's tests and attempts to what the page shows."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import duration
from pytest_rewardkit.ledger.tasks import ReducedTest
from pytest_rewardkit.ledger.test import CRASHED
from pytest_rewardkit.reports import models
from pytest_rewardkit.reports.html.model import Image, PageAttempt, PageEvidence, PageTest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pytest_rewardkit.ledger.baseline import Change
    from pytest_rewardkit.ledger.history import History
    from pytest_rewardkit.ledger.model_use import ModelUse
    from pytest_rewardkit.ledger.record import SandboxUse
    from pytest_rewardkit.ledger.test import Test, TestResult
    from pytest_rewardkit.reward import Part, Reward

_SHORTEST: Final = 0.0005
"""Seconds; a shorter phase would read 0 ms, and is not worth a colour."""


def page_test(
    test: Test, group: str, before: Mapping[str, float | None], changes: Mapping[str, Change], history: History
) -> PageTest:
    """Return the page's view of `test`.

    Parameters:
        group: the name of the group that it counts in.
        before: the rewards of the baseline, by node id.
        changes: how tests changed since the baseline.
        history: the earlier runs.
    """
    attempts = [_attempt(result, member.node_id) for member in test.members for result in member.results]
    found = PageTest(test.node_id, attempts)
    found.group = group
    found.weight = test.weight
    found.must_pass = test.must_pass
    found.baseline = before.get(test.node_id)
    found.history = history.rewards_of(test.node_id)
    found.change = changes.get(test.node_id, "")
    if (record := test.last.record) is not None:
        found.row_id = record.row or ""
        found.threshold = record.threshold
    if isinstance(test, ReducedTest):
        found.value = test.value
        found.verdict = test.verdict
        found.outcome = "passed" if test.passed else "failed"
        found.figures = [(test.reducer.label, test.value)]
        found.why = test.cause
    return found


def _attempt(result: TestResult, node_id: str) -> PageAttempt:
    found = PageAttempt(CRASHED if result.outcome == CRASHED else "")
    found.outcome = result.outcome
    found.reason = result.cause
    found.seconds = result.duration or None
    found.command = f"python -m pytest {shlex.quote(node_id)}"
    if (record := result.record) is not None:
        found.left_out = record.left_out
        if record.reward is not None:
            _add_reward(record.reward, found)
        found.steps = record.steps
        if record.asked is not None:
            found.prompt = record.asked.prompt
            found.asked = list(_asked(record.asked))
        if record.sandboxes or found.parts:
            found.timings = _timings(record.sandboxes, found.parts, result.duration)
    return found


def _asked(use: ModelUse) -> Iterator[tuple[str, str]]:
    if use.model:
        yield "model", use.model
    if use.answers > 1:
        yield "answers", f"{use.answers:,}"
    if use.replayed:
        yield "on record", "all" if use.replayed == use.answers else f"{use.replayed:,}"
    for name, tokens in (("tokens in", use.input_tokens), ("tokens out", use.output_tokens)):
        if tokens is not None:
            yield name, f"{tokens:,}"
    if use.cost is not None:
        yield "cost", models.dollars(use.cost)
    if use.seconds is not None:
        yield "model's time", duration(use.seconds)


def _add_reward(reward: Reward, attempt: PageAttempt) -> None:
    attempt.verdict = attempt.verdict or reward.verdict
    attempt.value = reward.value
    attempt.reason = reward.reason
    attempt.parts = reward.parts
    if reward.evidence:
        attempt.evidence = _evidence(reward)


def _evidence(reward: Reward) -> PageEvidence:
    return PageEvidence(
        candidate=_joined(item.candidate for item in reward.evidence),
        stdout=_joined(item.stdout for item in reward.evidence),
        stderr=_joined(item.stderr for item in reward.evidence),
        images=[Image(image) for item in reward.evidence for image in item.images],
    )


def _joined(texts: Iterable[str]) -> str | None:
    """The texts of several scorer calls as one, without repeats; None for none."""
    return "\n\n".join(dict.fromkeys(text for text in texts if text)) or None


def _timings(sandboxes: Iterable[SandboxUse], parts: Iterable[Part], seconds: float) -> list[tuple[str, float]]:
    timings = [
        ("waiting", sum(use.waited for use in sandboxes)),
        ("creating", sum(use.start for use in sandboxes)),
        ("running", sum(part.duration or 0.0 for part in parts)),
    ]
    if known := sum(spent for _, spent in timings):
        # Simultaneous phases are counted twice, so their sum may exceed the whole.
        timings.append(("the rest", max(seconds - known, 0.0)))
    return [(phase, spent) for phase, spent in timings if spent >= _SHORTEST]
