"""pytest's side of datasets: a marker that makes a test of each row, and the fixtures that give what a test is about.

Loaded in every session, so what is heavy is imported where it is used.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_rewardkit.run.worker.row_attempt import RowAttempt, note_row_attempt
from pytest_rewardkit.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_rewardkit.datasets.marker import Source, Trial
    from pytest_rewardkit.datasets.row import Row
    from pytest_rewardkit.datasets.testcode.referee import Referee
    from pytest_rewardkit.ledger.ledger import Ledger

MARKER: Final = (
    "reward_dataset(path, *, id=None, fields=None, limit=None, format=None, samples=None): the test runs once for each "
    "row of a dataset, which the fixture `row` gives."
)

_SOURCES: Final = pytest.StashKey[list[tuple[pytest.Mark, Path, "Source"]]]()


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
        # What is checked then are references, each once.
        trials = list(source.trials(sampled=not Settings.of(metafunc.config).selfcheck))
        values = [_marked(trial) if trial.directions else trial for trial in trials]
        metafunc.parametrize("row", values, ids=[trial.id for trial in trials], indirect=True)
        return
    pytest.fail(f"{place}: {wrong}", pytrace=False)


def _make_attempts(metafunc: pytest.Metafunc) -> None:
    """Makes a test of each attempt that a marker asks for; that the marker is right is checked where tests run."""
    asked = next(
        mark.kwargs["attempts"] for mark in metafunc.definition.iter_markers("reward") if "attempts" in mark.kwargs
    )
    if isinstance(asked, int) and asked > 1 and not Settings.of(metafunc.config).selfcheck:
        if "attempt" not in metafunc.fixturenames:
            metafunc.fixturenames.append("attempt")
        numbers = range(1, asked + 1)
        metafunc.parametrize("attempt", list(numbers), ids=[f"attempt{number}" for number in numbers], indirect=True)


def pytest_rewardkit_summary(ledger: Ledger) -> list[str]:
    """Tells what attempts came to together."""
    from pytest_rewardkit.ledger.tasks import reductions

    lines = []
    for found in reductions(ledger.tasks):
        value = "undefined" if found.value is None else f"{found.value:.3f}"
        too_few = f", too few scored attempts at {found.undefined}" if found.undefined else ""
        lines.append(f"{found.label} {value} over {found.count} in {found.function}{too_few}")
    return lines


def pytest_itemcollected(item: pytest.Item) -> None:
    """Says what the test is about, and lets a row's own threshold stand before its function's."""
    trial = trial_of(item)
    callspec = getattr(item, "callspec", None)
    number = callspec.params.get("attempt") if callspec is not None else None
    if trial is not None and trial.attempts > 1:
        number = trial.number
    if trial is not None or number is not None:
        note_row_attempt(item, RowAttempt(trial.row_id if trial is not None else None, number))
    if trial is not None and trial.directions and "threshold" in trial.directions:
        item.add_marker(pytest.mark.reward(threshold=trial.directions["threshold"]), append=False)


def trial_of(item: pytest.Item) -> Trial | None:
    """Returns what a test is about, or None if it is not about a row."""
    callspec = getattr(item, "callspec", None)
    if callspec is None or "row" not in callspec.params:
        return None
    from pytest_rewardkit.datasets.marker import Trial

    value = callspec.params["row"]
    return value if isinstance(value, Trial) else None


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Row:
    """The row of the dataset that ``@pytest.mark.reward_dataset`` names: a mapping of its fields."""
    trial = getattr(request, "param", None)
    if trial is None:
        pytest.fail(
            f"{request.node.nodeid}: the fixture `row` needs @pytest.mark.reward_dataset on the test", pytrace=False
        )
    # Most tests need none, and making it loads the SDK.
    row: Row = trial.row(lambda: request.getfixturevalue("rewardkit_referee"))
    return row


@pytest.fixture
def candidate(row: Row) -> str:
    """What is judged in this test: the sample for its row, or the row's own field. Override it to ask a model."""
    from pytest_rewardkit.errors import RewardkitUsageError

    try:
        return row.candidate
    except RewardkitUsageError as error:
        wrong = str(error)
    pytest.fail(wrong, pytrace=False)


@pytest.fixture
def attempt(request: pytest.FixtureRequest) -> int:
    """Which of the attempts at its row, or of ``@pytest.mark.reward(attempts=)``, this test is; from 1."""
    trial = trial_of(request.node)
    return int(getattr(request, "param", trial.number if trial is not None else 1))


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> str | None:
    """A known-good candidate for ``--rewardkit-selfcheck``: the row's. Override it in tests without rows."""
    return request.getfixturevalue("row").reference if "row" in request.fixturenames else None


@pytest.fixture(scope="session")
def rewardkit_referee(request: pytest.FixtureRequest) -> Generator[Referee, None, None]:
    """Where the rows' own test code runs: a sandbox for this process's whole session, made when it is first needed."""
    from pytest_rewardkit.datasets.testcode.referee import Referee
    from pytest_rewardkit.fixtures import WIDE_SCOPE_TIMEOUT
    from pytest_rewardkit.run.provision import Provision

    # Not counted among the sandboxes of tests: each worker holds one to its end, so tests could wait for ever.
    provision = Provision.of(request.config)
    with Referee(lambda: provision.provider.create(timeout=WIDE_SCOPE_TIMEOUT)) as referee:
        yield referee


def _source(metafunc: pytest.Metafunc, mark: pytest.Mark) -> Source:
    """The dataset of a marker, read once for all the tests that the marker is on."""
    from pytest_rewardkit.datasets.marker import read_marker

    sources = metafunc.config.stash.setdefault(_SOURCES, [])
    directory = metafunc.definition.path.parent
    for known, of, source in sources:
        if known is mark and of == directory:
            return source
    source = read_marker(mark.args, mark.kwargs, directory)
    sources.append((mark, directory, source))
    return source


def _marked(trial: Trial) -> Any:
    directions = trial.directions or {}
    marks = [getattr(pytest.mark, name) for name in directions.get("marks", ())]
    if "skip" in directions:
        reason = directions["skip"]
        marks.append(pytest.mark.skip(reason=reason if isinstance(reason, str) else "the row says skip"))
    return pytest.param(trial, marks=marks)
