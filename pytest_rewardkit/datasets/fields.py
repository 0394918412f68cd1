"""The fields of rows that this package knows, and what their values may be. Pure."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.scorers.response.messages import content_text, is_conversation
from pytest_rewardkit.scorers.values.digits import json_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_rewardkit.datasets.store import Fields
    from pytest_rewardkit.scorers.response.messages import Conversation

CANDIDATE_FIELDS: Final = ("candidate", "response", "completion", "solution")
"""Fields that hold what is judged, in rows and in samples."""

MESSAGES: Final = "messages"
"""The field with a conversation: what was asked and, last, what is judged where no other field holds it."""

ID_FIELDS: Final = ("id", "task_id", "row_id", "problem_id", "question_id")
"""Fields that are taken for a row's id where none is named, the first that the first row has."""

DIRECTIONS: Final = ("marks", "skip", "threshold", "template")
"""Fields by which a row speaks of its own test."""


def candidate_text(value: Any) -> str | None:
    """Returns the text of a candidate as a row or a sample has it, a text or messages; None for another value."""
    if is_conversation(value):
        return content_text(value[-1]["content"])
    return value if isinstance(value, str) else None


def conversation_of(value: Any) -> Conversation | None:
    """Returns messages as a row has them, maybe as JSON; None for another value."""
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):
            value = json_of(value)
    return value if is_conversation(value) else None


def missing_field(name: str, fields: Fields, place: str) -> RewardkitUsageError:
    """Returns the error for a row without a field that is needed."""
    return RewardkitUsageError(f"{place}: no field {name!r}{did_you_mean(name, map(str, fields))}")


def unknown_field(name: str, known: Iterable[str], place: str) -> RewardkitUsageError:
    """Returns the error for a row with a field that nobody reads."""
    return RewardkitUsageError(f"{place}: unknown field {name!r}{did_you_mean(name, known)}")
