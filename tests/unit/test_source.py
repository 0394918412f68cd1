"""Values written as Python source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit import Case, FileCheck
from pytest_rewardkit.reports.source import LONG, NoSourceError, SourceWriter

TYPES: dict[str, type] = {"Case": Case, "FileCheck": FileCheck}

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()) | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def again(value: Any, name: str = "data") -> Any:
    kept: list[str | bytes] = []

    def keep(_: str, content: str | bytes) -> str:
        kept.append(content)
        return f"kept[{len(kept) - 1}]"

    source = SourceWriter(TYPES, keep).of(value, name)
    assert source.isascii()
    assert "\n" not in source
    return eval(source, {**TYPES, "Path": Path, "kept": kept})


@given(plain)
def test_plain_data_comes_back(value: Any) -> None:
    assert repr(again(value)) == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        set(),
        {1, 2},
        frozenset(),
        frozenset({"a"}),
        (1,),
        ValueError,
        Path("a/'b'"),
        Case(call="f", args=[1, (2,)], expected=None, weight=2),
        Case(code="f()", raises=KeyError, match="x"),
        FileCheck(path="a.json", content={"a": [1.5, None]}),
    ],
)
def test_other_values_come_back(value: Any) -> None:
    assert again(value) == value


def test_what_has_its_default_is_not_said() -> None:
    assert SourceWriter(TYPES, lambda *_: "").of(Case(call="f", expected=0)) == "Case(call='f', expected=0)"


def test_numbers_that_are_none_come_back() -> None:
    assert repr(again([float("inf"), float("-inf"), float("nan")])) == "[inf, -inf, nan]"


def test_long_texts_and_input_are_kept_elsewhere() -> None:
    kept: list[tuple[str, str | bytes]] = []

    def keep(name: str, content: str | bytes) -> str:
        kept.append((name, content))
        return "elsewhere"

    source = SourceWriter(TYPES, keep)
    assert source.of(Case(stdin="1 2", expected="x" * LONG + "x")) == "Case(stdin=elsewhere, expected=elsewhere)"
    assert [name for name, _ in kept] == ["stdin", "expected"]


class Text(str):
    def __repr__(self) -> str:
        return "print('made of a text')"


@pytest.mark.parametrize("value", [lambda: 0, object(), Text("a"), [[object()]], {"a": Text()}, Text])
def test_what_cannot_be_written_is_refused(value: Any) -> None:
    with pytest.raises(NoSourceError, match="has no form as source"):
        again(value)


def test_data_without_an_end_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(NoSourceError, match="too deeply"):
        again(endless)
