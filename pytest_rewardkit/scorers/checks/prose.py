"""Numbers in prose, as people and programs write them. Pure, and linear in the text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.scorers.values.digits import whole_number

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_READ_EXACTLY: Final = 5_000
"""Digits up to which a whole number is read exactly; a longer one becomes a float."""

_TYPED: Final = {
    **dict.fromkeys(map(ord, "\N{MINUS SIGN}\N{FIGURE DASH}\N{SMALL HYPHEN-MINUS}\N{EN DASH}"), "-"),
    **{0xFF10 + digit: str(digit) for digit in range(10)},
}
_RAISED: Final = {ord(raised): plain for raised, plain in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+", strict=True)}
_SCALES: Final = {
    **dict.fromkeys(("k", "thousand"), 1_000),
    **dict.fromkeys(("mn", "mio", "million", "millions"), 1_000_000),
    **dict.fromkeys(("b", "bn", "billion", "billions"), 1_000_000_000),
    **dict.fromkeys(("t", "trn", "trillion", "trillions"), 1_000_000_000_000),
}
_ORDINALS: Final = ("st", "nd", "rd", "th")

# Every repeat is possessive or bounded, and no match starts in a run of digits: no text takes more than linear time.
_NUMBER: Final = re.compile(
    r"""
    (?=[-+(.$€£¥₹\d])
    (?:
        (?P<date>
            (?<![\w.])
            (?: \d{4}(?P<mark>[-/.])\d{1,2}(?P=mark)\d{1,2} | \d{1,2}(?P<other>[-/.])\d{1,2}(?P=other)\d{4}
              | \d{1,2}/\d{1,2}/\d{2} | \d{4}-(?:0[1-9]|1[0-2]) )
            (?: [T\ ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?Z? )?
            (?!\w|[-/.]\d)
        )
      | (?P<open>\()?
        (?: (?<![\w.)\]%])(?P<sign>[-+]) )?
        (?: [$€£¥₹]\ ? (?P<inner>[-+])? )?
        (?<![\w.])
        (?:
            (?P<english> (?: \d{1,3}(?:,\d{3}){1,12} | \d{1,2}(?:,\d{2}){1,12},\d{3} ) (?!\d|,\d) (?:\.\d++)? )
          | (?P<other_way> \d{1,3}(?:\.\d{3}){1,12},\d++ | \d{1,3}(?:\.\d{3}){2,12} ) (?!,?\d|\.\d)
          | (?P<apart> \d{1,3}(?:['\u2019_\u00a0\u202f\u2009]\d{3}){1,12} (?!\d) (?:[.,]\d++)? )
          | (?P<spaced> \d{1,3}(?:\ \d{3}){1,12} (?![.,]\d|\w) )
          | (?P<comma> (?<!\d,)\d++,\d++ ) (?!,\d|\.\d)
          | (?P<plain> \d++(?:\.\d++)? | \.\d++ )
        )
        (?: [eE](?P<e>[-+]?\d{1,6})(?!\d)
          | \ ?[\u00d7x*\u00b7]\ ?10
            (?: \ ?(?:\^|\*\*)\ ?[({]?(?P<power>[-+]?\d{1,4})[)}]? | (?P<raised>[⁻⁺]?[⁰¹²³⁴-⁹]{1,4}) ) )?
        (?!\d|\.\d)
        (?P<percent> \ ?% | \ percent\b )?
        (?P<unit> \ ?(?:thousand|millions?|billions?|trillions?|mn|mio|bn|trn)\b | [^\W\d_]{1,16} )?
        (?!\w)
        (?P<close>\))?
    )
    """,
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)


def plain_text(text: str) -> str:
    """`text` with minus signs and wide digits replaced by the characters on a keyboard."""
    return text if text.isascii() else text.translate(_TYPED)


def numbers_in(text: str) -> Iterator[tuple[float, ...]]:
    """Yield the numbers in a text, each in all its readings, the likeliest first.

    A percentage is its number and a hundredth of that; ``5k`` and ``5 million`` may also be 5; ``1,5`` and ``1 234``
    may also be two numbers; and ``(5)`` may be negative. Dates, ordinals, versions and digits inside a word are not
    numbers.
    """
    for match in _NUMBER.finditer(plain_text(text)):
        if found := _readings(match):
            yield found
            if match["spaced"]:
                yield from ((_value(group),) for group in match["spaced"].split(" ")[1:])


def _readings(match: re.Match[str]) -> tuple[float, ...]:
    unit = (match["unit"] or "").strip().casefold()
    if match["date"] or unit in _ORDINALS:
        return ()
    found = [_scaled(value, match) for value in _values(match)]
    if "-" in (match["sign"], match["inner"]):
        found = [-value for value in found]
    elif match["open"] and match["close"]:
        found += [-value for value in found]
    if match["percent"]:
        found += [value / 100 for value in found if abs(value) < 1e300]
    if (match["unit"] == "M" or unit in _SCALES) and all(abs(value) < 1e290 for value in found):
        found += [value * _SCALES.get(unit, 1_000_000) for value in found]
    return tuple(found)


def _values(match: re.Match[str]) -> list[float]:
    if text := match["english"]:
        return [_value(text.replace(",", ""))]
    if text := match["other_way"]:
        return [_value(text.replace(".", "").replace(",", "."))]
    if text := match["apart"]:
        return [_value(re.sub(r"[^\d.,]", "", text).replace(",", "."))]
    if text := match["spaced"]:
        return [_value(text.replace(" ", "")), _value(text.split(" ")[0])]
    if text := match["comma"]:
        return [_value(text.replace(",", ".")), *map(_value, text.split(","))]
    return [_value(match["plain"])]


def _scaled(value: float, match: re.Match[str]) -> float:
    power = match["e"] or match["power"] or (match["raised"] or "").translate(_RAISED)
    if not power:
        return value
    try:
        return float(f"{value!r}e{int(power)}")
    except (ValueError, OverflowError):
        return value


def _value(text: str) -> float:
    if text.isdigit() and len(text) <= MAX_READ_EXACTLY:
        return whole_number(text)
    return float(text)
