"""pytest's side of datasets: a marker that makes a test of each row, and the fixtures for the subject of a test.

This module is loaded in every session, so heavy modules are imported only where they are used.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_rewardkit.run.worker.row_attempt import RowAttempt, note_row_attempt
from pytest_rewardkit.settings import RunSettings

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.marker import DatasetSource, SampledRow
    from pytest_rewardkit.datasets.row import Row
    from pytest_rewardkit.datasets.testcode.test_runner import TestRunner
    from pytest_rewardkit.datasets.testcode.test_runners import TestRunners
    from pytest_rewardkit.ledger.ledger import Ledger

MARKER: Final = (
    "reward_dataset(path, *, id=None, fields=None, limit=None, format=None, samples=None): the test runs once for each "
    "row of a dataset; the fixture `row` is that row."
)

_SOURCES: Final = pytest.StashKey[list[tuple[pytest.Mark, Path, "DatasetSource"]]]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("reward_dataset")
    if mark is not None:
        _make_rows(metafunc, mark)
    if any("attempts" in mark.kwargs for mark in metafunc.definition.iter_markers("reward")):
        _make_attempts(metafunc)


def _make_rows(metafunc: pytest.Metafunc, mark: pytest.Mark) -> None:
    place = f"{metafunc.definition.nodeid}: @pytest.mark.reward_dataset"
    if "row" not in metafunc.fixturenames:
        pytest.fail(f"{place}: the test uses neither `row` nor a fixture that does", pytrace=False)
    from pytest_rewardkit.errors import RewardkitUsageError

    try:
        source = _source(metafunc, mark)
    except RewardkitUsageError as error:
        wrong = str(error)
    else:
        # The self-check judges references, each once.
        sampled_rows = list(source.sampled_rows(sampled=not RunSettings.of(metafunc.config).selfcheck))
        values = [_marked(sampled_row) if sampled_row.directions else sampled_row for sampled_row in sampled_rows]
        metafunc.parametrize("row", values, ids=[sampled_row.id for sampled_row in sampled_rows], indirect=True)
        return
    pytest.fail(f"{place}: {wrong}", pytrace=False)


def _make_attempts(metafunc: pytest.Metafunc) -> None:
    """Makes a test of each attempt that a marker asks for; the marker itself is checked when tests run."""
    asked = next(
        mark.kwargs["attempts"] for mark in metafunc.definition.iter_markers("reward") if "attempts" in mark.kwargs
    )
    if isinstance(asked, int) and asked > 1 and not RunSettings.of(metafunc.config).selfcheck:
        if "attempt" not in metafunc.fixturenames:
            metafunc.fixturenames.append("attempt")
        numbers = range(1, asked + 1)
        metafunc.parametrize("attempt", list(numbers), ids=[f"attempt{number}" for number in numbers], indirect=True)


def pytest_rewardkit_summary(ledger: Ledger) -> list[str]:
    """Reports the combined results of attempts."""
    from pytest_rewardkit.ledger.tasks import reductions

    lines = []
    for found in reductions(ledger.tasks):
        value = "undefined" if found.value is None else f"{found.value:.3f}"
        too_few = f", too few scored attempts at {found.undefined}" if found.undefined else ""
        lines.append(f"{found.label} {value} over {found.count} in {found.function}{too_few}")
    return lines


def pytest_itemcollected(item: pytest.Item) -> None:
    """Notes the test's row and attempt; a row's own threshold and template override those of its function."""
    sampled_row = sampled_row_of(item)
    callspec = getattr(item, "callspec", None)
    number = callspec.params.get("attempt") if callspec is not None else None
    if sampled_row is not None and sampled_row.attempts > 1:
        number = sampled_row.number
    if sampled_row is not None or number is not None:
        note_row_attempt(item, RowAttempt(sampled_row.row_id if sampled_row is not None else None, number))
    directions = (sampled_row.directions if sampled_row is not None else None) or {}
    if "threshold" in directions:
        item.add_marker(pytest.mark.reward(threshold=directions["threshold"]), append=False)
    if "template" in directions:
        item.add_marker(pytest.mark.sandbox(template=directions["template"]), append=False)


def sampled_row_of(item: pytest.Item) -> SampledRow | None:
    """Returns the row of a test, or None if it is not about a row."""
    callspec = getattr(item, "callspec", None)
    if callspec is None or "row" not in callspec.params:
        return None
    from pytest_rewardkit.datasets.marker import SampledRow

    value = callspec.params["row"]
    return value if isinstance(value, SampledRow) else None


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Generator[Row, None, None]:
    """The row of the dataset that ``@pytest.mark.reward_dataset`` names: a mapping of its fields."""
    from pytest_rewardkit.fixtures import budget_of

    sampled_row = getattr(request, "param", None)
    if sampled_row is None:
        pytest.fail(
            f"{request.node.nodeid}: the fixture `row` needs @pytest.mark.reward_dataset on the test", pytrace=False
        )
    # Most tests do not need one, and creating it loads the SDK.
    asked: list[TestRunner] = []

    def test_runner() -> TestRunner:
        if not asked:
            if (budget := budget_of(request)) is not None:
                budget.use_again()
            asked.append(request.getfixturevalue("_rewardkit_test_runners").of(_template(request)))
        return asked[0]

    yield sampled_row.row(test_runner)
    if asked and (budget := budget_of(request)) is not None:
        budget.set_aside(asked[0].close)


@pytest.fixture
def candidate(row: Row) -> str:
    """The candidate that this test judges: its row's sample, or the row's own field. Override it to ask a model."""
    from pytest_rewardkit.errors import RewardkitUsageError

    try:
        return row.candidate
    except RewardkitUsageError as error:
        wrong = str(error)
    pytest.fail(wrong, pytrace=False)


@pytest.fixture
def attempt(request: pytest.FixtureRequest) -> int:
    """The number of this attempt, from 1: at its row, or of ``@pytest.mark.reward(attempts=)``."""
    sampled_row = sampled_row_of(request.node)
    return int(getattr(request, "param", sampled_row.number if sampled_row is not None else 1))


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> str | None:
    """A known-good candidate for ``--rewardkit-selfcheck``: the row's. Override it in tests without rows."""
    return request.getfixturevalue("row").reference if "row" in request.fixturenames else None


