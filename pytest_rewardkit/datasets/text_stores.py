"""Text files that hold rows; each row is read again from the offset at which a scan found it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import tempfile
import threading
import weakref
from typing import IO, TYPE_CHECKING, Any, Final

from pytest_rewardkit.datasets.store import Fields, Found
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.values.digits import json_of
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAX_CELL: Final = 2**31 - 1


class _View(io.RawIOBase):
    """Reads a file that several threads share, from a position of its own.

    Parameters:
        file: the file; it stays open when the view is closed.
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


def is_packed(path: Path) -> bool:
    """Whether a file is compressed by gzip, by its suffix or its content."""
    with path.open("rb") as file:
        return path.suffix == ".gz" or file.read(2) == b"\x1f\x8b"


class _TextStore:
    """A text file, read from known offsets; a compressed file is unpacked once, to a file that no one else sees."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self._lock = threading.Lock()
        self._unpacked: IO[bytes] | None = None

    def _opened(self) -> IO[bytes]:
        """Opens the file at its beginning, with a position that no other reader moves."""
        if not is_packed(self._path):
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
        """Yields (offset, number, text) of each line from the position of `file`."""
        offset = file.tell()
        for number, line in enumerate(file, 1):
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                raise RewardkitUsageError(f"{self.name}:{number}: not UTF-8 at byte {error.start + 1}") from None
            yield offset, number, text.removeprefix("\ufeff") if offset == 0 else text
            offset += len(line)


class JsonLinesStore(_TextStore):
    """One JSON object per line; empty lines are skipped."""

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
        # The limit is global to the process, and restoring it would fail a thread that reads at that moment.
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
        """Yields (offset, line, cells) of each record, which may span several lines."""
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


def _json_object(text: str, place: str) -> Fields:
    try:
        fields = json_of(text)
    except json.JSONDecodeError as error:
        near = one_line(text[max(error.pos - 20, 0) : error.pos + 20], 60)
        raise RewardkitUsageError(f"{place}: not JSON: {error.msg} at column {error.pos + 1}, near {near!r}") from None
    except (ValueError, RecursionError) as error:
        raise RewardkitUsageError(f"{place}: not JSON: {one_line(str(error), 200)}") from None
    if not isinstance(fields, dict):
        hint = "; an array of rows belongs in a .json file" if isinstance(fields, list) else ""
        raise RewardkitUsageError(f"{place}: a row must be a JSON object, not {json_kind(fields)}{hint}")
    return fields


def json_kind(value: Any) -> str:
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
