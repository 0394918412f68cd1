"""An answer on record: what a model gave, to what, and what it took; as a line of JSON."""

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
"""What an answer is that the fixture of that name gave; others are named by the digest of their prompt."""

Key = tuple[str, str, int]
"""By what an answer is found: the test, what it is in it, and which one of several, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """What a model gave.

    Parameters:
        test: the name of the test that asked.
        what: `CANDIDATE`, or the digest of the prompt.
        number: which of several to the same prompt it is in that test, from 1.
        digest: of what the model was asked, as far as that is known before; "" where it is not.
        source: digest of the texts in the fixture's own code, where the prompt is not known; "" elsewhere.
        value: a text, or a value of JSON.
        prompt: what the model was asked; None where nobody says.
        model, input_tokens, output_tokens, cost, seconds: as of `Candidate`.
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
        """Return the answer with what was given, after `seconds`, and with all that it says of itself.

        Raises RewardkitUsageError for what cannot be kept.
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
        """Return what whoever asked gets of it."""
        if not isinstance(self.value, str):
            return self.value
        usage = {"input_tokens": self.input_tokens, "output_tokens": self.output_tokens}
        return Candidate(
            self.value, prompt=self.prompt, model=self.model, usage=usage, cost=self.cost, seconds=self.seconds
        )

    def use(self, *, replayed: bool) -> ModelUse:
        """Return what asking for it took."""
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
        """Return the answer as a line of ASCII JSON, with its line break. Raises ValueError for what is no JSON."""
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
        """Return the answer of which `to_line` wrote. Raises KeyError, TypeError or ValueError."""
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
