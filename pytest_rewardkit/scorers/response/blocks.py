"""Decides which of a response's blocks are the candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.scorers.response.block_kinds import acts, is_example, is_whole_program, really_defines

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_rewardkit.scorers.response.source import Source

MAX_BLOCKS: Final = 40


def needed_blocks(sources: Sequence[Source | None], defines: Collection[str]) -> list[int]:
    """The places of the last source that defines what is asked, and of the others that it needs.

    If nothing is asked, the last source that acts and is not an example: not a check, a sample output, a line seen
    before, or a use of a whole program. Empty if no source defines any of what is asked.
    """
    readable = {place: source for place, source in enumerate(sources) if source is not None and source.is_code}
    if defines:
        return _defining(readable, set(defines) & {name for source in readable.values() for name in source.defines})
    readable = dict(list(readable.items())[-MAX_BLOCKS:])
    places = [place for place in readable if not _is_example(place, readable)] or list(readable)
    acting = [place for place in places if acts(readable[place])]
    if acting:
        places = [place for place in places if place <= acting[-1]]
    while places:
        kept = {place: readable[place] for place in places}
        chosen = _with_what_they_use(kept, set(), last=places[-1])
        programs = [place for place in chosen[:-1] if is_whole_program(readable[place])]
        if not programs:
            return chosen
        places = [place for place in places if place <= programs[-1]]  # what follows a program shows how to use it
    return []


def _is_example(place: int, sources: Mapping[int, Source]) -> bool:
    return len(sources) > 1 and is_example(
        sources[place], [source for other, source in sources.items() if other < place]
    )


def _defining(sources: Mapping[int, Source], wanted: set[str]) -> list[int]:
    """The last sources that define what is wanted, and do not just import it or show how to call it."""
    whole = {
        place: source
        for place, source in sources.items()
        if not wanted & source.defines or really_defines(source, wanted)
    }
    if wanted - {name for source in whole.values() for name in source.defines}:
        whole = dict(sources)
    chosen = _with_what_they_use(whole, set(wanted))
    missing = {name for place in chosen for name in whole[place].uses}
    missing -= {name for place in chosen for name in whole[place].defines}
    # Helpers that the response gives afterwards.
    helpers = [it for it in whole if chosen and it > chosen[-1] and missing & whole[it].defines and not acts(whole[it])]
    return chosen + helpers


def _with_what_they_use(sources: Mapping[int, Source], wanted: set[str], last: int | None = None) -> list[int]:
    chosen: set[int] = set()
    before = -1
    while before != len(chosen):  # a source found first may use one found later
        before = len(chosen)
        for place, source in reversed(list(sources.items())):
            if place not in chosen and (place == last or wanted & source.defines):
                chosen.add(place)
                wanted = (wanted - source.defines) | source.uses
        wanted -= {name for place in chosen for name in sources[place].defines}
        sources = {place: source for place, source in sources.items() if last is None or place <= last}
    return sorted(chosen)
