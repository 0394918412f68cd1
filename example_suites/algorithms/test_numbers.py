"""Numbers: candidates that are right for small input and slow, greedy or inexact for large input."""

import pytest

from pytest_rewardkit import Case, assert_cases


@pytest.mark.deserves(0.0, "memory")
def test_primes_below(sandbox, candidate):
    """The candidate allocates a table of ten billion entries before it is called at all."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="primes_below", args=[10], expected=[2, 3, 5, 7]),
            Case(call="primes_below", args=[2], expected=[]),
        ],
    )


@pytest.mark.deserves(1.0, "passed")
def test_greatest_common_divisor(sandbox, candidate):
    """A draft, the improved function and a usage example: the improved function is the candidate."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="greatest_common_divisor", args=[12, 18], expected=6),
            Case(call="greatest_common_divisor", args=[7, 13], expected=1),
            Case(call="greatest_common_divisor", args=[0, 5], expected=5),
            Case(call="greatest_common_divisor", args=[-12, 18], expected=6),
        ],
    )


@pytest.mark.deserves(0.0, "timeout")
def test_collatz_steps(sandbox, candidate):
    """The candidate cycles through 4, 2, 1 forever."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="collatz_steps", args=[6], expected=8),
            Case(call="collatz_steps", args=[1], expected=0),
        ],
        time_limit=1,
    )


@pytest.mark.deserves(3 / 4, "partial", part="timeout")
@pytest.mark.reward(threshold=0.5)
def test_fibonacci(sandbox, candidate):
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="fibonacci", args=[6], expected=8),
            Case(call="fibonacci", args=[10], expected=55),
            Case(call="fibonacci", args=[15], expected=610),
            Case(call="fibonacci", args=[90], expected=2880067194370816120, time_limit=1),
        ],
    )


@pytest.mark.deserves(4 / 6, "partial", part="runtime_error")
@pytest.mark.reward(threshold=0.7)
def test_is_prime(sandbox, candidate):
    """The candidate takes 1 for a prime and fails on negative numbers."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="is_prime", args=[2], expected=True),
            Case(call="is_prime", args=[4], expected=False),
            Case(call="is_prime", args=[9], expected=False),
            Case(call="is_prime", args=[97], expected=True),
            Case(call="is_prime", args=[1], expected=False, name="one"),
            Case(call="is_prime", args=[-7], expected=False, name="negative"),
        ],
    )


@pytest.mark.deserves(3 / 4, "partial")
@pytest.mark.reward(threshold=0.5)
def test_integer_sqrt(sandbox, candidate):
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="integer_sqrt", args=[0], expected=0),
            Case(call="integer_sqrt", args=[16], expected=4),
            Case(call="integer_sqrt", args=[24], expected=4),
            Case(call="integer_sqrt", args=[(10**15 + 1) ** 2 - 1], expected=10**15, name="thirty digits"),
        ],
    )
