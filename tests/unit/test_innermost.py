"""Places in a source, and the statements around them."""

from __future__ import annotations

import ast

import pytest

from pytest_rewardkit.scorers.innermost import Innermost
from pytest_rewardkit.scorers.statements import Statements

SOURCES = {
    "nothing": "",
    "a line of several": "a = 1; b = 2;c = 3\nd = 4\n",
    "blocks": "if a:\n    for b in c:\n        d(b)\n    e()\nelse:\n    f()\n\ng()\n",
    "decorators": "@a\n@b(\n    c)\nclass D:\n    @e\n    def f(self):\n        return 1\n\n\nh = 2\n",
    "over lines": "x = [\n    1,\n    2]; y = '''\n'''\nwith a: b(); c()\n",
    "letters of several bytes": "é = 'ü'; ä = é\nif ä: ö = 1\n",
}


@pytest.mark.parametrize("code", SOURCES.values(), ids=SOURCES)
def test_the_innermost_of_all_that_are_around_a_place(code: str) -> None:
    tree = ast.parse(code)
    statements = Statements(tree)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]

    def start(node: ast.stmt) -> tuple[int, int]:
        lines = [node.lineno, *(it.lineno for it in getattr(node, "decorator_list", ()))]
        return min(lines), node.col_offset

    def end(node: ast.stmt) -> tuple[int, int]:
        return node.end_lineno or 0, node.end_col_offset or 0

    for line in range(code.count("\n") + 3):
        for column in range(30):
            around = [node for node in nodes if start(node) <= (line, column) <= end(node)]
            assert statements.at(line, column) is max(around, key=start, default=None)


def test_no_span() -> None:
    assert Innermost([]).at((1, 0)) is None
