"""The task of a row, and how a candidate for it is scored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from pytest_rewardkit.datasets.formats.assembly import NO_CODE, assembled
from pytest_rewardkit.datasets.testcode.scoring import TIME_LIMIT, score_test_code
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.reward import Part, Reward, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.testcode.test_runner import TestCode, TestRunner
    from pytest_rewardkit.scorers.checks.case import Case


SCORER_OPTIONS: Final = ("setup", "rel_tol", "abs_tol")
"""Options that the scorers of outputs and cases accept."""


@dataclass(frozen=True, kw_only=True)
class RowTask(ABC):
    """The task of a row.

    Parameters:
        prompt: the benchmark's prompt for a model.
        reference: a known-good candidate; None if the row has none.
    """

    takes: ClassVar[tuple[str, ...]] = ()
    """Names of the options by which a user may change the scoring."""

    prompt: str | None = None
    reference: str | None = None

    def with_options(self, options: Mapping[str, Any]) -> Self:
        """Returns the task with a user's options. Raises RewardkitUsageError for one that it does not accept."""
        refused = next((name for name in options if name not in self.takes), None)
        if refused is not None:
            known = f"takes {' and '.join(self.takes)} alone" if self.takes else "takes no options"
            raise RewardkitUsageError(f"{refused}= does not apply to this format, which {known}")
        return self._with(options) if options else self

    def _with(self, options: Mapping[str, Any]) -> Self:
        """Returns the task with options that it accepts; a task that accepts none has nothing to change."""
        del options
        return self

    @abstractmethod
    def score(
        self, sandbox: Sandbox, candidate: str, *, test_runner: TestRunner, time_limit: float | None = None
    ) -> Reward:
        """Returns the reward of a candidate, which may be a model's whole response.

        Parameters:
            sandbox: where the candidate runs.
            test_runner: where the row's own test code runs, if it has any.
            time_limit: seconds for the candidate and each check of it; by default the benchmark's.
        """


@dataclass(frozen=True, kw_only=True)
class TestCodeTask(RowTask):
    """One or more functions, tested by the benchmark's code.

    Parameters:
        test: the test.
        begun: source that a candidate continues, or that gives it helpers and imports; part of every candidate.
        defines: requested names, which identify the code in a response.
        given: source that runs before the candidate, for names that it may use.
    """

    takes = ("setup",)

    __test__ = False  # not one of pytest's

    test: TestCode
    begun: str = ""
    defines: Collection[str] = ()
    given: str = ""

    def _with(self, options: Mapping[str, Any]) -> Self:
        return replace(self, given=joined(self.given, options["setup"]))

    def score(
        self, sandbox: Sandbox, candidate: str, *, test_runner: TestRunner, time_limit: float | None = None
    ) -> Reward:
        sources, reference = self._sources(candidate), self._sources(self.reference or "")
        if not sources:
            return _no_code()
        limit = time_limit or TIME_LIMIT
        return score_test_code(
            sandbox, sources, self.test, test_runner=test_runner, time_limit=limit, reference=reference
        )

    def _sources(self, code: str) -> list[str]:
        sources = assembled(code, begun=self.begun, defines=self.defines)
        return [self.given, *sources] if self.given and sources else sources


@dataclass(frozen=True, kw_only=True)
class AnswerTask(RowTask):
    """A text that is not code as such, from which code is made for a test.

    Parameters:
        read: returns the sources of a module from a response, or None if it holds no answer.
        without: the reason to give for a response without an answer.
    """

    test: TestCode
    read: Callable[[str], Sequence[str] | None]
    without: str = NO_CODE

    def score(
        self, sandbox: Sandbox, candidate: str, *, test_runner: TestRunner, time_limit: float | None = None
    ) -> Reward:
        sources = self.read(candidate)
        if not sources:
            return _no_code(self.without)
        return score_test_code(
            sandbox, sources, self.test, test_runner=test_runner, time_limit=time_limit or TIME_LIMIT
        )


@dataclass(frozen=True, kw_only=True)
class CasesTask(RowTask):
    """A program or module, tested by cases."""

    takes = SCORER_OPTIONS

    cases: Sequence[Case]
    options: Mapping[str, Any] = field(default_factory=dict)

    def _with(self, options: Mapping[str, Any]) -> Self:
        return replace(self, options=merged(self.options, options))

    def score(
        self, sandbox: Sandbox, candidate: str, *, test_runner: TestRunner, time_limit: float | None = None
    ) -> Reward:
        del test_runner
        options = {**self.options, "time_limit": time_limit} if time_limit else self.options
        from pytest_rewardkit.scorers.cases import score_cases  # loads modules that rows with test code do not need

        return score_cases(sandbox, candidate, self.cases, **options)


def joined(*sources: str) -> str:
    """Returns pieces of source as one, in order."""
    return "\n".join(filter(None, sources))


def merged(options: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Returns options of a scorer with changes; the setup code of both runs before a candidate."""
    both = joined(options.get("setup", ""), changes.get("setup", ""))
    return {**options, **changes, **({"setup": both} if both else {})}


def _no_code(reason: str = NO_CODE) -> Reward:
    part = Part("candidate", 0.0, verdict=Verdict.NO_CODE, reason=reason)
    return Reward.from_parts([part])
