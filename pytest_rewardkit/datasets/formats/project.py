"""Changes of a project: rows with a project and the tests that a patch must pass.

Fields: ``project``, the path of a folder, an archive or a repository, relative to the dataset's folder, or ``files``,
contents by path; ``commit``, ``command``, ``report``, ``tests``, ``setup``, ``envs``, ``any_order``, ``time_limit`` and
``setup_time_limit`` as for `Project`; ``fail_to_pass``, ``pass_to_pass`` and ``weights`` as for `score_tests`, lists
also as JSON; ``reference``, a patch that is known to be right.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.datasets.fields import MESSAGES, conversation_of
from pytest_rewardkit.datasets.formats.reading import data, optional_text, texts, wrong
from pytest_rewardkit.datasets.formats.task import RowTask
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.projects.project import Project
from pytest_rewardkit.projects.score import score_tests
from pytest_rewardkit.scorers.response.messages import prompt_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.row import Row
    from pytest_rewardkit.datasets.testcode.test_runner import TestRunner
    from pytest_rewardkit.reward import Reward

_PLAIN: Final = ("commit", "command", "report", "setup", "any_order", "time_limit", "setup_time_limit")
_LISTS: Final = ("fail_to_pass", "pass_to_pass")


@dataclass(frozen=True, kw_only=True)
class ProjectTask(RowTask):
    """A project to change.

    Parameters:
        source: its place, or its files.
        about: further arguments of `Project`.
        counting: arguments of `score_tests`.
    """

    source: Path | Mapping[str, str]
    about: Mapping[str, Any] = field(default_factory=dict)
    counting: Mapping[str, Any] = field(default_factory=dict)

    def score(
        self, sandbox: Sandbox, candidate: str, *, test_runner: TestRunner, time_limit: float | None = None
    ) -> Reward:
        del test_runner  # the project's tests run in the candidate's sandbox
        about = {**self.about, "time_limit": time_limit} if time_limit else self.about
        # Listed tests are expected to pass, whatever the reference passes.
        reference = None if self.counting.keys() & set(_LISTS) else self.reference
        project = Project(source=self.source, reference=reference, **about)
        return score_tests(sandbox, candidate, project, **self.counting)


def read(row: Row) -> ProjectTask:
    """Reads a row as a task."""
    if ("project" in row) == ("files" in row):
        raise RewardkitUsageError(f"{row.place}: a row must have either a project or files")
    about = {name: row[name] for name in _PLAIN if row.get(name) not in (None, "")}
    for name, kind in (("any_order", bool), ("time_limit", int | float), ("setup_time_limit", int | float)):
        if name in about and not isinstance(about[name], kind):
            raise wrong(row, name, "true or false" if kind is bool else "a number of seconds")
    for name in ("commit", "command", "report", "setup"):
        if name in about and not isinstance(about[name], str):
            raise wrong(row, name, "a text")
    if "tests" in row:
        about["tests"] = texts(row, "tests")
    if row.get("envs"):
        about["envs"] = _mapping(row, "envs", str)
    counting: dict[str, Any] = {name: texts(row, name) for name in _LISTS if row.get(name) not in (None, "")}
    if row.get("weights"):
        counting["weights"] = _mapping(row, "weights", int | float)
    return ProjectTask(
        prompt=_prompt(row),
        reference=optional_text(row, "reference"),
        source=_source(row),
        about=about,
        counting=counting,
    )


def _source(row: Row) -> Path | Mapping[str, str]:
    if "files" in row:
        return _mapping(row, "files", str)
    path = row["project"]
    if not isinstance(path, str) or not path:
        raise wrong(row, "project", "a path")
    return (row.folder or Path.cwd()) / Path(path).expanduser()


def _mapping(row: Row, name: str, kind: Any) -> dict[str, Any]:
    found = data(row, name)
    if not isinstance(found, dict) or not all(isinstance(value, kind) for value in found.values()):
        raise wrong(row, name, f"an object of {'texts' if kind is str else 'numbers'}")
    return found


def _prompt(row: Row) -> str | None:
    conversation = conversation_of(row["prompt"] if "prompt" in row else row.get(MESSAGES))
    return optional_text(row, "prompt") if conversation is None else prompt_of(conversation)
