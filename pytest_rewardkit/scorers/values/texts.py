"""The texts of plain data, made on the host, as `print`, Python or a notebook shows it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.difference import shown
from pytest_rewardkit.scorers.guest.codec_encoder import has_plain_text
from pytest_rewardkit.scorers.values.digits import written
from pytest_rewardkit.scorers.values.literals import literal_value

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOWN_LIMIT: Final = 4_000


def text_of_value(value: Any) -> str:
    """Return the text of a value as `print` shows it; for other than plain data, as much as a reader needs."""
    if has_plain_text(value):
        return str(value)
    try:
        return written(value) if type(value) is int else shown(value, SHOWN_LIMIT)
    except ValueError:  # too many digits
        return shown(value, SHOWN_LIMIT)


def texts_of_value(value: Any, expected: str) -> Iterator[str]:
    """Yield the texts of one value; any of them may match. None may also be shown as nothing.

    Parameters:
        expected: the author's text. For a set, it may have the items in any order.
    """
    yield text_of_value(value)
    if value is None:
        yield ""
    if not has_plain_text(value):
        return
    if (text := repr(value)) != str(value):
        yield text
    if not isinstance(value, list | tuple | dict | set | frozenset):
        return
    # Notebooks put long values on several lines, and sort sets.
    from IPython.lib.pretty import pretty

    shown_in_cells = pretty(value)  # type: ignore[no-untyped-call]
    yield shown_in_cells
    if "{" in expected and _has_set(value):
        try:
            wanted = literal_value(expected)
        except ValueError:
            return
        if has_plain_text(wanted) and pretty(wanted) == shown_in_cells:  # type: ignore[no-untyped-call]
            yield expected


def _has_set(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_set, value)) or any(map(_has_set, value.values()))
    return isinstance(value, set | frozenset) or (isinstance(value, list | tuple) and any(map(_has_set, value)))
