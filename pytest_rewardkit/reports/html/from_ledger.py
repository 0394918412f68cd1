"""What the HTML report shows of a ledger."""

from __future__ import annotations

import math
import shlex
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.formatting import counted, duration, shown, signed
from pytest_rewardkit.ledger.baseline import REGRESSION
from pytest_rewardkit.ledger.gate import MUST_PASS, RUN, SHARDS
from pytest_rewardkit.ledger.graders import check_of, graders_in
from pytest_rewardkit.ledger.models import model_results
from pytest_rewardkit.ledger.statistics import weighted_mean, wilson
from pytest_rewardkit.ledger.step import told
from pytest_rewardkit.ledger.tasks import ReducedTest
from pytest_rewardkit.ledger.test import CRASHED
from pytest_rewardkit.reports import models
from pytest_rewardkit.reports.graders import figures as figures_of_graders
from pytest_rewardkit.reports.html.model import (
    Figure,
    Image,
    PageAttempt,
    PageEvidence,
    PageGate,
    PageGroup,
    PageTest,
    PageText,
    Report,
)
from pytest_rewardkit.text import aligned, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_rewardkit.ledger import ledger as run
    from pytest_rewardkit.ledger.baseline import BaselineComparison, Change
    from pytest_rewardkit.ledger.gate import Decision
    from pytest_rewardkit.ledger.record import Record, SandboxUse
    from pytest_rewardkit.ledger.statistics import Interval
    from pytest_rewardkit.ledger.test import Test, TestResult
    from pytest_rewardkit.reports.html.model import Tone
    from pytest_rewardkit.reward import Part, Reward

_CONFIDENCE: Final = 0.95
_INTERVAL: Final = "95 % interval"
_OF_ALL: Final = {RUN: "Run", MUST_PASS: "Must pass", REGRESSION: "Regression", SHARDS: "Shards"}
"""What gates that are not about a group are called."""
_SHORTEST: Final = 0.0005
"""Seconds under which a phase would read 0 ms, and is not worth a colour."""


def report_of(
    ledger: run.Ledger,
    *,
    title: str = "Rewards",
    facts: Mapping[str, str] | None = None,
    decisions: Sequence[Decision] = (),
    comparisons: Sequence[BaselineComparison] = (),
) -> Report:
    """Return the report of all that `ledger` holds.

    Parameters:
        title: what the run is called.
        facts: the run's circumstances by name; see `facts_in`.
        decisions: what the gates decided.
        comparisons: the run beside each of its baselines; tests are shown beside the first.

    Tests whose markers name no group are in one without a name; where no marker names one, files are the groups.
    """
    figures = ledger.figures()
    results = model_results(ledger.tasks)
    checks = graders_in(ledger)
    # What of its graders was checked tells the tests of a self-check apart.
    named = [check_of(test) or test.group or "" for test in ledger.tasks]
    by_file = not any(named)
    names = [_file(test.node_id) for test in ledger.tasks] if by_file else named
    comparison = comparisons[0] if comparisons else None
    before, changes = ({}, {}) if comparison is None else (comparison.before, comparison.changes)
    tests = [_test(test, name, before, changes) for test, name in zip(ledger.tasks, names, strict=True)]
    return Report(
        tests=tests,
        title=title,
        facts=facts or {},
        figures=[*(_grader_figures(checks) or _figures(figures, tests)), *_change_figures(comparisons)],
        gates=_gates(decisions),
        groups=_groups(tests),
        grouped_by="check" if checks else "file" if by_file else "group",
        interval=_INTERVAL if comparison is None else f"{_INTERVAL}; the tick is the baseline",
        missing=figures.missing,
        models=[*aligned(models.table(results)), *models.differences(results)],
        gone={} if comparison is None else {node_id: before[node_id] for node_id in comparison.gone},
    )


