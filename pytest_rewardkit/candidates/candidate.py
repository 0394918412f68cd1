"""A candidate as text, with details of the question to the model and of its cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from pytest_rewardkit.errors import RewardkitUsageError

# The names in OpenAI's chat completions, in Anthropic's messages and OpenAI's responses, and in Google's API.
_INPUT: Final = ("input_tokens", "prompt_tokens", "prompt_token_count")
_OUTPUT: Final = ("output_tokens", "completion_tokens", "candidates_token_count")


class Candidate(str):
    """A candidate with details of the question to the model. To a scorer it is plain text.

    Parameters:
        text: the candidate, or the response with it.
        prompt: the question to the model: a text, or messages.
        model: the model's name.
        usage: counts of tokens: a mapping, or an object of OpenAI's or Anthropic's client.
        cost: of the answer, in US dollars.
        seconds: how long the model took; measured if not given.

    Raises RewardkitUsageError for an invalid number.
    """

    prompt: Any
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost: float | None
    seconds: float | None

    def __new__(
        cls,
        text: str,
        *,
        prompt: Any = None,
        model: str | None = None,
        usage: object = None,
        cost: float | None = None,
        seconds: float | None = None,
    ) -> Candidate:
        if not isinstance(text, str):
            raise RewardkitUsageError(f"Candidate takes the text of one, not {type(text).__name__}")
        made = super().__new__(cls, text)
        made.prompt = prompt
        made.model = None if model is None else str(model)
        made.input_tokens = _tokens(usage, _INPUT)
        made.output_tokens = _tokens(usage, _OUTPUT)
        made.cost = _checked(cost, "cost")
        made.seconds = _checked(seconds, "seconds")
        return made


def _tokens(usage: object, names: tuple[str, ...]) -> int | None:
    for name in names:
        value = usage.get(name) if isinstance(usage, Mapping) else getattr(usage, name, None)
        if value is not None:
            return int(_checked(value, f"usage: {name}") or 0)
    return None


def _checked(value: Any, name: str) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if not (math.isfinite(number) and number >= 0):
        raise RewardkitUsageError(f"Candidate: {name} must be a number, 0 or more, not {value!r}")
    return number
