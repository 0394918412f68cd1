"""Comparisons of texts and values: equality, similarity, and the description of the difference."""

from __future__ import annotations

import datetime
import math
from collections import Counter, OrderedDict, deque
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit.difference import shown
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.checks.judging import Matching
from pytest_rewardkit.scorers.values.compare import TEXT_COMPARISONS, compare_texts, compare_values
from pytest_rewardkit.scorers.values.literals import literal_value
from pytest_rewardkit.scorers.values.similarity import SIMILARITIES, edit, words
from pytest_rewardkit.scorers.values.tolerance import Tolerance


def equal(actual: str, expected: str, compare: str, **options: float) -> bool:
    tolerance = Tolerance(options.get("rel_tol"), options.get("abs_tol"))
    return compare_texts(actual, expected, compare=compare, tolerance=tolerance).equal


class TestTexts:
    @pytest.mark.parametrize(
        ("actual", "expected", "accepting"),
        [
            ("5\n", "5", {"exact", "lines", "tokens", "json", "value"}),
            ("a b", "a b\n\n", {"exact", "lines", "tokens"}),
            ("a b ", "a b", {"lines", "tokens"}),
            ("a \nb\r\n", "a\nb", {"lines", "tokens"}),
            ("a   b", "a b", {"tokens"}),
            ("1.0", "1", {"tokens", "json", "value"}),
            ("x=0.30000000000000004", "x=0.3", {"tokens"}),
            ("0.30000000000000004", "0.3", {"tokens", "json", "value"}),
            ("[1,2]", "[1, 2]", {"json", "value"}),
            ("(1, 2)", "(1,2)", {"value"}),
            ('{"a": true}', '{ "a":true }', {"json", "value"}),
            ("{'a': 1}", '{"a": 1}', {"value"}),
            (" 5", "5", {"tokens", "json", "value"}),
        ],
    )
    def test_what_counts_as_equal(self, actual: str, expected: str, accepting: set[str]) -> None:
        def accepts(name: str) -> bool:
            try:
                return equal(actual, expected, name)
            except RewardkitUsageError:  # the expected text is not data
                return False

        assert {name for name in TEXT_COMPARISONS if accepts(name)} == accepting

    @pytest.mark.parametrize("compare", ["exact", "lines", "tokens"])
    @pytest.mark.parametrize(
        ("actual", "expected"),
        [
            ("1 2\n3", "1\n2 3"),  # line structure matters
            ("1\n2", "1\n2\n3"),
            ("1\n2\n3", "1\n2"),
            ("a\n\nb", "a\nb"),
            ("No", "NO"),
            ("False", "True"),
            ("", "5"),
            ("5", ""),
            ("ab", "a b"),
        ],
    )
    def test_what_does_not(self, actual: str, expected: str, compare: str) -> None:
        assert not equal(actual, expected, compare)

    @pytest.mark.parametrize(
        ("actual", "expected"),
        [
            ("10000000000000000001", "10000000000000000000"),
            ("1.2.3", "1.20.3"),
            ("x1", "x1.0"),
            ("1-2", "1--2"),
            ("100", "101"),
        ],
    )
    def test_tokens_that_look_like_near_numbers(self, actual: str, expected: str) -> None:
        assert not equal(actual, expected, "tokens")

    def test_tolerance_is_the_authors_choice(self) -> None:
        assert not equal("0.333", "0.3333", "tokens")
        assert equal("0.333", "0.3333", "tokens", abs_tol=0.001)
        assert equal("mean: 104", "mean: 100", "tokens", rel_tol=0.05)
        assert not equal("mean: 106", "mean: 100", "tokens", rel_tol=0.05)

    def test_text_that_is_no_data_says_so(self) -> None:
        assert "not JSON" in compare_texts("five", "5", compare="json").reason
        with pytest.raises(RewardkitUsageError, match="the expected text 'five' is not JSON"):
            compare_texts("5", "five", compare="json")

    def test_unknown_names_are_refused_with_the_nearest(self) -> None:
        with pytest.raises(RewardkitUsageError, match="did you mean 'tokens'"):
            compare_texts("a", "a", compare="token")
        with pytest.raises(RewardkitUsageError, match="did you mean 'words'"):
            compare_texts("a", "b", similarity="word")

    @given(st.text(), st.text(), st.sampled_from(["exact", "lines", "tokens"]))
    def test_equal_texts_and_only_they_earn_all(self, actual: str, expected: str, compare: str) -> None:
        assert compare_texts(expected, expected, compare=compare).value == 1.0
        comparison = compare_texts(actual, expected, compare=compare)
        assert comparison.equal == (not comparison.reason)


