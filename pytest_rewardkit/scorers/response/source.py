"""The names that Python source defines and uses, read on the host without running it."""

from __future__ import annotations

import ast
import builtins
import re
import symtable
import warnings
from dataclasses import dataclass
from typing import Final

_BUILTINS: Final = frozenset(dir(builtins))
_MAGIC: Final = re.compile(r"^([ \t]*)[!%].*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """A source that parses.

    Parameters:
        text: the source.
        is_code: whether it is more than words: "Sorry, no" also parses, as a tuple of two names.
        defines: the names that it leaves at module level.
        uses: the names that it needs from elsewhere, except built-in ones.
    """

    text: str
    is_code: bool
    defines: frozenset[str]
    uses: frozenset[str]


def read_source(text: str) -> Source | None:
    """Return what `text` defines and uses as Python, or None if it is not Python.

    IPython's lines for the shell and for magics (``!pip …``, ``%matplotlib …``) count as Python.
    """
    parsed = _parse(text)
    if parsed is None:
        return None
    tree, table = parsed
    defines = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    is_code = any(not _is_prose(statement) for statement in tree.body)
    return Source(text, is_code, frozenset(defines), frozenset(_used(table) - defines - _BUILTINS))


def syntax_tree(text: str) -> ast.Module | None:
    """Return the tree of text that `read_source` accepts, with ``pass`` for IPython's lines; None for other texts."""
    parsed = _parse(text)
    return None if parsed is None else parsed[0]


_QUOTED: Final = re.compile(r"\s*(\'{3}|\"{3})(?:python|py)?[ \t]*\n(.*)\1\s*", re.DOTALL)


def unwrapped(source: Source) -> Source:
    """Return the source inside a source that is only a long string, as if its quotes were a fence."""
    quoted = _QUOTED.fullmatch(source.text)
    inner = read_source(quoted[2]) if quoted else None
    return inner if inner is not None and inner.defines else source


def without_words(source: Source) -> str:
    """Return a source's text without words around its code that parse as Python, such as ``python`` or ``Done``."""
    tree = syntax_tree(source.text)
    body = [] if tree is None else list(tree.body)
    lines = source.text.split("\n")
    while len(body) > 1 and _is_idle(body[0], source):
        lines[: body[0].end_lineno] = [""] * (body[0].end_lineno or 0)
        del body[0]
    while len(body) > 1 and _is_idle(body[-1], source) and body[-2].end_lineno != body[-1].lineno:
        del lines[body[-1].lineno - 1 :]
        del body[-1]
    return source.text if lines == source.text.split("\n") else "\n".join(lines).strip("\n") + "\n"


def _is_idle(statement: ast.stmt, source: Source) -> bool:
    """Whether a statement is only words, and nothing in the source defines one of them."""
    return _is_prose(statement) and any(
        isinstance(node, ast.Name) and node.id in source.uses for node in ast.walk(statement)
    )


def line_of_mistake(text: str) -> int:
    """The number of lines before the first one that Python refuses; -1 if it refuses none, or says no line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text.encode("utf-8", "replace"))
        except SyntaxError as error:
            return (error.lineno or 0) - 1
        except (ValueError, MemoryError, RecursionError, OverflowError):
            return -1
    return -1


def _parse(text: str) -> tuple[ast.Module, symtable.SymbolTable] | None:
    parsed = _parse_python(text)
    return _parse_python(_MAGIC.sub(r"\1pass", text)) if parsed is None and _MAGIC.search(text) else parsed


def _parse_python(text: str) -> tuple[ast.Module, symtable.SymbolTable] | None:
    # Python itself will refuse a lone surrogate; the code's begin and end can be found without it.
    text = text.encode("utf-8", "replace").decode()
    # Python warns about doubtful code as it compiles; if warnings are errors, this would fail here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text), symtable.symtable(text, "<candidate>", "exec")
        except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
            return None


def _used(table: symtable.SymbolTable) -> set[str]:
    """Names looked up at module level or outside the module."""
    used = set()
    pending = [table]
    while pending:
        table = pending.pop()
        pending.extend(table.get_children())
        at_module_level = table.get_type() == "module"
        used |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and (at_module_level or symbol.is_global())
        }
    return used


def _is_prose(statement: ast.stmt) -> bool:
    """Whether a statement consists only of words: ``Sorry, no``, ``Note: this`` or ``not sure``."""
    if isinstance(statement, ast.AnnAssign) and statement.value is None:
        return _is_words(statement.target) and _is_words(statement.annotation)
    return isinstance(statement, ast.Expr) and _is_words(statement.value)


_WORDS: Final = (
    ast.Name,
    ast.Tuple,
    ast.Attribute,
    ast.BinOp,
    ast.BoolOp,
    ast.UnaryOp,
    ast.Compare,
    ast.expr_context,
    ast.operator,
    ast.boolop,
    ast.unaryop,
    ast.cmpop,
)


def _is_words(expression: ast.expr) -> bool:
    return all(
        isinstance(node, _WORDS) or (isinstance(node, ast.Constant) and node.value is Ellipsis)
        for node in ast.walk(expression)
    )
