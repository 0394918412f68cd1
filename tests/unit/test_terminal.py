import pytest

from pytest_rewardkit import Part, Reward, Verdict
from pytest_rewardkit.formatting import counted, duration, shown, shown_under
from pytest_rewardkit.ledger.gate import Decision, GateState
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.record import Record, SandboxUse
from pytest_rewardkit.ledger.test import CRASHED, TestResult
from pytest_rewardkit.reports import terminal
from pytest_rewardkit.reports.parts import part_lines
from pytest_rewardkit.reports.terminal_lines import glyphs
from pytest_rewardkit.text import cells

HOSTILE = "\x1b[2J\x07\r\n\u202e" * 200


def text(lines):
    return ["".join(segment.text for segment in line) for line in lines]


def section(ledger, *, width=80, verbosity=0, encoding="ascii", decisions=()):
    lines = terminal.section(
        ledger,
        ledger.figures(),
        width=width,
        verbosity=verbosity,
        using=glyphs(encoding),
        decisions=decisions,
    )
    return text(lines)


def add(ledger, node_id, reward, **attempt):
    ledger.add(node_id, TestResult("passed", record=Record(reward), **attempt))


@pytest.fixture
def ledger():
    ledger = Ledger()
    add(ledger, "test_a.py::test_right", Reward(1.0), duration=0.012)
    parts = [
        Part("adds", 1.0, expected="3", actual="3"),
        Part("sorts", 0.0, expected="[1, 2]", actual="[2, 1]"),
        Part("ends", 0.0, verdict=Verdict.TIMEOUT, reason="still ran after 1 s"),
    ]
    add(ledger, "test_a.py::test_third", Reward.from_parts(parts), duration=1.26)
    add(ledger, "test_a.py::test_loop", Reward(0.0, verdict=Verdict.TIMEOUT, reason="no end in sight"), duration=75.0)
    add(ledger, "test_b.py::test_cloud", Reward.unscored("no sandbox could be created: 503"))
    ledger.add("test_b.py::test_crash", TestResult(CRASHED, cause="worker 'gw1' crashed"))
    return ledger


def test_section_of_an_ascii_terminal(ledger):
    assert section(ledger) == [
        "   - ..........  unscored       test_b.py::test_cloud",
        "      no sandbox could be created: 503",
        "   - ..........  crashed        test_b.py::test_crash",
        "      worker 'gw1' crashed",
        "0.00 ..........  timeout        test_a.py::test_loop",
        "      no end in sight",
        "0.33 ###.......  partial        test_a.py::test_third",
        "      ends: still ran after 1 s",
        "",
        "mean 0.44 over 3 scored tests, 0.27 with 2 unscored as 0",
        "1 passed, 1 partial, 1 timeout, 1 unscored, 1 crashed",
        "files: 0.00 test_b.py (2), 0.44 test_a.py (3)",
        "a digit in the progress is a reward: 5 from 0.50 to 0.59",
        "slowest: 1 min 15 s test_a.py::test_loop",
        "         1.3 s test_a.py::test_third",
        "         12 ms test_a.py::test_right",
    ]


def test_unicode_terminal_has_finer_bars(ledger):
    assert "0.33 ███▍······  partial        test_a.py::test_third" in section(ledger, encoding="utf-8")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", None, "no-such-encoding"])
def test_terminal_that_cannot_write_blocks_gets_ascii(ledger, encoding):
    assert "\n".join(section(ledger, encoding=encoding, verbosity=2)).isascii()


def test_verbose_shows_every_test_and_why(ledger):
    lines = section(ledger, verbosity=1)
    assert "1.00 ##########  passed         test_a.py::test_right" in lines
    assert lines[lines.index("0.00 ..........  timeout        test_a.py::test_loop") + 1] == "      no end in sight"


def test_very_verbose_shows_parts(ledger):
    lines = section(ledger, verbosity=2)
    start = lines.index("0.33 ###.......  partial        test_a.py::test_third") + 1
    assert lines[start : start + 3] == [
        "      1.00  passed         adds",
        "      0.00  wrong_output   sorts  expected [1, 2], got [2, 1]",
        "      0.00  timeout        ends   still ran after 1 s",
    ]


def test_wide_terminal_says_why_beside_the_test(ledger):
    assert "0.00 ..........  timeout        test_a.py::test_loop   no end in sight" in section(ledger, width=120)


def test_narrow_terminal_has_no_bars_and_keeps_the_end_of_names():
    ledger = Ledger()
    add(ledger, "tests/deep/down/test_something.py::test_of_a_long_name[parameter]", Reward(0.5))
    lines = section(ledger, width=60)
    assert lines[0] == "0.50 partial        ...g.py::test_of_a_long_name[parameter]"
    assert all(cells(line) < 60 for line in lines[:1])


def test_table_is_cut_unless_asked_for():
    ledger = Ledger()
    for number in range(25):
        add(ledger, f"test_a.py::test_{number}", Reward(number / 100))
    assert section(ledger)[10] == "      ... 15 more under 1.00 (-v shows all)"
    assert not any("more under" in line for line in section(ledger, verbosity=1))
    assert len([line for line in section(ledger, verbosity=1) if "test_a.py::test_" in line]) == 25 + 3


def test_all_right_needs_no_table():
    ledger = Ledger()
    add(ledger, "test_a.py::test_right", Reward(1.0))
    assert section(ledger)[0] == "mean 1.00 over 1 scored test"


def test_no_reward_is_said():
    assert section(Ledger()) == ["no test earned a reward"]


