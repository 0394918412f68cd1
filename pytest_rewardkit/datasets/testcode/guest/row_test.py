"""The test's side: runs a benchmark's own test code, apart from the candidate that it tests.

Wherever the test code names something of the candidate's, a proxy is there. What the test does with it (mostly: call
it) becomes an operation for the candidate's sandbox, and the test goes on with the value that came back, as plain data.
So the test's expectations, its helpers and its `==` are out of the candidate's reach.

Asking for one value at a time would be slow. So a dry run of the test comes first: proxies stand for values not known
yet, statements that cannot go on without one are passed over, and what was asked for is collected. With the answers,
the test then runs in earnest; when that asks for more, another round follows. Random numbers repeat, being seeded.

A check that doing nothing passes says nothing of a candidate. So the test runs once more, against functions that return
None, and what passes then is vacuous.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import importlib
import json
import random
import signal
import symtable
import sys
import time
import types
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.datasets.testcode.guest.checks import Checks, guarded
from pytest_rewardkit.datasets.testcode.guest.child_process import ChildProcess
from pytest_rewardkit.datasets.testcode.guest.handing import SENT_TYPE, built_in_type, is_changeable, pour
from pytest_rewardkit.datasets.testcode.guest.proxy import (
    LARGE_KINDS,
    CandidateFailed,
    CannotBeSent,
    Handed,
    Proxy,
    UnknownValue,
    short,
)
from pytest_rewardkit.datasets.testcode.guest.surroundings import as_a_program
from pytest_rewardkit.scorers.guest.codec import decode
from pytest_rewardkit.scorers.guest.codec_objects import Opaque

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType

SEED = 20210707
MAX_OPERATIONS = 100_000
SHORTEST = 10.0
TIME_FACTOR = 5.0
"""Seconds that a run in earnest has at least, and how many times as long it may take as the dry run."""

WALL_FACTOR = 5.0
"""How many times its seconds of processor time a run may take in all: a busy machine is not the test's fault."""

SHORTEST_OF_NOTHING = 1.0
"""Seconds that the run without a candidate has at least."""

TIME_UP = "ran out of time"
_IMPORTED_AS = {"np": "numpy"}
_MODULE = "row_test"


class Unanswered(BaseException):
    """In earnest, something was asked that is not known yet."""


class TimeUp(BaseException):
    """The test code has had its time."""


