"""Which of several blocks of a response are the candidate, and which tell about it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.scorers.source import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_rewardkit.scorers.source import Source

_READS: Final = re.compile(r"\binput\(|\bstdin\b|\bopen\(0|__name__ *== *['\"]__main__")


def needed_blocks(sources: Sequence[Source | None], defines: Collection[str]) -> list[int]:
    """The places of the last source that defines what is asked and of the earlier ones that it cannot do without.

    Nothing asked, it is the last one that is no example: no check, no sample output, no line that was there before, and
    no use of a whole program. Empty when no source defines any of what is asked.
    """
    readable = {place: source for place, source in enumerate(sources) if source is not None and source.is_code}
    wanted = set(defines) & {name for source in readable.values() for name in source.defines}
    if defines:
        return _with_what_they_use(readable, wanted)
    readable = dict(list(readable.items())[-MOST_BLOCKS:])
    places = [place for place in readable if not _is_example(place, readable)] or list(readable)
    while places:
        kept = {place: readable[place] for place in places}
        chosen = _with_what_they_use(kept, set(), last=places[-1])
        programs = [place for place in chosen[:-1] if _READS.search(readable[place].text)]
        if not programs:
            return chosen
        places = [place for place in places if place <= programs[-1]]  # what follows tells how to use it
    return []


def _with_what_they_use(sources: Mapping[int, Source], wanted: set[str], last: int | None = None) -> list[int]:
    chosen: list[int] = []
    for place, source in reversed(list(sources.items())):
        if place == last or wanted & source.defines:
            chosen.append(place)
            wanted = (wanted - source.defines) | source.uses
    return sorted(chosen)


def _is_example(place: int, sources: Mapping[int, Source]) -> bool:
    """Whether a block shows something about another one."""
    tree = syntax_tree(sources[place].text)
    if tree is None or len(sources) == 1:
        return False
    if all(isinstance(node, ast.Expr) and _is_literal(node.value) for node in tree.body):
        return True  # a sample output
    checks = [isinstance(node, ast.Assert) for node in tree.body]
    if any(checks) and all(
        isinstance(node, ast.Assert | ast.Assign | ast.Import | ast.ImportFrom) for node in tree.body
    ):
        return True
    lines = [line.strip() for line in sources[place].text.splitlines() if line.strip()]
    earlier = (source for other, source in sources.items() if other < place)
    return len(lines) <= MOST_QUOTED and any(_quotes(lines, source.text) for source in earlier)


_OF_CHECKS: Final = (ast.Assert, ast.Assign, ast.Import, ast.ImportFrom)
MOST_BLOCKS: Final = 40
MOST_QUOTED: Final = 20


def _is_literal(node: ast.expr) -> bool:
    """Whether an expression is plain data; a name in it would be looked up."""
    return not any(isinstance(inner, ast.Name | ast.Call | ast.JoinedStr) for inner in ast.walk(node))


def _quotes(lines: Sequence[str], text: str) -> bool:
    others = [line.strip() for line in text.splitlines() if line.strip()]
    return len(others) > len(lines) and any(
        others[start : start + len(lines)] == list(lines) for start, line in enumerate(others) if line == lines[0]
    )
