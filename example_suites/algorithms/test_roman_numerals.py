"""One task, many responses: each line of roman_numerals.jsonl holds one, with the reward that it deserves."""

import json
from pathlib import Path

import pytest

from pytest_rewardkit import Case, assert_cases

ROWS = [json.loads(line) for line in (Path(__file__).parent / "roman_numerals.jsonl").read_text("utf-8").splitlines()]

CASES = [
    Case(call="to_roman", args=[number], expected=numeral)
    for number, numeral in [(3, "III"), (4, "IV"), (9, "IX"), (58, "LVIII"), (1994, "MCMXCIV")]
]


RESPONSES = [
    pytest.param(row["response"], id=row["id"], marks=pytest.mark.deserves(row["reward"], row["verdict"]))
    for row in ROWS
]


@pytest.mark.parametrize("candidate", RESPONSES)
def test_roman_numerals(sandbox, candidate):
    assert_cases(sandbox, candidate, cases=CASES, time_limit=1)
