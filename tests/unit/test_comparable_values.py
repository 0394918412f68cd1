"""Comparisons of values of many types: one side passes through the codec, the author writes the other."""

from __future__ import annotations

import array
import enum
import ipaddress
import json
import math
import re
import types
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any
from unittest import mock
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.checks.case import Case
from pytest_rewardkit.scorers.guest.codec_decoder import decode
from pytest_rewardkit.scorers.guest.codec_encoder import encode
from pytest_rewardkit.scorers.guest.codec_objects import Opaque
from pytest_rewardkit.scorers.values.compare import compare_texts, compare_values

np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")


def compared(actual: Any, expected: Any) -> bool:
    """Whether a candidate that returns `actual` is right if `expected` is expected."""
    return compare_values(decode(json.loads(json.dumps(encode(actual)))), expected).equal


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    seen: int = field(default=0, compare=False)


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


Pair = namedtuple("Pair", "left right")


def elsewhere(source: str, expression: str) -> Any:
    """A value of classes that a candidate defines, which are not the test's."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(source, names)
    return eval(expression, names)


POINT = "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int\n    y: int\n"
COLOUR = "from enum import Enum\nclass Colour(Enum):\n    RED = 1\n    GREEN = 2\n"
PAIR = "from collections import namedtuple\nPair = namedtuple('Pair', 'left right')\n"

SAME: dict[str, tuple[Any, Any]] = {
    "deque": (deque([1, 2], maxlen=2), deque([1, 2])),
    "range": (range(0, 10, 3), range(0, 12, 3)),
    "path": (PurePosixPath("a/b"), Path("a/b")),
    "uuid": (UUID(int=7), UUID(int=7)),
    "aware": (datetime(2024, 1, 1, 12, tzinfo=UTC), datetime(2024, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))),
    "zone": (datetime(2024, 7, 1, 14, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2024, 7, 1, 12, tzinfo=UTC)),
    "zone itself": (ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/Berlin")),
    "timedelta": (timedelta(1), timedelta(hours=24)),
    "decimal": (Decimal("1.10"), Decimal("1.1")),
    "decimal of a float": (Decimal("0.1"), 0.1),
    "decimal nan": (Decimal("nan"), Decimal("nan")),
    "complex": (complex(1, 2), complex(1, 2)),
    "counter": (Counter("aab") + Counter(), Counter({"a": 2, "b": 1, "c": 0})),
    "counter as a dict": (Counter("aab"), {"a": 2, "b": 1}),
    "defaultdict": (defaultdict(list, a=[1]), {"a": [1]}),
    "ordered": (OrderedDict(a=1, b=2), OrderedDict(a=1, b=2)),
    "ordered as a dict": (OrderedDict(b=2, a=1), {"a": 1, "b": 2}),
    "mapping": (types.MappingProxyType({"a": 1}), {"a": 1}),
    "chain": (ChainMap({"a": 1}, {"b": 2}), {"a": 1, "b": 2}),
    "user dict": (UserDict(a=1), UserDict(a=1)),
    "user list": (UserList([1]), [1]),
    "keys": ({"a": 1}.keys(), {"a"}),
    "memoryview": (memoryview(b"ab"), b"ab"),
    "array": (array.array("i", [1, 2]), array.array("i", [1, 2])),
    "pattern": (re.compile("a", re.I), re.compile("a", re.I)),
    "address": (ipaddress.ip_address("10.0.0.1"), ipaddress.ip_address("10.0.0.1")),
    "slice": (slice(1, 2), slice(1, 2)),
    "type": (int, int),
    "ellipsis": (..., ...),
    "exception": (ValueError("x", 1), ValueError("x", 1)),
    "namespace": (types.SimpleNamespace(a=1), types.SimpleNamespace(a=1)),
    "dataclass": (elsewhere(POINT, "Point(1, 2)"), Point(1, 2, seen=5)),
    "dataclass with rounding": (elsewhere(POINT, "[Point(0.1 + 0.2, 2)]"), [Point(0.3, 2)]),
    "set of dataclasses": ({Point(1, 2), Point(3, 4)}, {Point(3, 4), Point(1, 2)}),
    "dataclass as a key": ({Point(1, 2): "a"}, {Point(1, 2): "a"}),
    "enum": (elsewhere(COLOUR, "Colour.GREEN"), Colour.GREEN),
    "enum as a key": ({Colour.RED: 1}, {Colour.RED: 1}),
    "namedtuple": (elsewhere(PAIR, "Pair(1, 2)"), Pair(1, 2)),
    "namedtuple as a tuple": (elsewhere(PAIR, "Pair(1, 2)"), (1, 2)),
    "rounding within a set": ({(0.1 + 0.2, "a")}, {(0.3, "a")}),
    "nan within a set": ({float("nan"), 1}, {float("nan"), 1}),
    "large": (10**5000, 10**5000),
    "matcher": ([1.0001, "x"], [pytest.approx(1, abs=0.01), mock.ANY]),
    "matcher in a dataclass": (Point(1.0001, 2), Point(pytest.approx(1, abs=0.01), 2)),  # type: ignore[arg-type]
    **{
        f"array of {dtype}": (np.array([0, 1], dtype=dtype), np.array([0, 1], dtype=dtype))
        for dtype in ("?", "i1", "u8", "f2", "f4", "f8", "g", "F", "D", "G", "U", "S", "O", "M8[D]", "M8[ns]", "m8[s]")
    },
    "structured array": (np.array([(1, 2.0)], dtype="i4,f8"), [(1, 2.0)]),
    "masked array": (np.ma.array([1, 2], mask=[True, False]), np.ma.array([9, 2], mask=[True, False])),
    "record": (np.rec.array([(1, 2)], dtype="i4,i4"), [(1, 2)]),
    "matrix": (np.eye(2), [[1, 0], [0, 1]]),
    "scalars": (
        [np.longdouble(0.5), np.float32(0.5), np.int8(3), np.bool_(True), np.str_("a")],
        [0.5, 0.5, 3, True, "a"],
    ),
    "days": (np.array(["2024-01-02"], dtype="M8[D]"), np.array(["2024-01-02"], dtype="M8[ns]")),
    "day as a date": (np.datetime64("2024-01-02"), date(2024, 1, 2)),
    "series": (pd.Series([1, 2], name="n"), pd.Series([1.0, 2.0])),
    "series as a list": (pd.Series([1, 2]), [1, 2]),
    "series with a gap": (pd.Series([1, None]), pd.Series([1, math.nan])),
    "nullable": (pd.Series([1, None], dtype="Int64"), pd.Series([1, None])),
    "series of texts with a gap": (pd.Series(["a", None], dtype="string"), pd.Series(["a", None])),
    "rounded series": (pd.Series([0.1 + 0.2]), pd.Series([0.3])),
    "frame": (pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})),
    "grouped frame": (
        pd.DataFrame({"k": ["a", "b"], "v": [1, 2]}).groupby("k").sum(),
        pd.DataFrame({"v": [1, 2]}, index=["a", "b"]),
    ),
    "frame of times": (pd.DataFrame({"t": pd.date_range("2024", periods=2)}),) * 2,
    "index": (pd.Index([1, 2]), pd.Index([1, 2])),
    "two levels": (pd.MultiIndex.from_tuples([(1, "a")]), pd.MultiIndex.from_tuples([(1, "a")])),
    "categorical": (pd.Categorical(["a", "b"]), pd.Categorical(["a", "b"])),
    "timestamp": (pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-02")),
    "timestamp as a datetime": (pd.Timestamp("2024-01-02", tz="UTC"), datetime(2024, 1, 2, tzinfo=UTC)),
    "nat": (pd.NaT, pd.NaT),
    "na": ([pd.NA], [pd.NA]),
    "period": (pd.Period("2024-01"), pd.Period("2024-01")),
    "interval": (pd.Interval(0, 1), pd.Interval(0, 1)),
    "frames in a dict": ({"a": [pd.Series([1])]}, {"a": [pd.Series([1])]}),
}


@pytest.mark.parametrize(("actual", "expected"), SAME.values(), ids=SAME)
def test_same(actual: Any, expected: Any) -> None:
    assert compared(actual, expected)


DIFFERENT: dict[str, tuple[Any, Any]] = {
    "deque": (deque([2, 1]), deque([1, 2])),
    "a list for a deque": ([1, 2], deque([1, 2])),
    "a deque for a list": (deque([1, 2]), [1, 2]),
    "a range for a list": (range(2), [0, 1]),
    "range": (range(3), range(4)),
    "a text for a path": ("a", Path("a")),
    "path": (Path("a"), Path("b")),
    "order": (OrderedDict(b=2, a=1), OrderedDict(a=1, b=2)),
    "counter": (Counter("ab"), Counter("aab")),
    "zone": (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1)),
    "field": (elsewhere(POINT, "Point(1, 3)"), Point(1, 2)),
    "name of the type": (elsewhere(POINT.replace("Point", "Spot"), "Spot(1, 2)"), Point(1, 2)),
    "a dict for a dataclass": ({"x": 1, "y": 2}, Point(1, 2)),
    "enum": (elsewhere(COLOUR, "Colour.GREEN"), Colour.RED),
    "the value of an enum": (2, Colour.GREEN),
    "type": (float, int),
    "exception": (ValueError("x"), ValueError("y")),
    "array": (np.array([1, 2]), np.array([1, 3])),
    "days": (np.datetime64("2024-01-02"), date(2024, 1, 3)),
    "series": (pd.Series([1, 2]), pd.Series([1, 3])),
    "index of a series": (pd.Series([1, 2], index=["a", "b"]), pd.Series([1, 2])),
    "a list for a series": ([1, 2], pd.Series([1, 2])),
    "frame": (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})),
    "frame as a series": (pd.DataFrame({"values": [1]}), pd.Series([1])),
    "generator": ((x for x in [1]), [1]),
    "iterator": (iter([1]), [1]),
    "nan": (Decimal("sNaN"), 1),
    "a huge exponent": (Decimal("1e999999999"), 1.5),
    "large": (10**5000 + 1, 10**5000),
}


@pytest.mark.parametrize(("actual", "expected"), DIFFERENT.values(), ids=DIFFERENT)
def test_different(actual: Any, expected: Any) -> None:
    assert not compared(actual, expected)


def test_an_iterator_is_told_to_be_one() -> None:
    value = decode(encode(x for x in [1]))
    assert "make it a list" in compare_values(value, [1]).reason


class Plain:
    pass


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and self.cents == other.cents

    __hash__ = None  # type: ignore[assignment]


class Coin(Money):
    def __eq__(self, other: object) -> bool:
        return self.cents == other.cents if isinstance(other, Coin) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


REFUSED = {
    "object": (Plain(), r"equals a .*\.Plain: use checker="),
    "value": (Money(5), "Money"),
    "value that leaves it open": (Coin(5), "Coin"),
    "inside": ({"a": [Plain()]}, "Plain"),
    "in a dataclass": ([Point(Plain(), 2)], "Plain"),  # type: ignore[arg-type]
    "function": (len, "builtin_function_or_method"),
    "generator": ((x for x in ()), "equals a generator: give a list"),
    "values": ({"a": 1}.values(), "give a list"),
    "map": (map(str, [1]), "give a list"),
    "grouped": (pd.Series([1]).groupby([1]), "GroupBy"),
    "polynomial": (np.polynomial.Polynomial([1, 2]), "Polynomial"),
    "too large": (list(range(600_000)), "too large"),
}


@pytest.mark.parametrize(("expected", "message"), REFUSED.values(), ids=REFUSED)
def test_what_nothing_equals_is_refused_where_the_case_is_written(expected: Any, message: str) -> None:
    with pytest.raises(RewardkitUsageError, match=message):
        Case(call="f", expected=expected)


def test_without_end_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(RewardkitUsageError, match="nested too deep"):
        Case(call="f", expected=loop)


def test_as_text_it_may_be_anything() -> None:
    assert Case(call="f", expected=Plain(), compare="lines").is_about_text
    assert Case(call="f", checker=lambda value: isinstance(value, Opaque)).checker is not None


class Even:
    def __eq__(self, other: object) -> bool:
        return isinstance(other, int) and other % 2 == 0

    __hash__ = None  # type: ignore[assignment]


class Begins:
    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and other.startswith(self.text)

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("matcher", "right", "wrong"),
    [
        (Even(), 4, 5),
        (Begins("ab"), "abc", "bc"),
        (mock.ANY, 1, None),
        (pytest.approx(3), 3.0, "3"),
        (pytest.approx([1, 2]), [1, 2.0], [1]),
        (pytest.approx({"a": 1}), {"a": 1.0}, {"b": 1}),
        (pytest.approx(np.array([1, 2])), np.array([1, 2]), np.array([1, 3])),
    ],
)
def test_matchers_decide_for_themselves(matcher: Any, right: Any, wrong: Any) -> None:
    assert Case(call="f", expected=matcher).expected is matcher
    assert compared(right, matcher)
    assert wrong is None or not compared(wrong, matcher)


@pytest.mark.parametrize(
    "value",
    [
        np.array([[1.5, 2], [3, 4]]),
        np.array(["2024-01-02"], dtype="M8[D]"),
        pd.Series([1, 2], index=["a", "b"], name="n"),
        pd.Series([1, None], dtype="Int64"),
        pd.DataFrame({"a": [1, 2], "t": pd.date_range("2024", periods=2, tz="UTC")}, index=["x", "y"]),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame({"a": pd.Categorical(["x", "y"])}),
        pd.DataFrame({"a": [1]}).set_index([["k"], ["l"]]),
        pd.DataFrame(),
        pd.Index([1, 2], name="i"),
        deque([1]),
        range(3),
        Path("a"),
        UUID(int=1),
        OrderedDict(b=1, a=2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_arguments_arrive_as_what_they_are(value: Any) -> None:
    (args, _) = Case(call="f", args=[value], expected=None).encoded_arguments()
    [made] = decode(json.loads(json.dumps(args)), rebuild=True)
    assert type(made) is type(value)
    assert compared(made, value)
    if isinstance(value, pd.DataFrame):
        assert list(made.dtypes) == list(value.dtypes)
    if isinstance(value, pd.Series | np.ndarray):
        assert made.dtype == value.dtype


@pytest.mark.parametrize(
    "value",
    [Point(1, 2), Colour.RED, [Plain()], (x for x in ()), {"a": len}],
    ids=["record", "enum", "object", "generator", "function"],
)
def test_arguments_that_would_be_something_else_are_refused_where_the_case_is_written(value: Any) -> None:
    with pytest.raises(RewardkitUsageError, match="cannot be taken into a sandbox; make it by a code case"):
        Case(call="f", args=[value], expected=1)


HOSTILE = {
    "signalling": {"Decimal": "sNaN"},
    "signalling inside": [{"tuple": [{"Decimal": "sNaN123"}]}],
    "exponent": {"Decimal": "1E+999999999999999999"},
    "tiny": {"Decimal": "1E-999999999999999999"},
    "nan": {"float": "nan"},
    "fraction": {"Fraction": ["0x" + "f" * 9000, "0x" + "e" * 9000]},
    "whole": {"int": "0x" + "f" * 85_000},
    "wider": {"int": "0x" + "f" * 4_000_000},
    "long range": {"range": [0, {"int": hex(10**4000)}, 1]},
    "record": {"object": ["a.Point", "Point(1)", {"x": {"Decimal": "sNaN"}, "y": {"Decimal": "sNaN"}}]},
    "frame": {"object": ["pandas.Series", "", {"values": 5, "index": None}]},
    "records alike": {"set": [{"object": ["P", "", {"x": [n]}]} for n in range(900)]},
    "moment": {"moment": "0001-01-01T00:00:00+23:59"},
    "path": {"path": "\0" * 1000},
}
EXPECTED = [
    *(1, 1.5, 10**4000, Decimal("1.5"), Fraction(1, 3), complex(1, 2), "a", None, [1], (1,), {1}, {"a": 1}, deque([1])),
    *(range(5), Path("a"), date(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC), Point(1, 2), pd.Series([1]), np.eye(2)),
    *(pytest.approx(1), pytest.approx([1.0]), pytest.approx(Decimal(1)), Even(), mock.ANY, {Point(1, 2)}),
]


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_whatever_a_candidate_gives_is_compared(data: Any) -> None:
    """Each takes milliseconds; the suite's own time limit catches any that does not."""
    try:
        value = decode(data)
    except ValueError:
        return
    for expected in EXPECTED:
        for compare in ("value", "json"):
            comparison = compare_values(value, expected, compare=compare)
            assert len(comparison.reason) < 1000
            assert comparison.equal == (expected is mock.ANY)


