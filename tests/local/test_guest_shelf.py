"""Modules imported in advance are available to code that imports them, and invisible to all other code."""

from __future__ import annotations

import importlib
import os
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.local.guest.shelf import Shelf
from pytest_rewardkit.local.server.imports import MAX_MODULES, Imports
from tests.local.guest_driver import ForkServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = {
    "shelved_low/__init__.py": "import os, random\nnumbers = random.Random()\nasked = os.environ.get('SHELVED')",
    "shelved_low/part.py": "",
    "shelved_high.py": "import shelved_low.part, shelved_side\nlow = shelved_low",
    "shelved_side.py": "",
    "shelved_broken.py": "import shelved_side\nraise OSError('no')",
}


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, text in PACKAGES.items():
        (tmp_path / "installed" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "installed" / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path / "installed")
    monkeypatch.delenv("SHELVED", raising=False)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("shelved_")]:
        del sys.modules[name]


@pytest.fixture
def shelf(packages: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    del packages
    shelf = Shelf(dict(os.environ))
    monkeypatch.setattr(sys, "meta_path", [shelf, *sys.meta_path])
    return shelf


def in_sight() -> set[str]:
    return {name for name in sys.modules if name.startswith("shelved_")}


def test_what_is_on_the_shelf_is_out_of_sight_until_it_is_imported(shelf: Shelf) -> None:
    shelf.put("shelved_high")
    assert in_sight() == set()
    module = shelf.get("shelved_high")
    assert importlib.import_module("shelved_high") is module
    assert module is not None
    assert module.__spec__ is not None
    assert module.__spec__.origin == module.__file__
    assert in_sight() == {"shelved_high", "shelved_low", "shelved_low.part", "shelved_side"}


def test_what_a_module_needs_comes_with_it_and_not_the_other_way(shelf: Shelf) -> None:
    shelf.put("shelved_low")
    shelf.put("shelved_high")
    low = importlib.import_module("shelved_low")
    assert "shelved_high" not in sys.modules
    assert importlib.import_module("shelved_high").low is low


def test_a_module_of_the_candidates_own_comes_first_where_it_would(shelf: Shelf, packages: Path) -> None:
    shelf.put("shelved_side")
    (packages / "shelved_side.py").write_text("own = True")
    sys.path.insert(0, str(packages))
    importlib.invalidate_caches()
    assert importlib.import_module("shelved_side").own


def test_a_module_that_asked_for_what_has_changed_is_imported_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.put("shelved_low")
    shelf.put("shelved_high")
    monkeypatch.setenv("SHELVED", "now")
    assert importlib.import_module("shelved_high").low.asked == "now"


def test_a_variable_that_nothing_has_asked_for_does_not_matter(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.put("shelved_low")
    module = shelf.get("shelved_low")
    monkeypatch.setenv("ANOTHER", "now")
    assert importlib.import_module("shelved_low") is module


def test_a_module_that_cannot_be_imported_leaves_nothing(shelf: Shelf) -> None:
    with pytest.raises(OSError, match="no"):
        shelf.put("shelved_broken")
    assert in_sight() == set()
    assert shelf.get("shelved_side") is None
    assert importlib.import_module("shelved_side").__name__ == "shelved_side"


def test_numbers_are_not_the_same_for_all(shelf: Shelf) -> None:
    shelf.put("shelved_low")
    module = shelf.get("shelved_low")
    assert module is not None
    state = module.numbers.getstate()
    importlib.import_module("shelved_low")
    assert module.numbers.getstate() != state


def test_what_cells_import_is_noted_but_not_what_that_imports():
    with ForkServer() as server, server.spawn() as box:
        kernel = box.kernel()
        assert "imported" not in kernel.run("import json, iniconfig").ended
        assert kernel.run("from _pytest.python import Module").ended["imported"] == ["_pytest.python"]
        assert "imported" not in kernel.run("import _pytest.python").ended


def test_what_candidates_name_is_imported_in_advance():
    with ForkServer("--learned", "no_such_module,pytest") as server:
        if not server.greeting["layers"]["private root"]:
            assert server.greeting["preloaded"] == []
            return
        assert server.greeting["preloaded"] == ["pytest"]
        with server.spawn() as box:
            kernel = box.kernel()
            assert kernel.run("import sys; 'pytest' in sys.modules or '_pytest' in sys.modules").text == "False"
            assert kernel.run("before = get_ipython().shelf.get('pytest')").error is None
            assert "imported" not in kernel.run("import pytest").ended
            assert kernel.run("pytest is before, '_pytest.python' in sys.modules").text == "(True, True)"


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("threading.Thread(target=threading.Event().wait, daemon=True).start()", "it starts threads"),
        ("os.write(1, b'hello')", "it writes when it is imported"),
        ("print('hello', file=sys.stderr)", "it writes when it is imported"),
        ("module.kept = b'x' * 2**29", "it takes too much"),
        ("0 if os.geteuid() else print('root')", ""),
        ("sys.exit(3)", ""),
    ],
)
def test_a_module_that_does_more_than_to_be_there_is_refused(does: str, reason: str) -> None:
    program = f"""
    import importlib.abc, importlib.machinery, os, sys, threading
    from pytest_rewardkit.local.guest.__main__ import main

    class Odd(importlib.abc.MetaPathFinder, importlib.abc.Loader):
        def find_spec(self, name, path, target=None):
            return importlib.machinery.ModuleSpec(name, self) if name == "odd" else None

        def exec_module(self, module):
            {does}

    sys.meta_path.insert(0, Odd())
    sys.exit(main(sys.argv[1:]))
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with ForkServer("--learned", "odd", command=command) as server:
        if server.greeting["event"] == "ready":
            assert not reason or not server.greeting["layers"]["private root"]
        else:
            assert (server.greeting["event"], server.greeting["module"]) == ("failed", "odd")
            assert reason
            assert reason in server.greeting["message"]


def test_names_of_candidates_are_taken_for_what_they_are() -> None:
    imports = Imports(["numpy"])
    imports.note(["os.path", "../x", "a" * 1000, "--option", "a,b", "", "a..b", "numpy", "pandas"])
    assert imports.wanted(any_name=True) == ("numpy", "os.path", "pandas")
    assert imports.wanted(any_name=False) == ("numpy", "pandas")
    imports.refuse(["os.path"])
    assert imports.wanted(any_name=True) == ("numpy", "pandas")
    for number in range(1000):
        imports.note([f"module_{number}"])
    assert len(imports.wanted(any_name=True)) == MAX_MODULES


def test_what_hardly_any_sandbox_imports_is_not_worth_it() -> None:
    imports = Imports([])
    for _ in range(1000):
        imports.sandbox_made()
    imports.note(["pandas"])
    assert imports.wanted(any_name=True) == ()
    for _ in range(20):
        imports.note(["pandas"])
    assert imports.wanted(any_name=True) == ("pandas",)