def test_sandboxes_and_missing_tests_and_gate():
    ledger = Ledger()
    ledger.expect(f"test_a.py::test_{number}" for number in range(8))
    record = Record(Reward(1.0), sandboxes=(SandboxUse(0.0, 0.012), SandboxUse(0.0, 0.4)))
    ledger.add("test_a.py::test_0", TestResult("passed", record=record))
    lines = section(ledger, decisions=[Decision("run", GateState.FAILED, "mean 0.10 < 0.8")])
    assert "2 sandboxes used, started in 12 ms (p50), 400 ms (p95)" in lines
    start = lines.index("7 collected tests never ran to an end:")
    assert lines[start + 1] == "      test_a.py::test_1"
    assert lines[start + 6 :] == ["      and 2 more (-v shows all)", "gate FAILED: mean 0.10 < 0.8"]


def test_quiet_is_one_line(ledger):
    line = "".join(segment.text for segment in terminal.one_line_section(ledger.figures()))
    figures = "mean 0.44, 0.27 with 2 unscored as 0"
    assert line == f"rewards: {figures}, 1 passed, 1 partial, 1 timeout, 1 unscored, 1 crashed"


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
@pytest.mark.parametrize("verbosity", [0, 1, 2])
def test_nothing_from_a_candidate_acts_on_the_terminal(encoding, verbosity):
    ledger = Ledger()
    part = Part(HOSTILE, 0.0, reason=HOSTILE, expected=HOSTILE, actual=HOSTILE, stderr=HOSTILE)
    add(ledger, f"test_a.py::test_x[{HOSTILE}]", Reward.from_parts([part] * 100, reason=HOSTILE))
    add(ledger, "test_a.py::test_wide", Reward(None, reason="文字" * 1000))
    ledger.add("test_a.py::test_crash", TestResult(CRASHED, cause=HOSTILE))
    lines = section(ledger, verbosity=verbosity, encoding=encoding)
    assert all(line.isprintable() for line in lines)
    table = lines[: lines.index("")]
    assert max(cells(line) for line in table) < 80
    assert len(table) < 40


@pytest.mark.parametrize(
    ("value", "passed", "letter", "word"),
    [
        (1.0, True, ".", "PASSED 1.00"),
        (0.999, True, "9", "PASSED 0.99"),
        (0.75, True, "7", "PASSED 0.75"),
        (0.001, True, "0", "PASSED 0.01"),
        (0.3, False, "F", "FAILED 0.30"),
        (1.0, False, "F", "FAILED 1.00"),
        (None, True, "?", "UNSCORED"),
        (None, False, "?", "UNSCORED"),
    ],
)
def test_letters_and_words(value, passed, letter, word):
    assert terminal.status(value, passed=passed)[:2] == (letter, word)


def test_only_the_ends_read_as_the_ends():
    assert [shown(value) for value in (0.0, 1e-9, 0.5, 0.9999, 1.0, None)] == [
        "0.00",
        "0.01",
        "0.50",
        "0.99",
        "1.00",
        "-",
    ]


def test_value_under_a_bound_is_seen_to_be():
    assert [shown_under(value, 0.7) for value in (0.5, 0.6999, 0.69999999)] == ["0.50", "0.6999", "0.69999999"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0004, "0 ms"), (0.9994, "999 ms"), (0.9996, "1.0 s"), (59.9, "59.9 s"), (3601, "60 min 1 s")],
)
def test_durations_read_well(seconds, said):
    assert duration(seconds) == said


def test_counts_have_their_plural():
    assert [counted(1, "test"), counted(2, "test"), counted(2000, "box", "boxes")] == [
        "1 test",
        "2 tests",
        "2,000 boxes",
    ]


def test_worst_parts_are_shown_in_their_order():
    parts = [Part(f"case {number}", 1.0 if number % 2 else 0.0) for number in range(8)]
    assert part_lines(parts, limit=3) == [
        "0.00  wrong_output   case 0",
        "0.00  wrong_output   case 2",
        "0.00  wrong_output   case 4",
        "... 5 more, no worse",
    ]
    assert part_lines([], limit=3) == []


def test_a_crashed_attempt_is_listed_though_the_others_are_right():
    ledger = Ledger()
    for number in (1, 2):
        record = Record(Reward(1.0), task="test_a.py::test_it", reduce="mean")
        ledger.add(f"test_a.py::test_it[attempt{number}]", TestResult("passed", record=record))
    ledger.add("test_a.py::test_it[attempt3]", TestResult(CRASHED, cause="worker 'gw1' crashed"))
    lines = section(ledger)
    assert lines[:2] == [
        "1.00 ##########  crashed        test_a.py::test_it",
        "      mean of 3 attempts: 1.00, 1.00, -",
    ]
    assert lines[3:5] == [
        "mean 1.00 over 1 scored test in 3 attempts, 0.67 with 1 unscored as 0",
        "1 crashed",
    ]


def test_groups_have_means_the_lowest_first():
    ledger = Ledger()
    for number in range(10):
        record = Record(reward=Reward(number / 10), group=f"group {number}", weight=2.0)
        ledger.add(f"test_a.py::test_{number}", TestResult("passed", record=record))
    lines = section(ledger)
    assert "groups: 0.00 group 0 (1)" in lines
    assert "        0.70 group 7 (1)" in lines
    assert "        2 more (-v shows all)" in lines
    assert "        0.90 group 9 (1)" in section(ledger, verbosity=1)
    assert not any(line.startswith("files") for line in lines)


def test_counts_of_verdicts_break_between_them_only(ledger):
    lines = section(ledger, width=40)
    assert lines[lines.index("1 passed, 1 partial, 1 timeout") + 1] == "1 unscored, 1 crashed"


def test_quiet_has_the_gates_too(ledger):
    passed = Decision("run", GateState.PASSED, "mean 0.27 >= 0.1")
    lines = text(terminal.brief_section(ledger.figures(), decisions=[passed]))
    assert lines[1:] == ["gate passed: mean 0.27 >= 0.1"]
