"""The internals of other packages that we use: a failure names the version that changes them."""

import ast
import importlib
import inspect
from importlib.metadata import version
from pathlib import Path

import pytest
from IPython.core.formatters import BaseFormatter
from IPython.core.interactiveshell import InteractiveShell

import pytest_rewardkit.local as package
from pytest_rewardkit.local.guest import display, shell

PACKAGE = Path(package.__file__).parent
OURS = "pytest_rewardkit"
PUBLIC = {"_exit", "_fields_", "_pack_", "_layout_", "_repr_html_"}
"""Documented names with an underscore: the system's exit, ctypes' structures, and display methods of notebooks."""


def private_names(path):
    """The names with an underscore, from other packages, that a module uses."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    own |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and is_own(node.value)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(OURS):
            parts = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from (part for part in parts if is_private(part) and part != "__future__")
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own | PUBLIC:
            yield node.attr


def is_own(value):
    return isinstance(value, ast.Name) and value.id in ("self", "cls")


def is_private(name):
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_nobody_reaches_into_others(path):
    assert not list(private_names(path))


def test_ipython_still_shows_tracebacks_by_the_method_that_subclasses_may_override():
    """Without that method, errors appear with Python's own traceback: see execution.py."""
    installed = f"IPython {version('ipython')}"
    inherited = getattr(InteractiveShell, "_showtraceback", None)
    assert inherited is not None, f"{installed} has no _showtraceback"
    assert "Subclasses may override this method" in (inherited.__doc__ or ""), installed
    ours = list(inspect.signature(shell.Shell._showtraceback).parameters)
    assert list(inspect.signature(inherited).parameters) == ours, installed


def test_ipython_still_checks_what_a_formatter_returns_by_this_attribute():
    installed = f"IPython {version('ipython')}"
    assert "_return_type" in vars(BaseFormatter), f"{installed} has no _return_type"
    assert isinstance(vars(display._ContainerFormatter)["_return_type"], tuple)


def test_plotly_still_looks_for_its_notebook_where_it_is_told_of_one():
    """Without that check, `show` opens a browser, or fails, instead of displaying a figure: see pictures.py."""
    renderers = importlib.import_module("plotly.io._renderers")
    assert hasattr(renderers, "nbformat"), f"plotly {version('plotly')} has no nbformat in {renderers.__name__}"
