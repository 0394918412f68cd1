"""MBPP: a description, and assert statements that name the requested function.

Fields: ``task_id``, ``text`` or (sanitized) ``prompt``, ``code``, ``test_list``, ``test_setup_code`` or (sanitized)
``test_imports``; ``challenge_test_list`` is not part of the score
(Austin et al. 2021, arXiv:2108.07732; github.com/google-research/google-research/tree/master/mbpp).
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_rewardkit.datasets.formats.reading import optional_text, texts, wrong
from pytest_rewardkit.datasets.formats.task import TestCodeTask
from pytest_rewardkit.datasets.testcode.test_runner import TestCode
from pytest_rewardkit.scorers.response.source import read_source, syntax_tree

if TYPE_CHECKING:
    from pytest_rewardkit.datasets.row import Row


def read(row: Row) -> TestCodeTask:
    """Reads a row as a task."""
    setup = optional_text(row, "test_setup_code") or ""
    if not texts(row, "test_list"):
        raise wrong(row, "test_list", "at least one assertion")
    return task_of(row, "\n".join([*texts(row, "test_imports"), setup, *texts(row, "test_list")]))


def task_of(row: Row, test: str) -> TestCodeTask:
    """Returns the task of a row whose test names the requested functions. Raises RewardkitUsageError."""
    source, tree = read_source(test), syntax_tree(test)
    if source is None or tree is None:
        raise wrong(row, "test" if "test" in row else "test_list", "Python")
    reference = optional_text(row, "code")
    # One task asks for a `sum`. A name in the test means the candidate's only if the reference defines it.
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    defined = sorted(named & _functions(reference or ""))
    return TestCodeTask(
        prompt=optional_text(row, "prompt", "text"),
        reference=reference,
        test=TestCode(test, defined=tuple(defined)),
        defines=source.uses | {*defined},
    )


def _functions(code: str) -> set[str]:
    """The functions and classes that a piece of source defines at its top level."""
    tree = syntax_tree(code)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, kinds)} if tree is not None else set()
