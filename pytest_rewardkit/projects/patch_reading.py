"""Reads unified diffs as models and git write them. Pure.

The format is that of POSIX `diff -u` with git's extended headers. Common errors of models that do not change the
meaning are accepted: wrong numbers of lines, empty context lines without their blank, other line ends.
"""

from __future__ import annotations

import base64
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOWHERE: Final = "/dev/null"
MAX_BINARY: Final = 20_000_000
"""Bytes of a file that a patch contains in binary form."""

_HUNK: Final = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_NO_NUMBERS: Final = re.compile(r"@@(?: .*)?$")
_GIT: Final = re.compile(r'diff --git "?a/(.*?)"? "?b/(.*?)"?$')
_END: Final = ("diff --git ", "--- ", "Index: ")
_SIGNATURE: Final = re.compile(r"-- ?$")
"""Separates the patch from git's version in a mail of `git format-patch`."""

_MODE: Final = re.compile(r"(?:new file|new) mode (\d{6})$")
_SYMLINK: Final = "120000"
_NAMED: Final = re.compile(r"(rename|copy) (from|to) (.*)$")
_LITERAL: Final = re.compile(r"literal (\d+)$")
_ESCAPE: Final = re.compile(rb"\\([0-7]{3}|.)")
_ESCAPES: Final = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_DIGITS: Final = 9
_LONGEST: Final = 10_000
"""Characters of a line with names; paths have at most 4,096."""


class NotApplied(Exception):  # noqa: N818 - it names what happened
    """The text is not a patch, or it does not fit; the message says where."""


@dataclass(slots=True)
class Hunk:
    """Consecutive lines to find, and the lines that replace them.

    Parameters:
        line: where they should be, from 1; 0 if not said.
        lines: a sign (" ", "-", "+") and a line each.
        no_newline: signs of the lines that end the file without a line break.
    """

    line: int
    lines: list[tuple[str, str]] = field(default_factory=list)
    no_newline: set[str] = field(default_factory=set)


@dataclass(slots=True)
class FilePatch:
    """The change of one file.

    Parameters:
        old, new: its names; None if the file does not exist before or after.
        executable: whether it is executable afterwards; None if not said.
        copied: whether the file with the old name stays.
        content: its content afterwards, if the patch contains it directly.
    """

    old: str | None
    new: str | None
    hunks: list[Hunk] = field(default_factory=list)
    executable: bool | None = None
    copied: bool = False
    content: bytes | None = None


def looks_like_patch(text: str) -> bool:
    """Whether a text contains the beginning of a unified diff."""
    lines = text.splitlines()
    return any(
        line.startswith("diff --git ")
        or (line.startswith("--- ") and index + 1 < len(lines) and lines[index + 1].startswith("+++ "))
        for index, line in enumerate(lines)
    )


def read_patch(text: str, *, counted: bool = False) -> list[FilePatch]:
    """Return the changes of a unified diff, in order. Raises NotApplied for text that is not one.

    Parameters:
        counted: whether hunks end after as many lines as their headers say, rather than where other lines begin.
    """
    patches = list(_Reader(text.replace("\r\n", "\n").split("\n"), counted=counted).patches())
    if not patches:
        raise NotApplied("there is no change of a file in the patch")
    return patches