def facts_in(facts: Mapping[str, Any], *, sandboxes: str = "", seconds: float | None = None) -> dict[str, str]:
    """Return a run's circumstances for people, from those in the first line of its results.

    Parameters:
        sandboxes: where they came from, in one line.
        seconds: how long the run took.
    """
    versions = _mapping(facts.get("versions"))
    shard = _mapping(facts.get("shard"))
    shown_facts = {
        "Started": str(facts.get("started", "")).replace("T", " ").replace("+00:00", " UTC"),
        "Duration": "" if seconds is None else duration(seconds),
        "Sandboxes": sandboxes or str(_mapping(facts.get("sandboxes")).get("provider", "")),
        "Workers": str(facts.get("workers") or ""),
        "System": _system(facts),
        "Shard": f"{shard.get('number')} of {shard.get('of')}" if shard else "",
        **{"Python" if name == "python" else name: str(version) for name, version in versions.items()},
        **{f"Shard {shard.get('number')}": _shard(shard) for shard in map(_mapping, facts.get("shards") or ())},
    }
    return {name: fact for name, fact in shown_facts.items() if fact}


def _system(facts: Mapping[str, Any]) -> str:
    host = _mapping(facts.get("host"))
    system = " ".join(str(host[name]) for name in ("system", "machine") if name in host)
    processors = host.get("processors")
    return f"{system}, {counted(processors, 'processor')}" if isinstance(processors, int) else system


def _shard(shard: Mapping[str, Any]) -> str:
    """Return the circumstances of one shard of the run, in one line."""
    sandboxes, versions = _mapping(shard.get("sandboxes")), _mapping(shard.get("versions"))
    seconds = shard.get("seconds")
    found = [
        " ".join(str(sandboxes[name]) for name in ("provider", "isolation") if name in sandboxes),
        f"Python {versions['python']}" if "python" in versions else "",
        _system(shard),
        duration(seconds) if isinstance(seconds, int | float) else "cut off",
    ]
    return "; ".join(text for text in found if text)


def _gates(decisions: Sequence[Decision]) -> list[PageGate]:
    """Return what gates decided, those that fail the run first."""
    failed_first = sorted(decisions, key=lambda decision: not decision.fails)
    return [PageGate(_OF_ALL.get(it.name, f"Group {it.name}"), it.state.value, it.reason) for it in failed_first]


def _mapping(value: Any) -> Mapping[str, Any]:
    # A stored run may come from anywhere.
    return value if isinstance(value, dict) else {}


def _test(test: Test, group: str, before: Mapping[str, float | None], changes: Mapping[str, Change]) -> PageTest:
    attempts = [_attempt(result, member.node_id) for member in test.members for result in member.results]
    found = PageTest(test.node_id, attempts)
    found.group = group
    found.weight = test.weight
    found.must_pass = test.must_pass
    found.baseline = before.get(test.node_id)
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
        found.texts = list(_texts(record))
        if record.sandboxes or found.parts:
            found.timings = _timings(record.sandboxes, found.parts, result.duration)
    return found


def _texts(record: Record) -> Iterator[PageText]:
    if (asked := record.asked) is not None:
        note = ", ".join(filter(None, [asked.model, *models.took(asked)]))
        yield PageText("On record" if asked.answers == asked.replayed else "Asked", note, asked.prompt)
    if record.steps:
        yield PageText("Steps", counted(len(record.steps), "step"), told(record.steps))


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
    """The texts of several calls of scorers as one, each once; None for none."""
    return "\n\n".join(dict.fromkeys(text for text in texts if text)) or None


def _timings(sandboxes: Iterable[SandboxUse], parts: Iterable[Part], seconds: float) -> list[tuple[str, float]]:
    timings = [
        ("waiting", sum(use.waited for use in sandboxes)),
        ("creating", sum(use.start for use in sandboxes)),
        ("running", sum(part.duration or 0.0 for part in parts)),
    ]
    if known := sum(spent for _, spent in timings):
        # What was done at the same time is counted twice, and may be more than the whole.
        timings.append(("the rest", max(seconds - known, 0.0)))
    return [(phase, spent) for phase, spent in timings if spent >= _SHORTEST]


