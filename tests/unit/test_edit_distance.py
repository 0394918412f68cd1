"""The edit distance, compared with the table that defines it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import example, given
from hypothesis import strategies as st

from pytest_rewardkit.scorers.values.edit_distance import edit_distance

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXTS = st.text("abé", max_size=40)


def by_table(one: Sequence[object], other: Sequence[object]) -> int:
    row = list(range(len(other) + 1))
    for number, unit in enumerate(one, 1):
        before, row = row, [number]
        for column, wanted in enumerate(other):
            row.append(min(before[column] + (unit != wanted), before[column + 1] + 1, row[column] + 1))
    return row[-1]


@given(TEXTS, TEXTS, st.integers(0, 45))
@example("", "", 0)
@example("kitten", "sitting", 3)
@example("", "abc", 2)
@example("a" * 40, "b" + "a" * 40, 0)
def test_it_is_that_of_the_table_up_to_the_most(one: str, other: str, most: int) -> None:
    assert edit_distance(one, other, most=most) == min(by_table(one, other), most + 1)


@given(st.lists(st.integers(0, 3), max_size=90), st.lists(st.integers(0, 3), max_size=90))
def test_units_may_be_lines_and_stand_in_many_places(one: list[int], other: list[int]) -> None:
    lines, others = [f"line {number}" for number in one], [f"line {number}" for number in other]
    assert edit_distance(lines, others, most=100) == by_table(one, other)
