import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit.text import cells, excerpt, fitted, one_line, printable, shortened

anything = st.text(st.characters(), max_size=500)  # lone surrogates included


def test_excerpt_keeps_both_ends():
    text = excerpt("begin" + "x" * 10_000 + "end", 100)
    assert len(text) == 100
    assert text.startswith("beginx")
    assert text.endswith("xend")
    assert "characters left out" in text


def test_short_text_is_its_own_excerpt():
    assert excerpt("short", 5) == "short"


def test_excerpt_of_an_excerpt_has_one_note_for_all_that_is_left_out():
    once = excerpt("begin" + "x" * 10_000 + "end", 400)
    twice = excerpt(once, 100)
    assert twice.count("left out") == 1
    kept = len(twice.replace(note_in(twice), ""))
    assert f"[... {10_008 - kept:,} characters left out ...]" in twice
    assert (twice[:6], twice[-4:]) == ("beginx", "xend")


def test_excerpt_is_not_led_astray_by_a_note_that_a_candidate_wrote():
    text = "a" * 50 + "\n[... 9,999,999 characters left out ...]\n" + "b" * 1000
    assert len(excerpt(text, 100)) <= 100
    assert excerpt(text, 2000) == text


def test_shortened_keeps_the_first_and_the_last_lines():
    text = "".join(f"{number}\n" for number in range(100))
    assert shortened(text, head=2, tail=3, width=40) == ["0", "1", "[... 95 lines left out ...]", "97", "98", "99"]
    assert shortened(text, head=0, tail=1, width=40) == ["[... 99 lines left out ...]", "99"]


def test_shortened_leaves_alone_what_a_note_would_not_make_shorter():
    assert shortened("a\nb\nc\n", head=1, tail=1, width=40) == ["a", "b", "c"]
    assert shortened("", head=1, tail=1, width=40) == [""]


def test_shortened_cuts_long_lines():
    assert shortened("x" * 100, head=2, tail=2, width=10) == ["xxxxxxx..."]


def test_shortened_excerpt_has_one_note():
    lines = shortened(excerpt("3\n" * 100_000, 4000), head=2, tail=2, width=40)
    assert len(lines) == 5
    assert re.fullmatch(r"\[\.\.\. 1,9\d\d lines and 196,\d\d\d characters left out \.\.\.\]", lines[2])


def note_in(text):
    return re.search(r"\n\[\.\.\. .* left out \.\.\.\]\n", text)[0]


@given(anything, st.integers(0, 200))
def test_excerpt_is_bounded(text, limit):
    assert len(excerpt(text, limit)) <= limit


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("evil\u202etxt", r"evil\u202etxt"),
        ("one\rtwo\x00", r"one\rtwo\x00"),
        ("\udc80", r"\udc80"),
        ("naïve 文字 🙂", "naïve 文字 🙂"),
    ],
)
def test_printable_escapes_what_a_terminal_acts_on(text, safe):
    assert printable(text) == safe


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("::set-output name=reward_mean::1.0", r"\x3a:set-output name=reward_mean::1.0"),
        ("all well\n \t::error::no", "all well\n \t\\x3a:error::no"),
        ("see ##[error]no", r"see \x23#[error]no"),
        ("###[error]no", r"#\x23#[error]no"),
        ("##vso[task.setvariable variable=x]y", r"\x23#vso[task.setvariable variable=x]y"),
        ("tests/test_a.py::TestA::test_b", "tests/test_a.py::TestA::test_b"),
        ("x = a[::2] ## [sic]", "x = a[::2] ## [sic]"),
        ("::", "::"),
    ],
)
def test_printable_holds_no_command_for_a_ci_service(text, safe):
    assert printable(text, keep="\n\t") == safe


@given(anything)
def test_printable_text_is_printable_and_encodable(text):
    assert printable(text).isprintable()
    printable(text).encode()


def test_printable_keeps_what_it_is_told_to():
    assert printable("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"


@given(anything, st.integers(10, 100))
def test_one_line_is_one_bounded_printable_line(text, limit):
    line = one_line(text, limit)
    assert len(line) <= limit
    assert line.isprintable()


def test_one_line_joins_lines():
    assert one_line("  a\n\n  b\tc ", 20) == "a b c"


def test_one_line_of_a_long_text_says_that_it_goes_on():
    assert one_line("word " * 100, 20) == "word word word wo..."


def test_cells_counts_wide_and_combining_characters():
    assert [cells(text) for text in ("abc", "文字", "e\u0301")] == [3, 4, 1]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), st.integers(5, 40), st.booleans())
def test_fitted_fits(text, width, keep_end):
    assert cells(fitted(text, width, keep_end=keep_end)) <= width


def test_fitted_keeps_the_end_that_it_is_told_to():
    assert fitted("abcdefgh", 6) == "abc..."
    assert fitted("abcdefgh", 6, keep_end=True) == "...fgh"