def _figures(figures: run.Figures, tests: Sequence[PageTest]) -> list[Figure]:
    shown_figures = [Figure("Mean reward", shown(figures.mean), _interval_text(figures.mean, _earned(tests)))]
    if figures.unscored:
        shown_figures.append(Figure("Strict mean", shown(figures.strict_mean), f"{figures.unscored:,} unscored as 0"))
    scored = "" if figures.scored == figures.tests else f"{figures.scored:,} scored"
    shown_figures.append(Figure("Tests", f"{figures.tests:,}", scored))
    if (attempts := figures.attempts + figures.reruns) != figures.tests:
        reruns = counted(figures.reruns, "rerun") if figures.reruns else ""
        shown_figures.append(Figure("Attempts", f"{attempts:,}", reruns))
    if figures.sandboxes and figures.start_p50 is not None:
        start = f"half started within {duration(figures.start_p50)}"
        shown_figures.append(Figure("Sandboxes", f"{figures.sandboxes:,}", start))
    if (asked := figures.asked) is not None:
        value = f"{asked.answers:,}" if asked.cost is None else models.dollars(asked.cost)
        note = models.asked(asked) if asked.cost is None else models.asked(replace(asked, cost=None))
        shown_figures.append(Figure("Answers" if asked.cost is None else "Model cost", value, note))
    return shown_figures


def _grader_figures(checks: Sequence[Test]) -> list[Figure]:
    return [Figure(title.capitalize(), figure, note) for title, figure, note in figures_of_graders(checks)]


def _interval_text(mean: float | None, earned: Sequence[tuple[float, float]]) -> str:
    interval = _interval(mean, earned)
    return "" if interval is None else f"{_INTERVAL} {shown(interval.low)} to {shown(interval.high)}"


def _interval(mean: float | None, earned: Sequence[tuple[float, float]]) -> Interval | None:
    """Return Wilson's interval around `mean`, the weighted mean of what was `earned`; None when nothing has a weight.

    Rewards between 0 and 1 vary less than a share of successes with the same mean, so that it is never too narrow; and
    unlike the bootstrap it is good for groups of a few tests, and costs nothing for thousands of groups. With unequal
    weights the tests count as (sum w)^2 / sum w^2 of them (L. Kish (1965), "Survey Sampling", section 11.7).
    """
    if mean is None:
        return None
    weights = [weight for _, weight in earned]
    # Divided by the largest, so that no square overflows.
    largest = max(weights)
    weights = [weight / largest for weight in weights]
    count = math.fsum(weights) ** 2 / math.fsum(weight**2 for weight in weights)
    return wilson(mean * count, count, _CONFIDENCE)


def _groups(tests: Sequence[PageTest]) -> list[PageGroup]:
    """Return the groups, the lowest mean first."""
    members: defaultdict[str, list[PageTest]] = defaultdict(list)
    for test in tests:
        members[test.group].append(test)
    groups = [_group(name, of_name) for name, of_name in members.items()]
    return sorted(groups, key=lambda group: -1.0 if group.mean is None else group.mean)


def _group(name: str, tests: Sequence[PageTest]) -> PageGroup:
    earned = _earned(tests)
    mean = weighted_mean(earned)
    interval = _interval(mean, earned)
    return PageGroup(
        name=name,
        tests=len(tests),
        mean=mean,
        unscored=len(tests) - len(earned),
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        baseline=weighted_mean([(test.baseline, test.weight) for test in tests if test.baseline is not None]),
    )


def _change_figures(comparisons: Sequence[BaselineComparison]) -> list[Figure]:
    figures = []
    for comparison in comparisons:
        if comparison.means is None:
            continue
        before, now = comparison.means
        low, high = comparison.interval()
        # A colour says more than the number may.
        tone: Tone = "good" if low > 0 else "bad" if high < 0 else ""
        since = "Since the baseline" if len(comparisons) == 1 else f"Since {one_line(comparison.name, 60)}"
        figures.append(Figure(since, signed(now - before), f"{_INTERVAL} {signed(low)} to {signed(high)}", tone))
    return figures


def _earned(tests: Sequence[PageTest]) -> list[tuple[float, float]]:
    return [(value, test.weight) for test in tests if (value := test.counted) is not None]


def _file(node_id: str) -> str:
    return node_id.partition("::")[0]
