"""The system call filter decides as its list says, on every path through it."""

from __future__ import annotations

import errno
import itertools
import socket
import struct
from typing import TYPE_CHECKING

import pytest
from seccompy import bpf
from seccompy.filter import Action, Filter
from seccompy.syscalls import audit_arch, syscall_nr

from pytest_rewardkit.local.guest import seccomp
from pytest_rewardkit.local.guest.seccomp_search import allow_first

if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_IMPLEMENTED = Action.ERRNO | errno.ENOSYS
FAMILIES = frozenset({socket.AF_UNIX, socket.AF_INET, socket.AF_INET6})
X32 = 0x40000000
JUMPS = {
    bpf.BPF_JEQ: lambda a, k: a == k,
    bpf.BPF_JGT: lambda a, k: a > k,
    bpf.BPF_JGEQ: lambda a, k: a >= k,
    bpf.BPF_JSET: lambda a, k: bool(a & k),
}


def decide(program: bytes, number: int, arguments: Sequence[int] = (), *, architecture: int | None = None) -> int:
    """Run a filter as the kernel does."""
    arch = audit_arch() if architecture is None else architecture
    data = struct.pack("<IIQ6Q", number, arch, 0, *arguments, *[0] * (6 - len(arguments)))
    instructions = list(struct.iter_unpack("<HBBI", program))
    at, accumulator = 0, 0
    while True:
        code, if_true, if_false, k = instructions[at]
        at += 1
        if code == bpf.BPF_RET_K:
            return int(k)
        if code == bpf.BPF_LD_ABS_W:
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif code == bpf.BPF_ALU_AND_K:
            accumulator &= k
        elif code == bpf.BPF_JA:
            at += k
        else:
            at += if_true if JUMPS[code](accumulator, k) else if_false


@pytest.mark.parametrize("tracing", [False, True])
def test_every_call_is_decided_as_the_list_says(tracing):
    program = seccomp.compile_program(FAMILIES, datagram_pairs=True, tracing=tracing)
    rest = seccomp.rules_on_arguments(FAMILIES, datagram_pairs=True, tracing=tracing)
    names = {*seccomp.ALLOWED, *({"ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd"} if tracing else ())}
    allowed = {number for number in range(600) if any(_is(name, number) for name in names)}
    assert len(allowed) > 200
    values = (0, 1, 2, 17, 0x5412, 1 << 16, 1 << 40)
    by_arguments = ("clone", "fcntl", "ioctl", "socket", "socketpair")
    for number in (*range(600), *range(X32, X32 + 600), 2**31, 2**32 - 1):
        decided_by_arguments = any(_is(name, number) for name in by_arguments)
        for arguments in itertools.product(values, values) if decided_by_arguments else [(0, 0)]:
            expected = Action.ALLOW if number in allowed else decide(rest, number, arguments)
            assert decide(program, number, arguments) == expected, (number, arguments)
        if number not in allowed and not decided_by_arguments:
            assert decide(program, number) == NOT_IMPLEMENTED


def test_calls_of_another_abi_end_the_process():
    program = seccomp.compile_program(FAMILIES, datagram_pairs=True)
    for number in range(600):
        assert decide(program, number, architecture=audit_arch() ^ 1) == Action.KILL_PROCESS


@pytest.mark.parametrize("numbers", [{0}, {7}, {0, 1, 2}, {5, 7, 9, 10, 400}, set(range(0, 300, 2))])
def test_numbers_are_found_wherever_they_lie(numbers):
    program = allow_first(numbers, Filter(default=NOT_IMPLEMENTED).program)
    for number in range(500):
        assert decide(program, number) == (Action.ALLOW if number in numbers else NOT_IMPLEMENTED)


def test_the_filter_is_short():
    """The kernel translates the whole filter, and runs it for every number, for each sandbox."""
    assert len(seccomp.compile_program(FAMILIES, datagram_pairs=True)) / 8 < 400


def _is(name: str, number: int) -> bool:
    try:
        return syscall_nr(name) == number
    except ValueError:
        return False
