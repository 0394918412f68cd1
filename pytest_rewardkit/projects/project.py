"""A project whose own tests judge candidates."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.projects.sources import ProjectFile, read_source
from pytest_rewardkit.projects.steering import TESTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.projects.changes import ProjectCandidate
    from pytest_rewardkit.projects.expected import ProjectBaseline

PYTEST: Final = "python3 -m pytest"
TIME_LIMIT: Final = 60.0
SETUP_TIME_LIMIT: Final = 300.0

_RERUNS: Final = (b"reruns", b"rerunfailures", b"mark.flaky")
_READ_BY_PYTEST: Final = (".py", ".ini", ".toml", ".cfg")


@dataclass(kw_only=True, eq=False)
class Project:
    """A project: files, and how its tests are run.

    Create it once and use it for many candidates: each process reads its files once, and runs its tests once without a
    candidate.

    Parameters:
        source: a folder, an archive, or with `commit` a git repository; or the files themselves, content by path.
        commit: a commit, tag or branch of the repository at `source`.
        command: runs the tests, in the project's folder.
        report: the file in the project's folder that the command writes: JUnit's XML, CTRF (.json) or TAP (.tap); "-"
            if it prints TAP. None for pytest, which is told where to write.
        tests: shell patterns of files that candidates must not change, in addition to those that decide how tests run.
        setup: a command that runs before the candidate's files arrive, such as an installation.
        envs: variables for both commands.
        reference: a candidate known to be right; the tests that it passes count.
        any_order: whether tests must also pass in reverse order (with pytest).
        time_limit: seconds for one run of the tests.
        setup_time_limit: seconds for the setup.

    Raises RewardkitUsageError if there is no such project.
    """

    source: str | Path | Mapping[str, str | bytes]
    commit: str | None = None
    command: str = PYTEST
    report: str | None = None
    tests: Sequence[str] = TESTS
    setup: str = ""
    envs: Mapping[str, str] = field(default_factory=dict)
    reference: ProjectCandidate | None = None
    any_order: bool = True
    time_limit: float = TIME_LIMIT
    setup_time_limit: float = SETUP_TIME_LIMIT
    baseline: ProjectBaseline | None = field(default=None, init=False, repr=False)
    """The tests' outcomes without a candidate, once known."""
    lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    """Held by the thread that determines the baseline."""

    def __post_init__(self) -> None:
        if isinstance(self.tests, str):
            self.tests = (self.tests,)
        for name in ("time_limit", "setup_time_limit"):
            limit = getattr(self, name)
            if not isinstance(limit, int | float) or not limit > 0:
                raise RewardkitUsageError(f"{name} must be a number of seconds above 0, not {limit!r}")
        if not self.command.strip():
            raise RewardkitUsageError("command must be the command that runs the project's tests")
        self.files  # noqa: B018 - a project that is not there is an error where it is named

    @cached_property
    def files(self) -> Mapping[str, ProjectFile]:
        """The project's files, by path."""
        if isinstance(self.source, Mapping):
            contents = {path: _bytes(content) for path, content in self.source.items()}
            return {path: ProjectFile(content) for path, content in contents.items()}
        return read_source(Path(self.source).expanduser(), self.commit)

    @cached_property
    def reruns(self) -> bool:
        """Whether its commands, code or configuration name pytest-rerunfailures, its options or its marker."""
        said = " ".join((self.command, self.setup, *self.envs.values())).encode()
        contents = (file.content for path, file in self.files.items() if path.endswith(_READ_BY_PYTEST))
        return any(word in text for text in (said, *contents) for word in _RERUNS)


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
