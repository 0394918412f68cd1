"""Where a project's files come from: a folder, an archive, or a commit of a git repository."""

from __future__ import annotations

import io
import lzma
import os
import posixpath
import shutil
import stat
import subprocess
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Final, cast

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.projects.links import Link, without_links
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILES: Final = 20_000
MAX_BYTES: Final = 200_000_000
"""Bytes of all files of a project together."""
MAX_TAR_BYTES: Final = 2 * MAX_BYTES
"""Bytes of an unpacked tar, whose headers and padding count too."""

_PIECE: Final = 4096
"""Bytes of one read from a zip. Of some methods of compression so many packed bytes are unpacked at once."""

_LEFT_OUT: Final = frozenset((".git", "__pycache__", ".venv", "venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache"))
"""Folders that are not part of a project that is taken from a folder."""

_GIT_SECONDS: Final = 120
_LINK_MODE: Final = "120000"
_PROGRAM_MODE: Final = "100755"


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file of a project: its content, and whether it is executable."""

    content: bytes
    executable: bool = False


_Entry = tuple[str, ProjectFile | Link]


def read_source(source: Path, commit: str | None) -> dict[str, ProjectFile]:
    """Return a project's files, by their paths below its folder, with slashes.

    Parameters:
        source: a folder, an archive (.zip, .tar and compressed ones), or with `commit` a git repository.

    Raises RewardkitUsageError if there is no such project, or if it is too large.
    """
    if commit is not None:
        entries = _of_commit(source, commit)
    elif source.is_dir():
        entries = _of_folder(source)
    elif not source.exists():
        raise RewardkitUsageError(f"there is no project at {source}")
    elif zipfile.is_zipfile(source):
        entries = _of_zip(source)
    else:
        entries = _of_tar(source)
    files = dict(_checked(without_links(dict(entries)), source))
    if not files:
        raise RewardkitUsageError(f"the project at {source} has no files")
    return _without_top(files) if source.is_file() else files


def _checked(found: Iterator[tuple[str, ProjectFile]], source: Path) -> Iterator[tuple[str, ProjectFile]]:
    count = size = 0
    for path, file in found:
        count, size = count + 1, size + len(file.content)
        _check_size(count, size, source)
        yield path, file


def _check_size(count: int, size: int, source: Path) -> None:
    if count > MAX_FILES or size > MAX_BYTES:
        bounds = f"{MAX_FILES:,} files or {MAX_BYTES:,} bytes"
        raise RewardkitUsageError(f"the project at {source} has more than {bounds}; take the part that is tested")


def _of_folder(source: Path) -> Iterator[_Entry]:
    count = size = 0
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
        for name in sorted((*names, *folders)):
            path = Path(folder, name)
            below = path.relative_to(source).as_posix()
            try:
                if path.is_symlink() and not path.is_file():
                    yield below, Link(str(path.readlink()))
                    continue
                status = path.stat()  # of a link's target
                if stat.S_ISREG(status.st_mode):
                    count, size = count + 1, size + status.st_size
                    _check_size(count, size, source)
                    yield below, ProjectFile(path.read_bytes(), bool(status.st_mode & stat.S_IXUSR))
            except OSError as error:
                raise RewardkitUsageError(f"the project at {source}: {path}: {error.strerror or error}") from None


def _of_zip(source: Path) -> Iterator[_Entry]:
    try:
        with zipfile.ZipFile(source) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            _check_size(len(infos), sum(info.file_size for info in infos), source)
            for info in infos:
                mode = info.external_attr >> 16
                if stat.S_ISLNK(mode):
                    yield _inner(info.filename, source), Link(_text(_unzipped(archive, info)))
                else:
                    content = _unzipped(archive, info)
                    yield _inner(info.filename, source), ProjectFile(content, bool(mode & stat.S_IXUSR))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, zlib.error, lzma.LZMAError) as e:
        raise RewardkitUsageError(f"{source} cannot be read: {e}") from None


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    # A file ends after its declared size, but one large read would unpack all of it first.
    with archive.open(info) as file:
        return b"".join(iter(lambda: file.read(_PIECE), b""))


class _BoundedReader:
    """What tarfile reads from, after decompression, up to a bound: sizes in an archive may be false."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.tell = file.tell
        self.close = file.close

    def read(self, size: int) -> bytes:
        self._check(self.tell() + size)
        return self._file.read(size)

    def seek(self, position: int) -> int:
        self._check(position)
        return self._file.seek(position)

    def _check(self, position: int) -> None:
        if position > MAX_TAR_BYTES:
            raise _TooLargeError


