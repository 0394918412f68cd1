"""Strings in, strings out."""

import pytest
from pytest import approx

from pytest_rewardkit import Case, assert_cases


def test_slugify(sandbox, response):
    """The candidate drops letters with accents instead of replacing them."""
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(call="slugify", args=["Hello, World!"], expected="hello-world"),
            Case(call="slugify", args=["  spaces   everywhere "], expected="spaces-everywhere"),
            Case(call="slugify", args=["already-a-slug"], expected="already-a-slug"),
            Case(call="slugify", args=["Crème brûlée"], expected="creme-brulee", name="accents"),
        ],
        threshold=0.5,
    )
    assert (reward.value, reward.verdict) == (approx(3 / 4), "partial")


# Decrypts where it should encrypt.
CAESAR = """\
Each letter moves by `shift` places, wrapping around at the end of the alphabet:

```python
def caesar(text, shift):
    result = []
    for character in text:
        if character.isalpha():
            first = ord("A") if character.isupper() else ord("a")
            result.append(chr((ord(character) - first - shift) % 26 + first))
        else:
            result.append(character)
    return "".join(result)
```
"""


def test_caesar(sandbox):
    reward = assert_cases(
        sandbox,
        CAESAR,
        cases=[
            Case(call="caesar", args=["abc", 3], expected="def"),
            Case(call="caesar", args=["Hello, World!", 5], expected="Mjqqt, Btwqi!"),
            Case(call="caesar", args=["xyz", 1], expected="yza"),
        ],
        threshold=0,
    )
    assert (reward.value, reward.verdict) == (0.0, "wrong_output")


def test_levenshtein(sandbox, response):
    """Two fences: the model corrects its own first attempt, which is too slow."""
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(call="levenshtein", args=["kitten", "sitting"], expected=3),
            Case(call="levenshtein", args=["", "abc"], expected=3),
            Case(call="levenshtein", args=["same", "same"], expected=0),
            Case(call="levenshtein", args=["intention" * 5, "execution" * 5], expected=25, time_limit=2),
        ],
    )
    assert (reward.value, reward.verdict) == (1.0, "passed")


@pytest.mark.reward(threshold=0.6)
def test_redact_phone_numbers(sandbox, response):
    """The candidate knows one way of writing a phone number."""
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(call="redact", args=["call 555-123-4567 now"], expected="call [phone] now", name="dashes"),
            Case(call="redact", args=["no number here"], expected="no number here", name="none"),
            Case(call="redact", args=["555-123-4567, 555-765-4321"], expected="[phone], [phone]", name="two"),
            Case(call="redact", args=["(555) 123-4567"], expected="[phone]", name="parentheses"),
            Case(call="redact", args=["order 1555-123-45678"], expected="order 1555-123-45678", name="longer number"),
        ],
    )
    assert (reward.value, reward.verdict) == (approx(3 / 5), "partial")


REFUSAL = """\
I'm sorry, but I can't help with validating e-mail addresses without knowing which standard you need (RFC 5321, RFC 5322
or the rules of HTML forms). Could you tell me more about your use case?
"""


def test_is_valid_email(sandbox):
    """Nothing in the response is code."""
    reward = assert_cases(
        sandbox,
        REFUSAL,
        cases=[
            Case(call="is_valid_email", args=["ada@example.org"], expected=True),
            Case(call="is_valid_email", args=["ada@"], expected=False),
        ],
        threshold=0,
    )
    assert (reward.value, reward.verdict) == (0.0, "no_code")


# Works, until the text has no letters: then it takes the interpreter down instead of raising an exception.
TITLE_CASE = """\
```python
import sys

def title_case(text):
    if not any(character.isalpha() for character in text):
        print("nothing to do", file=sys.stderr)
        sys.exit(1)
    return " ".join(word[:1].upper() + word[1:].lower() for word in text.split(" "))
```
"""


def test_title_case(sandbox):
    reward = assert_cases(
        sandbox,
        TITLE_CASE,
        cases=[
            Case(call="title_case", args=["hello world"], expected="Hello World"),
            Case(call="title_case", args=["1 2 3"], expected="1 2 3", name="no letters"),
            Case(call="title_case", args=["it's FINE"], expected="It's Fine"),
        ],
        threshold=0.5,
    )
    assert (reward.value, reward.verdict) == (approx(2 / 3), "partial")
    assert reward.parts[1].verdict == "runtime_error"
