"""Python finds this package's modules, whatever pytest does with plugins."""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING

from pytest_rewardkit.plain_imports import PlainImports, import_plainly

if TYPE_CHECKING:
    import pytest


def test_pytest_has_not_compiled_the_modules_anew() -> None:
    ours = {name: module for name, module in sys.modules.items() if name.startswith("pytest_rewardkit.")}
    loaders = {name: type(module.__spec__.loader) for name, module in ours.items() if module.__spec__ is not None}
    assert "pytest_rewardkit.settings" in loaders
    del (
        loaders["pytest_rewardkit.plugin"],
        loaders["pytest_rewardkit.plain_imports"],
    )  # pytest itself has imported these
    assert set(loaders.values()) == {SourceFileLoader}


def test_other_packages_are_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [])
    import_plainly()
    import_plainly()
    assert sys.meta_path == [PlainImports]
    assert PlainImports.find_spec("pytest_rewardkit_of_mine.module") is None
    assert PlainImports.find_spec("json.decoder") is None
