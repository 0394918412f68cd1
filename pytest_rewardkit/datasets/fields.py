"""The fields of rows that this package knows, and their valid values. Pure."""

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
"""Fields that hold the candidate, in rows and in samples."""

MESSAGES: Final = "messages"
"""The field with a conversation: the prompt and, last, the candidate if no other field holds it."""

ID_FIELDS: Final = ("id", "task_id", "row_id", "problem_id", "question_id")
"""Fields that may be a row's id if the user names none; the first one that the first row has."""

DIRECTIONS: Final = ("marks", "skip", "threshold", "template")
"""Fields of a row that configure its own test."""


def candidate_text(value: Any) -> str | None:
    """Returns the text of a candidate from a row or a sample, given as text or messages; None for another value."""
    if is_conversation(value):
        return content_text(value[-1]["content"])
    return value if isinstance(value, str) else None


def conversation_of(value: Any) -> Conversation | None:
    """Returns the messages of a row, which may be JSON; None for another value."""
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):
            value = json_of(value)
    return value if is_conversation(value) else None


def missing_field(name: str, fields: Fields, place: str) -> RewardkitUsageError:
    """Returns the error for a row without a required field."""
    return RewardkitUsageError(f"{place}: no field {name!r}{did_you_mean(name, map(str, fields))}")


def unknown_field(name: str, known: Iterable[str], place: str) -> RewardkitUsageError:
    """Returns the error for a row with a field that nothing reads."""
    return RewardkitUsageError(f"{place}: unknown field {name!r}{did_you_mean(name, known)}")
