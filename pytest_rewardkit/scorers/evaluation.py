"""What is put to the candidate's interpreter, and the answer that came out, as plain data."""

from __future__ import annotations

import ast
import inspect
import json
import secrets
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.scorers import across, inside, loading, structures
from pytest_rewardkit.scorers.case import NOT_GIVEN, Case

if TYPE_CHECKING:
    from pytest_rewardkit.scorers.interpreter import Cell, Interpreter

CELL_LIMIT: Final = 50_000
"""Characters of a question that is put into a cell; IPython reads longer cells slowly, and with much memory."""

ANSWER_LIMIT: Final = 30_000_000
"""Characters of an answer that are read; the longest that `inside` writes is below."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception that ended a case: the names of its class and of that one's bases, and its message."""

    types: tuple[str, ...]
    message: str

    def __str__(self) -> str:
        name = self.types[0]
        for module in ("builtins", "__main__", inside.MODULE):
            name = name.removeprefix(f"{module}.")
        return f"{name}: {self.message}" if self.message else name


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a case.

    Parameters
    ----------
    value: the value that came out, as plain data, or NOT_GIVEN when there was none.
    texts: the value as text, as `print` and as the interpreter show it; empty when it was not asked for.
    stdout, stderr: what was printed meanwhile.
    raised: the exception that ended it.
    verdict: why there is no answer; None when there is one.
    reason: one sentence on that.
    duration: seconds on the host's clock.
    """

    value: Any = NOT_GIVEN
    texts: tuple[str, ...] = ()
    stdout: str = ""
    stderr: str = ""
    raised: Raised | None = None
    verdict: Verdict | None = None
    reason: str = ""
    duration: float = 0.0

    @classmethod
    def of(cls, cell: Cell) -> Answer:
        """Return the answer without a value that a cell amounts to."""
        return cls(
            stdout=cell.stdout, stderr=cell.stderr, verdict=cell.verdict, reason=cell.reason, duration=cell.duration
        )


@dataclass(frozen=True, slots=True)
class Question:
    """What to evaluate among a candidate's names: `statements` first, then a `call` or an `expression`, if any.

    Or a module to `load` there; `name` is the file that its tracebacks name.
    """

    load: str = ""
    name: str = loading.NAME
    statements: str = ""
    expression: str = ""
    call: str = ""
    args: Any = ()
    kwargs: Any = ()
    texts: bool = False

    @classmethod
    def of(cls, case: Case) -> Question:
        """Return the question that a code or call case asks."""
        if case.code is not None:
            statements, expression = _split(case.code)
            return cls(statements=statements, expression=expression, texts=case.is_about_text)
        assert case.call is not None
        args, kwargs = case.encoded_arguments()
        return cls(call=case.call, args=args, kwargs=kwargs, texts=case.is_about_text)

    def as_json(self) -> str:
        """Return the question as `inside.answer` reads it."""
        return json.dumps({item.name: getattr(self, item.name) for item in fields(self)})


def ask(interpreter: Interpreter, question: Question, *, limit: float) -> Answer:
    """Evaluate `question` after the candidate, within `limit` seconds. Raises SandboxUnavailable."""
    nonce = secrets.token_hex(16)
    content = question.as_json()
    if len(content) > CELL_LIMIT:
        content = interpreter.deposit(content)
    cell = interpreter.run(_cell(nonce, content, first=not interpreter.prepared), limit=limit)
    interpreter.prepared = interpreter.alive
    blank = Answer.of(cell)
    if cell.verdict is not None:
        return blank
    if cell.value is None or not cell.value.startswith(nonce):
        return replace(blank, verdict=Verdict.RUNTIME_ERROR, reason="the interpreter gave no answer")
    try:
        return _read(cell.value[len(nonce) :], blank, of_module=bool(question.load))
    except (ValueError, TypeError, LookupError, RecursionError):
        return replace(blank, verdict=Verdict.RUNTIME_ERROR, reason="the interpreter gave a malformed answer")


def _read(text: str, blank: Answer, *, of_module: bool) -> Answer:
    if len(text) > ANSWER_LIMIT:
        raise ValueError("too long")
    reply = json.loads(text)
    if "raised" in reply:
        raised = Raised(tuple(map(str, reply["raised"]["types"])), str(reply["raised"]["message"]))
        traceback = str(reply["raised"]["traceback"])
        verdict, stderr = _verdict(raised, traceback, of_module=of_module), blank.stderr + traceback
        return replace(blank, raised=raised, verdict=verdict, reason=str(raised), stderr=stderr)
    if "value" not in reply:
        return blank
    return replace(blank, value=across.decode(reply["value"]), texts=tuple(map(str, reply["texts"])))


def _verdict(raised: Raised, traceback: str, *, of_module: bool) -> Verdict:
    if "builtins.MemoryError" in raised.types:
        return Verdict.MEMORY
    # Without frames the source itself did not compile; with them, some code that it ran compiled another text.
    if of_module and "builtins.SyntaxError" in raised.types and "Traceback (most recent call last)" not in traceback:
        return Verdict.COMPILE_ERROR
    return Verdict.RUNTIME_ERROR


# Neither cell looks up a name that a candidate may have given another meaning. The modules stay where the candidate can
# reach them, and gain nothing by that (inside.py).
_FIRST_CELL: Final = """\
(lambda user, builtins: (lambda sys: ([(
    sys.modules.__setitem__(name, builtins['type'](sys)(name)),
    builtins['exec'](builtins['compile'](source, '<rewardkit>', 'exec'), sys.modules[name].__dict__),
) for name, source in {sources!r}], sys.modules[{module!r}].answer({nonce!r}, {content!r}, user))[-1]
)(builtins['__import__']('sys')))((lambda: 0).__globals__, (lambda: 0).__builtins__)
"""
_NEXT_CELL: Final = """\
(lambda user, builtins: builtins['__import__']('sys').modules[{module!r}].answer({nonce!r}, {content!r}, user)
)((lambda: 0).__globals__, (lambda: 0).__builtins__)
"""

MODULES: Final = (loading, structures, across, inside)
"""What runs in the candidate's interpreter; each imports those before it."""


@cache
def _sources() -> list[tuple[str, str]]:
    return [(module.__name__, inspect.getsource(module)) for module in MODULES]


def _cell(nonce: str, content: str, *, first: bool) -> str:
    """The cell that evaluates a question; the first one brings what all of them need."""
    form = _FIRST_CELL if first else _NEXT_CELL
    return form.format(sources=_sources(), module=inside.__name__, nonce=nonce, content=content)


def _split(code: str) -> tuple[str, str]:
    """The statements of a case's code, and the expression whose value counts ("" when there is none).

    That is its last expression or, after an assignment, the name that was assigned to.
    """
    *statements, last = ast.parse(code).body or [ast.Pass()]
    if isinstance(last, ast.Expr):
        return _unparsed(statements), ast.unparse(last.value)
    if isinstance(last, ast.Assign):
        return code, ast.unparse(last.targets[0])
    if isinstance(last, ast.AugAssign) or (isinstance(last, ast.AnnAssign) and last.value is not None):
        return code, ast.unparse(last.target)
    return code, ""


def _unparsed(statements: list[ast.stmt]) -> str:
    return ast.unparse(ast.Module(statements, []))
