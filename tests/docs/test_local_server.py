"""docs/local-server.md has every setting with its default, and the levels with their gaps, as in the code."""

from __future__ import annotations

import re
from dataclasses import fields, replace

from docs.pages import ROOT, tables

from pytest_rewardkit.local.guest import levels
from pytest_rewardkit.local.guest.levels import MachineFindings
from pytest_rewardkit.local.guest.plan import Level, MountRight
from pytest_rewardkit.local.settings import ServerSettings

PAGE = ROOT / "docs" / "local-server.md"

ROOT_S_MACHINE = MachineFindings(root=True, mount_right=MountRight.ROOT, landlock_abi=7, obstacles={})


def test_settings() -> None:
    shown = {option: cells[0].strip("`") for option, cells in tables(PAGE, "Settings").items()}
    assert shown == {f"--{item.name.replace('_', '-')}": str(item.default) for item in fields(ServerSettings)}


def test_levels() -> None:
    assert list(tables(PAGE, "Levels")) == list(Level)


def test_gaps() -> None:
    expected: dict[str, list[str]] = {}
    for level in Level:
        findings = replace(ROOT_S_MACHINE, root=level is not Level.NS_NOCAP)
        for gap in levels.plan(findings, level).gaps():
            expected.setdefault(gap, []).append(level)
    section = PAGE.read_text("utf-8").partition("### What each level leaves open\n")[2].partition("\n#")[0]
    rows = re.findall(r"^\| (.+) \| (.+) \|$", section, re.MULTILINE)[2:]
    assert {gap: named.split(", ") for gap, named in rows} == expected