class _TooLargeError(Exception):
    """An archive is larger than its files may be."""


class _BoundedTar(tarfile.TarFile):
    def __init__(self, name: str | None, mode: Any, fileobj: IO[bytes], **options: Any) -> None:
        super().__init__(name, mode, cast("IO[bytes]", _BoundedReader(fileobj)), **options)


def _of_tar(source: Path) -> Iterator[_Entry]:
    count = size = 0
    try:
        with source.open("rb") as packed, _BoundedTar.open(fileobj=packed) as archive:
            for member in archive:
                count, size = count + (not member.isdir()), size + member.size
                _check_size(count, size, source)
                name = _inner(member.name, source)
                if member.issym():
                    yield name, Link(member.linkname)
                elif member.islnk():  # its target is a name in the archive, not relative to the link
                    yield name, Link(posixpath.relpath(_inner(member.linkname, source), posixpath.dirname(name) or "."))
                elif member.isfile() and (file := archive.extractfile(member)) is not None:
                    yield name, ProjectFile(file.read(), bool(member.mode & stat.S_IXUSR))
    except _TooLargeError:
        _check_size(count, MAX_TAR_BYTES, source)
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise RewardkitUsageError(f"{source} is neither a folder nor an archive: {error}") from None


def _of_commit(source: Path, commit: str) -> Iterator[_Entry]:
    """The commit's files, including those that its attributes exclude from archives, as sometimes tests."""
    listed = _text(_git(source, commit, "ls-tree", "-r", "-l", "-z", commit))
    entries = [(*about.split(), path) for about, _, path in (line.partition("\t") for line in listed.split("\0")[:-1])]
    blobs = [(mode, name, path) for mode, kind, name, _, path in entries if kind == "blob"]
    _check_size(len(blobs), sum(int(size) for _, kind, _, size, _ in entries if kind == "blob"), source)
    asked = "".join(f"{name}\n" for _, name, _ in blobs).encode()
    objects = io.BytesIO(_git(source, commit, "cat-file", "--batch", data=asked))
    for mode, _, path in blobs:
        content = objects.read(int(objects.readline().split()[2]))
        objects.read(1)
        if mode == _LINK_MODE:
            yield _inner(path, source), Link(_text(content))
        else:
            yield _inner(path, source), ProjectFile(content, mode == _PROGRAM_MODE)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _inner(name: str, source: Path) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise RewardkitUsageError(f"{source}: {name!r} is outside of the project")
    return path.as_posix()


def _without_top(files: dict[str, ProjectFile]) -> dict[str, ProjectFile]:
    """The files without the single top folder that an archive may have."""
    tops = {path.partition("/")[0] for path in files}
    if len(tops) != 1 or any("/" not in path for path in files):
        return files
    return {path.partition("/")[2]: file for path, file in files.items()}


def _git(source: Path, commit: str, *arguments: str, data: bytes = b"") -> bytes:
    git = shutil.which("git")
    if git is None:
        raise RewardkitUsageError("a project of a git repository needs git, which is not installed")
    if commit.startswith("-"):
        raise RewardkitUsageError(f"{commit!r} is not a commit")
    # In a git hook, which may run tests, variables say which repository is meant.
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = [git, "-C", str(source), *arguments]
    done = subprocess.run(command, capture_output=True, input=data, timeout=_GIT_SECONDS, check=False, env=own)
    if done.returncode:
        reason = one_line(done.stderr.decode(errors="replace"), 300)
        raise RewardkitUsageError(f"the commit {commit!r} of {source} cannot be read: {reason}")
    return done.stdout
