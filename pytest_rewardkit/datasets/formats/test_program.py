"""A candidate in any language and tests in the same language, as one program that must reach its end."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_rewardkit.datasets.formats.lacking import lacking_in
from pytest_rewardkit.datasets.formats.source_with_tests import source_with_tests
from pytest_rewardkit.datasets.formats.task import RowTask
from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable, UnscoredError
from pytest_rewardkit.reward import Part, Reward, Verdict
from pytest_rewardkit.scorers.languages.candidate import source_in
from pytest_rewardkit.scorers.languages.source_program import SourceProgram
from pytest_rewardkit.scorers.languages.table import find_language
from pytest_rewardkit.scorers.languages.users import users_languages
from pytest_rewardkit.scorers.running.tenants import settled
from pytest_rewardkit.text import printable

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.testcode.test_runner import TestRunner

TIME_LIMIT: Final = 15.0
"""Seconds for the program, as in MultiPL-E."""

PART: Final = "tests"


class Ending(NamedTuple):
    """How a program reports that it has reached its end.

    Parameters:
        statement: prints a text, which replaces `{}`.
        closing: how many closing braces follow the statement at the end of the program.
    """

    statement: str
    closing: int = 0


# Without it, a candidate passes by ending the program before its tests run.
ENDINGS: Final = {
    "javascript": Ending(';\nconsole.log("{}");\n'),
    "typescript": Ending(';\nconsole.log("{}");\n'),
    "bash": Ending('\necho "{}"\n'),
    "ruby": Ending('\ndefined?(Test::Unit) ? Test::Unit.at_exit { puts "{}" } : puts("{}")\n'),
    "perl": Ending('\nprint "\\n{}\\n";\n'),
    "php": Ending('\necho "\\n{}\\n";\n'),
    "c": Ending('puts("{}");\n', 1),
    "cpp": Ending('puts("{}");\n', 1),
    "java": Ending('System.out.println("{}");\n', 2),
    "rust": Ending('println!("{}");\n', 1),
    # Tests run in source order, and this one comes last.
    "go_test": Ending('\nfunc TestZzzEnd(t *testing.T) { t.Log("{}") }\n'),
    "rust_test": Ending('\n#[test]\nfn zzz_end() { println!("{}"); }\n'),
}


@dataclass(frozen=True, kw_only=True)
class TestProgramTask(RowTask):
    """A program made of given source, a candidate and tests.

    Parameters:
        language: of all the source.
        begun: the beginning that a candidate continues; omitted if the candidate contains it or defines its name.
        tests: the source after the candidate; it ends the program with a status other than 0 if the candidate is wrong.
        name: the name that the candidate defines; "" if that is not known.
        before: the source before everything else, such as imports.
        stops: texts at which a candidate that continues the beginning is cut off.
    """

    __test__ = False  # not one of pytest's

    language: str
    begun: str
    tests: str
    name: str = ""
    before: str = ""
    stops: tuple[str, ...] = ()

    def score(
        self, sandbox: Sandbox, candidate: str, *, test_runner: TestRunner, time_limit: float | None = None
    ) -> Reward:
        del test_runner  # tests and candidate are one program
        language = find_language(self.language, users_languages())
        if language is None:
            raise RewardkitUsageError("for tests in Python, use the format humaneval or mbpp")
        code = source_in(candidate, language, "auto").code if "```" in candidate else candidate
        if not code.strip():
            return _failed(Verdict.NO_CODE, "no code in the response")
        mark = secrets.token_hex(16)
        whole = source_with_tests(
            code,
            language.name,
            begun=self.begun,
            tests=self.tests,
            name=self.name,
            before=self.before,
            stops=self.stops,
        )
        source = _ended(whole, language.name, mark)
        try:
            with SourceProgram(sandbox, source, language) as program:
                answer = program.run(limit=time_limit or TIME_LIMIT)
        except SandboxUnavailable as error:
            return settled(sandbox, error, _failed)
        if answer.verdict is not None:
            if lacking := lacking_in(answer.stderr, f"{self.before}{self.begun}{self.tests}"):
                raise UnscoredError(f"the sandbox has no {lacking}, which the row's own code needs")
            return _failed(answer.verdict, answer.reason, answer.stderr)
        if language.name in ENDINGS and mark not in answer.stdout:
            return _failed(Verdict.RUNTIME_ERROR, "the program ended before its tests did")
        return Reward.from_parts([Part(PART, 1.0)])


def _ended(source: str, language: str, mark: str) -> str:
    """The program with a report that it has reached its end."""
    ending = ENDINGS.get(language)
    if ending is None:
        return source
    place = len(source)
    for _ in range(ending.closing):
        place = source.rfind("}", 0, place)
    if place < 0:
        return source
    statement = ending.statement.replace("{}", mark)
    return f"{source[:place]}{statement}{source[place:]}"


def _failed(verdict: Verdict, reason: str, stderr: str = "") -> Reward:
    shown = printable(reason, keep="\n\t")
    return Reward.from_parts(
        [Part(PART, 0.0, verdict=verdict, reason=shown, stderr=printable(stderr, keep="\n\t") or None)]
    )
