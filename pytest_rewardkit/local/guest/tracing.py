"""Reads and writes other processes' memory, and holds a thread at its next return from the kernel to change its call.

The kernel decides what this process may trace: its own sandbox's processes, which have no more rights than it has.
"""

from __future__ import annotations

import ctypes
import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

# linux/ptrace.h, linux/elf.h, linux/wait.h
_PTRACE_DETACH: Final = 17
_PTRACE_GETREGSET: Final = 0x4204
_PTRACE_SETREGSET: Final = 0x4205
_PTRACE_SEIZE: Final = 0x4206
_PTRACE_INTERRUPT: Final = 0x4207
_NT_PRSTATUS: Final = 1
_WALL: Final = 0x40000000

RESTART: Final = 513
"""ERESTARTNOINTR: a call that fails with it is made again with the registers as they are then. Programs never see it,
as long as the thread is about to be held."""
_INTERRUPTED: Final = 512
"""ERESTARTSYS: the result of a call that was interrupted while it waited; it is made again likewise."""

_PAGE: Final = 4096
_PATH_MAX: Final = 4096
_USUAL_LENGTH: Final = 256
_RED_ZONE: Final = 128
_ALIGNMENT: Final = 16
_SIGNED: Final = 1 << 63
_MODULUS: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a machine's registers hold things, counted in words."""

    count: int
    arguments: tuple[int, ...]
    call: int
    result: int
    stack: int


_LAYOUTS: Final = {
    "x86_64": _Layout(count=27, arguments=(14, 13, 12, 7, 9, 8), call=15, result=10, stack=19),
    "aarch64": _Layout(count=34, arguments=(0, 1, 2, 3, 4, 5), call=8, result=0, stack=31),
}


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_uint64), ("length", ctypes.c_uint64))


_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_libc.process_vm_readv.restype = ctypes.c_ssize_t
_libc.process_vm_writev.restype = ctypes.c_ssize_t


def _are_calls_allowed() -> bool:
    """Return whether system calls can reach others' memory; older filters of Docker's leave only the files."""
    here = _Iovec(ctypes.addressof(ctypes.create_string_buffer(1)), 0)
    return bool(_libc.process_vm_readv(os.getpid(), ctypes.byref(here), 1, ctypes.byref(here), 1, 0) == 0)


