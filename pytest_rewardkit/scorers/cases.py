"""Scores a candidate by cases: the weighted share that it passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict

from pytest_rewardkit.errors import RewardkitUsageError, SandboxSpoilt, SandboxUnavailable
from pytest_rewardkit.reward import Reward, Verdict
from pytest_rewardkit.scorers.checks.case import Case, as_cases, checked_time_limit
from pytest_rewardkit.scorers.checks.judging import Matching, judge
from pytest_rewardkit.scorers.languages.candidate import language_of_candidate, source_in
from pytest_rewardkit.scorers.languages.cases import LanguageCases, check_cases
from pytest_rewardkit.scorers.languages.source_program import refuse_python_only
from pytest_rewardkit.scorers.languages.table import PYTHON
from pytest_rewardkit.scorers.languages.users import users_languages
from pytest_rewardkit.scorers.own_time import OwnTime
from pytest_rewardkit.scorers.response.extract import find_code
from pytest_rewardkit.scorers.running.call_evidence import with_evidence
from pytest_rewardkit.scorers.running.evaluation import Answer, Question, ask, wanted_of
from pytest_rewardkit.scorers.running.program import run_program
from pytest_rewardkit.scorers.running.subject import Module
from pytest_rewardkit.scorers.running.tenants import SPOILT, is_its_own_doing, settled
from pytest_rewardkit.scorers.values.tolerance import Tolerance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.scorers.languages.table import Language

TIME_LIMIT: Final = 10.0
"""Seconds for the candidate itself, and for each case."""


class CasesOptions(TypedDict, total=False):
    """The options of `score_cases`, for functions that pass them on."""

    setup: str
    time_limit: float
    compare: str | None
    rel_tol: float | None
    abs_tol: float | None
    similarity: str | None
    fresh: bool
    reference: str | None
    time_factor: float
    extract: str
    language: str | Language


@with_evidence
def score_cases(
    sandbox: Sandbox,
    candidate: str,
    cases: Iterable[Case | Mapping[str, Any]],
    *,
    setup: str = "",
    time_limit: float = TIME_LIMIT,
    compare: str | None = None,
    rel_tol: float | None = None,
    abs_tol: float | None = None,
    similarity: str | None = None,
    fresh: bool = False,
    reference: str | None = None,
    time_factor: float = 4.0,
    extract: str = "auto",
    language: str | Language = PYTHON,
) -> Reward:
    """Return the reward of a candidate: the weighted share of the cases that it passes; each case is a part.

    For code and call cases the candidate is a module: it is loaded once, in its own interpreter, without the code
    under its main guard, and the cases follow in order. A case that takes too long, crashes or ends the interpreter
    costs only itself: the candidate is loaded again for the following ones. A candidate that cannot be loaded fails
    every case. For each stdin case it runs as a separate program. Expected values stay on the host.

    Parameters:
        sandbox: where it runs; apart from files, the scorer changes no other state there.
        candidate: code, or a model's response with code in it.
        cases: `Case` objects, or mappings of their fields.
        setup: code that runs before the candidate, in the same namespace.
        time_limit: seconds for the candidate and for each case.
        compare, rel_tol, abs_tol, similarity: how answers are compared (compare.py, tolerance.py, similarity.py).
        fresh: load the candidate again for each case, so that cases share no state.
        reference: a right candidate; each case may take `time_factor` times as long as the reference takes, if that is
            more than `time_limit`. It runs first, in its own interpreter.
        extract: which of several code blocks is the candidate (extract.py).
        language: what the candidate is written in (languages/table.py); "auto" takes it from the response's fence.
            In languages other than Python it is a program, for stdin cases; JavaScript has call cases, too.

    Returns a reward that is unscored, with the cause, when the sandbox or the way to it is lost.
    Raises RewardkitUsageError for wrong arguments, and for a setup or reference that fails.
    """
    checks = as_cases(cases)
    matching = Matching(compare, Tolerance(rel_tol, abs_tol), similarity)
    limits = [checked_time_limit(case.time_limit or time_limit) for case in checks]
    checked_time_limit(time_factor)
    foreign = language_of_candidate(candidate, language, users_languages())
    if foreign is not None:
        refuse_python_only(foreign, setup=setup, reference=reference)
        return _of_language(sandbox, candidate, foreign, checks, limits, matching, extract)
    questions = [Question.of(case) if case.stdin is None else None for case in checks]
    extraction = find_code(candidate, policy=extract, defines=_asked_for(checks))
    if not extraction.code:
        nothing = Answer(verdict=Verdict.NO_CODE, reason=extraction.how)
        return Reward.from_parts(judge(case, nothing, matching) for case in checks)
    try:
        if reference is not None:
            limits = _calibrated(sandbox, reference, checks, questions, limits, setup, time_factor)
        with Module(sandbox, extraction.code, setup, limit=time_limit) as subject:
            examination = _Examination(subject, fresh=fresh)
            parts = OwnTime().parts(
                zip(checks, questions, limits, strict=True),
                lambda put: judge(put[0], examination.answer(*put), matching),
                lambda put, why: judge(put[0], Answer(verdict=Verdict.TIMEOUT, reason=why), matching),
            )
    except SandboxUnavailable as error:

        def failed(verdict: Verdict, reason: str) -> Reward:
            nothing = Answer(verdict=verdict, reason=reason)
            return Reward.from_parts(judge(case, nothing, matching) for case in checks)

        return settled(sandbox, error, failed)
    return Reward.from_parts(parts, reason=f"code judged: {extraction.how}")


def _of_language(
    sandbox: Sandbox,
    candidate: str,
    language: Language,
    cases: Sequence[Case],
    limits: Sequence[float],
    matching: Matching,
    extract: str,
) -> Reward:
    """The reward of a candidate in a language other than Python."""
    check_cases(cases, language)
    extraction = source_in(candidate, language, extract)

    def failed(verdict: Verdict, reason: str) -> Reward:
        nothing = Answer(verdict=verdict, reason=reason)
        return Reward.from_parts(judge(case, nothing, matching) for case in cases)

    if not extraction.code:
        return failed(Verdict.NO_CODE, extraction.how)
    try:
        with LanguageCases(sandbox, extraction.code, language) as examination:
            parts = OwnTime().parts(
                zip(cases, limits, strict=True),
                lambda put: judge(put[0], examination.answer(*put), matching),
                lambda put, why: judge(put[0], Answer(verdict=Verdict.TIMEOUT, reason=why), matching),
            )
    except SandboxUnavailable as error:
        return settled(sandbox, error, failed)
    return Reward.from_parts(parts, reason=f"code judged: {extraction.how}, as {language.name}")


class _Examination:
    """Puts cases to a candidate, which is loaded when first needed, and again after its interpreter has ended."""

    def __init__(self, subject: Module, *, fresh: bool = False) -> None:
        self._subject = subject
        self._fresh = fresh
        self._failure: Answer | None = None

    def answer(self, case: Case, question: Question | None, limit: float) -> Answer:
        """Put one case to the candidate, for at most `limit` seconds. Raises SandboxUnavailable."""
        try:
            return self._put(case, question, limit)
        except SandboxSpoilt as error:
            # Otherwise a candidate could escape the cases that it fails, by leaving no room for them.
            if not is_its_own_doing(self._subject.sandbox):
                raise
            return Answer(verdict=Verdict.RUNTIME_ERROR, reason=f"{SPOILT}: {error}")

    def _put(self, case: Case, question: Question | None, limit: float) -> Answer:
        subject = self._subject
        if question is None:
            assert case.stdin is not None
            return run_program(
                subject.sandbox, subject.code, case.stdin, limit=limit, setup=subject.setup, wants=wanted_of(case)
            )
        if self._fresh:
            subject.interpreter.discard()
        if self._failure is None and not subject.interpreter.alive:
            loaded = subject.load()
            self._failure = loaded if loaded.verdict is not None else None
        return self._failure or ask(subject.interpreter, question, limit=limit)


def _calibrated(
    sandbox: Sandbox,
    reference: str,
    cases: Sequence[Case],
    questions: Sequence[Question | None],
    limits: Sequence[float],
    setup: str,
    factor: float,
) -> list[float]:
    """Time limits, raised to `factor` times what the reference takes."""
    found = []
    code = find_code(reference, defines=_asked_for(cases)).code
    with Module(sandbox, code, setup, limit=factor * max(limits)) as subject:
        examination = _Examination(subject)
        for case, question, limit in zip(cases, questions, limits, strict=True):
            answer = examination.answer(case, question, factor * limit)
            if answer.verdict is not None and answer.raised is None:
                raise RewardkitUsageError(f"the reference fails case {case.label!r}: {answer.reason}")
            found.append(max(limit, factor * answer.duration))
    return found


def _asked_for(cases: Iterable[Case]) -> set[str]:
    """The names that the cases use, and so expect the candidate to define."""
    return {name for case in cases if (source := case.source) for name in source.uses}