class TestReason:
    def test_first_differing_line_with_a_caret(self) -> None:
        reason = compare_texts("same\nhello wurld\nmore", "same\nhello world\nmore").reason
        assert reason.splitlines() == [
            "line 2 differs:",
            "  expected: hello world",
            "  actual:   hello wurld",
            "                   ^",
        ]

    def test_caret_points_at_the_column_behind_escapes_and_cuts(self) -> None:
        reason = compare_texts("x" * 500 + "\x1b[31mA", "x" * 500 + "\x1b[31mB").reason
        expected, actual, caret = reason.splitlines()[1:]
        assert expected[caret.index("^")] == "B"
        assert actual[caret.index("^")] == "A"
        assert "\x1b" not in reason
        assert len(reason) < 500

    def test_missing_and_surplus_lines(self) -> None:
        assert "line 3 is missing: 'c'" in compare_texts("a\nb", "a\nb\nc").reason
        assert "line 2 is too much: 'b'" in compare_texts("a\nb", "a").reason

    def test_tokens_point_at_the_line_that_differs_in_value(self) -> None:
        assert compare_texts("1.0 2\n3 5", "1 2\n3 4", compare="tokens").reason.startswith("line 2 differs")


class TestValues:
    @pytest.mark.parametrize(
        ("actual", "expected"),
        [
            (0.1 + 0.2, 0.3),
            (1e-13, 0),
            (5.0, 5),
            (True, 1),
            (float("nan"), float("nan")),
            (float("inf"), float("inf")),
            (10**30, 10**30),
            (1 + 2j, 1 + 2.0000000000001j),
            ([1, [2.0, {"a": (3,)}]], [1, [2, {"a": (3,)}]]),
            ((1, 2), [1, 2]),  # JSON has no tuples
            ([("a", 1)], [["a", 1]]),
            ({1, 2}, frozenset({1, 2})),
            ({0.1 + 0.2, 5.0}, {0.3, 5}),
            ({"b": 1, "a": 2}, {"a": 2, "b": 1}),
            (b"x", bytearray(b"x")),
            (Decimal("1.0"), Decimal(1)),
            (Fraction(1, 2), 0.5),
            (None, None),
            (3.0001, pytest.approx(3, abs=0.01)),
        ],
    )
    def test_equal(self, actual: object, expected: object) -> None:
        assert compare_values(actual, expected).equal

    @pytest.mark.parametrize(
        ("actual", "expected"),
        [
            ([3, 2, 1], [1, 2, 3]),
            ([1, 7, 9], [1, 1, 1]),
            ([1, 2], [1, 2, 3]),
            ([1, 2, 3], [1, 2]),
            ([1, 2], (1, 2)),
            ("5", 5),
            (5, "5"),
            ("[1]", [1]),
            (None, 0),
            (False, None),
            ([], None),
            ({}, []),
            (10**18 + 1, 10**18),
            (float("nan"), 0.0),
            (float("inf"), -float("inf")),
            (1.0000001, 1),
            ({1, 2}, {1, 3}),
            ({1}, [1]),
            ({"a": 1, "b": 2}, {"a": 1}),
            ({"a": 1}, {"a": 1, "b": 2}),
            ({1: "a"}, {"1": "a"}),
            (10**400, 1.0),
            ("ab", ["a", "b"]),
        ],
    )
    def test_unequal(self, actual: object, expected: object) -> None:
        comparison = compare_values(actual, expected)
        assert comparison.value == 0.0
        assert comparison.reason

    def test_json_knows_neither_tuples_nor_other_keys(self) -> None:
        assert compare_values({1: (2, None)}, {"1": [2, None]}, compare="json").equal
        assert compare_values([1, 2], (1, 2), compare="json").equal
        assert not compare_values({1: 2}, {"2": 2}, compare="json").equal

    def test_a_tolerance_that_is_given_holds_for_whole_numbers(self) -> None:
        assert not compare_values(101, 100).equal
        assert compare_values(101, 100, tolerance=Tolerance(relative=0.02)).equal
        assert compare_values([99, 5], [100, 5], tolerance=Tolerance(absolute=1)).equal
        assert not compare_values(True, 2, tolerance=Tolerance(absolute=1)).equal

    @pytest.mark.parametrize("wrong", [-1, math.nan, math.inf, "0.1"])
    def test_a_tolerance_is_a_number(self, wrong: float) -> None:
        with pytest.raises(RewardkitUsageError, match="rel_tol"):
            Tolerance(relative=wrong)

    def test_the_place_is_named(self) -> None:
        reason = compare_values([1, {"name": [1, 2]}], [1, {"name": [1, 3]}]).reason
        assert reason == "at [1]['name'][1]: expected 3, got 2"
        assert compare_values("5", 5).reason == "expected 5, got the str '5'"
        assert "3 items expected, 2 given" in compare_values([1, 2], [1, 2, 3]).reason
        assert "key 'b' is missing" in compare_values({"a": 1}, {"a": 1, "b": 2}).reason

    def test_numpy_on_the_host(self) -> None:
        numpy = pytest.importorskip("numpy")
        assert compare_values([1.0, 2.0], numpy.array([1, 2])).equal
        assert compare_values(3, numpy.int64(3)).equal
        assert not compare_values([1, 3], numpy.array([1, 2])).equal

    def test_deep_and_huge_values_have_an_end(self) -> None:
        deep: list[object] = []
        for _ in range(100_000):
            deep = [deep]
        with pytest.raises(RewardkitUsageError, match="nested too deep"):
            compare_values(1, deep)
        assert "bits" in compare_values(1 << 10**6, 1).reason

    def test_what_is_shown_is_bounded_and_printable(self) -> None:
        for value in ["\x1b[2J" * 1000, list(range(10**5)), {"k" * 10**6: 1}, 10**5000, "\ud800"]:
            text = shown(value)
            assert len(text) <= 120
            assert text.isprintable()


