"""Files that hold rows: each kind is scanned once for its index, and reads single rows again by their keys.

A scan parses every row, so that bad input is refused before anything runs, and keeps none. Threads may read rows of one
store at the same time.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Final

from pytest_rewardkit.datasets.store import Fields, Found, Store
from pytest_rewardkit.datasets.text_stores import CsvStore, JsonLinesStore, is_packed, json_kind
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.values.digits import json_of
from pytest_rewardkit.text import one_line


def open_store(source: str | Path | Iterable[Fields]) -> Store:
    """Returns the store for a file, by its suffix, or for rows in memory.

    Raises:
        RewardkitUsageError: the file does not exist, or there is no store for its suffix.
    """
    if not isinstance(source, str | Path):
        return MemoryStore(source)
    path = Path(source)
    if not path.is_file():
        there = [entry.name for entry in path.parent.glob("*") if entry.is_file()]
        near = get_close_matches(path.name, there, n=1)
        raise RewardkitUsageError(f"there is no file {path}" + (f"; did you mean {near[0]!r}?" if near else ""))
    suffixes = [suffix for suffix in path.suffixes[-2:] if suffix != ".gz"]
    kind = suffixes[-1].lower() if suffixes else ""
    if kind not in _STORES:
        raise RewardkitUsageError(
            f"{path}: cannot read rows from {kind or 'no suffix'}; known are: {', '.join(_STORES)}"
        )
    return _STORES[kind](path)


class JsonArrayStore:
    """One JSON array of objects, held in memory."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self._rows: list[Any] | None = None

    def scan(self) -> Iterator[Found]:
        for index, fields in enumerate(self._loaded()):
            place = f"{self.name}, item {index + 1}"
            if not isinstance(fields, dict):
                raise RewardkitUsageError(f"{place}: a row must be a JSON object, not {json_kind(fields)}")
            yield Found(index, place, fields)

    def read(self, key: int) -> Fields:
        fields: Fields = self._loaded()[key]
        return fields

    def _loaded(self) -> list[Any]:
        if self._rows is None:
            opened = gzip.open if is_packed(self._path) else open
            try:
                with opened(self._path, "rb") as file:
                    rows = json_of(file.read())
            except (ValueError, RecursionError, OSError, EOFError) as error:
                hint = "; one object a line belongs in a .jsonl file" if "Extra data" in str(error) else ""
                raise RewardkitUsageError(f"{self.name}: not JSON: {one_line(str(error), 200)}{hint}") from None
            if not isinstance(rows, list):
                raise RewardkitUsageError(
                    f"{self.name}: the file must be one JSON array of rows, not {json_kind(rows)}; "
                    "one object a line belongs in a .jsonl file"
                )
            self._rows = rows
        return self._rows


class ParquetStore:
    """A Parquet file, read one group of rows at a time."""

    def __init__(self, path: Path) -> None:
        try:
            from pyarrow import ArrowException
            from pyarrow.parquet import ParquetFile
        except ImportError:
            raise RewardkitUsageError(
                f"reading {path.name} needs pyarrow: pip install 'pytest-rewardkit[parquet]'"
            ) from None
        self.name = path.name
        self._bad_file = ArrowException
        self._open: Callable[[], Any] = partial(ParquetFile, path)
        self._group: tuple[int, list[Fields]] = (-1, [])

    def scan(self) -> Iterator[Found]:
        with self._file() as file:
            for group in range(file.num_row_groups):
                for index, fields in enumerate(file.read_row_group(group).to_pylist()):
                    yield Found(group << 32 | index, f"{self.name}, row {self._start(file, group) + index + 1}", fields)

    def read(self, key: int) -> Fields:
        group = key >> 32
        number, rows = self._group
        if number != group:
            with self._file() as file:
                rows = file.read_row_group(group).to_pylist()
            self._group = (group, rows)
        return rows[key & 0xFFFFFFFF]

    @contextmanager
    def _file(self) -> Iterator[Any]:
        try:
            with self._open() as file:
                yield file
        except (self._bad_file, OSError) as error:
            raise RewardkitUsageError(f"{self.name}: not a Parquet file: {one_line(str(error), 200)}") from None

    @staticmethod
    def _start(file: Any, group: int) -> int:
        return sum(file.metadata.row_group(before).num_rows for before in range(group))


class MemoryStore:
    """Rows in memory."""

    name = "rows"

    def __init__(self, rows: Iterable[Fields]) -> None:
        self._rows = list(rows)

    def scan(self) -> Iterator[Found]:
        for index, fields in enumerate(self._rows):
            if not isinstance(fields, Mapping):
                raise RewardkitUsageError(f"row {index + 1}: a row must be a mapping, not {type(fields).__name__}")
            yield Found(index, f"row {index + 1}", fields)

    def read(self, key: int) -> Fields:
        return self._rows[key]


_STORES: Final[dict[str, type[JsonLinesStore | CsvStore | JsonArrayStore | ParquetStore]]] = {
    ".jsonl": JsonLinesStore,
    ".ndjson": JsonLinesStore,
    ".json": JsonArrayStore,
    ".csv": CsvStore,
    ".parquet": ParquetStore,
}
