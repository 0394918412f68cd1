"""A candidate in an interpreter: runs the setup and then the candidate, as often as necessary."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.guest.loading import NAME
from pytest_rewardkit.scorers.running.call_evidence import note_code, note_output
from pytest_rewardkit.scorers.running.cell import Cell
from pytest_rewardkit.scorers.running.evaluation import Answer, Question, ask
from pytest_rewardkit.scorers.running.figure_reading import begin_reading, read_unshown
from pytest_rewardkit.scorers.running.interpreter import Interpreter
from pytest_rewardkit.scorers.running.tenants import moves_in

if TYPE_CHECKING:
    from types import TracebackType

    from e2b_code_interpreter import Sandbox

Outcome = TypeVar("Outcome", Cell, Answer)


class Subject(ABC, Generic[Outcome]):
    """A candidate with its own interpreter. A context manager: the interpreter ends when it exits.

    Parameters:
        sandbox: where the interpreter runs.
        code: the candidate.
        setup: code that runs before it.
        limit: seconds for each of the two.
    """

    def __init__(self, sandbox: Sandbox, code: str, setup: str = "", *, limit: float) -> None:
        self.sandbox = sandbox
        self.code = code
        self.interpreter = Interpreter(sandbox)
        self.setup = setup
        self._limit = limit
        self._was_loaded = False
        note_code(code)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.interpreter.__exit__(kind, error, at)

    def load(self) -> Outcome:
        """Run the setup, if there is one, then the candidate, and return the candidate's outcome.

        Raises RewardkitUsageError for a setup that fails, and SandboxUnavailable. If the setup worked before the
        candidate first ran and fails now, the candidate has broken something: that counts as its own failure.
        """
        if self.setup and not self.interpreter.alive:
            outcome = self._run(self.setup, "setup.py", self._limit)
            if outcome.verdict is not None:
                if self._was_loaded:
                    return outcome
                raise RewardkitUsageError(f"the setup failed: {outcome.reason}")
        self._was_loaded = True
        self.interpreter.start()
        moves_in(self.sandbox)
        return self._seen(self._run(self.code, NAME, self._limit))

    @abstractmethod
    def _run(self, code: str, name: str, limit: float) -> Outcome: ...

    @abstractmethod
    def _seen(self, outcome: Outcome) -> Outcome: ...


class Notebook(Subject[Cell]):
    """A candidate as a notebook's cell: what it shows counts, printed or not."""

    def unshown_figures(self) -> list[str]:
        """Return the readings (figures.py) of figures that are still open. Raises SandboxUnavailable."""
        return read_unshown(self.interpreter, limit=self._limit)

    def _run(self, code: str, name: str, limit: float) -> Cell:
        if name == NAME:
            begin_reading(self.interpreter, limit=limit)
        return self.interpreter.run(code, limit=limit)

    def _seen(self, outcome: Cell) -> Cell:
        note_output(outcome.transcript(), outcome.stderr, outcome.images)
        return outcome


class Module(Subject[Answer]):
    """A candidate as a module: its definitions count, and the code under its main guard does not run."""

    def _run(self, code: str, name: str, limit: float) -> Answer:
        answer = ask(self.interpreter, Question(load=code, name=name), limit=limit)
        return replace(answer, raised=None)  # cases expect exceptions of calls only, not of loading

    def _seen(self, outcome: Answer) -> Answer:
        note_output(outcome.stdout, outcome.stderr)
        return outcome
