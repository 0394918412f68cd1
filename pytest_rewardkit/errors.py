"""Every exception that the package raises on purpose.

RewardkitError
├── UnscoredError          the infrastructure failed: nothing can be said about the candidate
│   └── SandboxUnavailable a sandbox could not be created, or vanished
│       └── SandboxSpoilt    it refuses to go on, because of its contents
└── RewardkitUsageError    an option, marker or argument is wrong; the text says where and what to write instead
    ├── RewardkitCallError a function was called with arguments that it does not take
    └── NoRewardError      a reward function returned something that is not a reward, perhaps for one candidate only
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class RewardkitError(Exception):
    """Base of every exception of this package."""


class UnscoredError(RewardkitError):
    """Nothing can be said about the candidate, because the infrastructure failed; the text is the cause."""


class SandboxUnavailable(UnscoredError):  # noqa: N818 - it names a state, as the SDK's own exceptions do
    """A sandbox could not be created, or vanished while it was used."""


class SandboxSpoilt(SandboxUnavailable):
    """A sandbox refuses to go on, by a code of its own: because of its current files, rights, space or processes."""


class RewardkitUsageError(RewardkitError, ValueError):
    """An option, a marker or an argument is wrong; the text names the place and the nearest valid value."""


class RewardkitCallError(RewardkitUsageError, TypeError):
    """A function was called with arguments that it does not take."""


class NoRewardError(RewardkitUsageError):
    """A reward function returned something that is not a reward."""


class RewardkitWarning(UserWarning):
    """Something needs attention, but no result depends on it."""


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` with the name nearest to `wrong`, or else the list of known names."""
    from difflib import get_close_matches  # only needed after a mistake

    names = sorted(known)
    near = get_close_matches(wrong, names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; known are: {', '.join(names)}"
