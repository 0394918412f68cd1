"""Comparisons that a case's own code makes, as nodes: each concludes its outcome from what was recorded. Pure.

If the sandbox evaluated ``add(2, 3) == 5``, it would ask the `__eq__` of whatever `add` returned. So the sandbox
evaluates each side separately and sends it out as data (operand_recorder.py), and literals that the author wrote never
depend on what comes out. decomposition.py takes the code apart; operand_comparison.py compares two operands.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from pytest_rewardkit.scorers.guest.codec_decoder import decode
from pytest_rewardkit.scorers.guest.codec_objects import Opaque
from pytest_rewardkit.scorers.running.operand_comparison import Operand, Outcome, compared


class Undecided(ValueError):  # noqa: N818 - it names a state
    """The interpreter went on differently than the operands say: they, or its comparison, are not what they seem."""


class Node(ABC):
    """A piece of an expression."""

    @abstractmethod
    def question(self) -> list[Any]:
        """Return the node in the form that `operand_recorder.OperandRecorder` takes."""

    @abstractmethod
    def concluded(self, record: Any) -> Outcome:
        """Return the node's outcome from its record. Raises ValueError for a record that does not fit."""

    def operand(self, record: Any) -> Operand:
        """Return the node as one side of a comparison. Raises ValueError for a record that does not fit."""
        return Operand(self.concluded(record))


@dataclass(frozen=True, slots=True)
class Leaf(Node):
    """An expression that the sandbox evaluates.

    Parameters:
        source: the expression.
        literal: its value in a tuple, if it can be read from the source; the sandbox is not asked for it.
        made: names of the candidate's classes that the case calls to make it.
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

    def operand(self, record: Any) -> Operand:
        return Operand(self.concluded(record), self.made)


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """A comparison or a chain of comparisons."""

    first: Node
    others: tuple[tuple[str, Node], ...]

    def question(self) -> list[Any]:
        return ["compare", self.first.question(), [[sign, node.question()] for sign, node in self.others]]

    def concluded(self, record: Any) -> Outcome:
        first, *pairs = record
        left = self.first.operand(first)
        found = Outcome(True, truth=True)
        for (sign, other), (recorded, said) in zip(self.others, pairs, strict=False):
            right = other.operand(recorded)
            found = compared(sign, left, right, said=said is True)
            if not found.truth:
                return found
            left = right
        if len(pairs) != len(self.others):
            raise Undecided
        return found


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """Operands of ``and`` or ``or``."""

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
    """``not`` or `bool` of a node."""

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
    """A list or tuple display."""

    kind: str
    nodes: tuple[Node, ...]

    def question(self) -> list[Any]:
        return ["items", self.kind, [node.question() for node in self.nodes]]

    def concluded(self, record: Any) -> Outcome:
        values = [node.concluded(recorded).value for node, recorded in zip(self.nodes, record, strict=True)]
        return Outcome(tuple(values) if self.kind == "tuple" else values, bool(values))


@dataclass(frozen=True, slots=True)
class Each(Node):
    """`all` or `any` of comparisons made in a loop.

    Parameters:
        source: yields the pairs of operands.
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
            if compared(self.sign, one.operand(left), other.operand(right), said=said is True).truth is ends:
                return Outcome(ends, ends)
            left_early = said is ends
        if left_early:
            raise Undecided
        return Outcome(not ends, not ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPlan:
    """A case's code whose comparisons the host makes.

    Parameters:
        steps: what runs before the last expression: statements as source, and assertions.
        asserted: the source of the assertions, to name them.
        tree: the last expression; None if it makes no comparison.
        assigns: the name that its value is assigned to; "" for none.
        prints: whether the code prints its value.
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
        """Return the fields that the plan adds to a question."""
        return {
            "steps": [["assert", step.question()] if isinstance(step, Node) else ["do", step] for step in self.steps],
            "tree": None if self.tree is None else self.tree.question(),
            "assigns": self.assigns,
        }
