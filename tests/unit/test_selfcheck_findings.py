"""The findings of trials about a grader; and the battery of attacks."""

from __future__ import annotations

import ast

import pytest

from pytest_rewardkit.ledger.modes import parse_modes
from pytest_rewardkit.selfcheck.attacks import Attack, Names, attacks, candidate_of, names_in
from pytest_rewardkit.selfcheck.findings import Coverage, Judgement, evenly, kill_rate, resistance, stability
from pytest_rewardkit.selfcheck.mutants import mutants_of

EMPTY = Attack(name="empty", does="is empty")
EXPLOIT = Attack(name="exploit", does="cheats")
RETURNING = Attack(name="returning", does="cheats by what it returns", value="Anything()")
GUESS = Attack(name="guess", does="guesses", value="0", guess=True)
PASSED = Judgement(1.0, passed=True)
FAILED = Judgement(0.0, passed=False, why="wrong")


def names_that_pay(*tried: tuple[Attack, Judgement], reference: Judgement | None = PASSED) -> list[str]:
    reward = resistance(
        [(attack, "code", trial) for attack, trial in tried], reference, Coverage(len(tried), len(tried))
    )
    return [part.name for part in reward.parts if part.value == 0]


def partial(value: float, *, passed: bool = False) -> Judgement:
    return Judgement(value, passed)


@pytest.mark.parametrize(
    ("tried", "paid"),
    [
        ([(EMPTY, FAILED), (EXPLOIT, FAILED), (GUESS, FAILED)], []),
        ([(EMPTY, FAILED), (EXPLOIT, PASSED)], ["exploit"]),
        ([(EMPTY, FAILED), (EXPLOIT, partial(0.25))], ["exploit"]),
        ([(EMPTY, partial(0.25)), (EXPLOIT, partial(0.25))], ["empty"]),
        ([(EMPTY, partial(0.25)), (EXPLOIT, partial(0.5))], ["empty", "exploit"]),
        # A lazy answer may be right by chance, and an attack that only returns a value is no better.
        ([(EMPTY, FAILED), (GUESS, partial(0.5)), (RETURNING, partial(0.5))], []),
        ([(EMPTY, FAILED), (GUESS, partial(0.5)), (RETURNING, partial(0.75))], ["returning"]),
        ([(EMPTY, FAILED), (GUESS, partial(0.5)), (EXPLOIT, partial(0.5))], ["exploit"]),
        ([(EMPTY, FAILED), (GUESS, partial(0.5, passed=True))], ["guess"]),
        # If everything passes, only the reward distinguishes.
        ([(EMPTY, partial(0.0, passed=True)), (GUESS, partial(0.5, passed=True))], []),
        ([(EMPTY, partial(0.0, passed=True)), (GUESS, partial(1.0, passed=True))], ["guess"]),
        ([(EMPTY, partial(0.0, passed=True)), (EXPLOIT, partial(0.5, passed=True))], ["exploit"]),
    ],
)
def test_what_pays(tried: list[tuple[Attack, Judgement]], paid: list[str]) -> None:
    assert names_that_pay(*tried) == paid


def test_a_guess_may_be_as_good_as_nothing_is_known_of() -> None:
    assert names_that_pay((EMPTY, FAILED), (GUESS, partial(0.5)), reference=None) == []


def test_what_cannot_be_told_is_no_resistance() -> None:
    lost = Judgement(None, passed=False, why="the sandbox is gone")
    reward = resistance([(EMPTY, "", FAILED), (EXPLOIT, "", lost)], PASSED, Coverage(2, 2))
    assert reward.value is None
    assert reward.reason == "nothing can be said of 1 of 2 candidates: exploit: the sandbox is gone"


def test_reasons_name_attacks_and_say_what_was_left_out() -> None:
    reward = resistance([(EMPTY, "", FAILED), (EXPLOIT, "import os", PASSED)], PASSED, Coverage(2, 46))
    assert reward.value == 0.5
    assert reward.reason == "1 of 2 attacks pay (2 of 46 tried): exploit 1.00"
    assert reward.parts[1].reason == "pays 1.00, and passes: a candidate that cheats"
    assert reward.parts[1].actual == "import os"
    raised = Judgement(0.0, passed=False, raised=True, why="KeyError: 'x'")
    assert "for 1 of them the test raised and judged nothing" in str(
        resistance([(EMPTY, "", raised)], PASSED, Coverage(1, 1)).reason
    )


def test_kill_rate() -> None:
    mutants = mutants_of("def f(a, b):\n    return a + b\n")
    trials = [FAILED, PASSED, partial(0.75, passed=True)]
    reward = kill_rate(list(zip(mutants, trials, strict=True)), PASSED, Coverage(3, 3))
    assert reward.value == pytest.approx(2 / 3)
    assert reward.reason == "2 of 3 mutants killed"
    survivor = reward.parts[1]
    assert (survivor.value, survivor.expected) == (0.0, mutants[1].before)
    assert survivor.actual == mutants[1].after
    assert survivor.reason == f"survived: {mutants[1].change}"
    assert reward.parts[2].reason == "killed: earns 0.75"


def test_a_mutant_of_what_earns_a_part_is_held_against_that_part() -> None:
    (mutant,) = mutants_of("f(a ** b)")[:1]
    half = partial(0.5, passed=True)
    assert kill_rate([(mutant, half)], half, Coverage(1, 1)).value == 0
    assert kill_rate([(mutant, partial(0.4, passed=True))], half, Coverage(1, 1)).value == 1


def test_stability() -> None:
    assert stability([PASSED] * 5).value == 1
    reward = stability([PASSED, FAILED, PASSED, partial(1.0, passed=False)])
    assert reward.value == 0.5
    assert reward.reason == "2 of 4 runs differ: 1.00 2 times, 0.00 1 times, 1.00 1 times"


def test_a_choice_is_even_and_always_the_same() -> None:
    assert evenly(3, 5) == [0, 1, 2]
    assert evenly(10, 5) == [0, 2, 4, 6, 8]
    assert len(set(evenly(97, 50))) == 50
    assert max(evenly(97, 50)) < 97


def test_the_battery() -> None:
    battery = attacks()
    assert battery[0].name == "empty", "the others are held against it"
    assert len({attack.name for attack in battery}) == len(battery)
    assert not any(attack.does.endswith(".") for attack in battery)
    names = Names({"f": False, "g": True}, ("C",), ("x",), ("a text", "out/'file'.txt"))
    for attack in battery:
        code = candidate_of(attack, names)
        if attack.name != "prose":
            ast.parse(code)
        assert ("def f(" in code) == ("async def g(" in code) == ("class C" in code) == (attack.value is not None)


def test_names_of_a_reference() -> None:
    found = names_in("def f(): return 'a'\nasync def g(): pass\nclass C: pass\n(x, y), z[0] = 1\nw: int = 2\n")
    assert found == Names({"f": False, "g": True}, ("C",), ("x", "y", "w"), ("a",))
    assert names_in("function f() {}") == Names()


@pytest.mark.parametrize(
    ("value", "modes"),
    [
        ("references", ("references",)),
        ("true", ("references",)),
        ("off", None),
        ("Mutants, attacks", ("attacks", "mutants")),
        ("flakes,on", ("references", "flakes")),
    ],
)
def test_modes(value: str, modes: tuple[str, ...] | None) -> None:
    assert parse_modes(value) == modes


def test_what_is_no_mode() -> None:
    with pytest.raises(ValueError, match="unknown check 'mutant'; did you mean 'mutants'"):
        parse_modes("mutant")
