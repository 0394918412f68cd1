"""The details of one test that the page shows when it is opened, within the page's budget."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.reports.html.bounds import fair_limit
from pytest_rewardkit.reports.html.images import RefusedImageError, data_url
from pytest_rewardkit.reports.html.island import island
from pytest_rewardkit.text import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_rewardkit.reports.html.model import Image, PageAttempt, PageEvidence, PageTest
    from pytest_rewardkit.reward import Part

TEXT_BUDGET: Final = 64_000_000
"""Bytes of texts on the page: code, output, expected and actual values."""
IMAGE_BUDGET: Final = 64_000_000
"""Bytes of pictures on the page."""
TEXT_LIMIT: Final = 200_000
"""Characters of one text; more would make the panel slow to open."""
PARTS_LIMIT: Final = 1000
"""Parts shown of one attempt: those with the lowest values."""
NAME_LIMIT: Final = 500
WORD_LIMIT: Final = 100
"""Characters of a verdict or an outcome; a results file may contain any text there."""
REASON_LIMIT: Final = 2000

OUTPUT: Final = -1
"""Stands for the whole output, among the indexes of parts."""

# Most bytes that one character takes on the page, as two escaped surrogates.
_MAX_WIDTH: Final = 12
_SMALLEST_CUT: Final = 200


def details(
    tests: Sequence[PageTest], *, text_budget: int = TEXT_BUDGET, image_budget: int = IMAGE_BUDGET
) -> Iterator[dict[str, Any]]:
    """Yield the details of each of `tests`, as values for JSON; fields with their default are left out.

    If the texts do not all fit into `text_budget` bytes, they are cut in the middle, the longest first. Pictures that
    do not fit into `image_budget` bytes are left out with a note.
    """
    share = _share(tests, text_budget)
    pictures = _Pictures(image_budget)
    for test in tests:
        yield _test(test, _cut_to(share, test), pictures)


def page_size(text: str) -> int:
    """Return how many bytes `text` takes on the page, without its quotes."""
    return len(island(text)) - 2


class _Pictures:
    """Spends the budget for pictures, first come, first served."""

    def __init__(self, budget: int) -> None:
        self._left = budget

    def shown(self, image: Image) -> dict[str, Any]:
        name = excerpt(image.name, NAME_LIMIT)
        try:
            url = data_url(image)
        except RefusedImageError as error:
            return {"name": name, "refused": str(error)}
        if len(url) > self._left:
            return {"name": name, "refused": "the page has no room left for pictures"}
        self._left -= len(url)
        return {"name": name, "url": url}


def _share(tests: Sequence[PageTest], budget: int) -> int | None:
    """Return how many bytes of text one test may have; None if everything fits."""
    if sum(map(len, chain.from_iterable(map(_texts, tests)))) * _MAX_WIDTH <= budget:
        return None
    sizes = [page_size("".join(_texts(test))) for test in tests]
    return None if sum(sizes) <= budget else fair_limit(sizes, budget)


def _cut_to(share: int | None, test: PageTest) -> Callable[[str], str]:
    """Return a function that cuts a text of `test` so that all of the test's texts stay within `share` bytes."""
    if share is None or sum(sizes := [page_size(text) for text in _texts(test)]) <= share:
        return _whole
    limit = fair_limit(sizes, share)

    def cut(text: str) -> str:
        size = page_size(text)
        fitting = len(text) if size <= limit else max(len(text) * limit // size, _SMALLEST_CUT)
        return excerpt(text, min(fitting, TEXT_LIMIT))

    return cut


def _whole(text: str) -> str:
    return excerpt(text, TEXT_LIMIT)


def _texts(test: PageTest) -> list[str]:
    texts: list[str | None] = []
    for attempt in test.attempts:
        if (evidence := attempt.evidence) is not None:
            texts += (evidence.candidate, evidence.stdout, evidence.stderr)
        texts.append(attempt.prompt)
        texts += chain.from_iterable((step.given, step.got) for step in attempt.steps)
        for part in attempt.parts:
            texts += (part.expected, None if part.actual == part.expected else part.actual, part.stderr)
    return list(filter(None, texts))


def _test(test: PageTest, cut: Callable[[str], str], pictures: _Pictures) -> dict[str, Any]:
    shown: dict[str, Any] = {"attempts": [_attempt(attempt, cut, pictures) for attempt in test.attempts]}
    if test.row_id:
        shown["row"] = excerpt(test.row_id, NAME_LIMIT)
    if test.threshold is not None:
        shown["threshold"] = test.threshold
    if test.weight != 1:
        shown["weight"] = test.weight
    if test.must_pass:
        shown["must_pass"] = True
    if any(value is not None for value in test.history):
        shown["history"] = [None if value is None else round(value, 4) for value in test.history]
    if test.figures:
        shown["figures"] = [[excerpt(name, NAME_LIMIT), value] for name, value in test.figures]
    return shown


def _attempt(attempt: PageAttempt, cut: Callable[[str], str], pictures: _Pictures) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if attempt.value is not None:
        shown["value"] = attempt.value
    shown["verdict"] = excerpt(attempt.verdict, WORD_LIMIT)
    if attempt.outcome:
        shown["outcome"] = excerpt(attempt.outcome, WORD_LIMIT)
    if attempt.reason:
        shown["reason"] = excerpt(attempt.reason, REASON_LIMIT)
    if attempt.seconds is not None:
        shown["seconds"] = attempt.seconds
    if attempt.parts:
        shown["parts"] = _parts(attempt, cut)
    if left_out := attempt.left_out + max(len(attempt.parts) - PARTS_LIMIT, 0):
        shown["left_out"] = left_out
    if attempt.evidence is not None:
        shown |= _evidence(attempt.evidence, cut, pictures)
    return shown | _told(attempt, cut) | _ending(attempt)


def _told(attempt: PageAttempt, cut: Callable[[str], str]) -> dict[str, Any]:
    """Return what a model was asked, and the steps in the sandbox."""
    shown: dict[str, Any] = {}
    if attempt.asked:
        shown["asked"] = _named(attempt.asked)
    if attempt.prompt:
        shown["prompt"] = cut(attempt.prompt)
    if attempt.steps:
        shown["steps"] = [[excerpt(it.kind, WORD_LIMIT), cut(it.given), cut(it.got)] for it in attempt.steps]
    return shown


def _named(texts: Sequence[tuple[str, str]]) -> list[list[str]]:
    return [[excerpt(name, NAME_LIMIT), excerpt(text, NAME_LIMIT)] for name, text in texts]


def _ending(attempt: PageAttempt) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if attempt.timings:
        shown["timings"] = [[excerpt(name, NAME_LIMIT), seconds] for name, seconds in attempt.timings]
    if attempt.command:
        shown["command"] = excerpt(attempt.command, REASON_LIMIT)
    return shown


def _evidence(evidence: PageEvidence, cut: Callable[[str], str], pictures: _Pictures) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    # "" is kept: it shows that the candidate printed nothing.
    if evidence.candidate is not None:
        shown["candidate"] = cut(evidence.candidate)
    if evidence.stdout is not None:
        shown["stdout"] = cut(evidence.stdout)
    if evidence.stderr is not None:
        shown["stderr"] = cut(evidence.stderr)
    if evidence.images:
        shown["images"] = [pictures.shown(image) for image in evidence.images]
    return shown


def _parts(attempt: PageAttempt, cut: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return the parts; stderr that several parts, or the whole output, share is included once."""
    output = None if attempt.evidence is None else attempt.evidence.stderr
    places = {output: OUTPUT} if output else {}
    shown = []
    for place, part in enumerate(_worst(attempt.parts)):
        first = places.setdefault(part.stderr, place) if part.stderr else place
        shown.append(
            _part(part, cut) if first == place else {**_part(replace(part, stderr=None), cut), "stderrOf": first}
        )
    return shown


def _part(part: Part, cut: Callable[[str], str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": part.name}
    if part.value is not None:
        shown["value"] = part.value
    if part.weight != 1:
        shown["weight"] = part.weight
    shown["verdict"] = part.verdict
    if part.reason:
        shown["reason"] = part.reason
    if part.expected is not None:
        shown["expected"] = cut(part.expected)
    # Most parts pass; a value that came as expected need not be there twice.
    if part.expected is not None and part.actual == part.expected:
        shown["met"] = True
    elif part.actual is not None:
        shown["actual"] = cut(part.actual)
    if part.stderr is not None:
        shown["stderr"] = cut(part.stderr)
    if part.duration is not None:
        shown["seconds"] = part.duration
    return shown


def _worst(parts: Sequence[Part]) -> Sequence[Part]:
    """Return the `PARTS_LIMIT` parts with the lowest values, in their order."""
    if len(parts) <= PARTS_LIMIT:
        return parts
    lowest = sorted(range(len(parts)), key=lambda index: -1.0 if (value := parts[index].value) is None else value)
    return [parts[index] for index in sorted(lowest[:PARTS_LIMIT])]
