"""How much of the machine a sandbox may use, as resource limits of its processes."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import Any, Final

_MIB: Final = 2**20
# Address space is not memory: thread stacks and allocators' arenas reserve far more than they use.
_ADDRESS_SPACE_PER_MEMORY: Final = 4
RESERVED_PROCESSES: Final = 8
"""What the guest may start beyond candidates' limit, so that they cannot keep it from starting another process."""

_PENDING_SIGNALS: Final = 1024
"""Pending signals and timers; if sandboxes share a user, all of that user's count."""

# Nobody needs more files than this on a disk that lives in memory.
MAX_FILES: Final = 65536


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """The limits of one sandbox; None means no limit of its own.

    Attributes:
        memory_mb: private memory of each process, in MiB (beyond it, MemoryError).
        processes: processes and threads at a time.
        disk_mb: files in the sandbox's directories, in MiB.
        open_files: open files of each process.
        cpu_seconds: processor time of each process, in seconds (beyond it, it is killed).
    """

    memory_mb: int | None = None
    processes: int | None = None
    disk_mb: int | None = None
    open_files: int | None = None
    cpu_seconds: int | None = None

    @classmethod
    def from_message(cls, message: Any) -> ResourceLimits:
        """Return the limits that a request names.

        Raises:
            ValueError: an unknown limit, or one that is not a positive whole number.
        """
        if not isinstance(message, dict):
            raise ValueError("limits must be an object")
        unknown = message.keys() - cls.__slots__
        if unknown:
            raise ValueError(f"unknown limit {min(unknown)!r}; known are {', '.join(cls.__slots__)}")
        for name, value in message.items():
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value <= 0):
                raise ValueError(f"limit {name} must be a positive whole number, not {value!r}")
        return cls(**message)

    def apply(self) -> None:
        """Set the limits on this process, a guest, and thus on its children. Limits that are already lower stay."""
        _lower(resource.RLIMIT_CORE, 0)
        _lower(resource.RLIMIT_SIGPENDING, _PENDING_SIGNALS)
        _lower(resource.RLIMIT_MSGQUEUE, 0)
        if self.memory_mb is not None:
            _lower(resource.RLIMIT_DATA, self.memory_mb * _MIB)
            _lower(resource.RLIMIT_AS, self.memory_mb * _MIB * _ADDRESS_SPACE_PER_MEMORY)
        if self.processes is not None:
            _lower(resource.RLIMIT_NPROC, self.processes + RESERVED_PROCESSES)
        if self.disk_mb is not None:
            _lower(resource.RLIMIT_FSIZE, self.disk_mb * _MIB)
        if self.open_files is not None:
            _lower(resource.RLIMIT_NOFILE, self.open_files)
        if self.cpu_seconds is not None:
            _lower(resource.RLIMIT_CPU, self.cpu_seconds)

    def apply_to_candidate(self) -> None:
        """Lower the limits of this process, a candidate's, and thus of its children, below its guest's."""
        if self.processes is not None:
            _lower(resource.RLIMIT_NPROC, self.processes)


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))
