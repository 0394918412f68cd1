"""Texts in, values out."""

import pytest

from pytest_rewardkit import Case, assert_cases


@pytest.mark.deserves(1.0, "passed")
def test_parse_query_string(sandbox, candidate):
    """The response installs a package first; only its Python is the candidate."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="parse_query", args=["a=1&b=2"], expected={"a": "1", "b": "2"}),
            Case(call="parse_query", args=["?q=hello+world"], expected={"q": "hello world"}),
            Case(call="parse_query", args=["tag=x&tag=y"], expected={"tag": ["x", "y"]}),
            Case(call="parse_query", args=["name=J%C3%BCrgen"], expected={"name": "Jürgen"}),
            Case(call="parse_query", args=[""], expected={}),
        ],
    )


@pytest.mark.deserves(2 / 4, "partial")
@pytest.mark.reward(threshold=0.5)
def test_parse_csv_line(sandbox, candidate):
    """The candidate splits at every comma, quoted or not."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="parse_csv_line", args=["a,b,c"], expected=["a", "b", "c"], name="plain"),
            Case(call="parse_csv_line", args=["a,,c"], expected=["a", "", "c"], name="empty field"),
            Case(call="parse_csv_line", args=['"Smith, Jane",42'], expected=["Smith, Jane", "42"], name="quoted comma"),
            Case(call="parse_csv_line", args=['"say ""hi""",1'], expected=['say "hi"', "1"], name="quoted quote"),
        ],
    )


@pytest.mark.deserves(2 / 3, "partial", part="runtime_error")
@pytest.mark.reward(threshold=0.5)
def test_parse_log_line(sandbox, candidate):
    """The candidate assumes that every line matches."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(
                call="parse_log_line",
                args=["2024-05-01 12:00:00 ERROR disk full"],
                expected={"time": "2024-05-01 12:00:00", "level": "ERROR", "message": "disk full"},
            ),
            Case(
                call="parse_log_line",
                args=["2024-05-01 12:00:01 INFO retrying in 5 s"],
                expected={"time": "2024-05-01 12:00:01", "level": "INFO", "message": "retrying in 5 s"},
            ),
            Case(call="parse_log_line", args=["Traceback (most recent call last):"], expected=None, name="malformed"),
        ],
    )


@pytest.mark.deserves(3 / 4, "partial")
@pytest.mark.reward(threshold=0.5)
def test_top_words(sandbox, candidate):
    """The candidate breaks ties by order of appearance, the task alphabetically."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="top_words", args=["the cat and the hat", 1], expected=[["the", 2]]),
            Case(call="top_words", args=["b b a a c", 2], expected=[["a", 2], ["b", 2]], name="tie"),
            Case(call="top_words", args=["", 3], expected=[], name="no words"),
            Case(call="top_words", args=["Dog dog DOG.", 1], expected=[["dog", 3]], name="case and punctuation"),
        ],
    )


@pytest.mark.deserves(3 / 4, "partial", part="runtime_error")
@pytest.mark.reward(threshold=0.5)
def test_parse_duration(sandbox, candidate):
    """Code cases are further cells after the candidate; their values are compared."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(code="parse_duration('90s')", expected="90"),
            Case(code="parse_duration('1h30m')", expected="5400"),
            Case(code="total = parse_duration('2m') + parse_duration('1s')", expected="121"),
            Case(code="parse_duration('1d')", expected="86400", name="days"),
        ],
    )


@pytest.mark.deserves(5 / 6, "partial")
@pytest.mark.reward(threshold=0.5)
def test_parse_port(sandbox, candidate):
    """A wrong input requires an exception. The candidate only checks the upper bound."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="parse_port", args=["8080"], expected=8080),
            Case(call="parse_port", args=["65535"], expected=65535, name="the last"),
            Case(call="parse_port", args=["65536"], raises=ValueError, match="65535", name="one beyond"),
            Case(call="parse_port", args=["70000"], raises=ValueError, match="65535"),
            Case(call="parse_port", args=["http"], raises=ValueError),
            Case(call="parse_port", args=["-1"], raises=ValueError, name="negative"),
        ],
    )