class _Reader:
    def __init__(self, lines: Sequence[str], *, counted: bool) -> None:
        self._lines = lines
        self._counted = counted
        self._at = 0

    def patches(self) -> Iterator[FilePatch]:
        """Read to the end; text between files is skipped."""
        while (line := self._next()) is not None:
            if line.startswith("diff --git ") and len(line) < _LONGEST and (named := _GIT.match(line)):
                yield self._of_git(_unquoted(named[1]), _unquoted(named[2]))
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
            self._heed(line, patch, one_line(new, 200))
        return patch

    def _heed(self, line: str, patch: FilePatch, where: str) -> None:
        """Apply one of git's extended headers to a file's patch."""
        if mode := _MODE.match(line):
            if mode[1] == _SYMLINK:
                raise NotApplied(f"{where}: a symbolic link")
            patch.executable = mode[1].endswith("755")
        if line.startswith("new file mode"):
            patch.old = None
        elif line.startswith("deleted file mode"):
            patch.new = None
        elif named := _NAMED.match(line[:_LONGEST]):
            patch.copied = named[1] == "copy"
            if named[2] == "from":
                patch.old = f"a/{_name(named[3])}"
            else:
                patch.new = f"b/{_name(named[3])}"
        elif line == "GIT binary patch":
            patch.content = self._binary(where)

    def _binary(self, where: str) -> bytes:
        """Read a file's new content: lines in base 85 with a sign for their length, packed by zlib."""
        size = _LITERAL.match(self._next() or "")
        packed = bytearray()
        while (line := self._next()) and size is not None:
            try:
                length = ord(line[0]) - (ord("A") - 1 if line[0].isupper() else ord("a") - 27)
                packed += base64.b85decode(line[1:])[:length]
            except ValueError:
                size = None
        try:
            if size is not None and int(size[1]) <= MAX_BINARY:
                return zlib.decompressobj().decompress(bytes(packed), MAX_BINARY)[: int(size[1])]
        except zlib.error:
            pass
        raise NotApplied(f"{where}: a binary patch that does not hold the whole file")

    def _hunks(self) -> Iterator[Hunk]:
        while (line := self._peek()) is not None and (_HUNK.match(line) or _NO_NUMBERS.fullmatch(line)):
            self._at += 1
            numbers = _HUNK.match(line)
            if numbers is None:
                yield self._hunk(Hunk(0), {})
            else:
                at, old, new = (int((text or "1")[:_DIGITS]) for text in numbers.groups())
                yield self._hunk(Hunk(at), {"-": old, "+": new})

    def _hunk(self, hunk: Hunk, left: dict[str, int]) -> Hunk:
        """Read a hunk's lines.

        Parameters:
            left: how many lines its header announces, before and after; empty if it does not say.
        """
        while (line := self._peek()) is not None and not self._ends_hunk(line):
            is_full = bool(left) and left["-"] <= 0 and left["+"] <= 0
            if is_full and not line.startswith("\\") and (self._counted or _SIGNATURE.match(line)):
                break
            for sign in left:
                left[sign] -= line[:1] in (sign, " ", "")
            self._at += 1
            if line.startswith("\\"):
                if hunk.lines:
                    hunk.no_newline.add(hunk.lines[-1][0])
            elif line[:1] in (" ", "-", "+"):
                hunk.lines.append((line[0], line[1:]))
            elif not line:
                hunk.lines.append((" ", ""))
            elif left and not is_full and all(sign == " " for sign, _ in hunk.lines):
                hunk.lines.append((" ", line))  # context whose sign was stripped
            else:
                break
        while hunk.lines and hunk.lines[-1] == (" ", "") and self._ends_here():
            hunk.lines.pop()  # blank lines after a patch are not context
        return hunk

    def _ends_hunk(self, line: str) -> bool:
        if _HUNK.match(line) or _NO_NUMBERS.fullmatch(line):
            return True
        if line.startswith("--- "):  # otherwise a removed line that begins with "-- "
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
    if len(name) > 1 and name.startswith('"') and name.endswith('"'):
        name = _unquoted(name[1:-1])
    return None if name == NOWHERE else name


def _unquoted(name: str) -> str:
    """A name without git's quotes and escapes."""
    if "\\" not in name:
        return name

    def byte(escape: re.Match[bytes]) -> bytes:
        what = escape[1]
        return bytes([int(what, 8) & 255]) if len(what) > 1 else _ESCAPES.get(what, what)

    return _ESCAPE.sub(byte, name.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogateescape")