@pytest.fixture(scope="session")
def _rewardkit_test_runners(request: pytest.FixtureRequest) -> Generator[TestRunners, None, None]:
    """The sandbox for the rows' own test code: one for the whole session of this process, created when first needed."""
    from pytest_rewardkit.datasets.testcode.test_runner import TestRunner
    from pytest_rewardkit.datasets.testcode.test_runners import TestRunners
    from pytest_rewardkit.fixtures import wide_factory
    from pytest_rewardkit.sandboxes.lazy import lazily

    factory = wide_factory(request)

    def create(options: Mapping[str, Any]) -> Sandbox:
        return lazily(lambda: factory.create_nearby(**options), lambda made: factory.discard(made.sandbox_id))

    with TestRunners(lambda options: TestRunner(lambda: create(options), lambda _: factory.close())) as found:
        yield found


def _template(request: pytest.FixtureRequest) -> str | None:
    """The template of a test's sandboxes."""
    marked = [mark.kwargs["template"] for mark in request.node.iter_markers("sandbox") if "template" in mark.kwargs]
    template: str | None = marked[0] if marked else request.getfixturevalue("sandbox_options").get("template")
    return template


def _source(metafunc: pytest.Metafunc, mark: pytest.Mark) -> DatasetSource:
    """The dataset of a marker, read once for all the tests with that marker."""
    from pytest_rewardkit.datasets.marker import read_marker

    sources = metafunc.config.stash.setdefault(_SOURCES, [])
    directory = metafunc.definition.path.parent
    for known, of, source in sources:
        if known is mark and of == directory:
            return source
    source = read_marker(mark.args, mark.kwargs, directory)
    sources.append((mark, directory, source))
    return source


def _marked(sampled_row: SampledRow) -> Any:
    directions = sampled_row.directions or {}
    marks = [getattr(pytest.mark, name) for name in directions.get("marks", ())]
    if "skip" in directions:
        reason = directions["skip"]
        marks.append(pytest.mark.skip(reason=reason if isinstance(reason, str) else "the row says skip"))
    return pytest.param(sampled_row, marks=marks)
