"""Numbers in a form for people."""

from __future__ import annotations

from typing import Final

NO_VALUE: Final = "-"


def shown(value: float | None) -> str:
    """Return a reward with two digits; only 1.0 itself is shown as 1.00, and only 0.0 itself as 0.00."""
    if value is None:
        return NO_VALUE
    text = f"{value:.2f}"
    if text == "1.00" and value < 1:
        return "0.99"
    if text == "0.00" and value > 0:
        return "0.01"
    return text


def shown_under(value: float, bound: float) -> str:
    """Return `value` with enough digits to show that it is under `bound`."""
    return next((text for digits in (2, 4, 6) if float(text := f"{value:.{digits}f}") < bound), repr(value))


def signed(difference: float) -> str:
    """Return a difference with its sign, and with enough digits to show that it is not 0."""
    texts = (f"{difference:+.{digits}f}" for digits in (2, 4, 6))
    return next((text for text in texts if float(text)), "+0.00")


def from_to(before: float | None, now: float | None) -> str:
    """Return two rewards with an arrow between them, and with enough digits to tell them apart."""
    texts = [f"{shown(before)} -> {shown(now)}"]
    if before is not None and now is not None and before != now and shown(before) == shown(now):
        texts += [f"{before:.4f} -> {now:.4f}", f"{before!r} -> {now!r}"]
    return next((text for text in texts if len(set(text.split(" -> "))) == 2), texts[-1])


def duration(seconds: float) -> str:
    """Return a duration in the most readable unit, with about two digits."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return ``1 test``, ``2 tests``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
