"""A candidate's changes to a project: files, or a unified diff, possibly in a response. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.projects.patch import apply_patch, programs_among
from pytest_rewardkit.projects.patch_reading import NotApplied, looks_like_patch, read_patch
from pytest_rewardkit.projects.sources import ProjectFile
from pytest_rewardkit.projects.steering import steers
from pytest_rewardkit.scorers.response.fences import fenced_blocks
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

ProjectCandidate = str | Mapping[str, str | bytes | None]
"""A diff or a response that contains one; or contents by path, None for a removed file."""

MAX_BYTES: Final = 20_000_000
"""Bytes of all files that a candidate writes."""


class NoPatch(Exception):  # noqa: N818 - it names what happened
    """A response contains no diff."""


def checked_candidate(candidate: object) -> None:
    """Raise RewardkitUsageError for a value that cannot be a project's candidate."""
    if not isinstance(candidate, str | Mapping):
        kind = type(candidate).__name__
        raise RewardkitUsageError(f"the candidate of a project is a diff or a mapping of its files, not {kind}")


def changes_of(candidate: ProjectCandidate, files: Mapping[str, ProjectFile]) -> dict[str, ProjectFile | None]:
    """Return the files that a candidate changes, by path; None for those that it removes.

    Raises NoPatch; NotApplied for a diff that does not fit, and for files outside the project; RewardkitUsageError for
    invalid contents.
    """
    if isinstance(candidate, str):
        changes, programs = _patched(patches_in(candidate), {path: file.content for path, file in files.items()})
    else:
        changes, programs = {str(path): _bytes(path, content) for path, content in candidate.items()}, {}
    if sum(len(content or b"") for content in changes.values()) > MAX_BYTES:
        raise NotApplied(f"the candidate writes more than {MAX_BYTES:,} bytes")
    found: dict[str, ProjectFile | None] = {}
    for path, content in changes.items():
        inner = _inner(path)
        before = files.get(inner)
        executable = programs.get(path, before is not None and before.executable)
        found[inner] = None if content is None else ProjectFile(content, executable)
    return found


def _patched(diffs: list[str], files: Mapping[str, bytes]) -> tuple[dict[str, bytes | None], dict[str, bool]]:
    """The result of a response's diffs: of all, else of the last, which may correct those before it."""
    wrong: NotApplied | None = None
    for text in dict.fromkeys(("\n".join(diffs), diffs[-1])):
        for counted in (False, True):
            try:
                patches = read_patch(text, counted=counted)
                return apply_patch(patches, files), programs_among(patches)
            except NotApplied as error:
                wrong = wrong or error
    raise wrong or NotApplied("there is no diff")


def patches_in(response: str) -> list[str]:
    """Return the diffs of a response: the fenced blocks that are diffs, else the whole text. Raises NoPatch."""
    diffs = [block.text for block in fenced_blocks(response) if looks_like_patch(block.text)]
    if diffs:
        return diffs
    if looks_like_patch(response):
        return [response]
    raise NoPatch("no diff in the response" if response.strip() else "the response is empty")


def steering_among(paths: Iterable[str], patterns: Iterable[str]) -> list[str]:
    """Return the paths that only the project may decide about, in order."""
    patterns = tuple(patterns)
    return sorted(path for path in paths if steers(path, patterns))


def _bytes(path: object, content: object) -> bytes | None:
    if isinstance(content, str):
        return content.encode("utf-8", "surrogatepass")
    if content is None or isinstance(content, bytes):
        return content
    raise RewardkitUsageError(f"the content of {path!r} must be text, bytes or None, not {type(content).__name__}")


def _inner(path: str) -> str:
    parts = PurePosixPath(path)
    shown = one_line(repr(path), 200)
    if parts.is_absolute() or ".." in parts.parts or not parts.parts or "\0" in path:
        raise NotApplied(f"{shown} is outside of the project")
    try:
        path.encode()
    except UnicodeEncodeError:
        raise NotApplied(f"{shown} is no name of a file") from None
    return parts.as_posix()
