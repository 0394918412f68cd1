"""Pictures from candidates: only PNG and JPEG files of a tolerable size get into the page."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import counted

if TYPE_CHECKING:
    from pytest_rewardkit.reports.html.model import Image

BYTES_LIMIT: Final = 2_000_000
PIXELS_LIMIT: Final = 25_000_000
"""A small file may unpack to gigabytes; this many pixels take 100 MB in the browser."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
# Start-of-frame markers, which hold the size; the other markers in this range do not.
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class RefusedImageError(ValueError):
    """The message says why a picture is not shown."""


def data_url(image: Image) -> str:
    """Return `image` as a ``data:`` URL. Raises RefusedImageError, with the reason for people."""
    if len(image.base64) > BYTES_LIMIT * 4 // 3 + 1000:
        raise RefusedImageError(f"larger than {counted(BYTES_LIMIT, 'byte')}")
    try:
        # Line breaks are common in base64 and mean nothing.
        content = base64.b64decode("".join(image.base64.split()), validate=True)
    except (binascii.Error, ValueError):
        raise RefusedImageError("not base64") from None
    if content.startswith(_PNG):
        kind, size = "png", _png_size(content)
    elif content.startswith(_JPEG):
        kind, size = "jpeg", _jpeg_size(content)
    else:
        raise RefusedImageError("neither PNG nor JPEG")
    if size is None:
        raise RefusedImageError(f"a damaged {kind.upper()} file")
    width, height = size
    if not 0 < width * height <= PIXELS_LIMIT:
        raise RefusedImageError(f"{width} x {height} pixels")
    # Encoded again, so that the page contains no character of the original text.
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _png_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height from the header chunk, which is always the first."""
    if len(content) < 33 or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height from the first frame header."""
    position = 2
    while position + 9 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        length = int.from_bytes(content[position + 2 : position + 4], "big")
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", content[position + 5 : position + 9])
            return width, height
        position += 2 + max(length, 2)
    return None
