"""Determines a candidate's language, and takes its code out of a response. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_rewardkit.scorers.languages.table import AUTO, LANGUAGES, PYTHON, Language, find_language
from pytest_rewardkit.scorers.response.extract import find_code
from pytest_rewardkit.scorers.response.extraction import Extraction, joined
from pytest_rewardkit.scorers.response.fences import fenced_blocks
from pytest_rewardkit.scorers.response.languages import canonical, foreign_language

if TYPE_CHECKING:
    from collections.abc import Mapping

# A fence of one may hold the other: C is mostly valid C++, and types can be left out.
_ALSO = {"cpp": ("c",), "typescript": ("javascript",), "go_test": ("go",), "rust_test": ("rust",)}


def language_of_candidate(candidate: str, language: str | Language, others: Mapping[str, Language]) -> Language | None:
    """Return the language of a candidate; None for Python.

    Parameters:
        language: its name, or a language; "auto" means the language of the response's first fence that names a known
            one, or else the one that the code looks like.
        others: the user's own languages.

    Raises RewardkitUsageError for an unknown name.
    """
    if isinstance(language, Language):
        return language
    if language != AUTO:
        return find_language(language, others)
    known = {PYTHON, *LANGUAGES, *others}
    named = [block.language for block in fenced_blocks(candidate) if block.language in known]
    looks = named[0] if named else foreign_language(candidate)
    return find_language(looks, others) if looks in known and looks is not None else None


def source_in(response: str, language: Language, policy: str) -> Extraction:
    """Return the source of a language in a response, and how it was chosen.

    Its fenced blocks, or else those that name no language; without any block, the whole response.

    Parameters:
        policy: which of several blocks, as in `find_code`; "auto" is the last one in which a program begins, or else
            all.
    """
    for name in (language.name, *_ALSO.get(language.name, ())):
        blocks = [it for it in fenced_blocks(response) if it.text.strip() and it.language == canonical(name)]
        if blocks:
            begun = [
                place for place, it in enumerate(blocks) if language.begins and re.search(language.begins, it.text)
            ]
            if policy == "auto" and len(blocks) > 1 and begun:
                return joined(blocks, begun[-1:], language.name)
            return find_code(response, language=name, policy=policy)
    if not fenced_blocks(response):
        return Extraction(response, "the whole response") if response.strip() else Extraction("", "empty response")
    return find_code(response, language=language.name, policy=policy)
