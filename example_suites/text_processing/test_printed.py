"""Programs that print: the whole output is compared."""

import pytest

from pytest_rewardkit import Case, assert_cases, assert_output

FIZZBUZZ = "1\n2\nFizz\n4\nBuzz\nFizz\n7\n8\nFizz\nBuzz\n11\nFizz\n13\n14\nFizzBuzz\n"


@pytest.mark.reward_dataset("fizzbuzz.jsonl")
@pytest.mark.usefixtures("row")
def test_fizzbuzz(sandbox, candidate):
    """A test for each line of the file, which the marker reads."""
    assert_output(sandbox, candidate, expected=FIZZBUZZ, time_limit=1)


@pytest.mark.deserves(1.0, "passed")
def test_wrap_text(sandbox, candidate):
    assert_output(
        sandbox,
        candidate,
        expected="""\
Testing code that a model
wrote is testing code that
nobody has read yet.
""",
    )


@pytest.mark.deserves(0.0, "wrong_output")
def test_multiplication_table(sandbox, candidate):
    """Right numbers, wrong layout: the task asks for columns of width 4."""
    assert_output(
        sandbox,
        candidate,
        expected="""\
   1   2   3
   2   4   6
   3   6   9
""",
    )


@pytest.mark.deserves(1.0, "passed")
def test_last_line(sandbox, candidate):
    """The value of the last line counts as output, as in a notebook."""
    assert_output(sandbox, candidate, expected="'tuodesserts'")


@pytest.mark.deserves(0.0, "runtime_error")
def test_countdown(sandbox, candidate):
    """Right lines up to the exception: the output scorer is all or nothing."""
    assert_output(sandbox, candidate, expected="3\n2\n1\n0\nlift off\n")


@pytest.mark.deserves(3 / 4, "partial")
@pytest.mark.reward(threshold=0.5)
def test_word_count(sandbox, candidate):
    """A program that reads its standard input. The candidate ends a word at every single space."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(stdin="one two\nthree\n", expected="2 3 14", name="two lines"),
            Case(stdin="one  two\n", expected="1 2 9", name="double space"),
            Case(stdin="last line", expected="1 2 9", name="no newline at the end"),
            Case(stdin="", expected="0 0 0", name="empty"),
        ],
    )
