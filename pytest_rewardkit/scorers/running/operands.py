"""Comparisons that a case's own code makes, taken apart so that the host makes them, on plain data. Pure.

Evaluated in the sandbox, ``add(2, 3) == 5`` would ask the `__eq__` of whatever `add` gave. So each side is evaluated
there by itself and comes out as data (operand_recorder.py), and what the author wrote as a literal never goes by what
comes out. Taken apart are comparisons, `and`, `or`, `not`, conditional expressions, lists and tuples of these, `all`
and `any`, and top-level `assert` statements; comparisons anywhere else are made in the sandbox.

An object of the candidate's own class is equal to nothing plain and holds nothing, unless the case makes it by the name
of its class (``Money(5) == 5``): then it is the class that is tested. Between two such objects, their class decides.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.scorers.guest.codec import decode
from pytest_rewardkit.scorers.guest.codec_objects import Opaque
from pytest_rewardkit.scorers.guest.operand_recorder import OPERATORS

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
_SINGLETONS: Final = (None, True, False)


class Undecided(ValueError):  # noqa: N818 - it names a state
    """The interpreter went on otherwise than the operands say: they, or its own comparison, are not what they seem."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a node comes to.

    Parameters:
        value: plain data.
        truth: whether it is true.
        is_array: whether it is compared item by item.
    """

    value: Any
    truth: bool
    is_array: bool = False


class Node(ABC):
    """A piece of an expression."""

    @abstractmethod
    def question(self) -> list[Any]:
        """Return the node as `operand_recorder.OperandRecorder` takes it."""

    @abstractmethod
    def concluded(self, record: Any) -> Outcome:
        """Return what the node comes to by what was recorded of it. Raises ValueError for no such record."""


@dataclass(frozen=True, slots=True)
class Leaf(Node):
    """An expression that is evaluated in the sandbox.

    Parameters:
        source: the expression.
        literal: its value in a tuple, where it can be read off; the sandbox is not asked for it.
        made: names of the candidate's classes by which the case makes it.
    """

    source: str
    literal: tuple[Any, ...]
    made: frozenset[str]

    def question(self) -> list[Any]:
        return ["value", self.source]

    def concluded(self, record: Any) -> Outcome:
        if self.literal:
            return Outcome(self.literal[0], bool(self.literal[0]))
        data, truth = record
        value, is_array = decode(data), isinstance(data, dict) and "array" in data
        if isinstance(value, Opaque) and value.items is not None:
            value, is_array = value.items, True
        knows = not isinstance(value, Opaque) and not is_array
        return Outcome(value, bool(value) if knows else truth is True, is_array)


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """A comparison, maybe a chain of them."""

    first: Node
    others: tuple[tuple[str, Node], ...]

    def question(self) -> list[Any]:
        return ["compare", self.first.question(), [[sign, node.question()] for sign, node in self.others]]

    def concluded(self, record: Any) -> Outcome:
        first, *pairs = record
        node, left = self.first, self.first.concluded(first)
        found = Outcome(True, truth=True)
        for (sign, other), (recorded, said) in zip(self.others, pairs, strict=False):
            right = other.concluded(recorded)
            found = _compared(sign, (node, left), (other, right), said=said is True)
            if not found.truth:
                return found
            node, left = other, right
        if len(pairs) != len(self.others):
            raise Undecided
        return found


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """Operands of ``and`` or of ``or``."""

    kind: str
    nodes: tuple[Node, ...]

    def question(self) -> list[Any]:
        return [self.kind, [node.question() for node in self.nodes]]

    def concluded(self, record: Any) -> Outcome:
        found = None
        for node, recorded in zip(self.nodes, record, strict=False):
            found = node.concluded(recorded)
            if found.truth is (self.kind == "or"):
                return found
        if found is None or len(record) != len(self.nodes):
            raise Undecided
        return found


@dataclass(frozen=True, slots=True)
class Truth(Node):
    """``not`` or `bool` of something."""

    kind: str
    node: Node

    def question(self) -> list[Any]:
        return [self.kind, self.node.question()]

    def concluded(self, record: Any) -> Outcome:
        truth = self.node.concluded(record).truth is (self.kind == "bool")
        return Outcome(truth, truth)


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """A conditional expression."""

    test: Node
    one: Node
    other: Node

    def question(self) -> list[Any]:
        return ["choice", self.test.question(), self.one.question(), self.other.question()]

    def concluded(self, record: Any) -> Outcome:
        test, chosen, result = record
        if self.test.concluded(test).truth is not chosen:
            raise Undecided
        return (self.one if chosen else self.other).concluded(result)


@dataclass(frozen=True, slots=True)
class Items(Node):
    """A list or a tuple that is written out."""

    kind: str
    nodes: tuple[Node, ...]

    def question(self) -> list[Any]:
        return ["items", self.kind, [node.question() for node in self.nodes]]

    def concluded(self, record: Any) -> Outcome:
        values = [node.concluded(recorded).value for node, recorded in zip(self.nodes, record, strict=True)]
        return Outcome(tuple(values) if self.kind == "tuple" else values, bool(values))


@dataclass(frozen=True, slots=True)
class Each(Node):
    """`all` or `any` of comparisons that are made in a loop.

    Parameters:
        source: gives the pairs of operands.
    """

    kind: str
    source: str
    sign: str
    sides: tuple[Leaf, Leaf]

    def question(self) -> list[Any]:
        return ["each", self.kind, self.source, self.sign]

    def concluded(self, record: Any) -> Outcome:
        ends, left_early = self.kind == "any", False
        for left, right, said in record:
            one, other = self.sides
            pair = (one, one.concluded(left)), (other, other.concluded(right))
            if _compared(self.sign, *pair, said=said is True).truth is ends:
                return Outcome(ends, ends)
            left_early = said is ends
        if left_early:
            raise Undecided
        return Outcome(not ends, not ends)


_Side = tuple[Node, Outcome]


def _compared(sign: str, one: _Side, other: _Side, *, said: bool) -> Outcome:
    """What a comparison comes to.

    Parameters:
        said: whether the interpreter calls it true, which decides what only the candidate's own classes can.
    """
    (_, left), (_, right) = one, other
    if sign in ("is", "is not"):
        known = any(side.value is singleton for side in (left, right) for singleton in _SINGLETONS)
        truth = OPERATORS[sign](left.value, right.value) if known else said
        return Outcome(truth, truth)
    if left.is_array or right.is_array:
        items = _itemwise(sign, left.value, right.value)
        return Outcome(items, said, is_array=True) if isinstance(items, list) else Outcome(items, items)
    owns = [isinstance(side.value, Opaque) for side in (left, right)]
    if any(owns):
        is_tested = all(owns) or any(
            isinstance(node, Leaf) and isinstance(side.value, Opaque) and side.value.name in node.made
            for node, side in (one, other)
        )
        truth = said if is_tested else sign == "!="
        return Outcome(truth, truth)
    truth = _holds(sign, left.value, right.value, said=said)
    return Outcome(truth, truth)


def _itemwise(sign: str, left: Any, right: Any) -> Any:
    if isinstance(left, list) or isinstance(right, list):
        lefts, rights = (
            side if isinstance(side, list) else [side] * len(left if side is right else right) for side in (left, right)
        )
        return len(lefts) == len(rights) and [_itemwise(sign, *pair) for pair in zip(lefts, rights, strict=True)]
    return _holds(sign, left, right, said=False)


def _holds(sign: str, left: Any, right: Any, *, said: bool) -> bool:
    """Whether a comparison of plain values holds, in which objects of the candidate's classes may be."""
    (left, held), (right, holds) = _masked(left), _masked(right)
    try:
        truth = bool(OPERATORS[sign](left, right))
    except (TypeError, ValueError, ArithmeticError, RecursionError):  # such as an order of a number and a text
        return False
    # As far as the host can tell; whether these objects are equal only their class can say.
    return truth and said if held and holds and sign in ("==", "<=", ">=", "in") else truth