class TestSimilarity:
    def test_no_credit_without_one(self) -> None:
        assert compare_texts("105", "100").value == 0.0
        assert compare_texts("False", "True").value == 0.0

    def test_words_are_counted_on_both_sides(self) -> None:
        assert words("the cat", "the cat sat down") == 0.5
        assert words("the cat sat down", "the cat") == 0.5
        assert words("a a a a", "a b c d") == 0.25
        dictionary = " ".join(f"word{number}" for number in range(10_000))
        assert words(dictionary, "word5 word7 word9 word11") < 0.001

    def test_words_in_a_wrong_order_are_not_right(self) -> None:
        assert compare_texts("b a", "a b", similarity="words").value == 0.99

    @pytest.mark.parametrize(
        ("actual", "expected"),
        [
            ("False", "True"),
            ("No", "NO"),
            ("I could not find the answer to your question.", "The quick brown fox jumps over the lazy dog."),
            ("", "something"),
        ],
    )
    def test_edit_gives_nothing_for_unrelated_text(self, actual: str, expected: str) -> None:
        assert edit(actual, expected) == 0.0

    def test_edit_gives_much_for_a_typo(self) -> None:
        assert edit("hello wurld", "hello world") == pytest.approx(1 - 2 / 11)

    @given(st.text(), st.text(), st.sampled_from(sorted(SIMILARITIES)))
    def test_always_in_range_and_symmetric(self, actual: str, expected: str, name: str) -> None:
        value = SIMILARITIES[name](actual, expected)
        assert 0.0 <= value <= 1.0
        assert value == SIMILARITIES[name](expected, actual)
        assert compare_texts(actual, expected, similarity=name).value <= 1.0

    @given(st.text(alphabet="abc ", min_size=1), st.data())
    def test_another_wrong_character_never_earns_more(self, expected: str, data: st.DataObject) -> None:
        order = data.draw(st.permutations(range(len(expected))))
        text, last = list(expected), 1.0
        for place in order:
            text[place] = "#"
            value = edit("".join(text), expected)
            assert value <= last
            last = value

    @given(st.lists(st.sampled_from("abcd"), min_size=1), st.lists(st.sampled_from("wxyz"), max_size=5))
    def test_fewer_right_or_more_wrong_words_never_earn_more(self, right: list[str], wrong: list[str]) -> None:
        expected = " ".join(right)
        shrinking = [words(" ".join(right[:count]), expected) for count in range(len(right), -1, -1)]
        growing = [words(" ".join(right + wrong[:count]), expected) for count in range(len(wrong) + 1)]
        assert shrinking == sorted(shrinking, reverse=True)
        assert growing == sorted(growing, reverse=True)


