"""Values that enter and leave a sandbox: each comes out unchanged, and malformed data never comes out."""

from __future__ import annotations

import enum
import fractions
import json
import math
from collections import Counter, OrderedDict, defaultdict, namedtuple
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit.scorers.guest.codec_decoder import decode
from pytest_rewardkit.scorers.guest.codec_encoder import encode
from pytest_rewardkit.scorers.guest.codec_objects import MAX_DEPTH, Opaque, TooLargeError
from pytest_rewardkit.scorers.guest.inside import answer
from pytest_rewardkit.scorers.running.evaluation import Question

if TYPE_CHECKING:
    from collections.abc import Hashable

hashable = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False)
    | st.decimals(allow_nan=False)
    | st.fractions()
    | st.datetimes(timezones=st.none() | st.just(UTC)).map(lambda moment: moment.replace(fold=0))
    | st.dates()
    | st.times().map(lambda moment: moment.replace(fold=0))
    | st.timedeltas(),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)
values = st.recursive(
    hashable,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(hashable, inner, max_size=4)
        | st.sets(hashable, max_size=4)
        | st.binary().map(bytearray)
    ),
    max_leaves=10,
)


def across(value: Any) -> Any:
    return decode(json.loads(json.dumps(encode(value))))


def typed(value: Any) -> Hashable:
    """A key that differs if values or types differ, however deep."""
    if isinstance(value, list | tuple):
        return type(value), tuple(typed(item) for item in value)
    if isinstance(value, dict):
        return dict, tuple((typed(key), typed(item)) for key, item in value.items())
    if isinstance(value, set | frozenset):
        return type(value), frozenset(typed(item) for item in value)
    return type(value), repr(value)


@given(values)
def test_plain_data_comes_out_as_it_went_in(value: Any) -> None:
    assert typed(across(value)) == typed(value)


def test_values_at_the_edge() -> None:
    for value in (math.inf, -math.inf, 10**5000, -(2**64), "\ud800", "\x00", 1e308, 5e-324):
        came_out = across(value)
        assert type(came_out) is type(value)
        assert came_out == value
    assert math.copysign(1, across(-0.0)) == -1
    assert math.isnan(across(math.nan))


def test_sub_classes_come_out_as_their_base() -> None:
    point = namedtuple("point", "x y")
    colour = enum.IntEnum("colour", "RED GREEN")

    class Words(str):
        def __str__(self) -> str:
            return "other"

        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = str.__hash__

    for value, plain in [
        (point(1, 2), (1, 2)),
        (colour.GREEN, 2),
        (Words("right"), "right"),
        (Counter("aab"), {"a": 2, "b": 1}),
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(int, a=1), {"a": 1}),
        (True, True),
    ]:
        assert typed(across(value)) == typed(plain)


def test_numpy_comes_out_as_lists_and_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    assert typed(across(numpy.array([[1, 2], [3, 4]]))) == typed([[1, 2], [3, 4]])
    assert typed(across({"mean": numpy.float64(0.5), "n": numpy.int64(3), "ok": numpy.bool_(True)})) == typed(
        {"mean": 0.5, "n": 3, "ok": True}
    )


def test_other_objects_come_out_as_their_names_and_text() -> None:
    came_out = across([object(), ValueError, (x for x in ())])
    assert all(isinstance(item, Opaque) for item in came_out)
    assert came_out[1].type_name == "builtins.type"
    assert repr(came_out[1]) == "<class 'ValueError'>"
    assert came_out[0] != came_out[0].text