class RowTest:
    """One row's test code, run in rounds until everything that it asks for is known.

    Parameters:
        program: ``setup``, pieces of source that define what the test may use; ``test``, the test code;
            ``entry_point``, the name of what is tested, or None; ``defined``, names that are the candidate's though
            Python has something of that name; ``seconds`` of processor time for each run of the test.
    """

    def __init__(self, program: dict[str, Any]) -> None:
        self._program = program
        self._numbers: dict[tuple[str, int], int] = {}
        self._operations: list[dict[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._asked: dict[str, int] = {}
        self._missing: set[str] = set()
        self._candidate_error: BaseException | None = None
        self._in_earnest = False
        self._without_candidate = False
        self._vacuous: dict[int, set[int]] = {}
        self._changing: list[Any] = []
        self._in_setup = False
        self._planned = 0
        self._dry_run_seconds = 0.0
        self._test: CodeType | None = None
        self._calls_check = False
        self._elsewhere: list[str] = []
        self._modules: set[str] = set()
        self.checks = Checks(is_dry_run=True, blames=self.blames)

    def advance(self, answers: Iterable[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
        """Takes answers; returns ``{"operations": [...]}`` to do next, or ``{"outcome": {...}}``."""
        self._answers.update(answers)
        if not self._operations:
            stopped = self._dry_run()
            if stopped is not None and stopped["broken"]:
                return {"outcome": self._outcome(stopped)}
            self._vacuous = self._passed_by_nothing()
        if not self._open_operations():
            stopped = self._run(in_earnest=True)
            if not self._open_operations():
                return {"outcome": self._outcome(stopped)}
            self._dry_run()
        return {"operations": self._open_operations()}

    def blames(self, error: BaseException | None) -> bool:
        """Whether the candidate raised this, or lacks what it is about."""
        return error is self._candidate_error or (isinstance(error, NameError) and error.name in self._missing)

    def _open_operations(self) -> list[dict[str, Any]]:
        return [operation for operation in self._operations if operation["id"] not in self._answers]

    def _outcome(self, stopped: dict[str, Any] | None) -> dict[str, Any]:
        return {
            "checks": self.checks.as_json(),
            "made": self.checks.made,
            "planned": self._planned,
            "stopped": stopped,
            "broken_off": self.checks.broken_off,
        }

    def _passed_by_nothing(self) -> dict[int, set[int]]:
        self._without_candidate = True
        try:
            self._run(in_earnest=True)
        finally:
            self._without_candidate = False
        return self.checks.passes

    def _dry_run(self) -> dict[str, Any] | None:
        begun = time.monotonic()
        stopped = self._run(in_earnest=False)
        self._dry_run_seconds = time.monotonic() - begun
        self._planned = max(self._planned, self.checks.made)
        return stopped

    def _run(self, *, in_earnest: bool) -> dict[str, Any] | None:
        """Runs the test code once; returns what stopped it, or None."""
        self._in_earnest = in_earnest
        self._asked = {}
        self._changing = []
        self.checks = Checks(is_dry_run=not in_earnest, blames=self.blames, vacuous=self._vacuous)
        random.seed(SEED)
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed(SEED)

        seconds = self._program["seconds"]
        if in_earnest:
            # A candidate's values may be made to be slow to compare.
            shortest = SHORTEST_OF_NOTHING if self._without_candidate else SHORTEST
            seconds = min(seconds, max(shortest, TIME_FACTOR * self._dry_run_seconds))
        try:
            with _time_limit(seconds):
                self._execute()
        except Unanswered:
            return None
        except (CannotBeSent, TimeUp, *self.checks.failures) as error:  # type: ignore[misc] # mypy takes no starred ones
            # In a dry run there is no candidate to blame; in earnest, it may have given what the test stumbles over.
            own = isinstance(error, (ImportError, NameError, SyntaxError, CannotBeSent, TimeUp))
            return self._stopped(error, broken=self._in_setup or (own and not in_earnest))
        return None

    def _stopped(self, error: BaseException, *, broken: bool) -> dict[str, Any]:
        return {
            "broken": broken,
            "type": type(error).__name__,
            "message": str(error)[:1000],
            "by_candidate": self.blames(error),
            "calls": list(self.checks.calls),
        }

    def _execute(self) -> None:
        # Dataclasses and the like look for the module that they are of.
        module = sys.modules[_MODULE] = types.ModuleType(_MODULE)
        namespace: dict[str, Any] = module.__dict__
        namespace["__rewardkit__"] = self.checks
        self._in_setup = True
        for number, source in enumerate(self._program["setup"]):
            exec(compile(source, f"<setup {number}>", "exec"), namespace)
        self._in_setup = False
        source, entry_point = self._program["test"], self._program["entry_point"]
        if self._test is None:
            tree = guarded(source)
            self._calls_check = any(_calls_check(statement) for statement in ast.walk(tree))
            self._test = compile(tree, "<test>", "exec")
            defined = frozenset(self._program.get("defined", ()))
            self._elsewhere = _names_from_elsewhere(source, namespace, entry_point, defined)
            self._modules = _modules_among(self._elsewhere, tree) - defined
        for name in self._elsewhere:
            self._bind(name, namespace)
        if entry_point is not None:
            # In place of what the setup left there: a prompt defines its function without a body.
            namespace[entry_point] = self.ask({"do": "name", "name": entry_point}, entry_point)
        exec(self._test, namespace)
        if "check" in namespace and entry_point not in (None, "check") and not self._calls_check:
            namespace["check"](namespace[entry_point])

    def _bind(self, name: str, namespace: dict[str, Any]) -> None:
        """Binds a name that the test uses without defining it: a module, or something of the candidate's."""
        if name in self._modules:
            namespace[name] = importlib.import_module(_IMPORTED_AS.get(name, name))
            return
        try:
            namespace[name] = self.ask({"do": "name", "name": name}, name)
        except NameError:
            # It may never be used; where it is, that tells.
            self._missing.add(name)
            self.checks.calls.clear()

    def ask(self, operation: dict[str, Any], shown: str, handed: Handed | None = None) -> Any:
        """Returns the value of an operation of the candidate's, or a proxy; raises what the candidate raised."""
        if self._without_candidate:
            return Nothing()
        given = [value for value in (*handed.args, *handed.kwargs.values()) if is_changeable(value)] if handed else []
        if any(value is other for value in given for other in self._changing):
            raise UnknownValue  # what is in it by now is not known
        key = hashlib.sha256(json.dumps(operation).encode("ascii")).hexdigest()  # arguments may be large
        occurrence = self._asked.get(key, 0)
        self._asked[key] = occurrence + 1
        number = self._numbers.setdefault((key, occurrence), len(self._operations))
        if number == len(self._operations):
            if number >= MAX_OPERATIONS:
                raise TimeUp(f"the test code asks for more than {MAX_OPERATIONS:,} values")
            self._operations.append({"id": number, **operation})
        answer = self._answers.get(number)
        if answer is not None:
            if handed is not None and "changed" in answer:
                self._take_over(answer["changed"], handed, shown)
            return self._settled(number, answer, shown)
        if self._in_earnest:
            raise Unanswered
        if given and self._operations[operation["of"]]["do"] != "name":
            # An object of the candidate's remembers calls; one with other content than it gets in earnest would stay.
            self._changing += given
        return Proxy(self, number, shown, known=False)

    def _take_over(self, changed: Any, handed: Handed, shown: str) -> None:
        """Lets the test's own values have what the candidate changed in them."""
        try:
            for key, data in changed:
                value = handed.kwargs[key] if isinstance(key, str) else handed.args[key]
                new = decode(data)
                self.checks.calls.append(f"{shown} changed {short(value)} to {short(new)}")
                pour(new, value)
        except (ValueError, TypeError, LookupError) as error:
            raise self._failure(CandidateFailed(f"gave a malformed change: {error}"), shown) from None

    def _settled(self, number: int, answer: dict[str, Any], shown: str) -> Any:
        if "large" in answer and answer.get("of") in LARGE_KINDS:
            kind = LARGE_KINDS[answer["of"]]
            what = f"{shown}, a large {kind.__name__}"
            return Proxy(self, number, what, known=True, digest=str(answer["large"]), of=kind)
        if "value" in answer:
            try:
                value = decode(answer["value"])
            except ValueError as error:
                raise self._failure(CandidateFailed(f"gave a {error}"), shown) from None
            self.checks.calls.append(f"{shown} is {short(value)}")
            if not isinstance(value, Opaque):
                return value
            named = built_in_type(value.text) if value.type_name == SENT_TYPE else None
            return Proxy(self, number, shown, known=True) if named is None else named
        if "ended" in answer:
            raise self._failure(CandidateFailed(str(answer["ended"])[:200]), shown, f"failed: {answer['ended']}"[:300])
        if "raised" not in answer:
            raise self._failure(CandidateFailed(TIME_UP), shown)
        raised = answer["raised"]
        name, message, where = (str(raised[field]) for field in ("type", "message", "where"))
        what = f"raised {name}: {message[:200]}{where and f' ({where})'}"
        made = _made(str(raised["builtin"]), message)
        if _may_be_swallowed(made, self._operations[number]["do"]):
            made = RuntimeError(f"the candidate raised {name}")  # as Python does for a generator
        raise self._failure(made, shown, what)

    def _failure(self, error: Exception, shown: str, what: str = "") -> Exception:
        self._candidate_error = error
        self.checks.calls.append(f"{shown} {what or error}")
        return error


class Nothing:
    """What the test has of the candidate's where there is none: it can be called, and nothing comes of it."""

    def __call__(self, *_: Any, **__: Any) -> None:
        return None

    def __getattr__(self, name: str) -> Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Interrupts what runs within when it has had its processor time, and a test that only waits later."""

    def interrupt(*_: Any) -> None:
        raise TimeUp(f"the test code did not end within {seconds:.3g} s")

    timers = (
        (signal.ITIMER_PROF, signal.SIGPROF, seconds),
        (signal.ITIMER_REAL, signal.SIGALRM, WALL_FACTOR * seconds),
    )
    before = [signal.signal(number, interrupt) for _, number, _ in timers]
    for timer, _, length in timers:
        signal.setitimer(timer, length, 0.1)
    try:
        yield
    finally:
        for timer, _, _ in timers:
            signal.setitimer(timer, 0)
        for (_, number, _), handler in zip(timers, before, strict=True):
            signal.signal(number, handler)


def _names_from_elsewhere(
    source: str, namespace: dict[str, Any], entry_point: str | None, defined_by_candidate: frozenset[str]
) -> list[str]:
    """Names that the test uses and that neither it nor the setup defines: the candidate's, or modules'."""
    used: set[str] = set()
    top = symtable.symtable(source, "<test>", "exec")
    defined = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    tables = [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        used |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and (table is top or symbol.is_global())
        }
    return sorted(used - defined - (set(dir(builtins)) - defined_by_candidate) - set(namespace) - {entry_point})


def _modules_among(names: list[str], tree: ast.Module) -> set[str]:
    """Those names that are modules' and are used as such; some benchmarks have functions named like modules."""
    known = {name for name in names if name in _IMPORTED_AS or name in sys.stdlib_module_names}
    if not known:
        return known
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return known - {function.id for function in calls if isinstance(function, ast.Name)}


def _calls_check(node: ast.AST) -> bool:
    """Whether this is a call to a `check` that the test code makes by itself."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check"


def _made(kind: str, message: str) -> Exception:
    """An exception of the built-in kind; our own if it has none that takes a text."""
    made = getattr(builtins, kind, None)
    if isinstance(made, type) and issubclass(made, Exception):
        with suppress(Exception):
            return made(message)
    return CandidateFailed(message)


def _may_be_swallowed(error: Exception, do: str) -> bool:
    """Whether an exception of the candidate's, raised here, would end a loop of the test's as if all were well."""
    if isinstance(error, StopIteration | StopAsyncIteration):
        return True
    if not isinstance(error, IndexError):
        return False
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "__getitem__":  # by which Python iterates over what has no `__iter__`
            return True
        frame = frame.f_back
    return do not in ("call", "get")


def _answer(line: str) -> dict[str, Any]:
    """What the candidate's side wrote; whatever says not exactly one thing is an answer that says nothing."""
    try:
        answer = json.loads(line)
        said = frozenset(answer) - {"changed"}
        texts = [answer["raised"][field] for field in _SILENCE] if "raised" in said else []
        texts += [answer[field] for field in ("large", "of", "ended") if field in said]
        if said in _FORMS and all(isinstance(text, str) for text in texts):
            return dict(answer)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        pass
    return {"raised": _SILENCE}


_FORMS = frozenset(map(frozenset, (["value"], ["large", "of"], ["raised"], ["ended"], ["timeout"])))
_SILENCE = {"type": "NoAnswer", "builtin": "Exception", "message": "the candidate's side gave no answer", "where": ""}
_tests: dict[str, RowTest] = {}
_rows: list[ChildProcess] = []


def advance(task: dict[str, Any], result_path: str) -> None:
    """Begins or continues a row's test, apart from all others.

    Parameters:
        task: ``token``, which names the test; ``program`` to begin it, or ``numbers`` and ``answers`` to go on.
        result_path: the file that takes the result of `RowTest.advance` as JSON.

    Raises:
        RuntimeError: the test has ended its process.
    """
    if "program" in task:
        while _rows:
            _rows.pop().end()
        _rows.append(ChildProcess(_advanced))
    _rows[0].call(task, result_path)


def _advanced(task: dict[str, Any], result_path: str) -> None:
    token = task["token"]
    if "program" in task:
        _tests[token] = RowTest(task["program"])
    answers = map(_answer, task.get("answers", ()))
    begun = time.monotonic()
    with as_a_program():
        result = _tests[token].advance(zip(task.get("numbers", ()), answers, strict=True))
    result["seconds"] = time.monotonic() - begun
    if "outcome" in result:
        del _tests[token]
    with open(result_path, "w", encoding="ascii") as file:
        file.write(json.dumps(result))  # `dump` is many times as slow
