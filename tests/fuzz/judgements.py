"""Judgements of what candidates may give, drawn at random: each must end in a part of a reward, in bounded time.

    python tests/fuzz/judgements.py 1000000 --seed 1

runs many and names those that do not. Everything that decides is pure, so no sandbox is needed. The same draws are
shrunk by Hypothesis in tests/unit/test_judgements.py.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
import traceback
from collections import Counter, OrderedDict, deque
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_rewardkit import Case, ChartCheck, FileCheck, Insight, Part, Reward, Verdict
from pytest_rewardkit.datasets.formats.bigcodebench import _part as unit_test_part
from pytest_rewardkit.datasets.formats.bigcodebench import _UnitTestRun as UnitTestsRun
from pytest_rewardkit.datasets.testcode.candidate import CandidateGivenUp, RunningCandidate
from pytest_rewardkit.datasets.testcode.guest.answers import read_answer as answer_of_line
from pytest_rewardkit.datasets.testcode.sending import Reply
from pytest_rewardkit.scorers.checks.chart_check import judge_chart
from pytest_rewardkit.scorers.checks.chart_reading import charts_of_e2b, charts_read
from pytest_rewardkit.scorers.checks.file_check import judge_file
from pytest_rewardkit.scorers.checks.insight import InsightFindings
from pytest_rewardkit.scorers.checks.judging import Matching, judge
from pytest_rewardkit.scorers.guest.codec_encoder import encode
from pytest_rewardkit.scorers.guest.codec_objects import TooLargeError
from pytest_rewardkit.scorers.guest.operand_recorder import OperandRecorder
from pytest_rewardkit.scorers.own_time import OwnTime
from pytest_rewardkit.scorers.running.evaluation import Answer, Question, with_what
from pytest_rewardkit.scorers.running.protocol import Refused, read
from pytest_rewardkit.scorers.running.tree import TreeEntry, path_pattern
from pytest_rewardkit.scorers.values.tolerance import Tolerance

if TYPE_CHECKING:
    from collections.abc import Callable

SLOW: Final = 5.0
"""Seconds of processor time from which a judgement counts as endless."""

NUMBERS: Final[list[Any]] = [
    *(0, 1, -1, 5, 2**53, -(2**63), 10**400, -(10**5000), 0.1, -0.0, 5e-324, 1.8e308, 1e308, math.inf, -math.inf),
    *(math.nan, 1j, complex(math.nan, math.inf), complex(1e308, 1e308), True, False, Fraction(1, 3)),
    *(Fraction(10**400, 3), Fraction(1, 10**400)),
    *map(Decimal, ("0.1", "-0", "NaN", "sNaN", "-sNaN123", "Infinity", "1e999999", "1e-999999", "9" * 400)),
]
TEXTS: Final = [
    *("", "5", "5.0", "a", "None", "nan", "sNaN", "1e999", "-inf", "'x'", '"', "[5]", "{}", "{'a': 5}", "True", "null"),
    *(
        "5\n",
        " 5 \r\n\r\n",
        "\x00",
        "\ud800",
        "\u202e5",
        "\x1b[31m5",
        "\u0663",
        "\uff15",
        "\u00b2",
        "1" * 5000,
        "[" * 2000,
    ),
    *(
        '{"a": 1, "a": 2}',
        "(" * 300,
        "NaN",
        "Infinity",
        "1_000",
        "0x10",
        "{5}",
        "set()",
        "b'5'",
        "1e400",
        "{1: 2, 1: 3}",
    ),
    *("-" * 500, "not " * 300, "1+2j", "3-4", "1.2.3", "2024-01-31", "50 %", "\\", "\\N{BULLET}", "a,b\n1,2", '"' * 99),
]
OTHERS: Final[list[Any]] = [
    *(
        None,
        b"",
        b"\xff",
        bytearray(b"5"),
        range(5),
        range(10**30),
        ...,
        NotImplemented,
        slice(1),
        ValueError("x"),
        int,
    ),
    *(datetime.max, datetime(1, 1, 1, tzinfo=UTC), date.min, timedelta.max, timedelta.min, PurePosixPath("a/../b")),
    *(object(), len, Counter("aab"), OrderedDict(a=5), deque([5])),
]
TAGS: Final = [
    *(
        "object",
        "kept",
        "array",
        "dict",
        "OrderedDict",
        "Counter",
        "tuple",
        "set",
        "frozenset",
        "deque",
        "complex",
        "range",
    ),
    *("int", "float", "bytes", "bytearray", "Decimal", "Fraction", "moment", "datetime", "date", "time", "timedelta"),
    *("UUID", "path", "", "x", "value", "text"),
]
NAMES: Final = ["out.txt", "out.csv", "a/b", "d", "\ud800", "\n", "..", ".x", "x" * 300, "*", "a?[", "", "\x1b[2J"]
CODES: Final = [
    *("f() == 5", "f() != g()", "1 < f() <= 5", "f() in [5, 'a']", "5 in f()", "not f() == g()", "f() is None"),
    *(
        "f() == 5 and g() == 5",
        "f() == 5 or g() < 1",
        "'a' if f() == g() else 'b'",
        "[f() == 5, g()]",
        "bool(f() > g())",
    ),
    *("all(f() == x for x in [f(), g()])", "any(x != 5 for x in f())", "Own(5) == f()", "print(f() == g())"),
    *("assert f() == g()\nf() == 5", "x = f() == g()", "f() == 5 == g()"),
]


class Own:
    """An object of the candidate's own class."""

    def __init__(self, value: Any = None) -> None:
        self.value = value

    def __eq__(self, other: object) -> Any:
        return self.value

    __hash__ = None  # type: ignore[assignment]


