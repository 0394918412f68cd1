"""Finds which names in a test belong to the candidate, and which to modules."""

from __future__ import annotations

import ast
import builtins
import symtable
import sys
from typing import Any

IMPORTED_AS = {"np": "numpy"}


def names_from_elsewhere(
    source: str, namespace: dict[str, Any], entry_point: str | None, defined_by_candidate: frozenset[str]
) -> list[str]:
    """Names that the test uses and that neither it nor the setup defines: the candidate's, or modules'."""
    used: set[str] = set()
    top = symtable.symtable(source, "<test>", "exec")
    defined = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    tables = [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        used |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and (table is top or symbol.is_global())
        }
    return sorted(used - defined - (set(dir(builtins)) - defined_by_candidate) - set(namespace) - {entry_point})


def modules_among(names: list[str], tree: ast.Module) -> set[str]:
    """Those names that belong to modules and are used so; some benchmarks have functions with the names of modules."""
    known = {name for name in names if name in IMPORTED_AS or name in sys.stdlib_module_names}
    if not known:
        return known
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return known - {function.id for function in calls if isinstance(function, ast.Name)}
