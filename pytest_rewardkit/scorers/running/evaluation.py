"""Questions for the candidate's interpreter and the answers to them, as plain data."""

from __future__ import annotations

import ast
import json
import secrets
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.scorers.checks.case import NOT_GIVEN, Case
from pytest_rewardkit.scorers.guest import inside, loading, operand_recorder
from pytest_rewardkit.scorers.running.decomposition import planned
from pytest_rewardkit.scorers.running.operands import ComparisonPlan
from pytest_rewardkit.scorers.running.protocol import VALUE, Raised, Refused, Said, read, reading_of
from pytest_rewardkit.scorers.running.shipping import CODEC, NAMES, call
from pytest_rewardkit.scorers.values.digits import written
from pytest_rewardkit.scorers.values.texts import text_of_value, texts_of_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_rewardkit.scorers.running.cell import Cell
    from pytest_rewardkit.scorers.running.interpreter import Interpreter

CELL_LIMIT: Final = 50_000
"""Characters of a question that may go into a cell; IPython reads longer cells slowly and with much memory."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a case.

    Parameters:
        value: the value that came out, as plain data; NOT_GIVEN if there was none.
        text: instead of a value, the one requested text of an object that is not plain data.
        stdout, stderr: what was printed meanwhile.
        raised: the exception that ended the case.
        verdict: why there is no answer; None if there is one.
        reason: one sentence about the verdict.
        duration: seconds on the host's clock.
    """

    value: Any = NOT_GIVEN
    text: str | None = None
    stdout: str = ""
    stderr: str = ""
    raised: Raised | None = None
    verdict: Verdict | None = None
    reason: str = ""
    duration: float = 0.0

    def texts(self, expected: str) -> Iterable[str]:
        """Return the texts of this answer: the one that was sent, or those that the host makes of the value."""
        if self.text is not None:
            return [self.text]
        return [self.stdout] if self.value is NOT_GIVEN else texts_of_value(self.value, expected)

    @property
    def put_out(self) -> str:
        """The printed text or, if nothing was printed, the text of the value; for people."""
        if self.stdout or self.text is not None:
            return self.stdout or self.text or ""
        return "" if self.value is NOT_GIVEN or self.value is None else text_of_value(self.value)

    @classmethod
    def of(cls, cell: Cell) -> Answer:
        """Return the answer, without a value, that a cell stands for."""
        return cls(
            stdout=cell.stdout, stderr=cell.stderr, verdict=cell.verdict, reason=cell.reason, duration=cell.duration
        )


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a candidate's names: `statements` run first, then a `call` or an `expression`, if any.

    Or a module to `load` there; `name` is the file that its tracebacks name. `wants` is a kind of answer (protocol.py),
    and `plan` says which comparisons the host makes.
    """

    load: str = ""
    name: str = loading.NAME
    statements: str = ""
    expression: str = ""
    call: str = ""
    args: Any = ()
    kwargs: Any = ()
    wants: str = ""
    plan: ComparisonPlan | None = None

    @classmethod
    def of(cls, case: Case) -> Question:
        """Return the question that a code case or a call case asks."""
        if case.code is not None:
            return cls._of_code(case.code, wanted_of(case))
        assert case.call is not None
        args, kwargs = case.encoded_arguments()
        return cls(call=case.call, args=args, kwargs=kwargs, wants=wanted_of(case))

    @classmethod
    def _of_code(cls, code: str, wants: str) -> Question:
        before, last, expression = _split(code)
        shown = "" if expression is None else ast.unparse(expression)
        wants = wants if shown else ""
        compared, target = (expression, "") if not last else _assigned(last[0])
        plan = planned(before, compared, target)
        if plan is None:
            is_valued = expression is not None and not last
            return cls(statements=_unparsed(before) if is_valued else code, expression=shown, wants=wants)
        if plan.tree is None:
            steps = (*plan.steps, *map(ast.unparse, last))
            return cls(plan=replace(plan, steps=steps), expression=shown, wants=wants)
        return cls(plan=plan, wants=wants)

    def as_json(self) -> str:
        """Return the question as `inside.answer` reads it."""
        content = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "plan"}
        return json.dumps({**content, **(self.plan or ComparisonPlan()).question()})


def wanted_of(case: Case) -> str:
    """Return what a case wants as its answer: the value or, depending on what is expected, one of its texts."""
    return reading_of(written(case.expected)) if case.is_about_text else VALUE


def ask(interpreter: Interpreter, question: Question, *, limit: float) -> Answer:
    """Evaluate `question` after the candidate, within `limit` seconds. Raises SandboxUnavailable."""
    nonce = secrets.token_hex(16)
    content = question.as_json()
    if len(content) > CELL_LIMIT:
        content = interpreter.deposit(content)
    given = (repr(nonce), repr(content), NAMES)
    cell = call(interpreter, ANSWERING, "answer", *given, limit=limit)
    blank = Answer.of(cell)
    if cell.verdict is not None:
        return blank
    if cell.value is None or not cell.value.startswith(nonce):
        return replace(blank, verdict=Verdict.RUNTIME_ERROR, reason="the interpreter gave no answer")
    try:
        said = read(cell.value[len(nonce) :], question.wants, question.plan)
    except Refused as error:
        return replace(blank, verdict=Verdict.RUNTIME_ERROR, reason=f"the interpreter gave no proper answer: {error}")
    if said.raised is None:
        if question.plan is not None and question.plan.prints:
            return replace(blank, value=None, stdout=f"{blank.stdout}{said.value[0]}\n")
        return with_what(blank, said)
    verdict = _verdict(said.raised, said.traceback, of_module=bool(question.load))
    stderr = blank.stderr + said.traceback
    return replace(blank, raised=said.raised, verdict=verdict, reason=str(said.raised), stderr=stderr)


def with_what(answer: Answer, said: Said) -> Answer:
    """Return an answer with the value or text that was said, if any."""
    return replace(answer, value=said.value[0] if said.value else NOT_GIVEN, text=said.text)


def _verdict(raised: Raised, traceback: str, *, of_module: bool) -> Verdict:
    if "builtins.MemoryError" in raised.types:
        return Verdict.MEMORY
    # Without frames, the source itself did not compile; with them, code that it ran compiled another text.
    if of_module and "builtins.SyntaxError" in raised.types and "Traceback (most recent call last)" not in traceback:
        return Verdict.COMPILE_ERROR
    return Verdict.RUNTIME_ERROR


TELLING: Final = (loading, *CODEC, inside)
"""Modules that report a program's value from its own process; each imports only those before it."""

ANSWERING: Final = (loading, *CODEC, operand_recorder, inside)
"""Modules that answer questions."""


def _split(code: str) -> tuple[list[ast.stmt], list[ast.stmt], ast.expr | None]:
    """A case's code in three: its statements, the assignment that ends it, if any, and the expression that counts.

    That expression is the last one, or the last value assigned; None if there is neither.
    """
    *before, last = body = ast.parse(code).body or [ast.Pass()]
    if isinstance(last, ast.Expr):
        return before, [], last.value
    if isinstance(last, ast.Assign):
        return before, [last], last.targets[0]
    if isinstance(last, ast.AugAssign) or (isinstance(last, ast.AnnAssign) and last.value is not None):
        return before, [last], last.target
    return body, [], None


def _assigned(last: ast.stmt) -> tuple[ast.expr | None, str]:
    """The expression that an assignment evaluates, and the one name it binds; None for a more complex assignment."""
    if isinstance(last, ast.Assign) and len(last.targets) == 1 and isinstance(last.targets[0], ast.Name):
        return last.value, last.targets[0].id
    return None, ""


def _unparsed(statements: list[ast.stmt]) -> str:
    return ast.unparse(ast.Module(statements, []))
