"""Finds a system call by binary search: when a filter is loaded, the kernel runs it for every call number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from seccompy.bpf import BPF_JEQ, BPF_JGEQ, Insn, Jump, Load, Ret, assemble
from seccompy.filter import Action
from seccompy.syscalls import audit_arch

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

# linux/seccomp.h, struct seccomp_data
_NUMBER: Final = 0
_ARCHITECTURE: Final = 4

_ALLOW: Final = "allow"
_REST: Final = "rest"


def allow_first(numbers: Collection[int], rest: bytes) -> bytes:
    """Return an assembled program that allows calls by their numbers, and leaves the other calls to another program.

    Parameters:
        numbers: the numbers of the allowed calls, in this machine's own ABI.
        rest: the other program.
    """
    # A call is allowed if an odd number of these borders are at or below its number.
    borders = sorted({number for number in numbers if number - 1 not in numbers})
    ends = sorted({number + 1 for number in numbers if number + 1 not in numbers})
    program: list[Insn] = [Load(_ARCHITECTURE), Jump(BPF_JEQ, audit_arch(), None, _REST), Load(_NUMBER)]
    labels: dict[str, int] = {}
    _search(sorted(borders + ends), 0, program, labels)
    labels[_ALLOW] = len(program)
    program.append(Ret(int(Action.ALLOW)))
    labels[_REST] = len(program)
    return assemble(program, labels) + rest


def _search(borders: Sequence[int], before: int, program: list[Insn], labels: dict[str, int]) -> None:
    """Add the code that finds how many borders are at or below a number.

    Parameters:
        borders: the borders that are not decided yet.
        before: how many borders are below all of these.
    """
    middle = len(borders) // 2
    above = before + middle + 1
    higher, lower = borders[middle + 1 :], borders[:middle]
    name = f"from {borders[middle]}"
    program.append(
        Jump(BPF_JGEQ, borders[middle], name if higher else _decision(above), None if lower else _decision(before))
    )
    if lower:
        _search(lower, before, program, labels)
    if higher:
        labels[name] = len(program)
        _search(higher, above, program, labels)


def _decision(passed: int) -> str:
    return _ALLOW if passed % 2 else _REST