def test_what_has_no_end_is_too_large() -> None:
    loop: list[Any] = []
    loop.append(loop)
    wide: list[Any] = []
    for _ in range(60):
        wide = [wide, wide]
    for value in (loop, wide, "x" * 5_000_000, list(range(600_000)), 1 << 20_000_000):
        with pytest.raises(TooLargeError):
            encode(value)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"list": [1]},
        {"tuple": [1], "set": [2]},
        {"tuple": 5},
        {"int": 5},
        {"int": "zz"},
        {"float": [1]},
        {"complex": [1, 2, 3]},
        {"dict": [1]},
        {"dict": [[1, 2, 3]]},
        {"dict": [[{"dict": []}, 1]]},
        {"set": [[1]]},
        {"bytes": "0"},
        {"Decimal": "x"},
        {"Decimal": "1" * 20_000},
        {"Fraction": ["0x1", "0x0"]},
        {"datetime": "yesterday"},
        {"timedelta": ["x"]},
        {"object": ["one"]},
        {"object": 5},
        {"__class__": ["x"]},
        {"set": [{"int": hex(n * (2**61 - 1))} for n in range(2000)]},
        {"dict": [[{"int": hex(n * (2**61 - 1))}, 0] for n in range(2000)]},
    ],
)
def test_malformed_data_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="malformed value"):
        decode(data)


def test_data_nested_too_deep_is_refused() -> None:
    data: Any = 1
    for _ in range(MAX_DEPTH + 10):
        data = {"tuple": [data]}
    with pytest.raises(ValueError, match="too deep"):
        decode(data)


TAGS = ["int", "float", "tuple", "set", "dict", "complex", "bytes", "Decimal", "Fraction", "datetime", "object", "x"]
json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "int",
                    "float",
                    "tuple",
                    "set",
                    "dict",
                    "complex",
                    "bytes",
                    "Decimal",
                    "Fraction",
                    "datetime",
                    "timedelta",
                    "object",
                    "x",
                ]
            ),
            inner,
            max_size=2,
        )
    ),
)


@given(json_data)
def test_any_json_gives_plain_data_or_is_refused(data: Any) -> None:
    try:
        value = decode(data)
    except ValueError:
        return
    assert typed(value)


def asked(user: dict[str, Any], **question: Any) -> list[Any]:
    content = Question(**{"kwargs": {"dict": []}, **question}).as_json()
    text = repr(answer("nonce", content, user))
    assert text.startswith("nonce")
    reply: list[Any] = json.loads(text.removeprefix("nonce"))
    return reply


class TestAnswer:
    def test_call(self) -> None:
        user = {"add": lambda a, b=0: a + b}
        assert asked(user, call="add", args=[1], kwargs={"dict": [["b", 2]]}, wants="value") == ["value", 3]

    def test_the_value_of_an_expression_after_statements(self) -> None:
        for wants in ("value", "print", "shown"):
            assert asked({"x": "a"}, statements="y = x * 2", expression="y", wants=wants) == ["value", "aa"]

    def test_one_text_of_what_is_no_plain_data(self) -> None:
        user = {"x": fractions.Fraction(1, 2)}
        assert asked(user, expression="x", wants="print") == ["text", "1/2"]
        assert asked(user, expression="x", wants="shown") == ["text", "Fraction(1, 2)"]
        bare = "class A:\n    def __str__(self): return 'A(1)'"
        assert asked({}, statements=bare, expression="A()", wants="shown") == ["text", "A(1)"]

    def test_statements_alone_have_no_value(self) -> None:
        assert asked({}, statements="x = 1") == ["done", None]

    def test_what_was_raised(self) -> None:
        kind, raised = asked({}, expression="{}['k']", wants="value")
        assert (kind, raised["bases"][:2]) == ("raised", ["builtins.KeyError", "builtins.LookupError"])
        assert raised["message"] == "'k'"
        assert "{}['k']" in raised["traceback"]
        assert asked({}, expression="exit_now", statements="raise SystemExit(3)")[1]["message"] == "3"

    def test_a_coroutine_is_awaited(self) -> None:
        statements = "async def f(x):\n    import asyncio\n    await asyncio.sleep(0)\n    return x + 1"
        assert asked({}, statements=statements, call="f", args=[1], wants="value") == ["value", 2]

    def test_a_text_that_cannot_be_had(self) -> None:
        broken = "class A:\n    def __repr__(self): return 1 / 0"
        for wants in ("print", "shown"):
            reply = asked({}, statements=broken, expression="A()", wants=wants)
            assert reply == ["text", "<no text: ZeroDivisionError>"]
