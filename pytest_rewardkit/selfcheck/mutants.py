"""Mutants of a reference: the same code with one small change, which a good grader notices. Pure.

Changes are made in the text, so that a mutant differs from its reference in nothing else. Annotations, docstrings and
texts of exceptions stay unchanged, as do f-strings, because Python 3.11 does not know the positions inside them.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LENGTH_LIMIT: Final = 100_000
"""The longest reference in characters of which mutants are made."""
_DIGITS: Final = 30
"""The most digits of a number that is changed."""

_ARITHMETIC: Final[dict[type[ast.operator], tuple[str, ...]]] = {
    ast.Add: ("+", "-", "*"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/", "+"),
    ast.Div: ("/", "*", "//"),
    ast.FloorDiv: ("//", "/", "*"),
    ast.Mod: ("%", "/", "*"),
    ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "&"),
}
_COMPARISONS: Final[dict[type[ast.cmpop], tuple[str, str]]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_UNARY: Final[dict[type[ast.unaryop], str]] = {ast.Not: "not", ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}

_Edit = tuple[int, int, str]
"""The start and end of a change in the source's bytes, and the replacement."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A reference with one change.

    Parameters:
        code: all of its code.
        line: where the change begins, from 1.
        before, after: the changed lines.
    """

    code: str
    line: int
    before: str
    after: str

    @property
    def change(self) -> str:
        """The change as one line."""
        old, new = (" ".join(text.split()) for text in (self.before, self.after))
        return f"line {self.line}: {old} -> {new}"


def mutants_of(source: str) -> list[Mutant]:
    """Return all mutants of Python code, in the order of its lines; none if the code is too long.

    Raises SyntaxError if the source is not Python.
    """
    tree = _parsed(source)
    if len(source) > LENGTH_LIMIT:
        return []
    text = _Text(source)
    found: dict[str, Mutant] = {}
    for start, end, replacement in sorted(_edits(tree, text)):
        code = text.with_edit(start, end, replacement)
        # Some changes duplicate another or change nothing, and a few do not parse.
        if code != source and code not in found and _is_python(code):
            found[code] = text.mutant(code, start, end)
    return list(found.values())


def with_stop_line(source: str, seconds: float) -> str:
    """Return Python code that is killed after so many seconds of processor time, however busy the machine is.

    Without this, each mutant with an endless loop takes as long as its test lets candidates run.
    """
    body = _parsed(source).body
    at = 0
    for statement in body:
        if not (_is_text(statement) or (isinstance(statement, ast.ImportFrom) and statement.module == "__future__")):
            break
        at = statement.end_lineno or at
    stop = f"import signal as _signal; _signal.setitimer(_signal.ITIMER_PROF, {seconds:.1f})\n"
    lines = source.encode().splitlines(keepends=True)
    return b"".join([*lines[:at], stop.encode(), *lines[at:]]).decode()


class _Text:
    """A source with the positions of its nodes, which `ast` counts in bytes."""

    def __init__(self, source: str) -> None:
        self._bytes = source.encode()
        self._starts = [0]
        for line in self._bytes.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def start(self, node: ast.stmt | ast.expr) -> int:
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.stmt | ast.expr) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def of(self, node: ast.stmt | ast.expr) -> str:
        return self._bytes[self.start(node) : self.end(node)].decode()

    def operator(self, left: int, right: int, old: str, *others: str) -> Iterator[_Edit]:
        """Yield the edits of an operator between two operands; only brackets and comments can stand beside it."""
        between = re.sub(rb"#[^\n]*", lambda comment: b" " * len(comment[0]), self._bytes[left:right])
        pattern = rb"\s+".join(re.escape(word.encode()) for word in old.split())
        if (match := re.search(pattern, between)) is not None:
            yield from ((left + match.start(), left + match.end(), new) for new in others)

    def with_edit(self, start: int, end: int, replacement: str) -> str:
        return (self._bytes[:start] + replacement.encode() + self._bytes[end:]).decode()

    def mutant(self, code: str, start: int, end: int) -> Mutant:
        first = self._bytes.rfind(b"\n", 0, start) + 1
        last = self._bytes.find(b"\n", end)
        last = len(self._bytes) if last < 0 else last
        after = code.encode()
        shift = len(after) - len(self._bytes)
        return Mutant(
            code,
            self._bytes.count(b"\n", 0, start) + 1,
            self._bytes[first:last].decode(),
            after[first : last + shift].decode(),
        )


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error)) from None


def _is_python(code: str) -> bool:
    try:
        _parsed(code)
    except SyntaxError:
        return False
    return True


def _edits(tree: ast.Module, text: _Text) -> Iterator[_Edit]:
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield from _edits_of(node, text)
        waiting.extend(_children(node))


def _children(node: ast.AST) -> Iterable[ast.AST]:
    """Return the children of `node` that may be changed."""
    match node:
        case ast.JoinedStr():
            return ()
        case ast.Raise():
            return () if node.exc is None else _without_texts(node.exc)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return [*node.args.defaults, *filter(None, node.args.kw_defaults), *_statements(node.body)]
        case ast.ClassDef() | ast.Module():
            return _statements(node.body)
        case ast.AnnAssign():
            return () if node.value is None else (node.value,)
    return ast.iter_child_nodes(node)


def _without_texts(error: ast.expr) -> list[ast.AST]:
    arguments = error.args if isinstance(error, ast.Call) else []
    return [argument for argument in arguments if not isinstance(argument, ast.Constant | ast.JoinedStr)]


def _statements(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return statements without a docstring."""
    return [statement for statement in body if not _is_text(statement)]


