"""CRUXEval: a short function `f`; the task is to predict its output for an input, or to find an input for an output.

Fields: ``id``, ``code``, ``input`` (the arguments, as source), ``output`` (as source)
(Gu et al. 2024, arXiv:2401.03065; github.com/facebookresearch/cruxeval). As in the benchmark's own scoring, an answer
may come as ``assert f(...) == ...``, and between ``[ANSWER]`` and ``[/ANSWER]``; tags, backticks and bold do as well.
An output must be predicted as a literal value: an expression that computes it predicts nothing.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING, Final, TypeGuard

from pytest_rewardkit.datasets.formats.reading import text, wrong
from pytest_rewardkit.datasets.formats.task import AnswerTask
from pytest_rewardkit.datasets.testcode.test_runner import TestCode
from pytest_rewardkit.scorers.response.extract import extract_code

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_rewardkit.datasets.row import Row

_MARKED: Final = re.compile(r"[\[<]ANSWER[\]>](.*?)(?:[\[<]/ANSWER[\]>]|\Z)", re.DOTALL | re.IGNORECASE)
_QUOTED: Final = re.compile(r"(?<!`)(?:`([^`\n]{1,4000})`|\*\*([^*\n]{1,4000})\*\*)(?!`)")


def read_output(row: Row) -> AnswerTask:
    """Reads a row as the task to predict the output."""
    arguments, output = text(row, "input"), _expression(row, "output")
    return AnswerTask(
        prompt=f"{text(row, 'code')}\n\nassert f({arguments}) == ",
        reference=output,
        test=TestCode(f"def check(candidate):\n    assert candidate() == ({output})", "answer"),
        read=_read_output,
        without="the answer is no value that is written out",
    )


def read_input(row: Row) -> AnswerTask:
    """Reads a row as the task to find an input; any input that gives the output is right."""
    code, output = text(row, "code"), _expression(row, "output")
    check = f"def check(candidate):\n    args, kwargs = candidate()\n    assert f(*args, **kwargs) == ({output})"
    return AnswerTask(
        prompt=f"{code}\n\nassert f(??) == {output}",
        reference=f"f({text(row, 'input')})",
        test=TestCode(check, "answer", (code,)),
        read=_read_input,
    )


def _read_output(response: str) -> list[str] | None:
    expression = _parsed(response)
    if isinstance(expression, ast.Compare) and len(expression.ops) == 1 and isinstance(expression.ops[0], ast.Eq):
        expression = expression.comparators[0]
    return _answering(expression) if expression is not None and is_written_out(expression) else None


def _read_input(response: str) -> list[str] | None:
    call = _parsed(response)
    if isinstance(call, ast.Compare):
        call = call.left
    if not _is_call_of_f(call):
        # The answer may be the arguments alone; with commas between them, they parse as a tuple.
        answer = _marked(response)
        call = _expression_of(f"f({answer})") if answer else None
    if not _is_call_of_f(call):
        return None
    call.func = ast.parse("lambda *args, **kwargs: (args, kwargs)", mode="eval").body
    return _answering(call)


_EMPTY: Final = ("set", "frozenset", "list", "tuple", "dict", "str", "bytes", "bytearray")
_NOT_FINITE: Final = ("inf", "+inf", "-inf", "infinity", "nan")


def is_written_out(node: ast.expr) -> bool:
    """Whether an expression is a value in Python's own notation, and computes nothing."""
    match node:
        case ast.Constant():
            return True
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            return _are_written_out(items)
        case ast.Dict(keys=keys, values=values):
            return None not in keys and _are_written_out([*filter(None, keys), *values])
        case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
            return _is_number(operand)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=ast.Constant(value=complex())):
            return _is_number(left.operand if isinstance(left, ast.UnaryOp) else left)
        case ast.Call(func=ast.Name(id=name)):
            return _is_written_by_name(name, node)
    return False


def _is_written_by_name(name: str, call: ast.Call) -> bool:
    """Whether a call of a builtin is the notation of a value that has no literal."""
    match call.args, call.keywords:
        case [], []:
            return name in _EMPTY
        case [], fields:
            return name == "dict" and all(field.arg and is_written_out(field.value) for field in fields)
        case [ast.Set() as items], []:
            return name == "frozenset" and is_written_out(items)
        case [ast.Constant(value=bytes())], []:
            return name == "bytearray"
        case [ast.Constant(value=str(text))], []:
            return name == "float" and text.strip().lower() in _NOT_FINITE
        case bounds, []:
            return name == "range" and _are_written_out(bounds)
    return False


def _are_written_out(nodes: Iterable[ast.expr]) -> bool:
    return all(map(is_written_out, nodes))


def _is_number(node: ast.expr) -> bool:
    is_call = isinstance(node, ast.Call) and is_written_out(node)  # -float('inf')
    return is_call or (isinstance(node, ast.Constant) and type(node.value) in (int, float, complex))


def _answering(expression: ast.expr | None) -> list[str] | None:
    try:
        return None if expression is None else [f"def answer():\n    return {ast.unparse(expression)}"]
    except RecursionError:
        return None


def _is_call_of_f(node: ast.expr | None) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "f"


def _marked(response: str) -> str:
    marked = _MARKED.findall(response)
    answer: str = marked[-1] if marked else response
    if "```" in answer:
        answer = extract_code(answer, policy="last")
    return _bare(answer.strip())


def _bare(answer: str) -> str:
    """`answer` without marks that enclose all of it."""
    for mark in ("**", "`", "**"):
        inner = answer[len(mark) : -len(mark)]
        if answer == f"{mark}{inner}{mark}" and mark not in inner:
            answer = inner.strip()
    return answer


def _parsed(response: str) -> ast.expr | None:
    answer = _marked(response)
    # If an explanation contains an assertion, that is the answer; otherwise the last highlighted piece is.
    set_off = [code or bold.strip("` ") for code, bold in _QUOTED.findall(answer)]
    for line in (answer, *reversed(re.findall(r"assert .*", answer)), *reversed(set_off)):
        if (expression := _expression_of(line.strip().removeprefix("assert ").strip())) is not None:
            return expression
    return None


def _expression_of(source: str) -> ast.expr | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source, mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return None


def _expression(row: Row, name: str) -> str:
    source = text(row, name)
    if _expression_of(source.strip()) is None:
        raise wrong(row, name, "a Python expression")
    return source.strip()
