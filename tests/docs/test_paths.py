"""The files, folders and modules of this repository that pages, workflows and settings name exist."""

from __future__ import annotations

import re
import tomllib
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from docs.pages import PAGES, ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = r"pytest_rewardkit|tests|benchmarks|example_suites|docs|\.ci|\.github"
OF_CONTRIBUTORS = [
    *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "pyproject.toml", "noxfile.py", "eslint.config.js")),
    ROOT / ".pre-commit-config.yaml",
    ROOT / ".ci" / "run",
    *sorted((ROOT / ".github").rglob("*.yml")),
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def place(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", OF_CONTRIBUTORS, ids=place)
def test_paths_are_there(file: Path) -> None:
    named = re.findall(rf"(?<![\w./-])(?:{FOLDERS})(?:/(?!\.\*)[\w.*-]+)*", file.read_text("utf-8"))
    assert [path for path in named if not any(ROOT.glob(path))] == []


@pytest.mark.parametrize("file", PAGES, ids=place)
def test_paths_of_the_package_are_there(file: Path) -> None:
    """Other paths on these pages may be a reader's."""
    named = re.findall(r"(?<![\w./-])pytest_rewardkit(?:/[\w.*-]+)+/?", file.read_text("utf-8"))
    assert [path for path in named if not any(ROOT.glob(path))] == []


@pytest.mark.parametrize("file", [*OF_CONTRIBUTORS, *PAGES], ids=place)
def test_modules_that_are_run_are_there(file: Path) -> None:
    named = re.findall(r"python3? -m ((?:pytest_rewardkit|benchmarks)[\w.]*)", file.read_text("utf-8"))
    assert [name for name in named if find_spec(name) is None] == []


@pytest.mark.parametrize("pattern", PROJECT["tool"]["ruff"]["lint"]["per-file-ignores"])
def test_exceptions_to_lint_are_of_files_that_are_there(pattern: str) -> None:
    assert any(ROOT.glob(pattern.removesuffix("/**")))


def test_overrides_of_types_are_of_modules_that_are_there() -> None:
    named = [name for override in PROJECT["tool"]["mypy"]["overrides"] for name in override["module"]]
    ours = [name.removesuffix(".*") for name in named if name.startswith("pytest_rewardkit")]
    assert ours and [name for name in ours if find_spec(name) is None] == []
