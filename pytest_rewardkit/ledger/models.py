"""Models side by side: the rewards of each in the tests of a run, and the difference from the first one. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.ledger.baseline import CONFIDENCE, BaselineComparison, compared
from pytest_rewardkit.ledger.model_use import ModelUse, together
from pytest_rewardkit.ledger.pairing import Earned
from pytest_rewardkit.ledger.statistics import Interval, mean_interval, weighted_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_rewardkit.ledger.test import Test

PARAMETER: Final = "model"
"""The parameter of tests that names the model whose candidate they judge."""


@dataclass(frozen=True, slots=True)
class ModelResult:
    """The result of one model.

    Parameters:
        name: the model's.
        tests: how many tests it has; several attempts at one are one.
        unscored: how many attempts at them have no number.
        mean: the weighted mean over those that have one; None if none has.
        interval: of the mean, by the bootstrap; None if there is no mean.
        asked: the use of the model; None if that is not known.
        difference: this model compared with the first one, test by test; None for the first one itself.
    """

    name: str
    tests: int
    unscored: int
    mean: float | None
    interval: Interval | None
    asked: ModelUse | None
    difference: BaselineComparison | None


def model_results(tests: Sequence[Test]) -> list[ModelResult]:
    """Return the result of each model, in the order of their first tests; nothing if there are not several.

    Parameters:
        tests: those of a ledger's `tasks`.
    """
    by_model: dict[str, list[Test]] = defaultdict(list)
    for test in tests:
        if (record := test.known) is not None and (model := record.params.get(PARAMETER)):
            by_model[model].append(test)
    if len(by_model) < 2:
        return []
    names = twins({test.node_id: model for model, those in by_model.items() for test in those})
    earned = {model: [_earned(test, names[test.node_id]) for test in those] for model, those in by_model.items()}
    first = next(iter(earned))
    return [
        _result(model, by_model[model], None if model == first else compared(earned[model], earned[first], first))
        for model in earned
    ]


def twins(models: Mapping[str, str]) -> dict[str, str]:
    """Return for each test the node id without its model, so that it equals that of the same test of other models.

    Parameters:
        models: the model of each test, by node id.

    A model's name may occur several times in the brackets of a node id. The right occurrence is the one by which most
    models match.
    """
    possible = {node_id: list(_without(node_id, model)) for node_id, model in models.items()}
    meeting: dict[str, set[str]] = defaultdict(set)
    for node_id, keys in possible.items():
        for key in keys:
            meeting[key].add(models[node_id])
    return {
        node_id: max(keys, key=lambda key: len(meeting[key]), default=node_id) for node_id, keys in possible.items()
    }


def _without(node_id: str, model: str) -> Iterator[str]:
    """Yield the node id without the model, once for each occurrence of its name in the brackets."""
    start = node_id.find("[")
    for name in dict.fromkeys((model, model.encode("unicode_escape").decode())):
        for match in re.finditer(rf"(?<=[\[-]){re.escape(name)}(?=[-\]])", node_id):
            if 0 <= start < match.start():
                yield f"{node_id[: match.start()]}\0{node_id[match.end() :]}"


def _earned(test: Test, name: str) -> Earned:
    values = test.earned
    return Earned(
        name, test.value, test.unscored, min(values, default=None), max(values, default=None), weight=test.weight
    )


def _result(name: str, tests: Sequence[Test], difference: BaselineComparison | None) -> ModelResult:
    scored = [(value, test.weight) for test in tests if (value := test.value) is not None]
    mean = weighted_mean(scored)
    return ModelResult(
        name,
        tests=len(tests),
        unscored=sum(test.unscored for test in tests),
        mean=mean,
        interval=None if mean is None else mean_interval(scored, CONFIDENCE),
        asked=together(_uses(tests)),
        difference=difference,
    )


def _uses(tests: Iterable[Test]) -> Iterator[ModelUse]:
    for test in tests:
        for result in test.results:
            if result.record is not None and result.record.asked is not None:
                yield result.record.asked