def value(draw: random.Random, depth: int = 3) -> Any:
    """A value that a candidate may return, or an author expect."""
    kind = draw.randrange(14 if depth else 8)
    if kind < 4:
        return draw.choice(NUMBERS)
    if kind < 6:
        return draw.choice(TEXTS)
    if kind == 6:
        return draw.choice(OTHERS)
    if kind == 7:
        return draw.choice([draw.randrange(-9, 9), draw.uniform(-9, 9), Own(draw.choice([True, 5, None]))])
    items = [value(draw, depth - 1) for _ in range(draw.randrange(4))]
    try:
        if kind < 10:
            return draw.choice([list, tuple, deque])(items)
        if kind < 12:
            return dict(zip(items, items[::-1], strict=True))
        return draw.choice([set, frozenset, Counter])(items)
    except (TypeError, ValueError, ArithmeticError):  # not hashable
        return items


def json_value(draw: random.Random, depth: int = 4) -> Any:
    """JSON that may stand for a value, or be invalid."""
    kind = draw.randrange(9 if depth else 5)
    if kind == 0:
        return draw.choice([None, True, False, 0, 5, -1, 10**30, 1e308, 0.1])
    if kind < 3:
        return draw.choice(TEXTS)
    if kind < 5:
        return draw.choice([math.nan, math.inf, "0x5", "-0xff", "nan", "2024-01-01", "1e5", "builtins.KeyError", "a.B"])
    if kind < 7:
        return [json_value(draw, depth - 1) for _ in range(draw.randrange(4))]
    return {draw.choice(TAGS): json_value(draw, depth - 1) for _ in range(draw.choice([1, 1, 1, 0, 2]))}


def data(draw: random.Random) -> Any:
    """A value as it leaves a sandbox, genuine or forged."""
    if draw.random() < 0.3:
        return json_value(draw)
    try:
        return encode(value(draw))
    except (TooLargeError, RecursionError):
        return None


def answer_text(draw: random.Random, question: Question) -> str:
    """A sandbox's answer to a question."""
    kind = draw.randrange(10)
    if kind == 0:
        return draw.choice(TEXTS)
    if kind == 1:
        return json.dumps(json_value(draw))
    if kind == 2:
        said = [
            "raised",
            {"bases": [draw.choice(["builtins.KeyError", "a.B", "x", ""])], "message": "", "traceback": ""},
        ]
        return json.dumps(draw.choice([said, ["raised", json_value(draw)], ["raised"]]))
    if kind == 3 or question.plan is None:
        name = draw.choice(["value", "text", "done", question.wants, "compared"])
        return json.dumps([name, draw.choice(TEXTS) if name == "text" else data(draw)])
    return json.dumps(["compared", _compared(draw, question)])


