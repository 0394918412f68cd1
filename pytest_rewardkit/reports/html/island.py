"""Embeds values in the page, as JSON that no HTML parser can take for markup."""

from __future__ import annotations

import json
from typing import Final

# The encoded data is made here and has no cycles.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), check_circular=False)


def island(data: object) -> str:
    r"""Return `data` as JSON to put inside a script element.

    It is ASCII, so that neither the file's encoding nor bidirectional controls nor U+2028 matter; ``<``, ``>`` and
    ``&`` are written as ``\u003c``, ``\u003e`` and ``\u0026``, so that nothing ends the element or begins a comment.

    Raises ValueError for numbers that are not finite.
    """
    text = _ENCODER.encode(data)
    # Outside strings, JSON has none of these three.
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
