"""Rows of a dataset: an index of ids made by one scan, and each row read when it is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.datasets.stores import open_store
from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.scorers.digits import json_of, written
from pytest_rewardkit.scorers.messages import answer_of, content_text, is_conversation
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_rewardkit.datasets.formats import Format
    from pytest_rewardkit.datasets.formats.task import Task
    from pytest_rewardkit.datasets.stores import Fields, Store
    from pytest_rewardkit.datasets.testcode.referee import Referee
    from pytest_rewardkit.scorers.messages import Conversation

CANDIDATE_FIELDS: Final = ("candidate", "response", "completion", "solution")
"""Fields that hold what is judged, in rows and in samples."""

MESSAGES: Final = "messages"
"""The field with a conversation: what was asked and, last, what is judged where no other field holds it."""

ID_FIELDS: Final = ("id", "task_id", "row_id", "problem_id", "question_id")
"""Fields that are taken for a row's id where none is named, the first that the first row has."""

DIRECTIONS: Final = ("marks", "skip", "threshold")
"""Fields by which a row speaks of its own test."""

FieldSpec = Sequence[str] | Mapping[str, str] | None
"""Names of the fields that rows have and need; or those names with the file's own names for them."""


class Row(Mapping[str, Any]):
    """One row: a mapping of its fields, with its id and its place.

    A field that is not there raises a KeyError that names the place and the nearest field.

    Parameters:
        fields: its fields.
        id: what names it among the others.
        place: where it stands, for people.
        format: what its fields mean.
        candidate: what is judged by it, where that is not one of its fields.
        referee: gives where its own test code runs.
    """

    def __init__(
        self,
        fields: Fields,
        *,
        id: str,  # noqa: A002 - the field's word
        place: str,
        format: Format | None = None,  # noqa: A002
        candidate: str | None = None,
        referee: Callable[[], Referee] | None = None,
    ) -> None:
        self._fields = fields
        self.id = id
        self.place = place
        self._format = format
        self._candidate = candidate
        self._referee = referee

    @cached_property
    def task(self) -> Task:
        """What the row asks for: its prompt, its reference, and how candidates are scored.

        Raises RewardkitUsageError when a field does not hold what it should.
        """
        from pytest_rewardkit.datasets.formats import UNNAMED

        return (self._format or UNNAMED).read(self)

    @property
    def referee(self) -> Referee | None:
        """Where the row's own test code runs, or None if nobody provides for it."""
        return self._referee() if self._referee is not None else None

    @property
    def reference(self) -> str | None:
        """A known-good candidate, or None if the row has none."""
        return self.task.reference

    @cached_property
    def candidate(self) -> str:
        """What is judged: the sample for this row, the row's own field of `CANDIDATE_FIELDS`, or its messages' last.

        Raises RewardkitUsageError when there is none.
        """
        if self._candidate is not None:
            return self._candidate
        # Of a benchmark's row, a field of that name would be its own solution.
        names = CANDIDATE_FIELDS if self._format is None or self._format.ours else ()
        found = next((text for name in names if (text := candidate_text(self._fields.get(name))) is not None), None)
        if found is None and names and (asked := conversation_of(self._fields.get(MESSAGES))):
            found = answer_of(asked)
        if found is None:
            raise RewardkitUsageError(f"{self.place}: {self._no_candidate()}")
        return found

    def _no_candidate(self) -> str:
        """Return why nothing is judged by this row, and how something could be."""
        has = next((name for name in CANDIDATE_FIELDS if name in self._fields), None)
        if has is None and conversation_of(self._fields.get(MESSAGES)):
            return "the row's messages do not end with the assistant's; give samples= to the marker"
        if has is None:
            fields = one_line(", ".join(map(str, self._fields)), 200)
            return (
                f"the row has no candidate; its fields are {fields}. Name the one that is, as "
                "fields={'candidate': 'answer', ...}, or give samples= to the marker"
            )
        if self._format is not None and not self._format.ours:
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


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index keeps of a row: its id, its place, the key to read it by, and what its test is told of it."""

    id: str
    place: str
    key: int
    directions: Mapping[str, Any] | None = None


class Dataset(Sequence[Row]):
    """Rows in the order of their file; only their index is in memory."""

    def __init__(self, store: Store, entries: list[Entry], fields: FieldSpec, id_field: str | None) -> None:
        self.name = store.name
        self.entries = entries
        self._store = store
        self._renamed = _renaming(fields)
        self._id_field = id_field

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._read(entry) for entry in self.entries[index]]
        return self._read(self.entries[index])

    def _read(self, entry: Entry) -> Row:
        fields = self._renamed(self._store.read(entry.key))
        if self._id_field is not None and written(fields.get(self._id_field)) != entry.id:
            raise RewardkitUsageError(
                f"{entry.place}: the row {entry.id!r} is not there any more; the file has changed"
            )
        return Row(fields, id=entry.id, place=entry.place)


def open_dataset(
    source: str | Path | Iterable[Fields],
    *,
    id: str | None = None,  # noqa: A002 - the marker's keyword
    fields: FieldSpec = None,
    limit: int | None = None,
    needs: Callable[[Fields, str], Mapping[str, Any] | None] | None = None,
) -> Dataset:
    """Indexes a dataset.

    Parameters:
        source: a ``.jsonl``, ``.json``, ``.csv`` or ``.parquet`` file (the first three also ``.gz``), or mappings.
        id: the field that names a row; without it one of `ID_FIELDS`, else rows are named by their order.
        fields: the fields of a row; a row that lacks one or has another is refused. A mapping says what the file calls
            them: ``{"expected": "ground_truth"}``.
        limit: how many rows, from the first.
        needs: called with each row's fields and place; raises what is wrong with them, returns what `Entry.directions`
            is to keep.

    Raises:
        RewardkitUsageError: a row cannot be read, lacks a field, or has no id of its own; the text names the place.
    """
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise RewardkitUsageError(f"limit must be a number of rows, 1 or more, not {limit!r}")
    store = open_store(source)
    check = _checking(fields, id)
    rename = _renaming(fields)
    entries: list[Entry] = []
    places: dict[str, str] = {}
    for key, place, found in store.scan():
        check(found, place)
        row = rename(found)
        if not entries and id is None:
            id = next((name for name in ID_FIELDS if name in row), None)  # noqa: A001
        row_id = _row_id(row, id, place, number=len(entries) + 1)
        if row_id in places:
            raise RewardkitUsageError(f"{place}: the id {row_id!r} is already that of {places[row_id]}")
        places[row_id] = place
        entries.append(Entry(row_id, place, key, needs(row, place) if needs else None))
        if len(entries) == limit:
            break
    if not entries:
        raise RewardkitUsageError(f"{store.name}: there are no rows")
    return Dataset(store, entries, fields, id)


def candidate_text(value: Any) -> str | None:
    """Returns the text of a candidate as a row or a sample has it, a text or messages; None for another value."""
    if is_conversation(value):
        return content_text(value[-1]["content"])
    return value if isinstance(value, str) else None


def conversation_of(value: Any) -> Conversation | None:
    """Returns messages as a row has them, maybe as JSON; None for another value."""
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):
            value = json_of(value)
    return value if is_conversation(value) else None


def missing_field(name: str, fields: Fields, place: str) -> RewardkitUsageError:
    """Returns the error for a row without a field that is needed."""
    return RewardkitUsageError(f"{place}: no field {name!r}{did_you_mean(name, map(str, fields))}")


def unknown_field(name: str, known: Iterable[str], place: str) -> RewardkitUsageError:
    """Returns the error for a row with a field that nobody reads."""
    return RewardkitUsageError(f"{place}: unknown field {name!r}{did_you_mean(name, known)}")


def _row_id(row: Fields, id_field: str | None, place: str, number: int) -> str:
    if id_field is None:
        return f"row{number}"
    if id_field not in row:
        raise missing_field(id_field, row, place)
    value = row[id_field]
    if isinstance(value, int) and not isinstance(value, bool):
        return written(value)
    if not isinstance(value, str):
        raise RewardkitUsageError(
            f"{place}: the id in {id_field!r} must be a text or a whole number, not {one_line(repr(value), 60)}"
        )
    if not value.strip():
        raise RewardkitUsageError(f"{place}: the id in {id_field!r} is empty")
    return value


def _checking(spec: FieldSpec, id_field: str | None) -> Callable[[Fields, str], None]:
    if spec is None:
        return lambda _fields, _place: None
    if isinstance(spec, str) or not all(isinstance(name, str) for name in spec):
        raise RewardkitUsageError(f"fields must be a list of names, or a mapping of names to names, not {spec!r}")
    # The row's own directions need not be declared: they are the plugin's words.
    wanted = list(spec.values()) if isinstance(spec, Mapping) else list(spec)
    known = {*wanted, *ID_FIELDS, *DIRECTIONS, id_field}

    def check(fields: Fields, place: str) -> None:
        for name in wanted:
            if name not in fields:
                raise missing_field(name, fields, place)
        if not known.issuperset(fields):
            raise unknown_field(next(str(name) for name in fields if name not in known), wanted, place)

    return check


def _renaming(spec: FieldSpec) -> Callable[[Fields], Fields]:
    if not isinstance(spec, Mapping):
        return lambda fields: fields
    ours = {theirs: name for name, theirs in spec.items()}
    return lambda fields: {ours.get(name, name): value for name, value in fields.items()}