def _compared(draw: random.Random, question: Question) -> Any:
    assert question.plan is not None
    values = {"f": lambda: one, "g": lambda: other, "Own": Own, "x": None}
    one, other = value(draw), value(draw)
    if draw.random() < 0.3:
        return draw.choice(
            [[[], ["tree", json_value(draw)]], json_value(draw), [[], None], [json_value(draw), ["tree", []]]]
        )
    recorder = OperandRecorder(lambda source: eval(source, dict(values)))
    try:
        asserted = [recorder.record(check.question())[0] for check in question.plan.checks]
        tree = question.plan.tree
        return [asserted, ["tree", recorder.record(tree.question())[0]] if tree is not None else ["value", data(draw)]]
    except Exception:
        return [[], None]


def matching(draw: random.Random) -> Matching:
    tolerance = draw.choice([(None, None), (None, None), (0, 0), (0.1, None), (None, 1e308), (math.inf, math.inf)])
    try:
        given = Tolerance(*tolerance)
    except ValueError:
        given = Tolerance()
    return Matching(
        draw.choice([None, None, "exact", "lines", "tokens", "value", "json"]),
        given,
        draw.choice([None, None, "words", "edit"]),
    )


CHECKERS: Final[list[Callable[[Any], Any]]] = [
    lambda value: value,
    lambda value: value > 2,
    lambda value: value * 0,
    lambda value: 1 / len(value),
    lambda value: float("nan"),
    lambda value: hash(value),
    lambda value: {value: 1}[value],
    lambda value: str(value) == repr(value),
]
EXPECTED_TEXTS: Final = ["5", "", "a", "True", "{'a': 5}", "Decimal('0.1')", "<a.B: 1>", "{1, 2}", "[5]", "1.0", "nan"]


def case(draw: random.Random) -> Case | None:
    """A case that an author may write; None for one that `Case` refuses."""
    how: dict[str, Any] = draw.choice([{"call": "f"}, {"code": "f()"}, {"stdin": ""}, {"code": draw.choice(CODES)}])
    kind = draw.randrange(8)
    if kind == 0:
        how["checker"] = draw.choice(CHECKERS)
    elif kind == 1 and "stdin" not in how:
        how["raises"] = draw.choice([KeyError, "KeyError", "B", "a.B", Exception])
    elif kind == 2:
        how["expected"] = draw.choice([pytest.approx(5), pytest.approx([5.0]), pytest.approx({"a": 5.0})])
    elif kind < 5:
        how["expected"] = draw.choice(EXPECTED_TEXTS)
    else:
        how["expected"] = value(draw)
    try:
        return Case(**how, compare=draw.choice([None, None, None, "lines", "exact", "tokens"]) if kind > 2 else None)
    except ValueError:
        return None


def of_case(draw: random.Random) -> list[Part]:
    """An answer judged by cases that ask the sandbox for the same."""
    first = case(draw)
    if first is None:
        return []
    question = Question.of(first) if first.stdin is None else Question(wants="value")
    blank = Answer(stdout=draw.choice(TEXTS), stderr=draw.choice(TEXTS))
    try:
        said = read(answer_text(draw, question), question.wants, question.plan)
        answer = with_what(blank, said)
        if said.raised is not None:
            answer = Answer(raised=said.raised, verdict=Verdict.RUNTIME_ERROR, reason=str(said.raised))
    except Refused as error:
        answer = Answer(verdict=Verdict.RUNTIME_ERROR, reason=str(error))
    alike = [first, *(_expecting(first, value(draw)) for _ in range(9))] if _is_about_value(first) else [first]
    return [_judged_case(it, answer, matching(draw)) for it in alike if it is not None]


def _expecting(given: Case, expected: Any) -> Case | None:
    try:
        return replace(given, expected=expected)
    except ValueError:
        return None


def _is_about_value(given: Case) -> bool:
    return given.checker is None and given.raises is None and given.call is not None and given.compare is None


def _judged_case(given: Case, answer: Answer, how: Matching) -> Part:
    if given.is_about_text and (given.compare or how.compare) in ("value", "json"):
        how = Matching()  # an expected text that is not a literal is the author's mistake
    return judge(given, answer, how)


