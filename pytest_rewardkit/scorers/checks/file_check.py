"""One check of the files that a candidate leaves, judged by the tree before and after it. Pure."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.difference import shown
from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.reward import TEXT_LIMIT, Part, Verdict
from pytest_rewardkit.reward_values import checked_weight
from pytest_rewardkit.scorers.checks.case import NOT_GIVEN
from pytest_rewardkit.scorers.checks.judging import Matching, readable
from pytest_rewardkit.scorers.checks.mappings import of_mapping
from pytest_rewardkit.scorers.running.tree import Tree, TreeEntry, path_pattern
from pytest_rewardkit.scorers.values.compare import EQUAL, TEXT_COMPARISONS, ComparisonResult
from pytest_rewardkit.scorers.values.literals import json_value, literal_value
from pytest_rewardkit.scorers.values.table import table_difference

if TYPE_CHECKING:
    import re

    from pytest_rewardkit.scorers.own_time import OwnTime

OPERATIONS: Final = ("create", "exists", "modify", "absent", "unchanged")
FILE_COMPARISONS: Final = (*TEXT_COMPARISONS, "csv", "bytes")


@dataclass(frozen=True, kw_only=True)
class FileCheck:
    """A file that a candidate must leave, change or spare.

    Parameters:
        path: the file's path, below the scorer's root; with ``*``, ``?`` or ``**/``, all files that match.
        type: ``create``: it was not there, and is now. ``exists``: it is there, or a folder is. ``modify``: it was
            there, and is there with other bytes. ``absent``: it is not there. ``unchanged``: it is there as it was.
            If `path` is a pattern, one matching file is enough for the first three; the last two apply to all.
        content: what must be in it: text, bytes, or a value: JSON or, in a ``.csv`` file, rows.
        compare: how to compare it: a comparison of texts (compare.py), ``csv`` or ``bytes``. The default depends on
            the content: ``lines`` for text, ``bytes`` for bytes, ``csv`` or ``json`` for a value.
        name: what to call the check in reports.
        weight: how much it counts among the checks, 0 or more.

    Raises RewardkitUsageError that names the path and what is wrong.
    """

    path: str
    type: str = "create"
    content: Any = NOT_GIVEN
    compare: str | None = None
    name: str | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise RewardkitUsageError(f"file check of {shown(self.path)}: {problem}")
        checked_weight(self.weight, f"file check of {self.path!r}")

    def _problem(self) -> str:
        if not isinstance(self.path, str) or not self.path.strip("/"):
            return "path must be the path of a file"
        if ".." in self.path.split("/"):
            return "path must not leave the root: no '..'"
        if self.type not in OPERATIONS:
            return f"no operation {self.type!r}{did_you_mean(str(self.type), OPERATIONS)}"
        if self.compare is not None and self.compare not in FILE_COMPARISONS:
            return f"no comparison {self.compare!r}{did_you_mean(str(self.compare), FILE_COMPARISONS)}"
        if self.content is not NOT_GIVEN and self.type in ("absent", "unchanged"):
            return f"content= does not go with type={self.type!r}"
        return ""

    @property
    def label(self) -> str:
        return self.name if self.name is not None else f"{self.type} {self.path}"

    def pattern(self, root: str) -> re.Pattern[str]:
        """The expression that paths below `root` match."""
        path = self.path
        if path.startswith("/"):
            path = posixpath.relpath(path, root)
            if path.startswith(".."):
                raise RewardkitUsageError(f"file check of {self.path!r}: the path is not below {root!r}")
        return path_pattern(posixpath.normpath(path))


def as_file_checks(checks: Iterable[FileCheck | Mapping[str, Any]]) -> tuple[FileCheck, ...]:
    """Return checks given as `FileCheck` objects or as mappings of its fields.

    Raises RewardkitUsageError if there are no checks, and for an unknown field, with the nearest known one.
    """
    if isinstance(checks, FileCheck | Mapping | str) or not isinstance(checks, Iterable):
        raise RewardkitUsageError(f"files must be a list of checks, not {type(checks).__name__}")
    found = []
    for number, check in enumerate(checks, start=1):
        if isinstance(check, Mapping):
            check = of_mapping(FileCheck, check, "a check", f"file check {number}: ")
        if not isinstance(check, FileCheck):
            raise RewardkitUsageError(
                f"file check {number} must be a FileCheck or a mapping, not {type(check).__name__}"
            )
        found.append(check)
    if not found:
        raise RewardkitUsageError("no files were given: nothing would be checked")
    return tuple(found)


def judge_file(check: FileCheck, before: Tree, after: Tree, root: str, matching: Matching, own_time: OwnTime) -> Part:
    """Return the part of the reward that `check` earns; of many files, judges those that there is time for."""
    pattern = check.pattern(root)
    old = {path: entry for path, entry in before.items() if pattern.fullmatch(path)}
    new = {path: entry for path, entry in after.items() if pattern.fullmatch(path)}
    if check.type == "absent":
        comparison, actual = _absent(new), None
    elif check.type == "unchanged":
        comparison, actual = _unchanged(old, new), None
    else:
        comparison, actual = _best(check, old, new, matching, own_time)
    if comparison.equal:
        return Part(check.label, 1.0, weight=check.weight)
    wanted, found = _side_by_side(check, None if actual is None else actual.content)
    return Part(
        check.label,
        comparison.value,
        weight=check.weight,
        verdict=Verdict.PARTIAL if comparison.value else Verdict.WRONG_OUTPUT,
        reason=readable(comparison.reason),
        expected=wanted,
        actual=found,
    )


def touched(before: Tree, after: Tree) -> list[str]:
    """Return the paths of the files that were created, changed or removed, in order. Folders do not count."""
    paths = {path for tree in (before, after) for path, entry in tree.items() if entry.is_file}
    return sorted(path for path in paths if before.get(path) != after.get(path))


def _absent(new: Tree) -> ComparisonResult:
    return ComparisonResult(0.0, f"{shown(min(new))} is there") if new else EQUAL


def _unchanged(old: Tree, new: Tree) -> ComparisonResult:
    if not old:
        return ComparisonResult(0.0, "there was no such file before")
    for path, entry in sorted(old.items()):
        if path not in new:
            return ComparisonResult(0.0, f"{shown(path)} was removed")
        if new[path] != entry:
            return ComparisonResult(0.0, f"{shown(path)} was changed")
    return EQUAL


def _best(
    check: FileCheck, old: Tree, new: Tree, matching: Matching, own_time: OwnTime
) -> tuple[ComparisonResult, TreeEntry | None]:
    """The best result among the files."""
    best, of_best = ComparisonResult(0.0, "there is no such file"), None
    for path, entry in sorted(new.items(), key=lambda item: item[0]):
        if own_time.used_up:
            return ComparisonResult(0.0, own_time.reason), None
        found = _compared(check, entry, old.get(path), matching)
        if found.equal:
            return found, entry
        if of_best is None or found.value > best.value:
            best, of_best = found, entry
    return best, of_best


def _compared(check: FileCheck, entry: TreeEntry, earlier: TreeEntry | None, matching: Matching) -> ComparisonResult:
    if check.type == "create" and earlier is not None:
        return ComparisonResult(0.0, "it was there before")
    if check.type == "modify":
        if earlier is None:
            return ComparisonResult(0.0, "it was not there before")
        if earlier == entry:
            return ComparisonResult(0.0, "it was not changed")
    if check.type != "exists" and not entry.is_file:
        return ComparisonResult(0.0, "it is a folder")
    if check.content is NOT_GIVEN:
        return EQUAL
    if entry.content is None:
        why = entry.obstacle or entry.unkept or "it is a folder"
        return ComparisonResult(0.0, f"its content cannot be read: {why}")
    return _content_compared(check, entry.content, matching)


def _content_compared(check: FileCheck, content: bytes, matching: Matching) -> ComparisonResult:
    expected = check.content
    how = _comparison(check)
    if how == "bytes":
        wanted = expected.encode() if isinstance(expected, str) else bytes(expected)
        return EQUAL if content == wanted else ComparisonResult(0.0, _bytes_difference(content, wanted))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return ComparisonResult(0.0, f"it is no UTF-8 text: {error.reason} at byte {error.start}")
    if how == "csv":
        reason = table_difference(text, expected, matching.tolerance)
        return ComparisonResult(0.0, reason) if reason else EQUAL
    if isinstance(expected, str):
        return matching.texts([text], expected, how)
    try:
        value = json_value(text) if how == "json" else literal_value(text)
    except ValueError as error:
        return ComparisonResult(0.0, f"it is {error}")
    return matching.values(value, expected, how)


def _comparison(check: FileCheck) -> str | None:
    if check.compare is not None:
        return check.compare
    if isinstance(check.content, bytes | bytearray):
        return "bytes"
    if isinstance(check.content, str):
        return None
    return "csv" if check.path.endswith(".csv") else "json"


def _bytes_difference(actual: bytes, expected: bytes) -> str:
    place = next((i for i, (a, b) in enumerate(zip(actual, expected, strict=False)) if a != b), None)
    if place is None:
        return f"{len(expected):,} bytes expected, {len(actual):,} given"
    near = slice(max(0, place - 8), place + 8)
    return f"byte {place:,} differs: expected {shown(expected[near])}, got {shown(actual[near])}"


def _side_by_side(check: FileCheck, content: bytes | None) -> tuple[str | None, str | None]:
    """Return the expected and the actual content as texts; values and the JSON that holds them in one layout."""
    if check.content is NOT_GIVEN:
        return None, None if content is None else _written(content)
    if content is not None and not isinstance(check.content, str) and _comparison(check) == "json":
        with suppress(ValueError, TypeError, RecursionError):  # not JSON, or a value that JSON cannot hold
            return _laid_out(check.content), _laid_out(json_value(content.decode("utf-8-sig")))
    return _written(check.content), None if content is None else _written(content)


def _laid_out(value: Any) -> str:
    return readable(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False))


def _written(content: Any) -> str:
    if isinstance(content, bytes | bytearray):
        content = bytes(content[: 2 * TEXT_LIMIT]).decode("utf-8", "backslashreplace")
    return readable(content) if isinstance(content, str) else shown(content, TEXT_LIMIT)