class _Mask:
    """Stands for an object of the candidate's, of which it is not known whether it equals another."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Mask)

    def __hash__(self) -> int:
        return 0


def _masked(value: Any) -> tuple[Any, bool]:
    """A value with masks in the place of objects of the candidate's; and whether there are any."""
    if isinstance(value, Opaque):
        return _Mask(), True
    if isinstance(value, dict):
        pairs = [(_masked(key), _masked(item)) for key, item in value.items()]
        if any(held or holds for (_, held), (_, holds) in pairs):
            return {key: item for (key, _), (item, _) in pairs}, True
    elif isinstance(value, list | tuple | set | frozenset):
        items = [_masked(item) for item in value]
        if any(held for _, held in items):
            return type(value)(item for item, _ in items), True
    return value, False


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPlan:
    """A case's code whose comparisons the host makes.

    Parameters:
        steps: what runs before the last expression: statements as source, and what is asserted.
        asserted: of the latter the source, to name them.
        tree: the last expression; None where it makes no comparison.
        assigns: the name that it is assigned to; "" for none.
        prints: whether the code prints it.
    """

    steps: tuple[str | Node, ...] = ()
    asserted: tuple[str, ...] = ()
    tree: Node | None = None
    assigns: str = ""
    prints: bool = False

    @property
    def checks(self) -> list[Node]:
        return [step for step in self.steps if isinstance(step, Node)]

    def question(self) -> dict[str, Any]:
        """Return the fields of a question that the plan makes."""
        return {
            "steps": [["assert", step.question()] if isinstance(step, Node) else ["do", step] for step in self.steps],
            "tree": None if self.tree is None else self.tree.question(),
            "assigns": self.assigns,
        }


def planned(statements: Sequence[ast.stmt], last: ast.expr | None, target: str = "") -> ComparisonPlan | None:
    """Return how the comparisons of a case's code are made on the host; None where it makes none that can be.

    Parameters:
        statements: what runs first.
        last: the expression whose value counts.
        target: the name that it is assigned to.
    """
    reader = _Decomposer(_made_by(statements))
    prints = isinstance(last, ast.Call) and _is_call_of(last, "print")
    tree = reader.taken_apart(last.args[0] if prints and isinstance(last, ast.Call) else last)
    steps: list[str | Node] = []
    asserted = []
    for statement in statements:
        node = reader.taken_apart(statement.test) if isinstance(statement, ast.Assert) else None
        if node is None:
            # One after another, as long as nothing else comes between.
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
    """The names that statements give to objects which they make by the name of a class, with these names."""
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
        made: the classes by whose names the objects of names were made.
    """

    def __init__(self, made: Mapping[str, frozenset[str]]) -> None:
        self._made = made

    def taken_apart(self, expression: ast.expr | None) -> Node | None:
        """Return the nodes of an expression that makes comparisons; None for any other."""
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
    """Whether it calls what has this name with one argument."""
    is_named = isinstance(expression.func, ast.Name) and expression.func.id == name
    return is_named and len(expression.args) == 1 and not expression.keywords
