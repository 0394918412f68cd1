"""Insights in an analysis's output, and charts by their data."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.checks.chart_check import ChartCheck, as_chart_checks, judge_chart
from pytest_rewardkit.scorers.checks.chart_reading import charts_of_e2b
from pytest_rewardkit.scorers.checks.insight import Insight, InsightFindings, as_insights


def found(output: str, insight: Insight | str | float) -> bool:
    (check,) = as_insights([insight])
    return InsightFindings(output).judge(check).value == 1.0


class TestText:
    @pytest.mark.parametrize(
        ("output", "text"),
        [
            ("The best month is June.", "best month is june"),
            ("Best   month:\n June", "best month: June"),
            ("5 apples", "5"),
            ("x=5, y=6", "5"),
            ("costs $5.", "5"),
            ("up 12%", "12%"),
            ("on 2024-06", "2024-06"),
            ("ÜBER", "über"),
            ("a (b)", "(b)"),
        ],
    )
    def test_found(self, output: str, text: str) -> None:
        assert found(output, text)

    @pytest.mark.parametrize(
        ("output", "text"),
        [
            ("15", "5"),
            ("5.2", "5"),
            ("1.5", "5"),
            ("1,500", "1"),
            ("1,500", "500"),
            ("-5", "5"),
            ("50", "5"),
            ("5th", "5"),
            ("mayor", "may"),
            ("dismay", "may"),
            ("", "x"),
        ],
    )
    def test_not_as_a_part_of_something_else(self, output: str, text: str) -> None:
        assert not found(output, text)


class TestNumbers:
    @pytest.mark.parametrize(
        "output", ["mean: 1234.5", "1,234.50", "$1234.5 a month", "(1234.5)", "1.2345e3", "+1234.500", "= 1234.5."]
    )
    def test_however_they_are_written(self, output: str) -> None:
        assert found(output, 1234.5)

    @pytest.mark.parametrize("output", ["11234.5", "1234.56", "v1234.5.1", "1234.5e2", "-1234.5", "x1234.5", "none"])
    def test_other_numbers(self, output: str) -> None:
        assert not found(output, 1234.5)

    @pytest.mark.parametrize(
        ("output", "number"),
        [
            ("down \u22127 %", -7),
            ("down \u20137.5", -7.5),
            ("a loss of -€1,200", -1200),
            ("$-3.20", -3.2),
            ("net: (4,500.25)", -4500.25),
            ("net: ($12)", -12),
            ("+7", 7),
            ("x=-8,", -8),
            ("took 12ms", 12),
            ("12 ms", 12),
            ("21°C", 21),
            ("21.5kWh.", 21.5),
            ("7€", 7),
            ("US$7", 7),
            ("EUR 7", 7),
            (".25 of them", 0.25),
            ("(-.25)", -0.25),
            ("1,234,567.5", 1234567.5),
            ("1.234.567,5", 1234567.5),
            ("1.234,5", 1234.5),
            ("1 234 567", 1234567),
            ("1\u202f234,5", 1234.5),
            ("1\u00a0234", 1234),
            ("1'234'567", 1234567),
            ("1_234_567", 1234567),
            ("12,34,567", 1234567),
            ("3,7 on average", 3.7),
            ("list: 3,7", 7),
            ("list: 3,7,9", 7),
            ("12.5%", 12.5),
            ("12.5 percent", 0.125),
            ("6.02e23", 6.02e23),
            ("6.02E+23", 6.02e23),
            ("6.02 \u00d7 10^23", 6.02e23),
            ("6.02·10²³", 6.02e23),
            ("6.02*10**-23", 6.02e-23),
            ("3-9 days", 3),
            ("3-9 days", 9),
            ("3\u20139 days", 9),
            ("10%-20%", 20),
            ("between 3 and 9", 9),
            ("about 5k", 5000),
            ("about 5M", 5e6),
            ("2.5 billion", 2.5e9),
            ("2.5 million", 2.5),
            ("15 January 2024", 2024),
            ("sum is 5.", 5),
            ("[5, 6]", 6),
            ("\uff15\uff16", 56),
        ],
    )
    def test_in_prose(self, output: str, number: float) -> None:
        assert found(output, number)

    @pytest.mark.parametrize(
        ("output", "number"),
        [
            ("3-9 days", -9),
            ("10%-20%", -20),
            ("on 2024-03-09", 9),
            ("on 2024-03-09", -9),
            ("on 09/03/2024", 3),
            ("on 9.3.2024", 9.3),
            ("in 2024-03", 3),
            ("at 2024-03-09T07:08:09Z", 7),
            ("the 3rd", 3),
            ("the 21st of them", 21),
            ("version 1.2.3", 1.2),
            ("version 1.2.3", 3),
            ("Q3", 3),
            ("a-7b2", 7),
            ("0x1F", 0),
            ("1,234", 1),
            ("1,234", 234),
            ("1.234.567", 1.234),
            ("-5", 5),
            ("\u22125", 5),
            ("-$5", 5),
        ],
    )
    def test_what_is_another_number_or_none(self, output: str, number: float) -> None:
        assert not found(output, number)

    def test_numbers_of_any_size_are_looked_for(self) -> None:
        assert "nearest number is 5" in InsightFindings("5").judge(Insight(number=10**400)).reason
        assert not found("1e400", 5)
        assert found("sum: 7" + "0" * 4900, 7 * 10**4900)

    def test_tolerance(self) -> None:
        assert not found("about 0.33", 1 / 3)
        assert found("about 0.33", Insight(number=1 / 3, abs_tol=0.01))
        assert found("about 104", Insight(number=100, rel_tol=0.05))
        assert not found("about 106", Insight(number=100, rel_tol=0.05))

    def test_the_nearest_number_is_named(self) -> None:
        part = InsightFindings("10 and 42").judge(Insight(number=40))
        assert part.reason == "it is not in the output; the nearest number is 42"


def test_printing_everything_finds_nothing() -> None:
    numbers = " ".join(map(str, range(1000)))
    assert not found(numbers, 7)
    assert "more than 500 numbers" in InsightFindings(numbers).judge(Insight(number=7)).reason
    assert not found(" ".join(f"word{n}" for n in range(10_000)), "word7")
    assert not found(" ".join(f"word{n}" for n in range(600)), "word7")


class TestGuesses:
    @pytest.mark.parametrize(
        "output",
        [
            " ".join(map(str, range(490))),
            " ".join(map(str, range(60))),
            str(list(range(20, 80))),
            "\n".join(map(str, range(300))),
            "\n".join(f"The answer is {n}." for n in range(100)),
            "\n".join(f"x{n} = {n}" for n in range(100)),
            str({n: n for n in range(200)}),
            " ".join(map(str, range(0, 400, 3))),
            " ".join(str(n) for n in sorted(range(90), key=lambda n: n * 37 % 91)),
        ],
    )
    def test_a_small_number_among_many_is_guessed(self, output: str) -> None:
        for number in (27, 42):
            if str(number) in output:
                assert not found(output, number)
                assert not found(output, str(number))

    def test_so_is_one_with_few_places_or_a_wide_tolerance(self) -> None:
        assert not found(" ".join(f"{n / 100:.2f}" for n in range(100)), 0.73)
        grid = " ".join(f"{1.1**n:.6f}" for n in range(200))
        assert not found(grid, Insight(number=12_345, rel_tol=0.05))

    def test_one_that_is_stated_beside_a_table_is_found(self) -> None:
        table = "\n".join(f"{n} {n * 17 % 101} {n * 31 % 97}" for n in range(120))
        assert found(f"{table}\nThe number of regions is 42.", 42)
        assert found(f"{table}\nmean: 0.73", 0.73)
        assert found(f"{table}\nn = 42", 42)

    def test_a_long_one_is_found_in_a_table(self) -> None:
        table = "\n".join(f"{n} {n * 1.37 + 1000:.2f}" for n in range(120))
        assert found(table, 1000 + 57 * 1.37)

    def test_small_tables_and_lists_say_something(self) -> None:
        assert found("[3, 5, 8, 13, 21]", 13)
        assert found("  region  count\n0  north     12\n1  south     15", 15)
        months = ("january", "february", "march", "april", "may", "june", "july", "august")
        assert found("\n".join(f"{month}: {n + 10}" for n, month in enumerate(months)), 14)
        assert found(" ".join(map(str, range(5))), 3)

    def test_a_dictionary_of_words_says_nothing(self) -> None:
        words = [f"{a}{b}{c}" for a in "bcdfgh" for b in "aeiou" for c in "lmnprstvwxbcdfghjkqz"] + ["north"]
        for text in (
            " ".join(words),
            "\n".join(words),
            str(words),
            ", ".join(words),
            "\n".join(map("it is {}".format, words)),
        ):
            assert not found(text, "north")

    def test_words_are_found_in_the_statements_beside_many(self) -> None:
        table = "\n".join(f"{n} name{n}" for n in range(2_000))
        assert found(f"{table}\nThe best region is north.", "best region is north")


class TestClaims:
    @pytest.mark.parametrize(
        ("output", "text"),
        [
            ("sales increase. sales decrease.", "sales increase"),
            ("increase decrease", "increase"),
            ("increase\ndecrease\nflat", "increase"),
            ("The trend may increase or decrease.", "increase"),
            ("Revenue will decrease in June. Revenue will increase in June.", "increase"),
            ("There is no correlation.", "correlation"),
            ("We found no significant linear correlation.", "correlation"),
            ("a and b are not correlated", "correlated"),
            ("Sales didn't increase.", "increase"),
            ("The correlation is not significant.", "correlation"),
            ("correlation: none", "correlation"),
            ("There is a correlation. There is no correlation.", "correlation"),
            ("There is a correlation. There is no correlation.", "no correlation"),
            ("correlation, no correlation", "no correlation"),
            ("positive/negative", "positive"),
            ("The highest, the lowest", "highest"),
            ("profit or loss", "loss"),
            ("North is the best region. North is the worst region.", "north is the best region"),
            ("without correlation", "correlation"),
            ("never above 5", "above 5"),
        ],
    )
    def test_denied_or_contradicted(self, output: str, text: str) -> None:
        assert not found(output, text)

    @pytest.mark.parametrize(
        ("output", "text"),
        [
            ("Sales increase in June, and costs decrease.", "increase"),
            ("Sales increase in June while costs decrease in May.", "sales increase"),
            ("North has the highest sales. South has the lowest sales.", "highest"),
            ("max 10\nmin 2", "max 10"),
            ("There is no doubt that sales increase.", "sales increase"),
            ("Not only costs increase.", "costs increase"),
            ("There is no correlation between a and b.", "no correlation"),
            ("not the north but the south is best", "south is best"),
            ("The best region is south, not north.", "best region is south"),
            ("no. 1 is north", "north"),
            ("no    12\nyes   30", "30"),
            ("The north is up and the south is down.", "north is up"),
            ("No missing values. The mean is 5.", "mean is 5"),
            ("The correlation is strong, and not spurious.", "correlation is strong"),
            ("The correlation is positive. A negative value was removed before.", "correlation is positive"),
        ],
    )
    def test_affirmed(self, output: str, text: str) -> None:
        assert found(output, text)


MEGABYTES = [
    *("1", "1,", "111,", "+", "1.", "1e", "a ", "-", "\n", "1e1", "\ud800", "1,234", "1 234", "1.234,", ",1", "("),
    *("$", "1 x 10", "5%", "2024-01-", "1k", "12/", "1_234", "1,23", "\u2212", "1 10"),
]


@pytest.mark.parametrize("unit", MEGABYTES)
def test_a_megabyte_of_anything_is_read(unit: str) -> None:
    """A method that is not linear would take hours."""
    output = unit * (1_000_000 // len(unit))
    for insight in (5, "5", "a", Insight(number=1e300, rel_tol=0.1)):
        found(output, insight)


@given(st.text(), st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_any_output_is_judged(output: str, number: float) -> None:
    assert InsightFindings(output).judge(Insight(number=number)).value in (0.0, 1.0)


@pytest.mark.parametrize(
    ("insight", "message"),
    [
        ({"text": "a", "number": 1}, "either a text= or a number="),
        ({}, "either a text= or a number="),
        (" ", "must have a word in it"),
        (True, "must be a number"),
        ({"txt": "a"}, "did you mean 'text'"),
        ({"number": 1, "abs_tol": -1}, "abs_tol must be a number"),
    ],
)
def test_wrong_insights_are_refused(insight: Any, message: str) -> None:
    with pytest.raises(RewardkitUsageError, match=message):
        as_insights([insight])


BARS = {
    "type": "bar",
    "title": "Revenue by Region",
    "x_label": "Region",
    "y_label": "Revenue (EUR)",
    "elements": [
        {"label": "north", "group": "Revenue", "value": "11460.0"},
        {"label": "south", "group": "Revenue", "value": 10530},
    ],
}
LINE = {
    "type": "line",
    "title": None,
    "x_label": "day",
    "y_label": None,
    "elements": [{"label": "heat", "points": [[1, 2.0], [2, 4.0], [3, 8.0]]}],
}
PIE = {
    "type": "pie",
    "title": "Shares",
    "elements": [{"label": "a", "angle": 270.0, "radius": 1}, {"label": "b", "angle": 90.00001, "radius": 1}],
}


def worth(check: ChartCheck, *charts: Any, image_shown: bool = True) -> float | None:
    return judge_chart(check, charts_of_e2b(charts), image_shown=image_shown).value


class TestCharts:
    @pytest.mark.parametrize(
        ("chart", "fields"),
        [
            (BARS, {"type": "bar", "title": "revenue", "x_label": "region", "y_label": "Revenue"}),
            (BARS, {"values": {"north": 11460, "south": 10530}}),
            (BARS, {"values": [11460, 10530]}),
            (BARS, {"values": {"north": 11500, "south": 10500}, "rel_tol": 0.01}),
            (LINE, {"type": "line", "values": [2, 4, 8]}),
            (LINE, {"values": [(1, 2), (2, 4), (3, 8)]}),
            (LINE, {"values": [[1, 2], [2, 4], [3, 8]]}),
            (LINE, {"values": {"heat": [2, 4, 8]}}),
            (PIE, {"type": "pie", "values": {"a": 3, "b": 1}}),
            ({"type": "superchart", "title": "", "elements": [LINE, BARS]}, {"type": "bar", "values": [11460, 10530]}),
            (LINE, {}),
        ],
    )
    def test_what_is_right(self, chart: dict[str, Any], fields: dict[str, Any]) -> None:
        assert worth(ChartCheck(**fields), chart) == 1.0

    @pytest.mark.parametrize(
        ("chart", "fields", "share"),
        [
            (BARS, {"type": "pie"}, 1 / 2),
            (BARS, {"type": "bar", "title": "Costs"}, 2 / 3),
            (BARS, {"values": {"north": 11460}}, 1 / 2),
            (BARS, {"values": [10530, 11460]}, 1 / 2),
            (LINE, {"values": [2, 4]}, 1 / 2),
            (LINE, {"values": {"cold": [2, 4, 8]}}, 1 / 2),
            (LINE, {"title": "Heat"}, 1 / 2),
            (PIE, {"values": {"a": 2, "b": 1}}, 1 / 2),
        ],
    )
    def test_what_is_not(self, chart: dict[str, Any], fields: dict[str, Any], share: float) -> None:
        assert worth(ChartCheck(**fields), chart) == pytest.approx(share)

    def test_the_best_of_several_counts(self) -> None:
        assert worth(ChartCheck(type="bar", title="Revenue"), LINE, PIE, BARS) == 1.0

    def test_without_data_an_image_is_all_that_can_be_said(self) -> None:
        assert worth(ChartCheck()) == 1.0
        assert worth(ChartCheck(type="bar", title="x", values=[1])) == 1 / 4
        assert worth(ChartCheck(type="bar"), image_shown=False) == 0.0

    def test_the_reason_names_each_shortcoming(self) -> None:
        part = judge_chart(ChartCheck(type="pie", title="Costs"), charts_of_e2b([BARS]), image_shown=True)
        assert part.reason == "type is 'bar', not 'pie'; title is 'Revenue by Region', not 'Costs'"

    @pytest.mark.parametrize(
        "chart",
        [
            {},
            [],
            {"type": "bar"},
            {"type": "bar", "elements": 5},
            {"type": "bar", "elements": [{"label": [], "value": 1}]},
            {"type": "bar", "elements": [{"label": "a", "value": None}]},
            {"type": ["bar"], "elements": []},
            {"type": "line", "elements": [{"label": "a", "points": [1]}]},
            {"type": "pie", "elements": [{"label": "a", "angle": "x"}]},
            {"type": "superchart", "elements": None},
            {"type": "superchart", "elements": [5, None]},
        ],
    )
    def test_malformed_data_earns_nothing_for_values(self, chart: Any) -> None:
        assert float(worth(ChartCheck(values={"a": 1}), chart) or 0) <= 0.5

    @pytest.mark.parametrize(
        ("chart", "message"),
        [
            ({"type": "bars"}, "did you mean 'bar'"),
            ({"titel": "x"}, "did you mean 'title'"),
            ({"weight": -1}, "weight"),
            (5, "chart 1 must be a ChartCheck or a mapping"),
        ],
    )
    def test_wrong_checks_are_refused(self, chart: Any, message: str) -> None:
        with pytest.raises(RewardkitUsageError, match=message):
            as_chart_checks([chart])
