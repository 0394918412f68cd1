"""The text of a failing test about a reward under its threshold."""

from __future__ import annotations

from pytest_rewardkit import Part, Reward, Verdict
from pytest_rewardkit.reports.failure import LINES, ROWS, under_threshold


def said(*parts: Part, reason: str = "") -> list[str]:
    return under_threshold(Reward.from_parts(parts, reason=reason), 0.75).splitlines()


def test_a_table_of_all_parts_and_the_details_of_those_that_did_not_pass() -> None:
    lines = said(
        Part("add(1, 2)", 1.0),
        Part("add(2, 2)", 0.0, weight=2, reason="expected 4, got 5", expected="4", actual="5"),
        Part(
            "greet()",
            0.0,
            verdict=Verdict.RUNTIME_ERROR,
            reason="NameError: x",
            expected="hello\nthere",
            stderr="Traceback:\n  x\nNameError: x\n",
        ),
        reason="code judged: the only code block",
    )
    assert lines == [
        "reward 0.25 < threshold 0.75 (partial)",
        "  code judged: the only code block",
        "  1.00  passed         add(1, 2)",
        "  0.00  wrong_output   add(2, 2)  weight 2",
        "  0.00  runtime_error  greet()",
        "  add(2, 2):",
        "    expected 4, got 5",
        "  greet():",
        "    NameError: x",
        "    stderr, its end:",
        "      Traceback:",
        "        x",
        "      NameError: x",
    ]


def test_a_reward_without_parts_says_its_reason_at_once() -> None:
    assert under_threshold(Reward(0.74999), 0.75) == "reward 0.749990 < threshold 0.75 (partial)"
    assert under_threshold(Reward(0.25, reason="too slow"), 0.75) == "reward 0.25 < threshold 0.75 (partial): too slow"


def test_a_caret_stands_under_the_first_difference() -> None:
    wanted = "the quick brown fox jumps over the lazy dog"
    lines = said(Part("text", 0.0, reason="the values differ", expected=wanted, actual=wanted.replace("lazy", "lame")))
    at = next(index for index, line in enumerate(lines) if line.endswith("^"))
    assert lines[at - 2].strip() == f"expected: {wanted}"
    assert lines[at - 1][len(lines[at]) - 1] == "m"
    assert lines[at - 2][len(lines[at]) - 1] == "z"
    assert len(lines) == at + 1


def test_what_candidates_fail_at_alike_is_said_once() -> None:
    broken = [
        Part(f"case {number}", 0.0, verdict=Verdict.RUNTIME_ERROR, reason="NameError: f", expected=str(number))
        for number in range(5)
    ]
    assert said(Part("other", 0.0, reason="wrong"), *broken)[7:] == [
        "  other:",
        "    wrong",
        "  case 0 and 4 more parts:",
        "    NameError: f",
    ]


def test_short_lines_by_the_thousand_do_not_fill_the_terminal() -> None:
    output = "".join(f"{number}\n" for number in range(100_000))
    lines = said(Part("case", 0.0, reason="wrong", expected="1\n2\n", actual=output, stderr=output))
    assert len(lines) < 40
    notes = [line for line in lines if "left out" in line]
    assert len(notes) == 1
    assert lines[-1].strip() == "99999"
    for line in lines:
        assert line.count("[...") <= 1


def test_parts_by_the_thousand_do_not_fill_the_terminal() -> None:
    parts = [Part(f"case {number}", number / 2000, reason=f"r{number}\n" * 20) for number in range(1000)]
    lines = said(*parts)
    assert len(lines) < ROWS + LINES + 20
    assert f"  ... {1000 - ROWS} more, no worse" in lines
    assert lines[-1].endswith("more parts did not pass")


def test_is_bounded_whatever_a_candidate_prints() -> None:
    part = Part("c" * 10**4, 0.0, reason="r" * 10**5, expected="e" * 10**5, actual="a" * 10**6, stderr="s" * 10**6)
    assert len("\n".join(said(part))) < 5000


def test_holds_nothing_that_a_terminal_acts_on() -> None:
    part = Part("\x1b[2J", 0.0, reason="\x07", expected="\x9b0m", actual="\u202e", stderr="\x1b]0;title\x07\r")
    reward = Reward.from_parts([part], reason="\x1b[1m")
    assert not set(under_threshold(reward, 1.0)) & set("\x1b\x07\x9b\u202e\r")
