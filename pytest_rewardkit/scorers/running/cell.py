"""A candidate's cell after its run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_rewardkit.reward import Verdict


@dataclass(frozen=True, slots=True)
class Cell:
    """The outcome of a cell.

    Parameters:
        shown: what it printed and displayed, in order: ("stdout" or "display" or "value", text).
        stderr: what it wrote to stderr, and the traceback if an exception ended it.
        duration: seconds on the host's clock.
        verdict: why it failed; None if it ran to its end.
        reason: one sentence about the failure.
        count: the interpreter's number for this execution.
        images: the images that it displayed: PNG or JPEG in base64, or SVG.
        charts: E2B's data on the charts among them, as JSON.
        readings: our own readings of the figures among them (figures.py), if the interpreter was asked for these.
    """

    shown: tuple[tuple[str, str], ...]
    stderr: str
    duration: float
    verdict: Verdict | None = None
    reason: str = ""
    count: int | None = None
    images: tuple[str, ...] = ()
    charts: tuple[dict[str, Any], ...] = ()
    readings: tuple[str, ...] = ()

    @property
    def stdout(self) -> str:
        return "".join(text for kind, text in self.shown if kind == "stdout")

    @property
    def value(self) -> str | None:
        """The text of the cell's last expression, as the interpreter shows it; None if there is none."""
        return next((text for kind, text in self.shown if kind == "value"), None)

    def transcript(self, value: str | None = None) -> str:
        """Everything that was printed and shown, in order; shown objects are on lines of their own.

        `value`, if given, replaces the text of the last expression.
        """
        text = ""
        for kind, piece in self.shown:
            if kind == "stdout":
                text += piece
                continue
            if text and not text.endswith("\n"):
                text += "\n"
            text += (value if kind == "value" and value is not None else piece) + "\n"
        return text
