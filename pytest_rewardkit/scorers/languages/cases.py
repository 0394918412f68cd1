"""Puts cases to a candidate in another language: input to read, and in JavaScript also calls."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self

from pytest_rewardkit.errors import RewardkitUsageError, SandboxSpoilt
from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.scorers.languages.source_program import SourceProgram
from pytest_rewardkit.scorers.running.evaluation import Answer
from pytest_rewardkit.scorers.running.tenants import SPOILT, is_its_own_doing
from pytest_rewardkit.scorers.values.digits import json_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.scorers.checks.case import Case
    from pytest_rewardkit.scorers.languages.table import Language

CALLED: Final = ("javascript", "typescript")
"""Languages whose functions can be called, with values that JSON can hold."""

_CALL: Final = """
;(async () => {{
  const value = await ({call})(...{arguments});
  require("fs").writeSync(1, "\\n{mark}" + JSON.stringify([value === undefined ? null : value]) + "\\n");
  process.exit(0);
}})();
"""


def check_cases(cases: Sequence[Case], language: Language) -> None:
    """Raise RewardkitUsageError for cases that cannot be put to a candidate in this language."""
    for case in cases:
        if case.stdin is not None:
            continue
        if case.code is not None or language.name not in CALLED:
            kind = "code" if case.code is not None else "call"
            raise RewardkitUsageError(
                f"case {case.label!r}: {kind}= needs a candidate in Python; {language.name} has stdin="
            )
        if case.raises is not None:
            raise RewardkitUsageError(f"case {case.label!r}: raises= needs a candidate in Python")
        _arguments(case)


class LanguageCases:
    """A candidate that answers cases. A context manager.

    Parameters:
        sandbox: where it runs.
        source: the candidate.
        language: what it is written in.
    """

    def __init__(self, sandbox: Sandbox, source: str, language: Language) -> None:
        self._sandbox = sandbox
        self._source = source
        self._language = language
        self._program = SourceProgram(sandbox, source, language)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._program.__exit__(kind, error, at)

    def answer(self, case: Case, limit: float) -> Answer:
        """Put one case to the candidate, for at most `limit` seconds. Raises SandboxUnavailable, UnscoredError."""
        try:
            return self._called(case, limit) if case.stdin is None else self._program.run(case.stdin, limit=limit)
        except SandboxSpoilt as error:
            if not is_its_own_doing(self._sandbox):
                raise
            return Answer(verdict=Verdict.RUNTIME_ERROR, reason=f"{SPOILT}: {error}")

    def _called(self, case: Case, limit: float) -> Answer:
        mark = secrets.token_hex(16)
        call = _CALL.format(call=case.call, arguments=_arguments(case), mark=mark)
        with SourceProgram(self._sandbox, f"{self._source}\n{call}", self._language) as program:
            answer = program.run(limit=limit)
        printed, _, told = answer.stdout.rpartition(f"\n{mark}")
        if answer.verdict is not None:
            return answer
        try:
            value: Any = json_of(told.partition("\n")[0])
            (value,) = value
        except (ValueError, TypeError, RecursionError):
            reason = f"{case.call} gave no value"
            return replace(answer, verdict=Verdict.RUNTIME_ERROR, reason=reason)
        return replace(answer, stdout=printed, value=value)


def _arguments(case: Case) -> str:
    if case.kwargs:
        raise RewardkitUsageError(f"case {case.label!r}: kwargs= needs a candidate in Python")
    try:
        return json.dumps(list(case.args), allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise RewardkitUsageError(f"case {case.label!r}: an argument has no JSON form: {error}") from None
