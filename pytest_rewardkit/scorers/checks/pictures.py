"""Whether a displayed image has something on it. Pure; the images are hostile.

Everything is bounded before it is decoded, and a PNG is decoded only up to the first pixel that differs from others.
"""

from __future__ import annotations

import base64
import re
import struct
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHARACTERS: Final = 20_000_000
"""Characters of an image."""

SMALLEST_SIDE: Final = 16
MAX_SIDE: Final = 20_000
MAX_DECODED: Final = 100_000_000
"""Bytes of a PNG's rows."""

MAX_COMPARED: Final = 2_000_000
"""Bytes of rows that are compared; an image of a single color up to there is blank."""

_AS_ABOVE: Final = (2, 4)
"""Ways to store a row in which zeros repeat the row above, if all of that has one color."""

_AT_ONCE: Final = 1 << 16

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel, by color type."""

_DRAWN: Final = re.compile(r"<(?:\w+:)?(?:path|line|polyline|polygon|rect|circle|ellipse|text|image|use)[\s/>]")


def is_picture(image: str) -> bool:
    """Whether a PNG or JPEG in base64, or an SVG, is a non-empty image that is not blank."""
    if len(image) > MAX_CHARACTERS:
        return False
    if image.lstrip().startswith("<"):
        return _is_svg(image)
    try:
        data = base64.b64decode(image)
        return _is_png(data) if data.startswith(_SIGNATURE) else _is_jpeg(data)
    except (ValueError, LookupError, struct.error, zlib.error):
        return False


def _is_png(data: bytes) -> bool:
    width, height, depth, color, interlaced = _png_header(data)
    if not _has_size(width, height) or depth not in (1, 2, 4, 8, 16):
        return False
    bits = depth * _SAMPLES[color]
    length = -(-width * bits // 8)
    if length * height > MAX_DECODED:
        return False
    if interlaced:  # the first of seven small images holds one pixel of each eight by eight
        eighth = (width + 7) // 8
        return any(_rows(data, (eighth * bits + 7) // 8, (height + 7) // 8))
    return _differ(_rows(data, length, height), max(bits // 8, 1), width * bits // 8)


def _png_header(data: bytes) -> tuple[int, int, int, int, int]:
    length, kind = struct.unpack(">I4s", data[8:16])
    if (length, kind) != (13, b"IHDR"):
        raise ValueError("no header")
    width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    return width, height, depth, color, interlaced


def _rows(data: bytes, length: int, height: int) -> Iterator[bytes]:
    """A PNG's rows as stored, each after a byte that says how. Raises ValueError if some are missing."""
    decoder = zlib.decompressobj()
    pending, found, place = bytearray(), 0, 8
    while found < height:
        size, kind = struct.unpack(">I4s", data[place : place + 8])
        content = data[place + 8 : place + 8 + size]
        if len(content) < size or kind == b"IEND":
            raise ValueError("cut off")
        place += size + 12
        given = kind == b"IDAT"
        while given and found < height:
            decoded = decoder.decompress(content, _AT_ONCE)
            content = decoder.unconsumed_tail
            given = bool(content) or len(decoded) == _AT_ONCE
            pending += decoded
            while len(pending) > length and found < height:
                yield bytes(pending[: length + 1])
                del pending[: length + 1]
                found += 1


def _differ(rows: Iterator[bytes], pixel: int, length: int) -> bool:
    """Whether two pixels differ, in rows filtered as in PNG; compares whole bytes."""
    above, first, seen, is_blank = b"", b"", 0, True
    for row in rows:
        if not is_blank or seen > MAX_COMPARED:
            continue  # only to check that all rows are there
        if above and row[0] in _AS_ABOVE and not row[1:].strip(b"\0"):
            seen += len(row)  # the same row again, as in most of a margin
            continue
        plain = _unfiltered(row, above or bytes(len(row) - 1), pixel)
        first = first or plain[:pixel]
        is_blank = plain[:length] == first * (length // pixel)
        above, seen = plain, seen + len(plain)
    return not is_blank


def _unfiltered(row: bytes, above: bytes, pixel: int) -> bytes:
    how, line = row[0], bytearray(row[1:])
    if how == 0:
        return bytes(line)
    for place, value in enumerate(line):
        left = line[place - pixel] if place >= pixel else 0
        if how == 1:
            base = left
        elif how == 2:
            base = above[place]
        elif how == 3:
            base = (left + above[place]) // 2
        elif how == 4:
            base = _predicted(left, above[place], above[place - pixel] if place >= pixel else 0)
        else:
            raise ValueError("no such filter")
        line[place] = (value + base) & 255
    return bytes(line)


def _predicted(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    distances = (abs(guess - left), abs(guess - above), abs(guess - corner))
    return (left, above, corner)[distances.index(min(distances))]


def _is_jpeg(data: bytes) -> bool:
    """Whether there is a frame with a size, and data for it up to the end; its content is not decoded."""
    if not data.startswith(b"\xff\xd8") or b"\xff\xd9" not in data[-64:]:
        return False
    place, size = 2, (0, 0)
    while data[place] == 0xFF:
        marker = data[place + 1]
        length = struct.unpack(">H", data[place + 2 : place + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            size = width, height
        if marker == 0xDA:
            return _has_size(*size) and len(set(data[place + 2 + length : -2])) > SMALLEST_SIDE
        place += 2 + length
    return False


def _is_svg(text: str) -> bool:
    return "<svg" in text[:5_000] and "</svg>" in text[-1_000:] and _DRAWN.search(text) is not None


def _has_size(width: int, height: int) -> bool:
    return all(SMALLEST_SIDE <= side <= MAX_SIDE for side in (width, height))
