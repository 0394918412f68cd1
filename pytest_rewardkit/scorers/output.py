"""Scores a candidate by its output: what it prints or, if it prints nothing, the value of its last expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from pytest_rewardkit.difference import shown
from pytest_rewardkit.errors import SandboxUnavailable
from pytest_rewardkit.reward import TEXT_LIMIT, Part, Reward, Verdict
from pytest_rewardkit.scorers.cases import TIME_LIMIT
from pytest_rewardkit.scorers.checks.case import NOT_GIVEN, checked_time_limit
from pytest_rewardkit.scorers.checks.judging import Matching, part_of, readable
from pytest_rewardkit.scorers.languages.candidate import language_of_candidate, source_in
from pytest_rewardkit.scorers.languages.source_program import SourceProgram, refuse_python_only
from pytest_rewardkit.scorers.languages.table import PYTHON
from pytest_rewardkit.scorers.languages.users import users_languages
from pytest_rewardkit.scorers.response.extract import find_code
from pytest_rewardkit.scorers.running.call_evidence import with_evidence
from pytest_rewardkit.scorers.running.evaluation import Answer, Question, ask
from pytest_rewardkit.scorers.running.program import run_program
from pytest_rewardkit.scorers.running.protocol import VALUE, reading_of
from pytest_rewardkit.scorers.running.subject import Notebook
from pytest_rewardkit.scorers.running.tenants import settled
from pytest_rewardkit.scorers.values.compare import ComparisonResult
from pytest_rewardkit.scorers.values.equality import comparable
from pytest_rewardkit.scorers.values.tolerance import Tolerance

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.scorers.languages.table import Language
    from pytest_rewardkit.scorers.running.cell import Cell


class OutputOptions(TypedDict, total=False):
    """The options of `score_output`, for functions that pass them on."""

    setup: str
    time_limit: float
    compare: str | None
    rel_tol: float | None
    abs_tol: float | None
    similarity: str | None
    transcript: bool
    extract: str
    language: str | Language


@with_evidence
def score_output(
    sandbox: Sandbox,
    candidate: str,
    expected: Any,
    *,
    setup: str = "",
    time_limit: float = TIME_LIMIT,
    compare: str | None = None,
    rel_tol: float | None = None,
    abs_tol: float | None = None,
    similarity: str | None = None,
    transcript: bool = False,
    extract: str = "auto",
    language: str | Language = PYTHON,
) -> Reward:
    """Return the reward of a candidate by comparing its output with what is expected.

    The candidate runs as a program. Its output is what it prints; if it prints nothing, the value of its last
    expression.

    Parameters:
        sandbox: where it runs, in its home folder.
        candidate: code, or a model's response with code in it.
        expected: a text, compared with the output; or another value, compared with the output read as a value, or
            with the value of the last expression if the candidate prints nothing.
        setup: code that runs before the candidate, in the same namespace.
        time_limit: seconds for the candidate.
        compare: what counts as equal (compare.py): ``lines`` by default, which ignores white space at line ends.
        rel_tol, abs_tol: how far numbers may be apart (tolerance.py).
        similarity: what a wrong output earns (similarity.py); nothing by default.
        transcript: run the candidate as a notebook's cell. Its output is then everything that it prints and displays,
            followed by the value of its last expression.
        extract: which of several code blocks is the candidate (extract.py).
        language: what the candidate is written in (languages/table.py); "auto" takes it from the response's fence.

    Returns a reward with one part, ``output``; unscored, with the cause, if the sandbox or its connection is lost.
    Raises RewardkitUsageError for wrong arguments, a value that cannot be compared, or a setup that fails.
    """
    checked_time_limit(time_limit)
    if not isinstance(expected, str):
        comparable(expected)
    matching = Matching(compare, Tolerance(rel_tol, abs_tol), similarity)
    foreign = language_of_candidate(candidate, language, users_languages())
    if foreign is not None:
        refuse_python_only(foreign, setup=setup, transcript=transcript)
    extraction = source_in(candidate, foreign, extract) if foreign else find_code(candidate, policy=extract)
    wanted = readable(expected) if isinstance(expected, str) else shown(expected, TEXT_LIMIT)
    if not extraction.code:
        nothing = Part("output", 0.0, verdict=Verdict.NO_CODE, reason=extraction.how, expected=wanted)
        return Reward.from_parts([nothing])
    try:
        if foreign is not None:
            with SourceProgram(sandbox, extraction.code, foreign) as program:
                answer = program.run(limit=time_limit)
            comparison, output = _of_program(answer, expected, matching), answer.put_out
        elif transcript:
            with Notebook(sandbox, extraction.code, setup, limit=time_limit) as notebook:
                cell = notebook.load()
                comparison = _of_notebook(notebook, cell, expected, matching, time_limit)
            answer, output = Answer.of(cell), cell.transcript()
        else:
            wants = reading_of(expected) if isinstance(expected, str) else VALUE
            answer = run_program(sandbox, extraction.code, limit=time_limit, setup=setup, wants=wants)
            comparison = _of_program(answer, expected, matching)
            output = answer.put_out
    except SandboxUnavailable as error:

        def failed(verdict: Verdict, reason: str) -> Reward:
            return Reward.from_parts([Part("output", 0.0, verdict=verdict, reason=readable(reason), expected=wanted)])

        return settled(sandbox, error, failed)
    part = part_of("output", comparison, answer, expected=wanted, actual=readable(output), verdict=answer.verdict)
    return Reward.from_parts([part], reason=comparison.reason or f"code judged: {extraction.how}")


def _of_program(answer: Answer, expected: Any, matching: Matching) -> ComparisonResult:
    if answer.verdict is not None:
        return ComparisonResult(0.0, answer.reason)
    if isinstance(expected, str):
        return matching.texts(answer.texts(expected), expected)
    has_value = answer.value is not NOT_GIVEN
    return matching.values(answer.value, expected) if has_value else matching.printed(answer.stdout, expected)


def _of_notebook(notebook: Notebook, cell: Cell, expected: Any, matching: Matching, limit: float) -> ComparisonResult:
    if cell.verdict is not None:
        return ComparisonResult(0.0, cell.reason)
    wants = reading_of(expected) if isinstance(expected, str) else VALUE
    last = _last_value(notebook, cell, wants, limit) if cell.value is not None else Answer()
    if last.verdict is not None:
        return ComparisonResult(0.0, last.reason)
    if isinstance(expected, str):
        # A notebook shows a text in quotes and a long list over many lines; `print` does neither. Both forms count.
        texts = last.texts(expected) if cell.value is not None else [""]
        return matching.texts((cell.transcript(text) for text in texts), expected)
    if cell.value is not None:
        return matching.values(last.value, expected)
    return matching.printed(cell.transcript(), expected)


def _last_value(notebook: Notebook, cell: Cell, wants: str, limit: float) -> Answer:
    """The value of the cell's last expression; the interpreter keeps it under the cell's number."""
    return ask(notebook.interpreter, Question(expression=f"_oh[{cell.count}]", wants=wants), limit=limit)
