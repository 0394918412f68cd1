"""Functions, or methods of a class `Solution`, that are called with arguments and judged by what they return."""

from __future__ import annotations

import base64
import pickle
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

from pytest_rewardkit.datasets.formats.assembly import assembled
from pytest_rewardkit.datasets.formats.task import SCORER_OPTIONS, RowTask, TestCodeTask, joined
from pytest_rewardkit.datasets.testcode.guest import functions as rules
from pytest_rewardkit.datasets.testcode.test_runner import TestCode
from pytest_rewardkit.scorers.response.source import read_source
from pytest_rewardkit.scorers.running.shipping import source
from pytest_rewardkit.scorers.values.tolerance import ABSOLUTE, DEFAULT_TOLERANCE, RELATIVE, Tolerance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.testcode.test_runner import TestRunner
    from pytest_rewardkit.reward import Reward

CLASS: Final = "Solution"


@dataclass(frozen=True, kw_only=True)
class FunctionTask(RowTask):
    """A function, or a method of a class `Solution`, to be called.

    Parameters:
        name: its name.
        table: arguments and the expected result, for each call.
        given: source of the imports that a candidate may rely on.
        only_item: whether a result equal to the first item of the expected one is also right.
        tolerance: for numbers in results; if none is given, they must be equal in Python's sense.
        time_limit: seconds for a call, unless the user sets a limit.
    """

    takes = SCORER_OPTIONS

    name: str
    table: Sequence[tuple[Sequence[Any], Any]]
    given: str
    only_item: bool = False
    tolerance: Tolerance = DEFAULT_TOLERANCE
    time_limit: float | None = None

    def _with(self, options: Mapping[str, Any]) -> Self:
        tolerance = Tolerance(
            options.get("rel_tol", self.tolerance.relative), options.get("abs_tol", self.tolerance.absolute)
        )
        return replace(self, tolerance=tolerance, given=joined(self.given, options.get("setup", "")))

    def score(
        self, sandbox: Sandbox, candidate: str, *, test_runner: TestRunner, time_limit: float | None = None
    ) -> Reward:
        sources = assembled(candidate, defines=(self.name, CLASS))
        defined = [found.defines for piece in sources if (found := read_source(piece)) is not None]
        in_class = any(CLASS in names for names in defined)
        function = f"{CLASS}().{self.name}" if in_class else self.name
        test = f"for _given, _expected in _table:\n    _answers.assert_same({function}(*_given), _expected)\n"
        answers = f"_answers = Answers(only_item={self.only_item}, tolerance={self._tolerated()!r})\n"
        task = TestCodeTask(
            test=TestCode(test, None, (source(rules), f"{answers}_table = {source_of(self.table)}\n")),
            defines=(self.name, CLASS),
            given=self.given,
        )
        return task.score(sandbox, candidate, test_runner=test_runner, time_limit=time_limit or self.time_limit)

    def _tolerated(self) -> tuple[float, float] | None:
        relative, absolute = self.tolerance.relative, self.tolerance.absolute
        if not self.tolerance.given:
            return None
        return (RELATIVE if relative is None else relative, ABSOLUTE if absolute is None else absolute)


def source_of(value: Any) -> str:
    """Returns an expression for plain data, including what literals and JSON cannot express: long numbers, infinity."""
    data = base64.b85encode(zlib.compress(pickle.dumps(value, protocol=4))).decode("ascii")
    pickled, packed, coded = (f"__import__({name!r})" for name in ("pickle", "zlib", "base64"))
    return f"{pickled}.loads({packed}.decompress({coded}.b85decode({data!r})))"
