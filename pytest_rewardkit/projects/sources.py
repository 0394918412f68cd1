"""Where a project's files come from: a folder, an archive, or a commit of a git repository."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILES: Final = 20_000
MAX_BYTES: Final = 200_000_000
"""Of all files of a project together."""

_LEFT_OUT: Final = frozenset((".git", "__pycache__", ".venv", "venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache"))
"""Folders that are not of a project, where it is taken from a folder."""

_GIT_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file of a project: its content, and whether it is a program."""

    content: bytes
    executable: bool = False


def read_source(source: Path, commit: str | None) -> dict[str, ProjectFile]:
    """Return a project's files, by their paths below its folder, with slashes.

    Parameters:
        source: a folder, an archive (.zip, .tar and compressed ones), or with `commit` a git repository.

    Raises RewardkitUsageError where there is no such project, and where it is too large.
    """
    if commit is not None:
        files = _of_tar(_git_archive(source, commit), source)
    elif source.is_dir():
        files = dict(_checked(_of_folder(source), source))
    elif not source.exists():
        raise RewardkitUsageError(f"there is no project at {source}")
    elif zipfile.is_zipfile(source):
        files = _without_top(dict(_checked(_of_zip(source), source)))
    else:
        files = _without_top(_of_tar(source.read_bytes(), source))
    if not files:
        raise RewardkitUsageError(f"the project at {source} has no files")
    return files


def _checked(found: Iterator[tuple[str, ProjectFile]], source: Path) -> Iterator[tuple[str, ProjectFile]]:
    count = size = 0
    for path, file in found:
        count, size = count + 1, size + len(file.content)
        if count > MAX_FILES or size > MAX_BYTES:
            bounds = f"{MAX_FILES:,} files or {MAX_BYTES:,} bytes"
            raise RewardkitUsageError(f"the project at {source} has more than {bounds}; take the part that is tested")
        yield path, file


def _of_folder(source: Path) -> Iterator[tuple[str, ProjectFile]]:
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
        for name in sorted(names):
            path = Path(folder, name)
            try:
                status = path.stat()  # of what a link leads to
                if stat.S_ISREG(status.st_mode):
                    file = ProjectFile(path.read_bytes(), bool(status.st_mode & stat.S_IXUSR))
                    yield path.relative_to(source).as_posix(), file
            except OSError as error:
                raise RewardkitUsageError(f"the project at {source}: {path}: {error.strerror or error}") from None


def _of_zip(source: Path) -> Iterator[tuple[str, ProjectFile]]:
    with zipfile.ZipFile(source) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                mode = info.external_attr >> 16
                yield _inner(info.filename, source), ProjectFile(archive.read(info), bool(mode & stat.S_IXUSR))


def _of_tar(data: bytes, source: Path) -> dict[str, ProjectFile]:
    def members() -> Iterator[tuple[str, ProjectFile]]:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                if member.isfile() and (file := archive.extractfile(member)) is not None:
                    executable = bool(member.mode & stat.S_IXUSR)
                    yield _inner(member.name, source), ProjectFile(file.read(), executable)

    try:
        return dict(_checked(members(), source))
    except tarfile.TarError as error:
        raise RewardkitUsageError(f"{source} is neither a folder nor an archive: {error}") from None


def _inner(name: str, source: Path) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise RewardkitUsageError(f"{source}: {name!r} is outside of the project")
    return path.as_posix()


def _without_top(files: dict[str, ProjectFile]) -> dict[str, ProjectFile]:
    """The files without the one folder that an archive may have everything in."""
    tops = {path.partition("/")[0] for path in files}
    if len(tops) != 1 or any("/" not in path for path in files):
        return files
    return {path.partition("/")[2]: file for path, file in files.items()}


def _git_archive(source: Path, commit: str) -> bytes:
    git = shutil.which("git")
    if git is None:
        raise RewardkitUsageError("a project of a git repository needs git, which is not installed")
    if commit.startswith("-"):
        raise RewardkitUsageError(f"{commit!r} is no commit")
    command = [git, "-C", str(source), "archive", "--format=tar", commit]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_GIT_SECONDS, check=False)
    if done.returncode:
        reason = one_line(done.stderr.decode(errors="replace"), 300)
        raise RewardkitUsageError(f"the commit {commit!r} of {source} cannot be read: {reason}")
    return done.stdout
