"""What a run is to write can be written: said before it begins, with the option and the path."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.run.controller.destinations import check_destinations
from pytest_rewardkit.settings import RunSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILES = ("results", "html", "ctrf", "candidates")
FOLDERS = ("history", "harbor", "artifacts")


@pytest.fixture
def check(pytestconfig: pytest.Config, tmp_path: Path) -> Callable[..., None]:
    config = cast("pytest.Config", SimpleNamespace(invocation_params=SimpleNamespace(dir=tmp_path)))
    blank = RunSettings.of(pytestconfig)._replace(**dict.fromkeys((*FILES, *FOLDERS)))

    def check(**settings: Any) -> None:
        check_destinations(config, blank._replace(**settings))

    return check


@pytest.mark.parametrize("option", [*FILES, *FOLDERS])
def test_what_cannot_be_written(check: Callable[..., None], tmp_path: Path, option: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to("nowhere/at/all")
    wrong = ["file/below", "/proc/none", "n" * 300, "dangling/below"]
    for name in [*wrong, *(["file", "dangling"] if option in FOLDERS else ["", "."])]:
        with pytest.raises(RewardkitUsageError, match=rf"^--rewardkit-{option}: .*"):
            check(**{option: name})
    for name in ("new", "new/and/deep", str(tmp_path / "absolute")):
        check(**{option: name})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "file"], "nothing is left there"


def test_what_is_not_written_is_not_checked(check: Callable[..., None], tmp_path: Path) -> None:
    check(artifacts="/proc/none", artifacts_when="off")
    check(candidates="/proc/none.jsonl", candidates_mode="replay")
    check(candidates="/proc/none.jsonl", stored=("results.jsonl",))


def test_a_file_that_is_there_is_replaced(check: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("of an earlier run")
    check(html="report.html")
    assert (tmp_path / "report.html").read_text() == "of an earlier run"