def _is_text(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
    return False


def _edits_of(node: ast.AST, text: _Text) -> Iterator[_Edit]:
    match node:
        case ast.Constant():
            yield from _edits_of_constant(node, text)
        case ast.expr():
            yield from _edits_of_operators(node, text)
        case ast.stmt():
            yield from _edits_of_statement(node, text)
        case ast.comprehension():
            for condition in node.ifs:
                yield from _edits_of_condition(condition, text)


def _edits_of_operators(node: ast.expr, text: _Text) -> Iterator[_Edit]:
    match node:
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            yield from text.operator(text.end(node.left), text.start(node.right), *_ARITHMETIC[type(node.op)])
        case ast.Compare():
            operands = [node.left, *node.comparators]
            for operator, left, right in zip(node.ops, operands, operands[1:], strict=False):
                yield from text.operator(text.end(left), text.start(right), *_COMPARISONS[type(operator)])
        case ast.BoolOp():
            old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            for left, right in zip(node.values, node.values[1:], strict=False):
                yield from text.operator(text.end(left), text.start(right), old, new)
        case ast.UnaryOp():
            yield text.start(node), text.start(node) + len(_UNARY[type(node.op)]), ""
        case ast.IfExp():
            yield from _edits_of_condition(node.test, text)


def _edits_of_constant(node: ast.Constant, text: _Text) -> Iterator[_Edit]:
    start, end = text.start(node), text.end(node)
    match node.value:
        case bool():
            yield start, end, str(not node.value)
        case int() | float() if end - start <= _DIGITS:
            yield start, end, repr(node.value + 1)
        case str() | bytes():
            mark = "XX" if isinstance(node.value, str) else b"XX"
            yield start, end, repr(mark + node.value + mark)  # type: ignore[operator]


def _edits_of_statement(node: ast.stmt, text: _Text) -> Iterator[_Edit]:
    start, end = text.start(node), text.end(node)
    match node:
        case ast.AugAssign() if type(node.op) in _ARITHMETIC:
            yield from text.operator(text.end(node.target), text.start(node.value), *_ARITHMETIC[type(node.op)])
        case ast.Return() if not _is_none(node.value):
            yield start, end, "return None"
        case ast.Assign(targets=[*_, ast.Name() as target]) if not _is_none(node.value):
            yield text.end(target), end, " = None"
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.Raise():
            yield start, end, "pass"
        case ast.Continue():
            yield start, end, "break"
        case ast.Break():
            yield start, end, "continue"
        case ast.For() | ast.AsyncFor():
            yield text.start(node.iter), text.end(node.iter), "[]"
        case ast.If() | ast.While():
            yield from _edits_of_condition(node.test, text)


def _edits_of_condition(test: ast.expr, text: _Text) -> Iterator[_Edit]:
    """Yield the negation of a condition that has no operator of its own to change."""
    if isinstance(test, ast.Name | ast.Call | ast.Attribute | ast.Subscript):
        yield text.start(test), text.end(test), f"not {text.of(test)}"


def _is_none(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)
