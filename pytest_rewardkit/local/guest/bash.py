"""Bash contexts: one interactive shell, since only an interactive shell gives up a whole cell at an interrupt."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EVENTS: Final = 8
_STDERR: Final = 9
# An interactive shell prints remarks when it starts, which belong to no cell. So it has no standard error until its
# first cell.
_START: Final = (
    'PS1= PS2= exec "$BASH" --norc --noprofile --noediting -i '
    "<&{cells} {events_copy}>&{events} {stderr_copy}>&2 2>/dev/null"
)
_END: Final = (
    '[ "$__rewardkit_status" = 0 ] || printf \'{{"event":"error","name":"ExitStatus","value":"%s",'
    '"traceback":"exit status %s"}}\\n\' "$__rewardkit_status" "$__rewardkit_status" >&{events}; '
    'printf \'{{"event":"end"}}\\n\' >&{events}'
)


def arguments(cells: int, events: int) -> list[str]:
    """Return bash's arguments, for the descriptors that it reads cells from and writes events to."""
    return ["-c", _START.format(cells=cells, events=events, events_copy=_EVENTS, stderr_copy=_STDERR)]


def encode(code: str, environment: Mapping[str, str]) -> bytes:
    """Return the commands that run a cell and report its exit status.

    Raises:
        ValueError: bash cannot have such code or such variables.
    """
    if "\0" in code:
        raise ValueError("bash code cannot hold a NUL character")
    for name in environment:
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"{name!r} cannot be a variable of bash")
    saved = "; ".join(f"declare -p {name} 2>/dev/null || echo unset -v {name}" for name in environment)
    values = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
    # An interrupt ends only the line that runs.
    lines = [
        f"exec 2>&{_STDERR}; set +o history +o histexpand",
        f"__rewardkit_restore=$({saved}); export {values}" if environment else "",
        f"eval {shlex.quote(code)} </dev/null",
        '__rewardkit_status=$?; eval "${__rewardkit_restore-}"; unset __rewardkit_restore; PS1= PS2=',
        _END.format(events=_EVENTS),
    ]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")
