"""Unified diffs, as models write them: read, and applied to files in memory. Pure.

The format is that of POSIX `diff -u` with git's extended headers. What models get wrong and what does not change the
meaning is let through: numbers of lines, lines without the blank that marks context where they are empty, line ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

NOWHERE: Final = "/dev/null"
MAX_FUZZ: Final = 2
"""Lines of context at each end of a hunk that may differ, as GNU patch has it."""

_HUNK: Final = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")
_NO_NUMBERS: Final = re.compile(r"@@(?: .*)?$")
_GIT: Final = re.compile(r'diff --git "?a/(.*?)"? "?b/(.*?)"?$')
_END: Final = ("diff --git ", "--- ", "Index: ")
_SYMLINK: Final = "120000"


class NotApplied(Exception):  # noqa: N818 - it names what happened
    """A patch is none, or does not fit; the text says where."""


@dataclass(slots=True)
class Hunk:
    """Lines that are to be found together, and those that take their place.

    Parameters:
        line: where they should be, from 1; 0 where that is not said.
        lines: a sign (" ", "-", "+") and a line each.
        no_newline: signs of the lines that end the file without a line break.
    """

    line: int
    lines: list[tuple[str, str]] = field(default_factory=list)
    no_newline: set[str] = field(default_factory=set)


@dataclass(slots=True)
class FilePatch:
    """The change of one file; `old` or `new` is None where there is none before or after."""

    old: str | None
    new: str | None
    hunks: list[Hunk] = field(default_factory=list)


def looks_like_patch(text: str) -> bool:
    """Whether a text has what a unified diff begins with."""
    lines = text.splitlines()
    return any(
        line.startswith("diff --git ")
        or (line.startswith("--- ") and index + 1 < len(lines) and lines[index + 1].startswith("+++ "))
        for index, line in enumerate(lines)
    )


def read_patch(text: str) -> list[FilePatch]:
    """Return the changes of a unified diff, in their order. Raises NotApplied for one that is none."""
    patches = list(_Reader(text.replace("\r\n", "\n").split("\n")).patches())
    if not patches:
        raise NotApplied("there is no change of a file in the patch")
    return patches


class _Reader:
    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._at = 0

    def patches(self) -> Iterator[FilePatch]:
        """Read on to the end; what stands between files is passed over."""
        while (line := self._next()) is not None:
            if named := _GIT.match(line):
                yield self._of_git(named[1], named[2])
            elif line.startswith("--- ") and (after := self._peek()) is not None and after.startswith("+++ "):
                self._at += 1
                yield FilePatch(_name(line[4:]), _name(after[4:]), list(self._hunks()))

    def _of_git(self, old: str, new: str) -> FilePatch:
        patch = FilePatch(f"a/{old}", f"b/{new}")
        while (line := self._peek()) is not None and not line.startswith("diff --git "):
            if line.startswith("--- "):
                self._at += 1
                patch.old = _name(line[4:])
                if (after := self._peek()) is not None and after.startswith("+++ "):
                    self._at += 1
                    patch.new = _name(after[4:])
                patch.hunks = list(self._hunks())
                break
            if _HUNK.match(line):
                patch.hunks = list(self._hunks())
                break
            self._at += 1
            if line.startswith("new file mode"):
                patch.old = None
            elif line.startswith("deleted file mode"):
                patch.new = None
            elif line.startswith(("GIT binary patch", "Binary files ")):
                raise NotApplied(f"{one_line(new, 200)}: a binary patch")
            if line.endswith(_SYMLINK) and "mode" in line:
                raise NotApplied(f"{one_line(new, 200)}: a symbolic link")
        return patch

    def _hunks(self) -> Iterator[Hunk]:
        while (line := self._peek()) is not None and (_HUNK.match(line) or _NO_NUMBERS.fullmatch(line)):
            self._at += 1
            numbers = _HUNK.match(line)
            yield self._hunk(Hunk(int(numbers[1]) if numbers else 0))

    def _hunk(self, hunk: Hunk) -> Hunk:
        while (line := self._peek()) is not None and not self._ends_hunk(line):
            self._at += 1
            if line.startswith("\\"):
                if hunk.lines:
                    hunk.no_newline.add(hunk.lines[-1][0])
            elif line[:1] in (" ", "-", "+"):
                hunk.lines.append((line[0], line[1:]))
            elif not line:
                hunk.lines.append((" ", ""))
            else:
                break
        while hunk.lines and hunk.lines[-1] == (" ", "") and self._ends_here():
            hunk.lines.pop()  # the blank lines after a patch are no context
        return hunk

    def _ends_hunk(self, line: str) -> bool:
        if _HUNK.match(line) or _NO_NUMBERS.fullmatch(line):
            return True
        if line.startswith("--- "):  # else it is a removed line that begins with "-- "
            after = self._lines[self._at + 1] if self._at + 1 < len(self._lines) else ""
            return after.startswith("+++ ")
        return line.startswith(("diff --git ", "Index: "))

    def _ends_here(self) -> bool:
        line = self._peek()
        return line is None or line.startswith(_END)

    def _peek(self) -> str | None:
        return self._lines[self._at] if self._at < len(self._lines) else None

    def _next(self) -> str | None:
        line = self._peek()
        self._at += 1
        return line


def _name(text: str) -> str | None:
    name = text.split("\t")[0].strip()
    if name.startswith('"') and name.endswith('"'):
        name = name[1:-1]
    return None if name == NOWHERE else name


def apply_patch(patches: Sequence[FilePatch], files: Mapping[str, bytes]) -> dict[str, bytes | None]:
    """Return the contents that files have after a patch, None for those that are removed; all or nothing.

    Parameters:
        files: the contents of all files before, by path.

    Raises NotApplied, with the hunk that does not fit.
    """
    changes: dict[str, bytes | None] = {}

    def content(path: str) -> bytes | None:
        return changes[path] if path in changes else files.get(path)

    for patch in patches:
        old = _path(patch.old, content)
        before = b"" if old is None else content(old)
        if before is None and patch.new is not None and _only_adds(patch):
            before = b""  # a new file, though it is not said to be one
        if before is None:
            raise NotApplied(f"{one_line(str(old), 200)}: there is no such file")
        new = _path(patch.new, content)
        if new is not None:
            changes[new] = _patched(before, patch, new)
        if old is not None and old != new:
            changes[old] = None
    return changes


def _only_adds(patch: FilePatch) -> bool:
    return bool(patch.hunks) and all(sign == "+" for hunk in patch.hunks for sign, _ in hunk.lines)


def _path(name: str | None, content: Callable[[str], bytes | None]) -> str | None:
    """The path that a patch means: with git's prefix where a file has that name, else without."""
    if name is None:
        return None
    stripped = _stripped(name)
    return name if content(stripped) is None and content(name) is not None else stripped


