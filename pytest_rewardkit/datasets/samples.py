"""Samples: responses of models for rows, by the rows' ids; several for one row are attempts at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pytest_rewardkit.datasets.fields import CANDIDATE_FIELDS, ID_FIELDS, MESSAGES, candidate_text, missing_field
from pytest_rewardkit.datasets.stores import MemoryStore, open_store
from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.scorers.response.messages import is_conversation
from pytest_rewardkit.scorers.values.digits import json_of, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_rewardkit.datasets.rows import Dataset
    from pytest_rewardkit.datasets.store import Fields, Store

TEXT_FIELDS: Final = (*CANDIDATE_FIELDS, "generation", "output", MESSAGES)


class Key(NamedTuple):
    """The place of a sample: the store's key of its row, the field with its text, and the id in that row."""

    row: int
    field: str
    id_field: str
    row_id: str


class Samples:
    """Texts by the ids of rows; only their places are in memory.

    Parameters:
        source: a file as for `open_dataset`, each of its rows with an id and, in one of `TEXT_FIELDS`, a text or
            messages; or a ``.json`` file of one object, of ids to texts or lists of texts; or mappings.

    Raises:
        RewardkitUsageError: a sample has no id or no text.
    """

    def __init__(self, source: str | Path | Iterable[Fields]) -> None:
        self._store = _opened(source)
        self.name = self._store.name
        self._keys: dict[str, list[Key]] = {}
        self._places: dict[str, str] = {}
        for key, place, fields in self._store.scan():
            id_field = _first(fields, ID_FIELDS, place)
            row_id = written(fields[id_field])
            given = {name: value for name, value in fields.items() if value is not None}
            field = _first(given if any(name in given for name in TEXT_FIELDS) else fields, TEXT_FIELDS, place)
            if _text(fields[field]) is None:
                raise RewardkitUsageError(
                    f"{place}: {field!r} must hold a text, or messages, not {type(fields[field]).__name__}"
                )
            self._keys.setdefault(row_id, []).append(Key(key, field, id_field, row_id))
            self._places.setdefault(row_id, place)

    def keys_of(self, row_id: str) -> list[Key]:
        """Returns the keys of the samples for a row, in order; none if there are none."""
        return self._keys.get(row_id, [])

    def read(self, key: Key) -> str:
        """Returns a sample's text. Raises RewardkitUsageError if it no longer exists."""
        fields = self._store.read(key.row)
        text = _text(fields.get(key.field))
        if written(fields.get(key.id_field)) != key.row_id or text is None:
            raise RewardkitUsageError(
                f"{self.name}: the sample for {key.row_id!r} is not there any more; the file has changed"
            )
        return text

    def check_ids(self, dataset: Dataset) -> None:
        """Raises RewardkitUsageError for a sample whose row is not in the dataset."""
        known = {entry.id for entry in dataset.entries}
        for row_id, place in self._places.items():
            if row_id not in known:
                raise RewardkitUsageError(f"{place}: {dataset.name} has no row {row_id!r}{did_you_mean(row_id, known)}")


def _text(value: Any) -> str | None:
    """The text of a sample; null is a model that gave no answer."""
    return "" if value is None else candidate_text(value)


def _opened(source: str | Path | Iterable[Fields]) -> Store:
    if isinstance(source, str | Path) and Path(source).suffix == ".json" and Path(source).is_file():
        with Path(source).open("rb") as file:
            try:
                content = json_of(file.read())
            except (ValueError, RecursionError):
                content = None  # the store reports the error
        if isinstance(content, dict):
            store = MemoryStore(_by_id(content))
            store.name = Path(source).name
            return store
    return open_store(source)


def _by_id(content: Mapping[str, Any]) -> list[Fields]:
    rows: list[Fields] = []
    for row_id, texts in content.items():
        several = isinstance(texts, list) and not is_conversation(texts)
        rows += [{"id": row_id, "candidate": text} for text in (texts if several else [texts])]
    return rows


def _first(fields: Fields, names: tuple[str, ...], place: str) -> str:
    """The first of the names that the row has."""
    for name in names:
        if name in fields:
            return name
    raise missing_field(names[0], fields, place)
