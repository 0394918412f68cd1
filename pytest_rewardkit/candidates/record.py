"""Decides whether a model is asked or its earlier answer is replayed. Pure: it knows nothing of pytest."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.candidates.answer import CANDIDATE, ModelAnswer
from pytest_rewardkit.candidates.candidate import Candidate
from pytest_rewardkit.candidates.prompt import digest, plain
from pytest_rewardkit.errors import RewardkitUsageError, UnscoredError
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_rewardkit.candidates.answer import Key
    from pytest_rewardkit.ledger.model_use import ModelUse

AUTO: Final = "auto"
RECORD: Final = "record"
REPLAY: Final = "replay"
MODES: Final = (AUTO, RECORD, REPLAY)


@dataclass(frozen=True, slots=True)
class OnRecord:
    """Earlier answers of models.

    Parameters:
        answers: by their keys.
        faults: by test, why the answer of a test that had one is missing.
    """

    answers: dict[Key, ModelAnswer]
    faults: Mapping[str, str] = field(default_factory=dict)


class CandidatesOnRecord:
    """Models' answers, in one process.

    Parameters:
        read: returns the answers on record; None if nothing is kept, and models are always asked.
        name: of the record, for messages.
        mode: `AUTO`, `RECORD` or `REPLAY`.
        any_prompt: whether an answer is replayed even if the prompt has changed.
    """

    def __init__(
        self,
        read: Callable[[], OnRecord] | None = None,
        name: str = "",
        mode: str = AUTO,
        *,
        any_prompt: bool = False,
    ) -> None:
        self._read = read
        self._name = name
        self.mode = mode
        self._any_prompt = any_prompt
        self._known: OnRecord | None = None

    @property
    def is_kept(self) -> bool:
        """Whether there is a record."""
        return self._read is not None

    @property
    def keeps(self) -> bool:
        """Whether answers are kept."""
        return self._read is not None and self.mode != REPLAY

    def find(self, wanted: ModelAnswer) -> ModelAnswer | None:
        """Return the answer on record for `wanted`; None if a model must be asked.

        Raises UnscoredError if there is none and no model may be asked, RewardkitUsageError if the record is invalid.
        """
        if self._read is None or self.mode == RECORD:
            return None
        if self._known is None:
            self._known = self._read()
        found = self._known.answers.get(wanted.key)
        if found is not None and (self._any_prompt or self._fits(found, wanted)):
            return found
        if self.mode != REPLAY:
            return None
        what = "no candidate" if wanted.what == CANDIDATE else "no answer to this prompt"
        if found is not None:
            what = "a candidate for another prompt"
        why = self._known.faults.get(wanted.test) or f"{self._name} has {what} of {wanted.test}"
        raise UnscoredError(f"{why}, and no model is asked")

    def add(self, answer: ModelAnswer) -> None:
        """Put an answer on record from now on, for example for a rerun of the same test."""
        if self._known is not None:
            self._known.answers[answer.key] = answer

    def _fits(self, found: ModelAnswer, wanted: ModelAnswer) -> bool:
        # In a replay, the code that asks may be gone together with its client, so only the question itself counts.
        return found.digest == wanted.digest and (self.mode == REPLAY or found.source == wanted.source)


class AskedByTest:
    """The questions of one test to models, in each run of the test.

    Parameters:
        record: the answers on record.
        test: the test's name.
        note: told the cost of asking.
        keep: given each answer that is to be kept.
    """

    def __init__(
        self,
        record: CandidatesOnRecord,
        test: str,
        note: Callable[[ModelUse], None] = lambda _: None,
        keep: Callable[[ModelAnswer], None] = lambda _: None,
    ) -> None:
        self._record = record
        self._test = test
        self._note = note
        self._keep = keep
        self._numbers: Counter[str] = Counter()

    def wanted(self, asked_with: str, *, prompt: Any, what: str = CANDIDATE, source: str = "") -> ModelAnswer:
        """Return the answer to look for next; `asked_with` is the digest of the question, "" if it is not known."""
        self._numbers[what] += 1
        return ModelAnswer(
            test=self._test, what=what, number=self._numbers[what], digest=asked_with, source=source, prompt=prompt
        )

    def wanted_for(self, prompt: object) -> ModelAnswer:
        """Return the answer to look for next, by a text or messages. Raises RewardkitUsageError for other prompts."""
        if not (asked := plain(prompt)):
            raise RewardkitUsageError(
                f"a prompt is a text, or messages as JSON has them, not {one_line(repr(prompt), 60)}"
            )
        return self.wanted("", prompt=asked, what=digest(asked))

    def replayed(self, wanted: ModelAnswer) -> ModelAnswer | None:
        """Return the answer on record; None if a model must be asked. Raises what `CandidatesOnRecord.find` raises."""
        found = self._record.find(wanted)
        if found is not None:
            self._note(found.use(replayed=True))
        return found

    def given(self, wanted: ModelAnswer, value: object, began: float) -> None:
        """Note a model's answer to a question asked at `began`, by `time.perf_counter`.

        Raises RewardkitUsageError for a value that should be kept but cannot be.
        """
        if not (self._record.keeps or isinstance(value, Candidate)):
            return
        answer = wanted.with_value(value, seconds=time.perf_counter() - began)
        self._note(answer.use(replayed=False))
        if self._record.keeps:
            self._record.add(answer)
            self._keep(answer)
