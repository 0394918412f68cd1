"""Takes a case's code apart into its comparisons and their operands (operands.py). Pure.

It takes apart comparisons, `and`, `or`, `not`, conditional expressions, lists and tuples of these, `all` and `any`,
and top-level `assert` statements. The sandbox makes comparisons anywhere else.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.scorers.running.operands import (
    Compare,
    ComparisonPlan,
    Conditional,
    Each,
    Items,
    Leaf,
    Logic,
    Node,
    Truth,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


_SIGNS: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}


def planned(statements: Sequence[ast.stmt], last: ast.expr | None, target: str = "") -> ComparisonPlan | None:
    """Return how the host makes the comparisons of a case's code; None if it makes none that the host can make.

    Parameters:
        statements: the statements that run first.
        last: the expression whose value counts.
        target: the name that the value is assigned to.
    """
    reader = _Decomposer(_made_by(statements))
    prints = isinstance(last, ast.Call) and _is_call_of(last, "print")
    tree = reader.taken_apart(last.args[0] if prints and isinstance(last, ast.Call) else last)
    steps: list[str | Node] = []
    asserted = []
    for statement in statements:
        node = reader.taken_apart(statement.test) if isinstance(statement, ast.Assert) else None
        if node is None:
            # Consecutive assertions, as long as nothing else comes between.
            before = f"{steps.pop()}\n" if steps and isinstance(steps[-1], str) else ""
            steps.append(before + ast.unparse(statement))
        else:
            steps.append(node)
            asserted.append(ast.unparse(statement))
    if tree is None and not asserted:
        return None
    return ComparisonPlan(
        steps=tuple(steps),
        asserted=tuple(asserted),
        tree=tree,
        assigns=target if tree is not None else "",
        prints=prints and tree is not None,
    )


def _made_by(statements: Sequence[ast.stmt]) -> dict[str, frozenset[str]]:
    """For each assigned name, the names of the classes that are called to make its object, as in `Money(5)`."""
    made: dict[str, frozenset[str]] = {}
    for statement in statements:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            made[statement.targets[0].id] = _classes_in(statement.value, made)
    return made


def _classes_in(expression: ast.expr, made: Mapping[str, frozenset[str]]) -> frozenset[str]:
    if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Name):
        name = expression.func.id
        return frozenset([name]) if name[:1].isupper() else frozenset()
    if isinstance(expression, ast.Name):
        return made.get(expression.id, frozenset())
    if isinstance(expression, ast.BinOp):
        return _classes_in(expression.left, made) | _classes_in(expression.right, made)
    return _classes_in(expression.operand, made) if isinstance(expression, ast.UnaryOp) else frozenset()


class _Decomposer:
    """Takes expressions apart.

    Parameters:
        made: for each name, the classes whose names were called to make its object.
    """

    def __init__(self, made: Mapping[str, frozenset[str]]) -> None:
        self._made = made

    def taken_apart(self, expression: ast.expr | None) -> Node | None:
        """Return the nodes of an expression that makes comparisons; None for any other expression."""
        node = self._node(expression) if expression is not None else None
        return None if isinstance(node, Leaf) else node

    def _node(self, expression: ast.expr) -> Node:
        take = _TAKERS.get(type(expression))
        return (take(self, expression) if take is not None else None) or self._leaf(expression)

    def _nodes(self, expressions: Sequence[ast.expr]) -> tuple[Node, ...]:
        return tuple(map(self._node, expressions))

    def _leaf(self, expression: ast.expr) -> Leaf:
        try:
            literal: tuple[Any, ...] = (ast.literal_eval(expression),)
        except (ValueError, TypeError, SyntaxError, OverflowError, MemoryError, RecursionError):
            literal = ()
        return Leaf(ast.unparse(expression), literal, _classes_in(expression, self._made))

    def _compare(self, expression: ast.Compare) -> Node:
        signs = [_SIGNS[type(sign)] for sign in expression.ops]
        others = tuple(zip(signs, self._nodes(expression.comparators), strict=True))
        return Compare(self._node(expression.left), others)

    def _logic(self, expression: ast.BoolOp) -> Node | None:
        return self._of_several(Logic, "and" if isinstance(expression.op, ast.And) else "or", expression.values)

    def _items(self, expression: ast.List | ast.Tuple) -> Node | None:
        return self._of_several(Items, "list" if isinstance(expression, ast.List) else "tuple", expression.elts)

    def _of_several(
        self, make: Callable[[str, tuple[Node, ...]], Node], kind: str, expressions: Sequence[ast.expr]
    ) -> Node | None:
        nodes = self._nodes(expressions) if not any(isinstance(it, ast.Starred) for it in expressions) else ()
        return None if all(isinstance(node, Leaf) for node in nodes) else make(kind, nodes)

    def _not(self, expression: ast.UnaryOp) -> Node | None:
        node = self.taken_apart(expression.operand) if isinstance(expression.op, ast.Not) else None
        return None if node is None else Truth("not", node)

    def _choice(self, expression: ast.IfExp) -> Node | None:
        nodes = self._nodes([expression.test, expression.body, expression.orelse])
        return None if all(isinstance(node, Leaf) for node in nodes) else Conditional(*nodes)

    def _call(self, expression: ast.Call) -> Node | None:
        if _is_call_of(expression, "bool"):
            node = self.taken_apart(expression.args[0])
            return None if node is None else Truth("bool", node)
        kind = next((name for name in ("all", "any") if _is_call_of(expression, name)), None)
        if kind is None:
            return None
        [given] = expression.args
        if isinstance(given, ast.List | ast.Tuple):
            several = self._of_several(Logic, "and" if kind == "all" else "or", given.elts)
            return None if several is None else Truth("bool", several)
        if not isinstance(given, ast.GeneratorExp | ast.ListComp) or not isinstance(given.elt, ast.Compare):
            return None
        compared = given.elt
        if len(compared.ops) != 1 or any(loop.is_async for loop in given.generators):
            return None
        sides = [compared.left, compared.comparators[0]]
        pairs = ast.GeneratorExp(ast.Tuple(sides, ast.Load()), given.generators)
        one, other = map(self._leaf, sides)
        return Each(kind, ast.unparse(pairs), _SIGNS[type(compared.ops[0])], (one, other))


_TAKERS: Final[dict[type[ast.expr], Callable[[_Decomposer, Any], Node | None]]] = {
    ast.Compare: _Decomposer._compare,
    ast.BoolOp: _Decomposer._logic,
    ast.List: _Decomposer._items,
    ast.Tuple: _Decomposer._items,
    ast.UnaryOp: _Decomposer._not,
    ast.IfExp: _Decomposer._choice,
    ast.Call: _Decomposer._call,
}


def _is_call_of(expression: ast.Call, name: str) -> bool:
    """Whether the expression calls this name with one argument."""
    is_named = isinstance(expression.func, ast.Name) and expression.func.id == name
    return is_named and len(expression.args) == 1 and not expression.keywords