def of_output(draw: random.Random) -> list[Part]:
    """An output compared with a text or a value, in every way."""
    actual = "".join(draw.choice(TEXTS) for _ in range(draw.randrange(4)))
    found = []
    for _ in range(10):
        how = matching(draw)
        if draw.random() < 0.5:
            found.append(how.printed(actual, draw.choice([5, [5], {"a": 5}, None, 0.1, Decimal(5)])))
        else:
            found.append(how.texts([actual], "[5]" if how.compare in ("value", "json") else draw.choice(TEXTS)))
    return [Part("output", comparison.value, reason=comparison.reason) for comparison in found]


FIGURES: Final = (5, 1e308, -1e308, 10**400, "5", "2024-01-01", None, math.nan, math.inf, 0, 10**5000)


def chart(draw: random.Random) -> Any:
    """E2B's data of a chart, or almost."""

    def any_of(*choices: Any) -> Any:
        return draw.choice([*choices, *choices, json_value(draw, 2)])

    def number() -> Any:
        return any_of(*FIGURES)

    kind = any_of("line", "scatter", "bar", "pie", "box_and_whisker", "superchart")
    element = [
        {
            "label": any_of("a", 5, None),
            "group": any_of("g", 1),
            "value": number(),
            "angle": number(),
            "median": number(),
        }
        | {"points": any_of([[number(), number()] for _ in range(draw.randrange(3))], [[1]])}
        for _ in range(draw.randrange(3))
    ]
    return any_of({"type": kind, "title": any_of("t", None), "x_label": any_of("x"), "elements": any_of(element, [])})


def reading(draw: random.Random) -> str:
    """Our own reading of a figure, genuine or forged."""

    def point() -> Any:
        return [draw.choice(["a", "2020", [1], *FIGURES[:4]]), draw.choice(["nan", "x", {}, *FIGURES[:4]])]

    series = [
        {"kinds": draw.choice([["bar"], ["pie"], ["line"], [], "bar", [5]]), "label": draw.choice(["a", 5, None])}
        | {"points": [point() for _ in range(draw.randrange(3))]}
        for _ in range(draw.randrange(3))
    ]
    whole = [{"titles": draw.choice([["t"], [5], 5, None]), "x_labels": ["x"], "y_labels": [], "series": series}]
    return draw.choice([json.dumps(whole), json.dumps(json_value(draw)), draw.choice(TEXTS)])


VALUES: Final[list[Any]] = [
    *(
        [5],
        [],
        {"a": 5},
        {2020: 5},
        [(1, 5)],
        {"s": [5]},
        [[5], [5]],
        [{"a": 5}],
        {"s": {"a": 5}},
        [0, 0],
        [1e308, 1e308],
    ),
    [5, "x"],
]


def of_chart(draw: random.Random) -> list[Part]:
    """Charts judged by a check."""
    checks = [
        ChartCheck(
            type=draw.choice([None, "line", "scatter", "bar", "pie", "box_and_whisker"]),
            title=draw.choice([None, "t"]),
            values=draw.choice([None, *VALUES]),
            rel_tol=draw.choice([None, 0, 0.1]),
        )
        for _ in range(10)
    ]
    read_charts = charts_read([reading(draw) for _ in range(draw.randrange(3))])
    charts = read_charts or charts_of_e2b([chart(draw) for _ in range(draw.randrange(3))])
    return [judge_chart(check, charts, image_shown=draw.random() < 0.5) for check in checks]


def tree(draw: random.Random) -> dict[str, TreeEntry]:
    entries = {}
    for _ in range(draw.randrange(4)):
        content = draw.choice(TEXTS).encode("utf-8", "surrogatepass")
        kept = draw.choice([content, content, b"\xff\x00", None])
        digest = draw.choice([str(kept).encode(), str(kept).encode(), None])
        obstacle = "" if digest else draw.choice(["", "it is too large", "not read"])
        entries[draw.choice(NAMES)] = TreeEntry(digest, obstacle, kept if digest else None, "" if kept else "not kept")
    return entries


