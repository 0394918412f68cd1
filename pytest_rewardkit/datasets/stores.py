"""Files that hold rows: how each kind is scanned once for its index, and how one row is read again by its key.

A scan parses every row, so that bad input is refused before anything runs, and keeps none. Threads may read rows of one
store at the same time.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, Protocol

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.values.digits import json_of
from pytest_rewardkit.text import one_line

Fields = Mapping[str, Any]

_MAX_CELL: Final = 2**31 - 1


class Found(NamedTuple):
    """A row met by a scan: the key to read it again by, its place for people (``rows.jsonl:12``), its fields."""

    key: int
    place: str
    fields: Fields


class Store(Protocol):
    """Where rows are kept."""

    name: str

    def scan(self) -> Iterator[Found]:
        """Yields each row in order. Raises RewardkitUsageError at one that cannot be read."""
        ...

    def read(self, key: int) -> Fields:
        """Returns the fields of the row that a scan found by this key."""
        ...


def open_store(source: str | Path | Iterable[Fields]) -> Store:
    """Returns the store for a file, by its suffix, or for rows that are there already.

    Raises:
        RewardkitUsageError: there is no such file, or no store for its suffix.
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


class _View(io.RawIOBase):
    """Reads a file that several threads have in common, from a position of its own.

    Parameters:
        file: what is read; stays open when the view is closed.
        lock: held while the file's own position is used.
    """

    def __init__(self, file: IO[bytes], lock: threading.Lock) -> None:
        self._file = file
        self._lock = lock
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        with self._lock:
            starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._position}
            self._position = starts[whence] + offset if whence in starts else self._file.seek(offset, whence)
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        with self._lock:
            self._file.seek(self._position)
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


class _TextStore:
    """A text file, read from known offsets; one that is compressed is unpacked once, to where nobody else sees it."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self._lock = threading.Lock()
        self._unpacked: IO[bytes] | None = None

    def _opened(self) -> IO[bytes]:
        """Opens the file at its beginning, with a position that nobody else moves."""
        if self._path.suffix != ".gz":
            return self._path.open("rb")
        with self._lock:
            if self._unpacked is None:
                self._unpacked = self._unpack()
                weakref.finalize(self, self._unpacked.close)
        return io.BufferedReader(_View(self._unpacked, self._lock))

    def _unpack(self) -> IO[bytes]:
        unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the store does
        try:
            with gzip.open(self._path) as packed:
                shutil.copyfileobj(packed, unpacked)
        except (OSError, EOFError) as error:
            unpacked.close()
            raise RewardkitUsageError(f"{self.name}: not a gzip file, or cut off: {error}") from None
        except BaseException:
            unpacked.close()
            raise
        return unpacked

    def _changed(self, key: int) -> RewardkitUsageError:
        return RewardkitUsageError(f"{self.name}: no row at byte {key} any more; the file has changed since its scan")

    def _lines(self, file: IO[bytes]) -> Iterator[tuple[int, int, str]]:
        """Yields (offset, number, text) of each line from where `file` stands."""
        offset = file.tell()
        for number, line in enumerate(file, 1):
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                raise RewardkitUsageError(f"{self.name}:{number}: not UTF-8 at byte {error.start + 1}") from None
            yield offset, number, text.removeprefix("\ufeff") if offset == 0 else text
            offset += len(line)


class JsonLinesStore(_TextStore):
    """One JSON object a line; empty lines are passed over."""

    def scan(self) -> Iterator[Found]:
        with self._opened() as file:
            for offset, number, text in self._lines(file):
                if not text.isspace():
                    place = f"{self.name}:{number}"
                    yield Found(offset, place, _json_object(text, place))

    def read(self, key: int) -> Fields:
        with self._opened() as file:
            file.seek(key)
            for _, _, text in self._lines(file):
                return _json_object(text, f"{self.name} at byte {key}")
        raise self._changed(key)


class CsvStore(_TextStore):
    """Comma-separated values under a header line; every value is text."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        # It is the process's, and put back it would fail whoever reads at that moment.
        csv.field_size_limit(max(csv.field_size_limit(), _MAX_CELL))

    def scan(self) -> Iterator[Found]:
        with self._opened() as file:
            header: list[str] = []
            for offset, number, cells in self._records(file):
                place = f"{self.name}:{number}"
                if not header:
                    header = _checked_header(cells, place)
                else:
                    yield Found(offset, place, _by_header(header, cells, place))

    def read(self, key: int) -> Fields:
        with self._opened() as file:
            header = next(self._records(file), (0, 0, []))[2]
            file.seek(key)
            for _, _, cells in self._records(file):
                return _by_header(header, cells, f"{self.name} at byte {key}")
        raise self._changed(key)

    def _records(self, file: IO[bytes]) -> Iterator[tuple[int, int, list[str]]]:
        """Yields (offset, line, cells) of each record, which may stretch over several lines."""
        begun: list[tuple[int, int]] = []

        def texts() -> Iterator[str]:
            for offset, number, text in self._lines(file):
                begun.append((offset, number))
                yield text

        reader = csv.reader(texts(), strict=True)
        while True:
            begun.clear()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                line = begun[0][1] if begun else 1
                raise RewardkitUsageError(f"{self.name}:{line}: not CSV: {error}") from None
            if cells:
                yield *begun[0], cells