MEGABYTE = 1_000_000
HOSTILE = {
    "one word": "a" * MEGABYTE,
    "other word": "b" * MEGABYTE,
    "digits": "1" * MEGABYTE,
    "digits and a letter": "1" * (MEGABYTE - 1) + "x",
    "signs": "+-" * (MEGABYTE // 2),
    "dots": "1." * (MEGABYTE // 2),
    "exponents": "1e1" * (MEGABYTE // 3),
    "words": "a b " * (MEGABYTE // 4),
    "short lines": "a\n" * (MEGABYTE // 2),
    "other short lines": "b\n" * (MEGABYTE // 2),
    "long lines": ("x" * 99 + "\n") * (MEGABYTE // 100),
    "empty lines": "\n" * MEGABYTE,
    "brackets": "[" * MEGABYTE,
    "nested": "[" * (MEGABYTE // 2) + "]" * (MEGABYTE // 2),
    "list": "[" + "1," * (MEGABYTE // 2) + "1]",
    "minus": "-" * MEGABYTE + "1",
    "surrogates": "\ud800" * MEGABYTE,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("compare", TEXT_COMPARISONS)
def test_a_megabyte_of_anything_is_compared(name: str, compare: str) -> None:
    """Each takes well under a second; a comparison that is not linear would run for hours here."""
    expected = {"json": "[1]", "value": "[1]"}.get(compare, HOSTILE["words"])
    for similarity in (None, "words", "edit"):
        comparison = compare_texts(HOSTILE[name], expected, compare=compare, similarity=similarity)
        assert 0.0 <= comparison.value <= 1.0
        assert len(comparison.reason) < 1000


@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_against_a_megabyte(name: str) -> None:
    for expected in HOSTILE.values():
        for similarity in SIMILARITIES:
            assert 0.0 <= compare_texts(HOSTILE[name], expected, similarity=similarity).value <= 1.0


def test_a_key_of_more_digits_than_python_writes_is_no_text() -> None:
    assert not compare_values({10**5000: 1}, {"1": 1}, compare="json").equal
    assert compare_values({5: 1}, {"5": 1}, compare="json").equal


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_complex_number_beyond_the_floats_is_no_literal(digits: int) -> None:
    with pytest.raises(ValueError, match="neither a Python literal nor JSON"):
        literal_value("1" * digits + "+2j")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("nan", math.nan),
        ("[nan, -inf]", [math.nan, -math.inf]),
        ("{'a': np.float64(1.5), 'b': np.True_, 'c': np.int64(-3)}", {"a": 1.5, "b": True, "c": -3}),
        ("deque([1])", deque([1])),
        ("Counter({'a': 2})", Counter("aa")),
        (str(OrderedDict(a=1)), OrderedDict(a=1)),
        ("frozenset({1})", frozenset({1})),
        ("range(0, 3)", range(3)),
        ("1/3", Fraction(1, 3)),
        ("Fraction(1, 3)", Fraction(1, 3)),
        ("0.10", Decimal("0.1")),
        ("2024-02-29", datetime.date(2024, 2, 29)),
        ("[datetime.date(2024, 2, 29)]", [datetime.date(2024, 2, 29)]),
    ],
)
def test_what_python_shows_of_a_value_is_that_value(text: str, value: object) -> None:
    assert Matching().printed(f"{text}\n", value).equal
    assert not Matching().printed(f"{text}{text}", value).equal
    assert not Matching().printed("np.float64(2)", value).equal


def test_a_text_with_parts_left_out_is_no_value() -> None:
    class Long:
        def __repr__(self) -> str:
            return "Long(1, ..., 9)"

    assert not Matching().printed("Long(1, ..., 9)", Long()).equal


@pytest.mark.parametrize("text", ["np.load(1)", "nan()", "np.float64(1, 2)", "x.float64(1)", "-nan()", "infinity"])
def test_other_names_are_no_literals(text: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        literal_value(text)


def test_keys_may_differ_by_rounding() -> None:
    assert compare_values({0.1 + 0.2: 1}, {0.3: 1}).equal
    assert compare_values({(0.1 + 0.2, "a"): 1, 5: 2}, {5: 2, (0.3, "a"): 1}).equal
    assert compare_values({math.nan: 1}, {float("nan"): 1}).equal
    assert not compare_values({0.1 + 0.2: 1}, {0.3: 2}).equal
    assert not compare_values({0.31: 1}, {0.3: 1}).equal
    assert not compare_values({0.1 + 0.2: 1, 0.3: 1}, {0.3: 1}).equal
    ordered = OrderedDict([(0.1 + 0.2, 1), (1, 2)])
    assert compare_values(ordered, OrderedDict([(0.3, 1), (1, 2)])).equal
    assert not compare_values(ordered, OrderedDict([(1, 2), (0.3, 1)])).equal


def test_a_float_is_a_large_whole_number_only_if_it_is_equal() -> None:
    assert not compare_values(1e17, 10**17 + 1).equal
    assert compare_values(1e17, 10**17).equal
    assert compare_values(0.1 * 3 * 10, 3).equal
    assert compare_values(10**17 + 1, 1e17).equal
    assert not equal("1e17", "100000000000000001", "tokens")
    assert compare_values(1e17, 10**17 + 1, tolerance=Tolerance(relative=1e-9)).equal


def test_a_float_may_be_near_an_expected_decimal() -> None:
    assert compare_values(0.1, Decimal("0.1")).equal
    assert not compare_values(0.11, Decimal("0.1")).equal


def test_truth_values_are_no_numbers_in_json() -> None:
    for actual, expected in (("[true]", "[1]"), ('{"a": 0}', '{"a": false}'), ("1", "true")):
        assert not equal(actual, expected, "json")
        assert not compare_values(literal_value(actual), literal_value(expected), compare="json").equal
    assert equal('[true, {"a": [false]}]', '[true, {"a": [false]}]', "json")
