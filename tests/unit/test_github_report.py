"""Output for GitHub: Markdown that candidates cannot shape, outputs, and commands that carry one message each."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pytest_rewardkit import Reward
from pytest_rewardkit.ledger.baseline import Baseline, compare
from pytest_rewardkit.ledger.gate import Decision, GateState
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.ledger.test import CRASHED, TestResult
from pytest_rewardkit.reports import github
from pytest_rewardkit.text import one_line

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](https://evil.example)",
    "![image](https://evil.example/x.png)",
    "https://evil.example www.evil.example a@evil.example",
    "a | b | c",
    "`code` ``more`` ```fence```",
    "</details><h1>big</h1>",
    "*bold* _it_ ~~gone~~ **x** __y__",
    "# heading\n## heading",
    "&lt;b&gt; &#60;b&#62; &amp;",
    "\\| \\` \\<",
    "- item\n1. item\n> quote\n---",
    "line\nbreak\r\n\x1b[31mred\u202etxt\ud800",
    ":tada: @somebody #12 $x^2$",
    "::error::forged ##[error]forged",
    "<!-- comment",
    "{% raw %} ${{ secrets.TOKEN }}",
]


def rewarded(value, outcome="passed", reason="", line=3):
    return TestResult(outcome, 0.0, Record(Reward(value, reason=reason)), line=line)


def ledger_of(*tests, missing=()):
    ledger = Ledger()
    ledger.expect([*(node_id for node_id, _ in tests), *missing])
    for node_id, attempt in tests:
        ledger.add(node_id, attempt)
    return ledger


def rendered(markdown):
    """The tokens of a page, and the texts of all cells of tables."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown)
    inline = [token for token in tokens if token.type == "inline"]
    cells = [inner for outer, inner in pairwise(tokens) if outer.type in ("td_open", "th_open")]
    return tokens, inline, [_text(cell.children) for cell in cells]


def _text(children):
    return "".join(child.content for child in children if child.type != "html_inline")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_is_not_ours_stays_text(payload):
    ledger = ledger_of((f"test_{payload}", rewarded(0.5, reason=payload)), ("b", rewarded(1.0)), missing=[payload])
    decisions = [Decision(payload, GateState.FAILED, payload)]
    page = github.summary(ledger, passed=False, decisions=decisions)
    tokens, inline, cells = rendered(page)
    assert cells[:8] == [
        *("Worst", "reward", "verdict", "why"),
        *(one_line(f"test_{payload}", 200), "0.50", "partial", one_line(payload, 300)),
    ]
    children = [child for token in inline for child in token.children]
    kinds = {child.type for child in children}
    assert kinds <= {"text", "text_special", "strong_open", "strong_close", "softbreak", "html_inline"}
    assert {child.content for child in children if child.type == "html_inline"} == {"<code>", "</code>"}
    # The only HTML is that of the folded part.
    blocks = [token.content for token in tokens if token.type == "html_block"]
    assert re.fullmatch(r"<details>\n<summary>All 2 tests</summary>\n?</details>\n?", "".join(blocks))
    assert page.count(payload) == 0 or re.fullmatch(r"[\w\s]*", payload)


@pytest.mark.parametrize("payload", ["@somebody", "owner/repo#12", "GH-7", "d" * 40, ":tada:", "$x$"])
def test_what_github_makes_links_and_signs_of_is_code_which_it_leaves_alone(payload):
    ledger = ledger_of((f"test_{payload}", rewarded(0.5, reason=payload)), ("b", rewarded(1.0)), missing=[payload])
    page = github.summary(ledger, passed=False, decisions=[Decision(payload, GateState.FAILED, payload)])
    _, inline, _ = rendered(page)
    outside = []
    for token in inline:
        inside = False
        for child in token.children:
            inside = child.content == "<code>" if child.type == "html_inline" else inside
            outside += [] if inside else [child.content]
    assert payload not in "".join(outside)
    assert any(payload in child.content for token in inline for child in token.children)


@given(st.text(st.characters(), max_size=200))
def test_any_text_reads_as_itself(text):
    children = MarkdownIt("commonmark").enable("table").parse(f"| a |\n| --- |\n| x{github.escaped(text, 300)}x |")
    cells = [token for token in children if token.type == "inline"][1]
    assert "".join(child.content for child in cells.children) == f"x{one_line(text, 300)}x"


def test_the_whole_page():
    ledger = ledger_of(
        ("a.py::one", rewarded(1.0)),
        ("a.py::two", rewarded(0.25, "failed", "a quarter")),
        ("a.py::lost", TestResult(CRASHED, cause="worker died")),
        missing=["a.py::never"],
    )
    decisions = [
        Decision("run", GateState.FAILED, "mean 0.42 < 0.8"),
        Decision("sorting", GateState.UNDECIDED, "too few"),
    ]
    page = github.summary(ledger, passed=False, decisions=decisions)
    unescaped = re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), page)
    assert re.sub("</?code>", "`", unescaped) == (
        "### Rewards: FAILED, mean 0.62 over 2 scored tests, 0.42 with 1 unscored as 0\n"
        "\n"
        "- gate **failed**: `mean 0.42 < 0.8`\n"
        "- gate `sorting` **undecided**: `too few`\n"
        "- 1 passed, 1 partial, 1 crashed\n"
        "\n"
        "| Worst | reward | verdict | why |\n"
        "| --- | ---: | --- | --- |\n"
        "| `a.py::lost` | - | crashed | `worker died` |\n"
        "| `a.py::two` | 0.25 | partial | `a quarter` |\n"
        "\n"
        "1 collected test never ran to an end:\n"
        "\n"
        "- `a.py::never`\n"
        "\n"
        "<details>\n"
        "<summary>All 3 tests</summary>\n"
        "\n"
        "| Test | reward | verdict | why |\n"
        "| --- | ---: | --- | --- |\n"
        "| `a.py::lost` | - | crashed | `worker died` |\n"
        "| `a.py::two` | 0.25 | partial | `a quarter` |\n"
        "| `a.py::one` | 1.00 | passed |  |\n"
        "\n"
        "</details>\n"
    )


