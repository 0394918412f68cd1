"""Landlock: which files a sandbox may touch and whether it may use the network; no signal or trace crosses its border.

landlockpy names the rights. Its rulesets do not take plain integers, so the calls are made here: making a sandbox takes
about 10 ms, of which enum arithmetic would take 3.
"""

from __future__ import annotations

import ctypes
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import landlockpy
from landlockpy import AccessFS, AccessNet, LandlockError, Scope

from pytest_rewardkit.local.guest.libc import LIBC, check

if TYPE_CHECKING:
    from collections.abc import Sequence

# linux/landlock.h; these calls have the same numbers on every machine
_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_RULE_PATH_BENEATH: Final = 1

ABI_WITH_SCOPES: Final = 6
_ABI_WITH_TCP: Final = 4
_ABI_WITH_UDP: Final = 10

_FIRST_ABI_OF_RIGHT: Final = {
    int(AccessFS.REFER): 2,
    int(AccessFS.TRUNCATE): 3,
    int(AccessFS.IOCTL_DEV): 5,
    int(AccessFS.RESOLVE_UNIX): 9,
}
_RIGHTS: Final = tuple(int(right) for right in AccessFS)
_READ: Final = int(AccessFS.EXECUTE | AccessFS.READ_FILE | AccessFS.READ_DIR)
_READ_FILE: Final = int(AccessFS.EXECUTE | AccessFS.READ_FILE)
_DEVICE: Final = int(AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.IOCTL_DEV)
_REFER: Final = int(AccessFS.REFER)
_MEMORY: Final = int(AccessFS.READ_FILE | AccessFS.WRITE_FILE)
_READ_DIR: Final = int(AccessFS.READ_DIR)
_MAKE_BLOCK: Final = int(AccessFS.MAKE_BLOCK)
_DEVICES_IN_WRITABLE: Final = int(AccessFS.MAKE_CHAR | AccessFS.MAKE_BLOCK | AccessFS.IOCTL_DEV)
_TCP: Final = int(AccessNet.BIND_TCP | AccessNet.CONNECT_TCP)
_UDP: Final = int(AccessNet.BIND_UDP | AccessNet.CONNECT_SEND_UDP)
_SIGNAL_SCOPE: Final = int(Scope.SIGNAL)
_ALL_SCOPES: Final = int(Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET)


class _RulesetAttr(ctypes.Structure):
    _fields_ = (("handled_fs", ctypes.c_uint64), ("handled_net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneathAttr(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"  # the only layout that can be packed; Python 3.14 wants it stated
    _fields_ = (("rights", ctypes.c_uint64), ("parent", ctypes.c_int32))


@dataclass(frozen=True, slots=True)
class LandlockRules:
    """What a sandbox may touch; paths that do not exist are left out.

    Attributes:
        readable: files, and directories with all below them, to read and execute.
        listable: directories to list, with all below them.
        writable: directories in which everything is allowed but making or using devices.
        devices: device files, or directories of them, to read and write.
        deny_network: whether to refuse TCP, and UDP if the kernel can.
        memory: directories with the files of other processes' memory, to read and write but not to list.
    """

    readable: Sequence[str]
    listable: Sequence[str]
    writable: Sequence[str]
    devices: Sequence[str]
    deny_network: bool
    memory: Sequence[str] = ()


def abi_version() -> int:
    """Return the kernel's Landlock ABI version, 0 without Landlock."""
    try:
        return landlockpy.abi_version()
    except LandlockError:
        return 0


def restrict(rules: LandlockRules, abi: int) -> None:
    """Confine this process and its later children to `rules`; no_new_privs must be set.

    Parameters:
        abi: the result of :func:`abi_version`, 1 or more.
    """
    handled = sum(right for right in _RIGHTS if abi >= _FIRST_ABI_OF_RIGHT.get(right, 1))
    network = 0
    if rules.deny_network:
        network |= _TCP if abi >= _ABI_WITH_TCP else 0
        network |= _UDP if abi >= _ABI_WITH_UDP else 0
    scopes = _ALL_SCOPES if abi >= ABI_WITH_SCOPES else 0
    ruleset = _create_ruleset(handled, network, scopes)
    try:
        for path in rules.readable:
            _allow(ruleset, path, directory=_READ, file=_READ_FILE)
        for path in rules.listable:
            _allow(ruleset, path, directory=_READ_DIR, file=0)
        for path in rules.writable:
            rights = handled & ~_DEVICES_IN_WRITABLE
            _allow(ruleset, path, directory=rights, file=rights & _DEVICE)
        for path in rules.devices:
            _allow(ruleset, path, directory=handled & (_DEVICE | _READ_DIR), file=handled & _DEVICE)
        for path in rules.memory:
            _allow(ruleset, path, directory=_MEMORY, file=_MEMORY)
        _restrict_self(ruleset)
    finally:
        os.close(ruleset)


def restrict_nested(abi: int, *, signals: bool) -> None:
    """Enter a domain inside the sandbox's own one, so that this process cannot trace processes outside it.

    Parameters:
        abi: the result of :func:`abi_version`, 1 or more.
        signals: whether to forbid signals to processes outside as well.
    """
    scopes = _SIGNAL_SCOPE if signals and abi >= ABI_WITH_SCOPES else 0
    # Every ruleset that does not mention it forbids moving files from one directory to another.
    refer = _REFER if abi >= _FIRST_ABI_OF_RIGHT[_REFER] else 0
    # A ruleset must handle something, and making block devices is forbidden anyway.
    ruleset = _create_ruleset(_MAKE_BLOCK | refer, 0, scopes)
    try:
        if refer:
            _allow(ruleset, "/", directory=refer, file=0)
        _restrict_self(ruleset)
    finally:
        os.close(ruleset)


def _create_ruleset(files: int, network: int, scopes: int) -> int:
    attr = _RulesetAttr(files, network, scopes)
    ruleset: int = LIBC.syscall(_CREATE_RULESET, ctypes.byref(attr), ctypes.sizeof(attr), 0)
    check(ruleset, "landlock_create_ruleset")
    return ruleset


def _restrict_self(ruleset: int) -> None:
    check(LIBC.syscall(_RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")


def _allow(ruleset: int, path: str, *, directory: int, file: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights = directory if stat.S_ISDIR(os.fstat(descriptor).st_mode) else file
        rule = _PathBeneathAttr(rights, descriptor)
        result = LIBC.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
        check(result, f"landlock_add_rule {path}")
    finally:
        os.close(descriptor)