class JsonArrayStore:
    """One JSON array of objects, held as a whole."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self._rows: list[Any] | None = None

    def scan(self) -> Iterator[Found]:
        for index, fields in enumerate(self._loaded()):
            place = f"{self.name}, item {index + 1}"
            if not isinstance(fields, dict):
                raise RewardkitUsageError(f"{place}: a row must be a JSON object, not {_json_kind(fields)}")
            yield Found(index, place, fields)

    def read(self, key: int) -> Fields:
        fields: Fields = self._loaded()[key]
        return fields

    def _loaded(self) -> list[Any]:
        if self._rows is None:
            opened = gzip.open if self._path.suffix == ".gz" else open
            try:
                with opened(self._path, "rb") as file:
                    rows = json_of(file.read())
            except (ValueError, RecursionError, OSError, EOFError) as error:
                raise RewardkitUsageError(f"{self.name}: not JSON: {one_line(str(error), 200)}") from None
            if not isinstance(rows, list):
                raise RewardkitUsageError(
                    f"{self.name}: the file must be one JSON array of rows, not {_json_kind(rows)}; "
                    "one object a line belongs in a .jsonl file"
                )
            self._rows = rows
        return self._rows


class ParquetStore:
    """A Parquet file, read a group of rows at a time."""

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
    """Rows that are there already."""

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


def _json_object(text: str, place: str) -> Fields:
    try:
        fields = json_of(text)
    except json.JSONDecodeError as error:
        near = one_line(text[max(error.pos - 20, 0) : error.pos + 20], 60)
        raise RewardkitUsageError(f"{place}: not JSON: {error.msg} at column {error.pos + 1}, near {near!r}") from None
    except (ValueError, RecursionError) as error:
        raise RewardkitUsageError(f"{place}: not JSON: {one_line(str(error), 200)}") from None
    if not isinstance(fields, dict):
        raise RewardkitUsageError(f"{place}: a row must be a JSON object, not {_json_kind(fields)}")
    return fields


def _json_kind(value: Any) -> str:
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")


def _checked_header(cells: list[str], place: str) -> list[str]:
    for index, name in enumerate(cells):
        if not name.strip():
            raise RewardkitUsageError(f"{place}: column {index + 1} has no name")
        if name in cells[:index]:
            raise RewardkitUsageError(f"{place}: two columns are named {name!r}")
    return cells


def _by_header(header: list[str], cells: list[str], place: str) -> Fields:
    if len(cells) != len(header):
        raise RewardkitUsageError(f"{place}: {len(cells)} values under a header of {len(header)} names")
    return dict(zip(header, cells, strict=True))
