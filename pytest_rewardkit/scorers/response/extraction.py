"""The code taken from a response, from one block or several."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.scorers.response.cutting import without_cut_end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.scorers.response.fences import Block


@dataclass(frozen=True, slots=True)
class Extraction:
    """The code taken from a response ("" if it has none), and how it was chosen, for the reward's reason."""

    code: str
    how: str


_FUTURE: Final = re.compile(r"^from __future__ import [^\n(]+\n?", re.MULTILINE)


def joined(blocks: Sequence[Block], places: Sequence[int], language: str) -> Extraction:
    pieces = [textwrap.dedent(blocks[place].text).strip("\n") for place in places]
    how = _description(len(blocks), places)
    last = blocks[places[-1]]
    if language == "python" and not last.is_closed and (whole := without_cut_end(pieces[-1])) is not None:
        pieces[-1] = whole.rstrip("\n")
        how += ", without its end, which was cut off"
    if len(pieces) > 1 and any(_FUTURE.search(piece) for piece in pieces[1:]):
        # These have to come first.
        imports = dict.fromkeys(line.strip() for piece in pieces for line in _FUTURE.findall(piece))
        pieces = ["\n".join(imports), *(_FUTURE.sub("", piece).strip("\n") for piece in pieces)]
    return Extraction("\n\n".join(pieces) + "\n", how)


def _description(count: int, places: Sequence[int]) -> str:
    if count == 1:
        return "the only code block"
    if len(places) == count:
        return f"all {count} code blocks, joined"
    numbers = " and ".join(str(place + 1) for place in places)
    return f"code block{'s' if len(places) > 1 else ''} {numbers} of {count}"
