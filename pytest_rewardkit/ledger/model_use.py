"""The use of models for one test, or for many: questions, tokens, cost and time. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.text import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROMPT_LIMIT: Final = 4_000
"""Characters of a prompt that are kept with a reward."""
MODELS_LIMIT: Final = 300


@dataclass(frozen=True, slots=True)
class ModelUse:
    """The use of models.

    Parameters:
        answers: how many answers there are.
        replayed: how many of them were on record, so that no model was asked.
        model: the names of the models, each once; "" if no name is known.
        prompt: the first prompt, cut to 4,000 characters; "" if it is not known.
        input_tokens, output_tokens: of all answers for which they are known; None if they are known for none.
        cost: US dollars for all answers with a known cost, including replayed ones; None if no cost is known.
        replayed_cost: the part of it that was paid earlier, for answers that were replayed now.
        seconds: how long the models took.
    """

    answers: int = 1
    replayed: int = 0
    model: str = ""
    prompt: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    replayed_cost: float | None = None
    seconds: float | None = None

    def to_fields(self) -> dict[str, Any]:
        """Return it as the fields of a JSON object; empty values are omitted."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value not in (None, "") and (name, value) != _NONE}

    @classmethod
    def from_fields(cls, data: Mapping[str, Any]) -> ModelUse:
        """Return the use from the fields that `to_fields` wrote. Raises TypeError or ValueError."""
        use = cls(**data)
        for name in ("answers", "replayed", "input_tokens", "output_tokens"):
            if (value := getattr(use, name)) is not None and type(value) is not int:
                raise TypeError(f"{name} must be a whole number, not {value!r}")
        for name in ("cost", "replayed_cost", "seconds"):
            if (value := getattr(use, name)) is not None:
                float(value)
        return use


_NONE: Final = ("replayed", 0)


def shown_prompt(prompt: str) -> str:
    """Return the part of a prompt that is kept with a reward."""
    limit = PROMPT_LIMIT
    # Encoded, one character may take up to twelve.
    while len(json.dumps(found := excerpt(prompt, limit))) > 2 * PROMPT_LIMIT:
        limit //= 2
    return found


def together(uses: Iterable[ModelUse]) -> ModelUse | None:
    """Return all of `uses` as one; None if there are none."""
    found = list(uses)
    if len(found) <= 1:
        return found[0] if found else None
    models = dict.fromkeys(use.model for use in found if use.model)
    return ModelUse(
        answers=sum(use.answers for use in found),
        replayed=sum(use.replayed for use in found),
        model=", ".join(models)[:MODELS_LIMIT],
        prompt=next((use.prompt for use in found if use.prompt), ""),
        input_tokens=_tokens(use.input_tokens for use in found),
        output_tokens=_tokens(use.output_tokens for use in found),
        cost=_sum(use.cost for use in found),
        replayed_cost=_sum(use.replayed_cost for use in found),
        seconds=_sum(use.seconds for use in found),
    )


def _tokens(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if known else None
