"""The limits of one sandbox."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMITS_HEADER = "X-Rewardkit-Limits"
"""The header of a create call that gives a sandbox its own limits, as `memory_mb=256, processes=16`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a sandbox."""

    memory_mb: int = field(default=1024, metadata={"help": "memory of a sandbox, MiB", "least": 16})
    processes: int = field(default=128, metadata={"help": "processes and threads of a sandbox"})
    disk_mb: int = field(default=512, metadata={"help": "size of a sandbox's files, MiB"})
    open_files: int = field(default=1024, metadata={"help": "open files of a process in a sandbox"})
    output_mb: int = field(default=16, metadata={"help": "output of a run or a command that is passed on, MiB"})

    def __post_init__(self) -> None:
        for item in fields(Limits):
            check_number(item.name, getattr(self, item.name), least=item.metadata.get("least", 1))

    @classmethod
    def least(cls, name: str) -> int:
        """The least value of a limit: with less memory, not even an interpreter starts."""
        return next(int(item.metadata.get("least", 1)) for item in fields(cls) if item.name == name)

    def changed(self, changes: Mapping[str, int]) -> Limits:
        """The same limits with some changes.

        Raises:
            ValueError: there is no such limit, or the value is not possible.
        """
        own = {item.name: getattr(self, item.name) for item in fields(Limits)}
        for name in changes:
            if name not in own:
                raise ValueError(f"there is no limit {name!r}; there are {', '.join(own)}")
        return replace(Limits(**own), **changes)

    def of_guest(self) -> dict[str, int]:
        """The limits that are enforced inside the sandbox, in the form for its guest."""
        return {item.name: getattr(self, item.name) for item in fields(Limits) if item.name != "output_mb"}


def check_number(name: str, value: object, *, least: int) -> None:
    """Refuses a value that is not a whole number of at least `least`. Raises ValueError."""
    if type(value) is not int or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}")
