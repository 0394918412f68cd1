"""An answer on record: what a model returned, the question, and its cost, as a line of JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.candidates.candidate import Candidate
from pytest_rewardkit.candidates.prompt import plain, readable
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.ledger.model_use import MODELS_LIMIT, ModelUse, shown_prompt

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = 1
TYPE: Final = "answer"
CANDIDATE: Final = "candidate"
"""Marks the answer of the fixture with that name; other answers are named by the digest of their prompt."""

Key = tuple[str, str, int]
"""The key of an answer: the test, the answer's kind or digest, and its number among several, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """An answer of a model.

    Parameters:
        test: the name of the test that asked.
        what: `CANDIDATE`, or the digest of the prompt.
        number: its position among the answers to the same prompt in that test, from 1.
        digest: of the question to the model, as far as it is known before asking; "" if it is not known.
        source: digest of the texts in the fixture's own code, if the prompt is not known; else "".
        value: a text, or a value of JSON.
        prompt: the question to the model; None if it is not known.
        model, input_tokens, output_tokens, cost, seconds: as for `Candidate`.
    """

    test: str
    what: str = CANDIDATE
    number: int = 1
    digest: str = ""
    source: str = ""
    value: Any = ""
    prompt: Any = None
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None

    @property
    def key(self) -> Key:
        return self.test, self.what, self.number

    def with_value(self, value: object, *, seconds: float) -> ModelAnswer:
        """Return the answer with the model's value, received after `seconds`, and with the value's own details.

        Raises RewardkitUsageError for a value that cannot be kept.
        """
        kept = str(value) if isinstance(value, str) else plain(value)
        if kept is None and value is not None:
            raise RewardkitUsageError(
                f"what a model gives is kept as text or JSON, and this is {type(value).__name__}; give its text, or "
                "Candidate(text, prompt=..., model=..., usage=...)"
            )
        if not isinstance(value, Candidate):
            return replace(self, value=kept, seconds=round(seconds, 3))
        prompt = self.prompt if value.prompt is None else plain(value.prompt)
        return replace(
            self,
            value=kept,
            prompt=str(value.prompt) if prompt is None and value.prompt is not None else prompt,
            model=value.model,
            input_tokens=value.input_tokens,
            output_tokens=value.output_tokens,
            cost=value.cost,
            seconds=round(seconds, 3) if value.seconds is None else value.seconds,
        )

    def given(self) -> Any:
        """Return the answer in the form that the asking test receives."""
        if not isinstance(self.value, str):
            return self.value
        usage = {"input_tokens": self.input_tokens, "output_tokens": self.output_tokens}
        return Candidate(
            self.value, prompt=self.prompt, model=self.model, usage=usage, cost=self.cost, seconds=self.seconds
        )

    def use(self, *, replayed: bool) -> ModelUse:
        """Return the cost of asking for it."""
        return ModelUse(
            replayed=int(replayed),
            model=(self.model or "")[:MODELS_LIMIT],
            prompt="" if self.prompt is None else shown_prompt(readable(self.prompt)),
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cost=self.cost,
            replayed_cost=self.cost if replayed else None,
            seconds=self.seconds,
        )

    def to_line(self) -> str:
        """Return the answer as a line of ASCII JSON, with a line break. Raises ValueError if the value is not JSON."""
        numbered = {"number": self.number} if self.number > 1 else {}
        optional = {
            "digest": self.digest or None,
            "source": self.source or None,
            "prompt": self.prompt,
            "model": self.model,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost": self.cost,
            "seconds": self.seconds,
        }
        fields = {"v": VERSION, "type": TYPE, "test": self.test, "what": self.what, **numbered}
        fields |= {name: value for name, value in optional.items() if value is not None}
        return json.dumps({**fields, "answer": self.value}, ensure_ascii=True, allow_nan=False) + "\n"

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> ModelAnswer:
        """Return the answer from the fields that `to_line` wrote. Raises KeyError, TypeError or ValueError."""
        if fields.get("v") != VERSION or fields.get("type") != TYPE:
            raise ValueError(f"this is no answer of version {VERSION}")
        known = {name: value for name, value in fields.items() if name not in ("v", "type", "answer")}
        found = cls(value=fields["answer"], **known)
        for name in ("test", "what", "digest", "source"):
            if not isinstance(getattr(found, name), str):
                raise TypeError(f"{name} must be a text, not {getattr(found, name)!r}")
        if type(found.number) is not int:
            raise TypeError(f"number must be a whole number, not {found.number!r}")
        found.given()  # checks the rest
        return found
