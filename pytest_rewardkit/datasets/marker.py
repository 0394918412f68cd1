"""Checks ``@pytest.mark.reward_dataset``, and lists the tests that it makes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pytest_rewardkit.datasets.fields import DIRECTIONS
from pytest_rewardkit.datasets.formats import UNNAMED, find_format
from pytest_rewardkit.datasets.row import Row
from pytest_rewardkit.datasets.rows import open_dataset
from pytest_rewardkit.datasets.samples import Samples
from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_rewardkit.datasets.formats import Format
    from pytest_rewardkit.datasets.rows import Dataset
    from pytest_rewardkit.datasets.samples import Key
    from pytest_rewardkit.datasets.store import Fields
    from pytest_rewardkit.datasets.testcode.test_runner import TestRunner

_WORD: Final = re.compile(r"[\w./-]+", re.ASCII)

KEYWORDS: Final = ("id", "fields", "limit", "format", "samples")


class SampledRow(NamedTuple):
    """The subject of one test: a row, and one of its samples; the row is read when the test runs."""

    source: DatasetSource
    position: int
    sample: Key | None
    number: int
    """Which attempt at the row this is, from 1."""
    attempts: int

    @property
    def row_id(self) -> str:
        """The id of the row."""
        return self.source.dataset.entries[self.position].id

    @property
    def id(self) -> str:
        """The test's name, unique among those of its function."""
        return f"{self.row_id}-attempt{self.number}" if self.attempts > 1 else self.row_id

    @property
    def directions(self) -> Mapping[str, Any] | None:
        """The configuration of the row's own test."""
        return self.source.dataset.entries[self.position].directions

    def row(self, test_runner: Callable[[], TestRunner] | None = None) -> Row:
        """Reads the row."""
        entry = self.source.dataset.entries[self.position]
        return Row(
            self.source.dataset[self.position],
            id=entry.id,
            place=entry.place,
            format=self.source.format or UNNAMED,
            candidate=self.source.candidate(self.sample),
            test_runner=test_runner,
            folder=self.source.dataset.folder,
        )


@dataclass(frozen=True, slots=True)
class DatasetSource:
    """A dataset as a marker names it."""

    dataset: Dataset
    format: Format | None
    samples: Samples | None

    def sampled_rows(self, *, sampled: bool = True) -> Iterator[SampledRow]:
        """Yields the subjects of tests, in the order of the rows and, if `sampled`, of the samples for each."""
        for index, entry in enumerate(self.dataset.entries):
            keys = self.samples.keys_of(entry.id) if self.samples is not None and sampled else []
            for number, key in enumerate(keys or [None], start=1):
                yield SampledRow(self, index, key, number, max(len(keys), 1))

    def candidate(self, key: Key | None) -> str | None:
        """Returns a sample. A row for which a model gave nothing has no code, but is not skipped."""
        if self.samples is None:
            return None
        return self.samples.read(key) if key is not None else ""


def read_marker(args: tuple[Any, ...], kwargs: Mapping[str, Any], directory: Path) -> DatasetSource:
    """Returns the dataset that a marker names.

    Parameters:
        args, kwargs: of the marker.
        directory: of the test file; paths are relative to it.

    Raises:
        RewardkitUsageError: an argument or a row is wrong; the text names it, but not the marker.
    """
    for keyword in kwargs:
        if keyword not in KEYWORDS:
            raise RewardkitUsageError(f"unknown keyword {keyword!r}{did_you_mean(keyword, KEYWORDS)}")
    if len(args) != 1:
        raise RewardkitUsageError(f"takes one dataset, not {len(args)}")
    form = kwargs.get("format")
    found = find_format(form) if form is not None else None
    check = _direction_reader(found)
    dataset = open_dataset(
        _located(args[0], directory),
        id=kwargs.get("id"),
        fields=kwargs.get("fields"),
        limit=kwargs.get("limit"),
        needs=check,
    )
    samples = None
    if kwargs.get("samples") is not None:
        samples = Samples(_located(kwargs["samples"], directory))
        if kwargs.get("limit") is None:
            samples.check_ids(dataset)
    return DatasetSource(dataset, found, samples)


def _located(source: Any, directory: Path) -> Path | Iterable[Fields]:
    if isinstance(source, str | Path):
        return directory / source
    if not isinstance(source, Iterable) or isinstance(source, Mapping | bytes):
        raise RewardkitUsageError(f"a dataset is a path or a list of rows, not {one_line(repr(source), 60)}")
    return source


def _direction_reader(form: Format | None) -> Callable[[Fields, str], Mapping[str, Any] | None]:
    """A check of each row, which returns the configuration of the row's own test."""
    speaks = form is None or form.ours

    def read(fields: Fields, place: str) -> Mapping[str, Any] | None:
        if form is not None:
            form.check(fields, place)
        if not speaks:
            return None
        # A threshold of 0 is valid, though it equals False.
        said = {name: fields[name] for name in DIRECTIONS if not _is_nothing(fields.get(name))}
        return _checked_directions(said, place) or None

    return read


def _is_nothing(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, str) and not value)


def template_of(fields: Fields) -> str | None:
    """The template that a row names for its sandboxes; None if it names none.

    A name is one word. A field with several words, or with another type of value, has a meaning of the row's own.
    """
    value = fields.get("template")
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _checked_directions(said: dict[str, Any], place: str) -> dict[str, Any]:
    if "template" in said and template_of(said) is None:
        del said["template"]
    if "threshold" in said:
        said["threshold"] = _threshold(said["threshold"], place)
    if "skip" in said and not isinstance(said["skip"], str | bool):
        raise RewardkitUsageError(f"{place}: 'skip' must hold a reason or true, not {one_line(repr(said['skip']), 60)}")
    if "marks" in said:
        marks = said["marks"].split() if isinstance(said["marks"], str) else said["marks"]
        if not isinstance(marks, list) or not all(isinstance(mark, str) and mark.isidentifier() for mark in marks):
            raise RewardkitUsageError(
                f"{place}: 'marks' must hold names of marks, not {one_line(repr(said['marks']), 60)}"
            )
        said["marks"] = marks
    return said


def _threshold(value: Any, place: str) -> float:
    try:
        number = float(value) if not isinstance(value, bool) else -1.0
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number <= 1:
        raise RewardkitUsageError(f"{place}: 'threshold' must be a number in [0, 1], not {one_line(repr(value), 60)}")
    return number
