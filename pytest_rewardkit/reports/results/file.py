"""Writes results files line by line during a run, so that a killed run keeps its results; and reads them."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.reports.results.lines import ATTEMPT, END, RUN, VERSION, result_of, to_text
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import TextIO


DETAILS: Final = frozenset(("parts", "evidence", "sandboxes", "asked", "steps"))
"""The fields of an attempt that can be large."""


class Writer:
    """A results file that is being written; a name ending in ``.gz`` is compressed.

    Parameters:
        path: the file; its directory is created, and an existing file is replaced once `lines` are written.
        lines: the first lines.

    Raises OSError if that fails.
    """

    def __init__(self, path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._replace(lines)

    def write(self, text: str) -> None:
        """Write a line, in its final form; from now on it outlives this process. Raises OSError."""
        self._file.write(text)
        self._file.flush()

    def rewrite(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Replace everything written so far. Raises OSError."""
        self._file.close()
        self._file = self._replace(lines)

    def close(self) -> None:
        self._file.close()

    def _replace(self, lines: Iterable[Mapping[str, Any]]) -> TextIO:
        """Return the opened file with `lines` in it; until they are complete, the name refers to the old file."""
        new = self.path.with_name(f".{self.path.name[:200]}.{os.getpid()}")
        compressed = _is_compressed(self.path)
        file = gzip.open(new, "wt", encoding="ascii") if compressed else new.open("w", encoding="ascii")  # noqa: SIM115
        try:
            file.writelines(map(to_text, lines))
            file.flush()
            new.replace(self.path)
        except BaseException:
            file.close()
            new.unlink(missing_ok=True)
            raise
        return file


@dataclass(slots=True)
class Stored:
    """The content of a results file.

    Parameters:
        path: the file.
        run: the first line: the circumstances of the run.
        ledger: every test with its results, and which tests were collected.
        lines: those of each test, in their order; empty if read without details.
        end: the last line: the results of the run; None if it was cut off.
    """

    path: Path
    run: Mapping[str, Any]
    ledger: Ledger
    lines: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    end: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def seconds(self) -> float | None:
        """How long the run took; None if the file does not say."""
        seconds = None if self.end is None else self.end.get("seconds")
        return float(seconds) if isinstance(seconds, int | float) else None

    @property
    def unfinished(self) -> str:
        """Why the file does not cover a whole run; "" if it does."""
        if self.end is None:
            return f"{self.path.name} is cut off: its run was killed"
        if not self.end["complete"]:
            return f"the run of {self.path.name} was stopped"
        if uncollected := self.end["uncollected"]:
            return f"{uncollected} files could not be collected in the run of {self.path.name}"
        return ""

    @property
    def narrowed_by(self) -> str:
        """How the tests were selected from all; "" if all were to run."""
        return "" if self.end is None else str(self.end.get("narrowed_by", ""))

    @property
    def gates_with_tests(self) -> frozenset[str]:
        """Gates for which the run had selected tests, even if they were skipped: those are not in the file."""
        gates = [] if self.end is None else self.end["gates"]
        return frozenset(gate["name"] for gate in gates if gate["state"] != "not asked")


def read(path: Path, *, details: bool = True, limit: int | None = None) -> Stored:
    """Return the content of a results file, up to where it may have been cut off.

    Parameters:
        details: whether to keep the lines themselves, with parts, evidence, sandboxes, models and steps. Without them,
            the result takes little memory, whatever candidates put out.
        limit: how many characters may be read; None for any number.

    Raises RewardkitUsageError, with the line, if the file cannot be read or is not a results file of this version.
    """
    numbered = _lines(path, limit)
    stored = Stored(path, _first(path, numbered), Ledger())
    indexes: dict[str, int | None] = {}
    for number, line in numbered:
        try:
            _take(stored, line, indexes, details=details)
        except KeyError as error:
            raise RewardkitUsageError(f"{path}, line {number}: lacks {error}") from None
        except (TypeError, ValueError, RewardkitUsageError) as error:
            raise RewardkitUsageError(f"{path}, line {number}: {one_line(str(error), 200)}") from None
    _order(stored, indexes)
    return stored


def run_of(path: Path, *, limit: int | None = None) -> Mapping[str, Any]:
    """Return the first line of a results file: the circumstances of the run. Raises RewardkitUsageError like `read`."""
    return _first(path, _lines(path, limit))


def is_results_file(path: Path) -> bool:
    """Whether a file begins like a results file. Raises RewardkitUsageError if it cannot be read."""
    try:
        first = _DECODER.decode(next(_texts(path), ""))
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and first.get("type") == RUN


def _first(path: Path, numbered: Iterator[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
    first = next(numbered, None)
    if first is None or first[1].get("type") != RUN:
        raise RewardkitUsageError(f"{path}: not a results file: it does not begin with a line of type {RUN!r}")
    return first[1]


def _take(stored: Stored, line: dict[str, Any], indexes: dict[str, int | None], *, details: bool) -> None:
    kind = line["type"]
    if stored.end is not None or kind not in (ATTEMPT, END):
        raise ValueError(f"a line of type {kind!r} does not belong here")
    if kind == END:
        stored.end = {"complete": line["complete"], "uncollected": line["uncollected"], **line}
        return
    node_id = line["node_id"]
    if not isinstance(node_id, str):
        raise TypeError(f"node_id must be a text, not {node_id!r}")
    indexes[node_id] = index = line.get("index")
    if index is not None and type(index) is not int:
        raise TypeError(f"index must be a whole number, not {index!r}")
    if details:
        stored.lines.setdefault(node_id, []).append(line)
    else:
        for name in DETAILS & line.keys():
            del line[name]
    stored.ledger.add(node_id, result_of(line))


def _order(stored: Stored, indexes: Mapping[str, int | None]) -> None:
    """Tell the ledger which tests were collected, and in which order."""
    last = len(indexes)
    in_order = sorted((last if index is None else index, node_id) for node_id, index in indexes.items())
    stored.ledger.expect(node_id for _, node_id in in_order)
    stored.ledger.expect(stored.end["missing"] if stored.end is not None else ())


def _lines(path: Path, limit: int | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the content of each line, up to one that was cut off."""
    for number, text in enumerate(_texts(path, limit), 1):
        try:
            line = _DECODER.decode(text)
        except (ValueError, RecursionError):
            if not text.endswith("\n"):
                return
            raise RewardkitUsageError(f"{path}, line {number}: not JSON") from None
        if not isinstance(line, dict) or line.get("v") != VERSION:
            raise RewardkitUsageError(f"{path}, line {number}: no results of version {VERSION}")
        yield number, line


def _texts(path: Path, limit: int | None = None) -> Iterator[str]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") if _is_compressed(path) else path.open(encoding="utf-8") as file:
            if limit is None:
                yield from file
                return
            while text := file.readline(limit + 1):
                if (limit := limit - len(text)) < 0:
                    raise RewardkitUsageError(f"{path}: it is too large")
                yield text
    except EOFError:
        return  # compressed, and cut off
    except (OSError, UnicodeDecodeError, zlib.error) as error:
        raise RewardkitUsageError(f"cannot read results from {path}: {error}") from None


def _is_compressed(path: Path) -> bool:
    return path.suffix == ".gz"


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)