def of_file(draw: random.Random) -> list[Part]:
    """A tree of files judged by a check."""
    content = draw.choice([5, [5], {"a": 5}, [["a", "b"], [1, 2]], "5", "a,b", b"5", None, value(draw, 1)])
    if isinstance(content, range):  # an endless table is the author's mistake
        return []
    try:
        check = FileCheck(
            path=draw.choice(["out.txt", "out.csv", "*", "**/b", "a/*", "?", *NAMES]),
            type=draw.choice(["create", "exists", "modify"]),
            content=content,
            compare=draw.choice([None, None, None, "bytes" if isinstance(content, str | bytes) else None]),
        )
        path_pattern(check.path)
    except ValueError:
        return []
    how = matching(draw)
    if isinstance(content, str) and how.compare in ("value", "json"):
        how = Matching()
    try:
        return [judge_file(check, tree(draw), tree(draw), "/home/user", how, OwnTime())]
    except ValueError as error:
        # A value that nothing can equal, or a table without rows, is the author's mistake.
        if type(error).__name__ != "RewardkitUsageError":
            raise
        return []


INSIGHTS: Final = (
    Insight(number=5),
    Insight(number=1e308),
    Insight(number=0.5, rel_tol=0.1),
    Insight(text="a"),
    Insight(text="1.2"),
)


def of_insight(draw: random.Random) -> list[Part]:
    """An output in which an insight is sought."""
    text = " ".join(draw.choice(TEXTS) for _ in range(draw.randrange(6)))
    findings = InsightFindings(text)
    return [findings.judge(insight) for insight in INSIGHTS]


def of_row(draw: random.Random) -> list[Part]:
    """The output of a dataset row's processes."""

    def line() -> str:
        kind = draw.randrange(5)
        if kind == 0:
            return draw.choice(TEXTS)
        if kind == 1:
            return "[" * 100_000 if draw.random() < 0.02 else '{"value":' * 50
        whole = {"loaded": True, "name": "test_a", "passed": draw.choice([True, 1, "yes", None])}
        said = {
            "value": data(draw),
            "raised": json_value(draw),
            "type": json_value(draw, 1),
            "message": json_value(draw, 1),
        }
        return json.dumps(draw.choice([whole, {**whole, **said}, said, json_value(draw)]))

    lines = [line() for _ in range(draw.randrange(4))]
    reply = Reply("\n".join([*lines, draw.choice(["", "{"])]), draw.choice([None, Verdict.TIMEOUT]), "", 0.0)
    for text in lines:
        answer_of_line(text)
    run = UnitTestsRun(reply)
    parts = [unit_test_part("test_a", run, vacuous=False)]
    _ = run.lacks
    try:
        RunningCandidate._check_loaded(lines[0] if lines else "", reply)
    except CandidateGivenUp as error:
        parts.append(Part("candidate", 0.0, verdict=error.verdict, reason=str(error)))
    return parts


KINDS: Final = (of_case, of_case, of_case, of_output, of_chart, of_file, of_insight, of_row)


def judged(draw: random.Random, kind: Callable[[random.Random], list[Part]] | None = None) -> Reward | None:
    """Judge something drawn at random, and return the reward; None if the draw is not a judgement.

    Parameters:
        kind: one of KINDS; without it, any.

    Raises AssertionError for an invalid reward, or one that takes too long, and whatever a bug of ours raises.
    """
    kind = kind or draw.choice(KINDS)
    begun = time.thread_time()
    parts = kind(draw)
    took = time.thread_time() - begun
    assert took < SLOW, f"{kind.__name__} took {took:.1f} s"
    if not parts:
        return None
    reward = Reward.from_parts(parts)
    assert reward.value is not None and 0 <= reward.value <= 1
    return reward


def main() -> int:
    """Run as many as the command line says; name the failed draws by the seeds that reproduce them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    made, failed, begun = Counter[str](), Counter[str](), time.monotonic()
    number = 0
    while made.total() < options.count:
        seed = options.seed * 10**9 + number
        number += 1
        try:
            reward = judged(random.Random(seed))
            made.update(str(part.verdict) for part in (reward.parts if reward is not None else ()))
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__}: {str(error)[:100]} ({place.name}, line {place.lineno})"
            if not failed[what]:
                print(f"draw {seed}: {what}", flush=True)
            failed[what] += 1
        if number % 10_000 == 0:
            print(f"{made.total():,} judgements of {number:,} draws in {time.monotonic() - begun:.0f} s", flush=True)
    print(f"{made.total():,} judgements of {number:,} draws: {dict(made)}; {failed.total():,} draws failed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