class TestLongNumbers:
    LONG = 7 * 10**5000 + 3

    def text(self) -> str:
        return "7" + "0" * 4999 + "3"

    def test_in_labels(self) -> None:
        assert "bits" in Case(call="f", args=[self.LONG], kwargs={"a": [self.LONG]}, expected=self.LONG).label

    @pytest.mark.parametrize("compare", ["tokens", "json", "value"])
    def test_as_text(self, compare: str) -> None:
        assert compare_texts(f" {self.text()} ", self.text(), compare=compare).equal
        assert not compare_texts(self.text()[:-1] + "4", self.text(), compare=compare).equal

    def test_among_others(self) -> None:
        text = self.text()
        assert compare_texts(f"{{'a': (1, -{text})}}", f"{{'a':(1,-{text})}}", compare="value").equal
        assert compare_texts(f"['{text}', {text}]", f'["{text}",{text}]', compare="value").equal
        assert compare_texts(f'{{"a": [{text}]}}', f'{{"a":[{text}]}}', compare="json").equal

    def test_as_the_text_of_a_number(self) -> None:
        assert Case(stdin="1", expected=self.LONG, compare="lines").is_about_text

    def test_a_text_of_long_numbers_has_an_end(self) -> None:
        for compare in ("tokens", "json", "value"):
            assert not compare_texts("[" + ",".join(["9" * 99_000] * 20) + "]", "[1]", compare=compare).equal
