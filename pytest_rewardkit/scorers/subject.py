"""The candidate in its interpreter: what runs before it, and the candidate itself, as often as it has to be run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.interpreter import Cell, Interpreter

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.interpreter.__exit__(kind, error, at)

    def load(self) -> Cell:
        """Run the setup and then the candidate, and return what the candidate's cell came to.

        Raises RewardkitUsageError when the setup fails, and SandboxUnavailable.
        """
        if self._setup:
            cell = self.interpreter.run(self._setup, limit=self._limit)
            if cell.verdict is not None:
                # What worked before the candidate had run is not the test's mistake.
                if self._was_loaded:
                    return cell
                raise RewardkitUsageError(f"the setup failed: {cell.reason}")
        self._was_loaded = True
        return self.interpreter.run(self.code, limit=self._limit)
