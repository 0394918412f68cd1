"""Rows of a dataset: one scan makes an index of ids, and each row is read when needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.datasets.fields import DIRECTIONS, ID_FIELDS, missing_field, unknown_field
from pytest_rewardkit.datasets.formats import UNNAMED
from pytest_rewardkit.datasets.row import Row
from pytest_rewardkit.datasets.stores import open_store
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.values.digits import written
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from pytest_rewardkit.datasets.store import Fields, Store

FieldSpec = Sequence[str] | Mapping[str, str] | None
"""Names of the fields that rows must have; or a mapping from those names to the file's own names."""


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """The index's data on a row: its id, its place, the key to read it by, and the configuration of its test."""

    id: str
    place: str
    key: int
    directions: Mapping[str, Any] | None = None


class Dataset(Sequence[Row]):
    """Rows in the order of their file; only the index is in memory."""

    def __init__(
        self,
        store: Store,
        entries: list[IndexEntry],
        fields: FieldSpec,
        id_field: str | None,
        folder: Path | None = None,
    ) -> None:
        self.name = store.name
        self.folder = folder
        """The file's folder, to which paths in rows are relative; None for rows without a file."""
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

    def _read(self, entry: IndexEntry) -> Row:
        fields = self._renamed(self._store.read(entry.key))
        if self._id_field is not None and written(fields.get(self._id_field)) != entry.id:
            raise RewardkitUsageError(
                f"{entry.place}: the row {entry.id!r} is not there any more; the file has changed"
            )
        return Row(fields, id=entry.id, place=entry.place, format=UNNAMED, folder=self.folder)


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
        id: the field that names a row; by default one of `ID_FIELDS`, or else the row's position.
        fields: the fields of a row; a row that lacks one or has another is refused. A mapping gives the file's names
            for them: ``{"expected": "ground_truth"}``.
        limit: how many rows, from the first.
        needs: called with each row's fields and place; raises an error if they are wrong, and returns the value for
            `IndexEntry.directions`.

    Raises:
        RewardkitUsageError: a row cannot be read, lacks a field, or has no unique id; the text names the place.
    """
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise RewardkitUsageError(f"limit must be a number of rows, 1 or more, not {limit!r}")
    store = open_store(source)
    check = _checking(fields, id)
    rename = _renaming(fields)
    entries: list[IndexEntry] = []
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
        entries.append(IndexEntry(row_id, place, key, needs(row, place) if needs else None))
        if len(entries) == limit:
            break
    if not entries:
        raise RewardkitUsageError(f"{store.name}: there are no rows")
    folder = Path(source).absolute().parent if isinstance(source, str | Path) else None
    return Dataset(store, entries, fields, id, folder)


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
    # The configuration of a row's own test need not be declared: its field names are the plugin's.
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
