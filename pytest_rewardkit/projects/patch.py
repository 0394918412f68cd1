"""Applies a unified diff to files in memory. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.projects.patch_reading import NotApplied
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_rewardkit.projects.patch_reading import FilePatch, Hunk

MAX_FUZZ: Final = 2
"""Lines of context at each end of a hunk that may differ, as in GNU patch."""

MAX_COMPARED: Final = 10_000_000
"""Lines of files that are compared, for all hunks of a patch together."""


def apply_patch(patches: Sequence[FilePatch], files: Mapping[str, bytes]) -> dict[str, bytes | None]:
    """Return the contents of files after a patch, None for removed files; all or nothing.

    Parameters:
        files: the contents of all files before, by path.

    Raises NotApplied, with the hunk that does not fit.
    """
    changes: dict[str, bytes | None] = {}
    compared = 0

    def content(path: str) -> bytes | None:
        return changes[path] if path in changes else files.get(path)

    for patch in patches:
        old = _path(patch.old, content)
        before = b"" if old is None else content(old)
        if before is None and patch.new is not None and _only_adds(patch):
            before = b""  # a new file, although not marked as one
        new = _path(patch.new, content)
        if before is None and new is not None and content(new) is not None:
            before = content(old := new)  # the old file has another name, such as "it.py.orig"
        if before is None:
            raise NotApplied(f"{one_line(str(old), 200)}: there is no such file")
        if new is not None:
            compared += len(patch.hunks) * (before.count(b"\n") + 1)
            if compared > MAX_COMPARED:
                raise NotApplied(f"{one_line(new, 200)}: too many hunks for a file of this size")
            changes[new] = patch.content if patch.content is not None else _patched(before, patch, new)
        if old is not None and old != new and not patch.copied:
            changes[old] = None
    return changes


def programs_among(patches: Sequence[FilePatch]) -> dict[str, bool]:
    """Return which files are executable after a patch, and which are not, if it says so."""
    said = ((patch.new, patch.executable) for patch in patches)
    return {_stripped(name): executable for name, executable in said if name and executable is not None}


def _only_adds(patch: FilePatch) -> bool:
    return bool(patch.hunks) and all(sign == "+" for hunk in patch.hunks for sign, _ in hunk.lines)


def _path(name: str | None, content: Callable[[str], bytes | None]) -> str | None:
    """The path that a patch means: with git's prefix if a file has that name, else without."""
    if name is None:
        return None
    stripped = _stripped(name)
    if content(stripped) is None and name.startswith(_MNEMONIC) and content(name[2:]) is not None:
        return name[2:]
    return name if content(stripped) is None and content(name) is not None else stripped


_MNEMONIC: Final = ("i/", "w/", "c/", "o/")
"""Prefixes by git's setting `diff.mnemonicPrefix`; they also are names of folders."""


def _stripped(name: str) -> str:
    return name[2:] if name.startswith(("a/", "b/")) else name.removeprefix("./")


def _patched(before: bytes, patch: FilePatch, path: str) -> bytes:
    text = before.decode("utf-8", "surrogateescape")
    end = "\r" if 2 * text.count("\r\n") > text.count("\n") else ""
    lines = text.split("\n")
    shift = 0
    for number, hunk in enumerate(patch.hunks, 1):
        shift += _put(lines, hunk, shift, end, f"hunk {number} of {one_line(path, 200)}")
    after = "\n".join(lines)
    unended = patch.hunks[-1].no_newline if patch.hunks else set()
    if "+" in unended:
        after = after.removesuffix("\n").removesuffix(end)
    elif "-" in unended and not after.endswith("\n"):
        after += "\n"
    try:
        return after.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise NotApplied(f"{one_line(path, 200)}: {error.reason}") from None


def _put(lines: list[str], hunk: Hunk, shift: int, end: str, where: str) -> int:
    """Put a hunk into the lines of a file; return how many lines are added.

    Parameters:
        end: what new lines end in, before the line break.
    """
    if all(sign == "+" for sign, _ in hunk.lines):
        at = min(max(hunk.line + shift, 0), len(lines) - (lines[-1] == ""))
        lines[at:at] = [f"{line}{end}" for _, line in hunk.lines]
        return len(hunk.lines)
    for fuzz in range(MAX_FUZZ + 1):
        before, after = _without_context(hunk.lines, fuzz)
        part = hunk.lines[before:after]
        old = [line for sign, line in part if sign != "+"]
        for same in (_without_end, str.rstrip):
            place = _nearest(lines, old, max(hunk.line - 1, 0) + before + shift, same)
            if place is not None:
                new = _new_lines(part, lines[place : place + len(old)], end)
                lines[place : place + len(old)] = new
                return len(new) - len(old)
    first = next((line for sign, line in hunk.lines if sign != "+" and line.strip()), "")
    expected = f" at line {hunk.line}" if hunk.line else ""
    raise NotApplied(f"{where} does not fit{expected}: {one_line(first, 120)!r} and what follows is not there")


def _new_lines(part: Sequence[tuple[str, str]], old: Sequence[str], end: str) -> list[str]:
    """The lines that replace the lines `old`: a new line ends as the one before it does."""
    new, there = [], iter(old)
    for sign, line in part:
        if sign == "+":
            new.append(f"{line}{end}")
            continue
        kept = next(there)
        end = "\r" if kept.endswith("\r") else ""
        if sign == " ":
            new.append(kept)
    return new


def _without_end(line: str) -> str:
    return line.removesuffix("\r")


def _without_context(lines: Sequence[tuple[str, str]], fuzz: int) -> tuple[int, int]:
    """The begin and end of a hunk without `fuzz` lines of context at each end."""
    before, after = 0, len(lines)
    while before < fuzz and before < after and lines[before][0] == " ":
        before += 1
    while len(lines) - after < fuzz and after > before and lines[after - 1][0] == " ":
        after -= 1
    return before, after


def _nearest(lines: Sequence[str], old: Sequence[str], wanted: int, same: Callable[[str], str]) -> int | None:
    """Where the lines `old` occur consecutively, nearest to the wanted place; None if they do not."""
    if not old:
        return None
    sought = [same(line) for line in old]
    text = [same(line) for line in lines]
    places = range(len(text) - len(old) + 1)
    found = (at for at in places if text[at] == sought[0] and text[at : at + len(old)] == sought)
    return min(found, key=lambda at: abs(at - wanted), default=None)
