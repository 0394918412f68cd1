"""The candidate in its interpreter: what runs before it, and the candidate itself, as often as it has to be run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.interpreter import Cell, Interpreter
from pytest_rewardkit.scorers.witness import saw_code, saw_output

if TYPE_CHECKING:
    from types import TracebackType

    from e2b_code_interpreter import Sandbox


class Subject:
    """A candidate with an interpreter of its own. A context manager: on leaving, the interpreter ends.

    Parameters
    ----------
    sandbox: where the interpreter runs.
    code: the candidate.
    setup: code that runs before it.
    limit: seconds for each of the two.
    """

    def __init__(self, sandbox: Sandbox, code: str, setup: str = "", *, limit: float) -> None:
        self.sandbox = sandbox
        self.code = code
        self.interpreter = Interpreter(sandbox)
        self._setup = setup
        self._limit = limit
        self._was_loaded = False
        saw_code(code)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.interpreter.__exit__(kind, error, at)

    def prepare(self) -> None:
        """Run the setup, if there is one; `load` would do so otherwise.

        Raises RewardkitUsageError when it fails, and SandboxUnavailable.
        """
        if not self._setup or self.interpreter.alive:
            return
        cell = self.interpreter.run(self._setup, limit=self._limit)
        if cell.verdict is not None:
            raise RewardkitUsageError(f"the setup failed: {cell.reason}")

    def load(self) -> Cell:
        """Run the setup and then the candidate, and return what the candidate's cell came to.

        Raises as `prepare`. A setup that worked before the candidate had run, and fails now, counts as the candidate's
        own failure: it has spoilt something.
        """
        if not self._was_loaded:
            self.prepare()
        elif self._setup and not self.interpreter.alive:
            cell = self.interpreter.run(self._setup, limit=self._limit)
            if cell.verdict is not None:
                return cell
        self._was_loaded = True
        cell = self.interpreter.run(self.code, limit=self._limit)
        saw_output(cell.transcript(), cell.stderr, cell.images)
        return cell