def test_beside_a_baseline():
    before, now = ledger_of(("a", rewarded(1.0)), ("gone", rewarded(1.0))), ledger_of(("a", rewarded(0.5)))
    page = github.summary(now, passed=True, comparisons=[compare(now, Baseline.of(before, "old.jsonl"))])
    _, _, cells = rendered(page)
    assert cells == ["Worst", "reward", "was", "verdict", "why", "a", "0.50", "1.00", "partial", ""]
    assert "1 worse&#44; 1 gone" in page


def test_no_reward_at_all():
    assert github.summary(ledger_of(), passed=True) == "### Rewards: passed, no test earned a reward\n\n\n"


@pytest.mark.parametrize("limit", [10_000, 50_000])
def test_the_page_is_bounded_and_says_what_it_leaves_out(limit):
    tests = [(f"test_{number}" + "|" * 500, rewarded(0.5, reason="<" * 500)) for number in range(1000)]
    page = github.summary(ledger_of(*tests), passed=True, limit=limit)
    # The head and the worst tests are always there, and have bounds of their own.
    assert len(page.encode()) <= max(limit, 30_000)
    if limit > 30_000:
        assert re.search(r"\n[0-9,]+ more tests, for which there is no room here\n\n</details>\n$", page)


def test_the_page_without_folded_part_is_bounded_whatever_it_holds():
    tests = [("|" * 10_000 + str(number), rewarded(0.5, reason="<" * 500)) for number in range(50)]
    ledger = ledger_of(*tests, missing=["x" * 10_000] * 3)
    decisions = [Decision("|" * 10_000, GateState.FAILED, "|" * 10_000)] * 10
    assert len(github.summary(ledger, passed=True, decisions=decisions, limit=0).encode()) < 120_000


def test_outputs():
    ledger = ledger_of(("a", rewarded(1 / 3)), ("b", rewarded(None)), missing=["c"])
    values = github.outputs(
        ledger.figures(), [Decision("run", GateState.PASSED, ""), Decision("x", GateState.UNDECIDED, "")]
    )
    assert values == {
        "reward_mean": "0.333333",
        "reward_strict_mean": "0.166667",
        "reward_tests": "2",
        "reward_scored": "1",
        "reward_unscored": "1",
        "reward_missing": "1",
        "reward_gate": "failed",
    }
    nothing = github.outputs(ledger_of().figures(), [])
    assert (nothing["reward_mean"], nothing["reward_gate"]) == ("", "none")
    assert github.outputs(ledger_of().figures(), [Decision("run", GateState.PASSED, "")])["reward_gate"] == "passed"


class TestCommands:
    def test_one_error_for_all_gates(self):
        decisions = [
            Decision("run", GateState.FAILED, "100% wrong\nand more"),
            Decision("ok", GateState.PASSED, ""),
            Decision("sorting", GateState.UNDECIDED, "too few"),
        ]
        assert github.commands(ledger_of(), decisions) == [
            "::error title=reward gate::run: 100%25 wrong%0Aand more%0Asorting: too few"
        ]
        assert github.commands(ledger_of(), decisions[:1]) == ["::error title=reward gate::100%25 wrong%0Aand more"]

    def test_partial_credit_of_tests_that_passed(self):
        ledger = ledger_of(
            ("a.py::whole", rewarded(1.0)),
            ("a.py::failed", rewarded(0.25, "failed")),
            ("a.py::unscored", rewarded(None)),
            ("a,b:c.py::partial", rewarded(0.5, reason="half\nof it")),
        )
        assert github.commands(ledger, [], folder="suites/") == [
            "::warning file=suites/a%2Cb%3Ac.py,line=3,title=reward 0.50::a,b:c.py::partial: partial: half of it"
        ]

    def test_the_worst_nine_and_no_more(self):
        tests = [(f"t{number:02}", rewarded(number / 20, line=None)) for number in range(1, 20)]
        found = github.commands(ledger_of(*tests), [Decision("run", GateState.FAILED, "")])
        assert len([command for command in found if command.startswith("::warning ")]) == 9
        assert found[1] == "::warning file=t01,title=reward 0.05::t01: partial"
        assert len(found) == 10

    @given(st.text(st.characters(), max_size=100), st.text(st.characters(), max_size=100))
    def test_each_is_one_command(self, name, reason):
        ledger = ledger_of((name, rewarded(0.5, reason=reason)))
        (command,) = github.commands(ledger, [])
        assert len(command.splitlines()) == 1
        # The part before the message ends where we end it.
        assert re.match(r"::warning file=[^:,\n]*,line=3,title=reward 0\.50::", command)
        assert "##[" not in command
