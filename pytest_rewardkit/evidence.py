"""A scorer's input and the candidate's output, kept with the reward for people who look into a failure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.text import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping

CODE_LIMIT: Final = 250_000
OUTPUT_LIMIT: Final = 100_000
"""Characters kept of a candidate's output."""
IMAGES: Final = 10
IMAGE_LIMIT: Final = 2_000_000
"""Characters of an image in base64; larger ones are left out."""

_PNG: Final = "iVBORw0KGgo"
_JPEG: Final = "/9j/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The evidence of one call of a scorer. Everything in it except the arguments is a candidate's, and hostile.

    Parameters:
        code: the candidate; "" if the response contains none, or if it is not known.
        response: the scorer's input, if that is not the code itself.
        stdout: what the candidate printed and displayed, cut to 100,000 characters.
        stderr: its error output, with the traceback if an exception ended it; cut as well.
        images: PNG and JPEG images that it displayed, in base64; the first ten, and none over 2,000,000 characters.
        scorer: the name of the scoring function; "" if it cannot be called again.
        arguments: that function's arguments other than the sandbox and the candidate.
        fault: the traceback of a fault of this package, cut to 100,000 characters; "" if there is none.
    """

    code: str = ""
    response: str = ""
    stdout: str = ""
    stderr: str = ""
    images: tuple[str, ...] = ()
    scorer: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""

    def __post_init__(self) -> None:
        assign = object.__setattr__
        for name in ("code", "response"):
            assign(self, name, excerpt(getattr(self, name), CODE_LIMIT))
        for name in ("stdout", "stderr", "fault"):
            assign(self, name, excerpt(getattr(self, name), OUTPUT_LIMIT))
        assign(self, "images", tuple(image for image in self.images if _is_kept(image))[:IMAGES])

    @property
    def candidate(self) -> str:
        """The code, or else the response, in which no code was found."""
        return self.code or self.response


def _is_kept(image: str) -> bool:
    return image.startswith((_PNG, _JPEG)) and len(image) <= IMAGE_LIMIT
