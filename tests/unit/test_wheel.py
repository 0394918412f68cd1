"""The wheel holds the package as it is in the tree: every module, and every file that modules read."""

from __future__ import annotations

import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

import pytest_rewardkit

PACKAGE = Path(pytest_rewardkit.__file__).parent
ROOT = PACKAGE.parent
SOURCES = {
    path.relative_to(ROOT).as_posix()
    for path in PACKAGE.rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
}


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    return tmp_path_factory.mktemp("dist")


def test_wheel_holds_the_package(dist):
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(dist))
    with ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        entry_points = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "rewardkit = pytest_rewardkit.plugin" in archive.read(entry_points).decode()
    assert held == SOURCES
    # Modules, types, and files read at run time, including some whose absence no import would notice.
    assert {Path(name).suffix for name in held} >= {".py", ".typed", ".toml", ".json", ".js", ".css", ".html"}


def test_sdist_holds_the_package_and_what_its_tests_read(dist):
    (sdist,) = SdistBuilder(str(ROOT)).build(directory=str(dist))
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    others = ["tests/conftest.py", "docs/architecture.md", "CONTRIBUTING.md", "SECURITY.md", "noxfile.py", ".ci/run"]
    assert {*SOURCES, *others, ".github/workflows/tests.yml", "benchmarks/cycle.py"} <= held


def test_every_folder_with_modules_is_a_package():
    """This test finds a folder without `__init__.py`; no type checker does."""
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []
