"""The texts of chat messages, in the form that models' APIs, TRL and conversation data sets use. Pure.

A conversation is a list of messages, which are mappings with ``role`` and ``content``. Content is a text, or a list of
parts; those with a ``text`` count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard

Conversation = Sequence[Mapping[str, Any]]

ASSISTANT: Final = "assistant"
ASKING: Final = ("system", "developer", "user")
"""Roles whose messages are the prompt."""


def is_conversation(value: Any) -> TypeGuard[Conversation]:
    """Return whether this is a list of at least one message."""
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(item, Mapping) and "role" in item and "content" in item for item in value)
    )


def content_text(content: Any) -> str:
    """Return the text of a message's content; "" if it has none."""
    if isinstance(content, Mapping):  # a part; only its text can be judged
        return str(content.get("text") or "")
    if isinstance(content, list | tuple):
        return "".join(map(content_text, content))
    return str(content or "")


def prompt_of(conversation: Conversation) -> str:
    """Return the text of a conversation's prompt."""
    asked = (content_text(message["content"]) for message in conversation if message["role"] in ASKING)
    return "\n\n".join(filter(None, asked))


def answer_of(conversation: Conversation) -> str | None:
    """Return the assistant's message that ends a conversation; None if the last message is someone else's."""
    last = conversation[-1]
    return content_text(last["content"]) if last["role"] == ASSISTANT else None
