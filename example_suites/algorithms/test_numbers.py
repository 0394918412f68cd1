"""Numbers: candidates that are right for small input and slow, greedy or inexact for large input."""

import pytest
from pytest import approx

from pytest_rewardkit import Case, assert_cases


def test_primes_below(sandbox, response):
    """The candidate allocates a table of ten billion entries before it is called at all."""
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(call="primes_below", args=[10], expected=[2, 3, 5, 7]),
            Case(call="primes_below", args=[2], expected=[]),
        ],
        threshold=0,
    )
    assert (reward.value, reward.verdict) == (0.0, "memory")


def test_greatest_common_divisor(sandbox, response):
    """A draft, the improved function and a usage example: the improved function is the candidate."""
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(call="greatest_common_divisor", args=[12, 18], expected=6),
            Case(call="greatest_common_divisor", args=[7, 13], expected=1),
            Case(call="greatest_common_divisor", args=[0, 5], expected=5),
            Case(call="greatest_common_divisor", args=[-12, 18], expected=6),
        ],
    )
    assert (reward.value, reward.verdict) == (1.0, "passed")


def test_collatz_steps(sandbox, response):
    """The candidate runs through 4, 2, 1 for ever."""
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(call="collatz_steps", args=[6], expected=8),
            Case(call="collatz_steps", args=[1], expected=0),
        ],
        time_limit=1,
        threshold=0,
    )
    assert (reward.value, reward.verdict) == (0.0, "timeout")


# Right for every n, but the plain recursion needs centuries for the last case.
FIBONACCI = """\
```python
def fibonacci(n):
    if n < 2:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)
```
"""


@pytest.mark.reward(threshold=0.5)
def test_fibonacci(sandbox):
    reward = assert_cases(
        sandbox,
        FIBONACCI,
        cases=[
            Case(call="fibonacci", args=[0], expected=0),
            Case(call="fibonacci", args=[1], expected=1),
            Case(call="fibonacci", args=[15], expected=610),
            Case(call="fibonacci", args=[90], expected=2880067194370816120, time_limit=1),
        ],
    )
    assert (reward.value, reward.verdict) == (approx(3 / 4), "partial")
    assert reward.parts[3].verdict == "timeout"


def test_is_prime(sandbox, response):
    """The candidate takes 1 for a prime and fails on negative numbers."""
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(call="is_prime", args=[2], expected=True),
            Case(call="is_prime", args=[9], expected=False),
            Case(call="is_prime", args=[97], expected=True),
            Case(call="is_prime", args=[1], expected=False, name="one"),
            Case(call="is_prime", args=[-7], expected=False, name="negative"),
        ],
        threshold=0.5,
    )
    assert (reward.value, reward.verdict) == (approx(3 / 5), "partial")
    assert [part.verdict for part in reward.parts[3:]] == ["wrong_output", "runtime_error"]


# Floats carry 53 bits, which is not enough for the last case.
INTEGER_SQRT = """\
```python
import math

def integer_sqrt(n):
    return int(math.sqrt(n))
```
"""


def test_integer_sqrt(sandbox):
    reward = assert_cases(
        sandbox,
        INTEGER_SQRT,
        cases=[
            Case(call="integer_sqrt", args=[0], expected=0),
            Case(call="integer_sqrt", args=[16], expected=4),
            Case(call="integer_sqrt", args=[24], expected=4),
            Case(call="integer_sqrt", args=[(10**15 + 1) ** 2 - 1], expected=10**15, name="thirty digits"),
        ],
        threshold=0.5,
    )
    assert (reward.value, reward.verdict) == (approx(3 / 4), "partial")