class ProcessMemory:
    """Other processes' memory, read and written by one thread of this one."""

    def __init__(self) -> None:
        self._by_calls = _are_calls_allowed()
        self._buffer = ctypes.create_string_buffer(_PATH_MAX + 1)
        self._here = _Iovec(ctypes.addressof(self._buffer), 0)
        self._there = _Iovec()
        self._local = ctypes.byref(self._here)
        self._remote = ctypes.byref(self._there)

    def text(self, thread: int, address: int) -> bytes | None:
        """Return the text that ends with a zero byte; None if there is none, or if it is longer than a path."""
        found = b""
        while len(found) < _PATH_MAX:
            # Read only up to the end of the page: the next one may not exist. Few paths are long.
            chunk = self.read(thread, address, min(_PAGE - address % _PAGE, _USUAL_LENGTH))
            if chunk is None:
                return None
            text, end, _ = chunk.partition(b"\0")
            found += text
            if end:
                return found if len(found) < _PATH_MAX else None
            address += len(chunk)
        return None

    def read(self, thread: int, address: int, length: int) -> bytes | None:
        """Return some bytes, at most as many as a path has; None if they cannot be read."""
        if not self._by_calls:
            return self._from_file(thread, address, min(length, _PATH_MAX))
        self._here.length = self._there.length = min(length, _PATH_MAX)
        self._there.base = address
        count = _libc.process_vm_readv(thread, self._local, 1, self._remote, 1, 0)
        return ctypes.string_at(self._here.base, count) if count > 0 else None

    def write(self, thread: int, address: int, data: bytes) -> bool:
        """Write some bytes; return whether all were written."""
        if not self._by_calls:
            return self._into_file(thread, address, data)
        source = ctypes.create_string_buffer(data, len(data))
        here, there = _Iovec(ctypes.addressof(source), len(data)), _Iovec(address, len(data))
        written: int = _libc.process_vm_writev(thread, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
        return written == len(data)

    def _from_file(self, thread: int, address: int, length: int) -> bytes | None:
        try:
            with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
                return os.pread(memory.fileno(), length, address) or None
        except OSError:
            return None

    def _into_file(self, thread: int, address: int, data: bytes) -> bool:
        try:
            with open(f"/proc/{thread}/mem", "r+b", buffering=0) as memory:
                return os.pwrite(memory.fileno(), data, address) == len(data)
        except OSError:
            return False


class HeldThread:
    """A thread that stops before it leaves the kernel, and continues at the end of the ``with``.

    The call that it waits in must be answered within the ``with``, before :meth:`wait`.

    Raises:
        OSError: it cannot be traced.
    """

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self._stopped = False
        self._layout = _LAYOUTS[os.uname().machine]
        self._words = (ctypes.c_uint64 * self._layout.count)()
        self._set = _Iovec(ctypes.addressof(self._words), ctypes.sizeof(self._words))

    def __enter__(self) -> Self:
        _ptrace(_PTRACE_SEIZE, self.thread)
        _ptrace(_PTRACE_INTERRUPT, self.thread)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._stopped or self.wait():
            _libc.ptrace(_PTRACE_DETACH, self.thread, 0, 0)

    def wait(self) -> bool:
        """Wait until it has stopped; return False if it has ended instead."""
        # Its end is left for the code that reaps this process's children.
        options = os.WSTOPPED | os.WEXITED | os.WNOWAIT | _WALL
        try:
            state = os.waitid(os.P_PID, self.thread, options)
        except ChildProcessError:
            return False
        if state is None or state.si_code not in (os.CLD_TRAPPED, os.CLD_STOPPED):
            return False
        try:
            _ptrace(_PTRACE_GETREGSET, self.thread, _NT_PRSTATUS, ctypes.addressof(self._set))
        except OSError:
            return False
        self._stopped = True
        return True

    def about_to_restart(self, call: int, arguments: tuple[int, ...]) -> bool:
        """Return whether it is about to make this call again."""
        layout = self._layout
        if self._words[layout.call] != call or any(
            self._words[place] != argument for place, argument in zip(layout.arguments, arguments, strict=True)
        ):
            return False
        # On machines whose result takes the first argument's register, the argument is back in it already.
        return layout.result in layout.arguments or -self._signed_result() in (RESTART, _INTERRUPTED)

    def result(self, call: int) -> int:
        """Return the result of this call; an error if it was another call."""
        return self._signed_result() if self._words[self._layout.call] == call else -errno.ENOSYS

    def set_result(self, value: int) -> None:
        """Replace the call's result."""
        self._words[self._layout.result] = value
        self._store()

    def set_texts(self, memory: ProcessMemory, texts: dict[int, bytes]) -> dict[int, int] | None:
        """Point some of the call's arguments to other texts, which are put where its stack is free.

        A signal's handler may use that place before the call is made.

        Returns:
            where the texts are; None if there was no room, and then nothing has changed.
        """
        places = {}
        address = self._words[self._layout.stack] - _RED_ZONE
        for position, text in texts.items():
            address = (address - len(text) - 1) // _ALIGNMENT * _ALIGNMENT
            if not memory.write(self.thread, address, text + b"\0"):
                return None
            places[position] = self._words[self._layout.arguments[position]] = address
        self._store()
        return places

    def _signed_result(self) -> int:
        value = self._words[self._layout.result]
        return value - _MODULUS if value & _SIGNED else value

    def _store(self) -> None:
        _ptrace(_PTRACE_SETREGSET, self.thread, _NT_PRSTATUS, ctypes.addressof(self._set))


def _ptrace(request: int, thread: int, address: int = 0, data: int = 0) -> None:
    if _libc.ptrace(request, thread, address, data) < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"ptrace: {os.strerror(code)}")
