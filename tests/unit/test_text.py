import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit.text import cells, excerpt, fitted, one_line, printable

anything = st.text(st.characters(), max_size=500)  # lone surrogates included


def test_excerpt_keeps_both_ends():
    text = excerpt("begin" + "x" * 10_000 + "end", 100)
    assert len(text) == 100
    assert text.startswith("beginx")
    assert text.endswith("xend")
    assert "characters left out" in text


def test_short_text_is_its_own_excerpt():
    assert excerpt("short", 5) == "short"


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
