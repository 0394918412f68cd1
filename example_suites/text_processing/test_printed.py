"""Programs that print: the whole output is compared."""

import pytest
from pytest import approx

from pytest_rewardkit import Case, assert_cases, assert_output

FIZZBUZZ = "1\n2\nFizz\n4\nBuzz\nFizz\n7\n8\nFizz\nBuzz\n11\nFizz\n13\n14\nFizzBuzz\n"


@pytest.mark.reward_dataset("fizzbuzz.jsonl")
def test_fizzbuzz(sandbox, row, candidate):
    """A test for each line of the file; the marker reads it."""
    reward = assert_output(sandbox, candidate, expected=FIZZBUZZ, time_limit=1, threshold=0)
    assert (reward.value, reward.verdict) == (approx(row["reward"]), row["verdict"])


def test_wrap_text(sandbox, response):
    reward = assert_output(
        sandbox,
        response,
        expected="""\
Testing code that a model
wrote is testing code that
nobody has read yet.
""",
    )
    assert (reward.value, reward.verdict) == (1.0, "passed")


def test_multiplication_table(sandbox, response):
    """Right numbers, wrong layout: the task asks for columns of width 4."""
    reward = assert_output(
        sandbox,
        response,
        expected="""\
   1   2   3
   2   4   6
   3   6   9
""",
        threshold=0,
    )
    assert (reward.value, reward.verdict) == (0.0, "wrong_output")


def test_last_line(sandbox):
    """The value of the last line counts as output, as in a notebook."""
    candidate = "text = 'never odd or even'\ntext.replace(' ', '')[::-1]"
    reward = assert_output(sandbox, candidate, expected="'neveroddoreven'")
    assert (reward.value, reward.verdict) == (1.0, "passed")


def test_countdown(sandbox):
    """Right lines up to the exception: the output scorer asks for all or nothing."""
    candidate = "```python\nfor number in [3, 2, 1, 0]:\n    print(number)\n    6 / number\nprint('lift off')\n```"
    reward = assert_output(sandbox, candidate, expected="3\n2\n1\n0\nlift off\n", threshold=0)
    assert (reward.value, reward.verdict) == (0.0, "runtime_error")


def test_word_count(sandbox, response):
    """A program that reads its standard input. The candidate takes every single space for the end of a word."""
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(stdin="one two\nthree\n", expected="2 3 14", name="two lines"),
            Case(stdin="one  two\n", expected="1 2 9", name="double space"),
            Case(stdin="last line", expected="1 2 9", name="no newline at the end"),
            Case(stdin="", expected="0 0 0", name="empty"),
        ],
        threshold=0.5,
    )
    assert (reward.value, reward.verdict) == (approx(3 / 4), "partial")
