"""A row of a dataset: its fields, and its task by its format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from pytest_rewardkit.datasets.fields import CANDIDATE_FIELDS, MESSAGES, candidate_text, conversation_of
from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.scorers.response.messages import answer_of
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_rewardkit.datasets.formats.task import RowTask
    from pytest_rewardkit.datasets.store import Fields
    from pytest_rewardkit.datasets.testcode.test_runner import TestRunner


class RowFormat(Protocol):
    """The meaning of the fields of rows."""

    @property
    def ours(self) -> bool:
        """Whether rows are written for this package, and so may hold candidates and configure their own tests."""

    def read(self, row: Row) -> RowTask:
        """Returns the row's task. Raises RewardkitUsageError if a field holds a wrong value."""


class Row(Mapping[str, Any]):
    """One row: a mapping of its fields, with its id and its place.

    A missing field raises a KeyError that names the place and the nearest field.

    Parameters:
        fields: its fields.
        id: unique among the rows.
        place: its position, for messages.
        format: the meaning of its fields.
        candidate: the candidate, if it is not one of the fields.
        test_runner: returns the runner for the row's own test code.
        folder: paths in the row are relative to it; None for the current one.
    """

    def __init__(
        self,
        fields: Fields,
        *,
        id: str,  # noqa: A002 - the field's word
        place: str,
        format: RowFormat,  # noqa: A002
        candidate: str | None = None,
        test_runner: Callable[[], TestRunner] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._fields = fields
        self.id = id
        self.place = place
        self._format = format
        self._candidate = candidate
        self._test_runner = test_runner
        self.folder = folder
        self._replacement: Callable[[], str] | None = None

    @cached_property
    def task(self) -> RowTask:
        """The row's task: its prompt, its reference, and how candidates are scored.

        Raises RewardkitUsageError if a field holds a wrong value.
        """
        # If the reference itself is judged, its failure excuses nothing.
        return self._read if self._replacement is None else replace(self._read, reference=None)

    @cached_property
    def _read(self) -> RowTask:
        return self._format.read(self)

    @property
    def test_runner(self) -> TestRunner | None:
        """The runner for the row's own test code, or None if there is none."""
        return self._test_runner() if self._test_runner is not None else None

    @property
    def reference(self) -> str | None:
        """A known-good candidate, or None if the row has none."""
        if not self._format.ours:
            return self._read.reference
        # The row's other fields may mean something only to its test.
        found = self._fields.get("reference")
        return found if isinstance(found, str) else None

    @cached_property
    def candidate(self) -> str:
        """The candidate: the sample for this row, the row's own field of `CANDIDATE_FIELDS`, or its last message.

        Raises RewardkitUsageError if there is none.
        """
        if self._replacement is not None:
            return self._replacement()
        if self._candidate is not None:
            return self._candidate
        # In a benchmark's row, a field with such a name would be its own solution.
        names = CANDIDATE_FIELDS if self._format.ours else ()
        found = next((text for name in names if (text := candidate_text(self._fields.get(name))) is not None), None)
        if found is None and names and (asked := conversation_of(self._fields.get(MESSAGES))):
            found = answer_of(asked)
        if found is None:
            raise RewardkitUsageError(f"{self.place}: {self._no_candidate()}")
        return found

    def replace_candidate(self, candidate: Callable[[], str]) -> None:
        """Judge what `candidate` returns, called when it is needed, instead of the row's own candidate."""
        self._replacement = candidate

    def _no_candidate(self) -> str:
        """Return why this row has no candidate, and how to give it one."""
        has = next((name for name in CANDIDATE_FIELDS if name in self._fields), None)
        if has is None and conversation_of(self._fields.get(MESSAGES)):
            return "the row's messages do not end with the assistant's; give samples= to the marker"
        if has is None:
            fields = one_line(", ".join(map(str, self._fields)), 200)
            return (
                f"the row has no candidate; its fields are {fields}. Name the one that is, as "
                "fields={'candidate': 'answer', ...}, or give samples= to the marker"
            )
        if not self._format.ours:
            return (
                f"a benchmark's own {has!r} is not taken for a candidate, since it may be its solution; give samples= "
                f"to the marker, or the candidate itself: assert_row(sandbox, row, row[{has!r}])"
            )
        value = one_line(repr(self._fields[has]), 60)
        return f"the row's {has!r} must be text, or messages, to be a candidate, not {value}"

    def __getitem__(self, name: str) -> Any:
        try:
            return self._fields[name]
        except KeyError:
            raise KeyError(
                f"{self.place}: no field {name!r}{did_you_mean(str(name), map(str, self._fields))}"
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def get(self, name: str, default: Any = None) -> Any:
        return self._fields.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return one_line(f"<Row {self.id} of {self.place}>", 200)