def _stripped(name: str) -> str:
    return name[2:] if name.startswith(("a/", "b/")) else name.removeprefix("./")


def _patched(before: bytes, patch: FilePatch, path: str) -> bytes:
    text = before.decode("utf-8", "surrogateescape")
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.replace("\r\n", "\n").split("\n")
    shift = 0
    for number, hunk in enumerate(patch.hunks, 1):
        shift += _put(lines, hunk, shift, f"hunk {number} of {one_line(path, 200)}")
    after = "\n".join(lines)
    unended = patch.hunks[-1].no_newline if patch.hunks else set()
    if "+" in unended:
        after = after.removesuffix("\n")
    elif "-" in unended and not after.endswith("\n"):
        after += "\n"
    try:
        return after.replace("\n", newline).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise NotApplied(f"{one_line(path, 200)}: {error.reason}") from None


def _put(lines: list[str], hunk: Hunk, shift: int, where: str) -> int:
    """Put a hunk into the lines of a file; return by how many there are more."""
    if all(sign == "+" for sign, _ in hunk.lines):
        at = min(max(hunk.line + shift, 0), len(lines) - (lines[-1] == ""))
        lines[at:at] = [line for _, line in hunk.lines]
        return len(hunk.lines)
    for fuzz in range(MAX_FUZZ + 1):
        before, after = _without_context(hunk.lines, fuzz)
        part = hunk.lines[before:after]
        old = [line for sign, line in part if sign != "+"]
        for same in (str, str.rstrip):
            place = _nearest(lines, old, max(hunk.line - 1, 0) + before + shift, same)
            if place is not None:
                there = iter(lines[place : place + len(old)])
                kept = [(sign, line if sign == "+" else next(there)) for sign, line in part]
                new = [line for sign, line in kept if sign != "-"]
                lines[place : place + len(old)] = new
                return len(new) - len(old)
    first = next((line for sign, line in hunk.lines if sign != "+" and line.strip()), "")
    expected = f" at line {hunk.line}" if hunk.line else ""
    raise NotApplied(f"{where} does not fit{expected}: {one_line(first, 120)!r} and what follows is not there")


def _without_context(lines: Sequence[tuple[str, str]], fuzz: int) -> tuple[int, int]:
    """From where to where a hunk reaches without `fuzz` lines of context at each end."""
    before, after = 0, len(lines)
    while before < fuzz and before < after and lines[before][0] == " ":
        before += 1
    while len(lines) - after < fuzz and after > before and lines[after - 1][0] == " ":
        after -= 1
    return before, after


def _nearest(lines: Sequence[str], old: Sequence[str], wanted: int, same: Callable[[str], str]) -> int | None:
    """Where the lines `old` stand together, nearest to where they are wanted; None where they do not."""
    if not old:
        return None
    sought = [same(line) for line in old]
    text = [same(line) for line in lines]
    places = range(len(text) - len(old) + 1)
    found = (at for at in places if text[at] == sought[0] and text[at : at + len(old)] == sought)
    return min(found, key=lambda at: abs(at - wanted), default=None)
