"""The system calls that a sandbox may make: a list of allowed calls. All others fail with ENOSYS.

With ENOSYS, programs and C libraries that probe for a call fall back to an older one, as it "is not implemented".
Left out on purpose: other processes' memory (ptrace, process_vm_*), namespaces and mounts, kernel keys, io_uring, BPF,
performance counters, userfaultfd, handles of files, SysV and POSIX message queues, files in memory (no limit counts
them), and calls that need capabilities.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Final

from seccompy.filter import Action, ArgCmp, CmpOp, Filter
from seccompy.syscalls import syscall_nr

from pytest_rewardkit.local.guest import syscalls
from pytest_rewardkit.local.guest.seccomp_search import allow_first

if TYPE_CHECKING:
    from collections.abc import Collection

_FILES: Final = """
    access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
    fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fdatasync flock fstat fstatfs
    fsync ftruncate futimesat getcwd getdents getdents64 inotify_add_watch inotify_init inotify_init1
    inotify_rm_watch lchown link linkat lseek lstat mkdir mkdirat mknod mknodat newfstatat open openat openat2
    pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv
    rename renameat renameat2 rmdir sendfile splice stat statfs statx symlink symlinkat sync sync_file_range
    syncfs tee truncate umask unlink unlinkat utime utimensat utimes vmsplice write writev
"""
_FILE_ATTRIBUTES: Final = """
    fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr
    lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat
"""
_MEMORY: Final = """
    brk cachestat madvise map_shadow_stack membarrier mincore mlock mlock2 mmap mprotect mremap mseal msync
    munlock munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages
"""
_PROCESSES: Final = """
    arch_prctl execve execveat exit exit_group fork getpgid getpgrp getpid getppid getpriority getrlimit
    getrusage getsid gettid ioprio_get ioprio_set kill pidfd_open pidfd_send_signal prctl prlimit64 setpgid
    setpriority setrlimit setsid times tgkill tkill vfork wait4 waitid
"""
_THREADS: Final = """
    futex futex_requeue futex_wait futex_waitv futex_wake get_robust_list get_thread_area getcpu rseq
    sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
    sched_getscheduler sched_rr_get_interval sched_setaffinity sched_yield set_robust_list set_tid_address
"""
_SIGNALS: Final = """
    pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_tgsigqueueinfo sigaltstack signalfd signalfd4
"""
_TIME: Final = """
    alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer time
    timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime
    timerfd_settime
"""
_EVENTS: Final = """
    epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 poll ppoll
    pselect6 select
"""
_IDENTITY: Final = """
    capget capset getegid geteuid getgid getgroups getresgid getresuid getuid setfsgid setfsuid setgid
    setgroups setregid setresgid setresuid setreuid setuid
"""
_CONNECTED_SOCKETS: Final = """
    accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg
    sendmsg sendto setsockopt shutdown
"""
_SYSTEM: Final = "getrandom sysinfo uname"
# These can only take rights away from their caller.
_CONFINEMENT: Final = "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp"

ALLOWED: Final = frozenset(
    (_FILES + _FILE_ATTRIBUTES + _MEMORY + _PROCESSES + _THREADS + _SIGNALS + _TIME + _EVENTS + _IDENTITY).split()
    + _CONNECTED_SOCKETS.split()
    + _SYSTEM.split()
    + _CONFINEMENT.split()
)

_NAMESPACE_FLAGS: Final = (
    syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWCGROUP
    | syscalls.CLONE_NEWUTS
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWUSER
    | syscalls.CLONE_NEWPID
    | syscalls.CLONE_NEWNET
)
# asm-generic/ioctls.h: both put keystrokes into a terminal that someone else reads.
_TIOCSTI: Final = 0x5412
_TIOCLINUX: Final = 0x541C
# linux/fcntl.h, without leases, delegations and notifications, which make others' calls on a file wait or show them.
_FCNTL_COMMANDS: Final = (*range(18), 36, 37, 38, 1027, 1028, *range(1029, 1037))
_SET_LOCK: Final = (6, 7, 37, 38)
"""The commands among these that take a lock of a range, for a process or for an open file description."""
_TRACING: Final = ("pidfd_getfd", "process_vm_readv", "process_vm_writev", "ptrace")
_POSITION_OF_FLAGS: Final = {"newfstatat": 3, "statx": 2}
_AT_EMPTY_PATH: Final = 0x1000
_LOW_WORD: Final = 0xFFFFFFFF
_SOCKET_TYPE_MASK: Final = 0xF


def compile_program(socket_families: Collection[int], *, datagram_pairs: bool, tracing: bool = False) -> bytes:
    """Return the filter as an assembled BPF program. A foreign ABI (32-bit calls) kills the process.

    Parameters:
        socket_families: the address families of which sockets may be made.
        datagram_pairs: whether ``socketpair`` may make datagram sockets. They can send to any socket by its path, so
            only a sandbox with a file system of its own may have them.
        tracing: whether the guest may trace. Then candidates have another filter, :func:`compile_waiting`, and may make
            Unix stream sockets, which only the guest binds and connects.
    """
    numbers = {syscall_nr(name) for name in (*ALLOWED, *(_TRACING if tracing else ())) if _exists(name)}
    return allow_first(numbers, rules_on_arguments(socket_families, datagram_pairs=datagram_pairs, tracing=tracing))


def rules_on_arguments(socket_families: Collection[int], *, datagram_pairs: bool, tracing: bool) -> bytes:
    """Return the second part of :func:`compile_program`'s filter, which decides by arguments and forbids the rest."""
    rules = Filter(default=Action.ERRNO | errno.ENOSYS)
    rules.allow("clone", args=[ArgCmp(0, CmpOp.MASKED_EQ, 0, _NAMESPACE_FLAGS)])
    rules.errno("clone", errno.EPERM)
    for command in _FCNTL_COMMANDS:
        rules.allow("fcntl", args=[ArgCmp(1, CmpOp.MASKED_EQ, command, _LOW_WORD)])
    rules.errno("fcntl", errno.EINVAL)
    for request in (_TIOCSTI, _TIOCLINUX):
        rules.errno("ioctl", errno.EPERM, args=[ArgCmp(1, CmpOp.MASKED_EQ, request, _LOW_WORD)])
    rules.allow("ioctl")
    if tracing:
        rules.allow(
            "socket",
            args=[
                ArgCmp(0, CmpOp.EQ, socket.AF_UNIX),
                ArgCmp(1, CmpOp.MASKED_EQ, socket.SOCK_STREAM, _SOCKET_TYPE_MASK),
            ],
        )
    for family in sorted(socket_families):
        rules.allow("socket", args=[ArgCmp(0, CmpOp.EQ, family)])
    rules.errno("socket", errno.EACCES)
    types = [socket.SOCK_STREAM, socket.SOCK_SEQPACKET] + ([socket.SOCK_DGRAM] if datagram_pairs else [])
    for kind in types:
        rules.allow(
            "socketpair",
            args=[ArgCmp(0, CmpOp.EQ, socket.AF_UNIX), ArgCmp(1, CmpOp.MASKED_EQ, kind, _SOCKET_TYPE_MASK)],
        )
    rules.errno("socketpair", errno.EACCES)
    return rules.program


def compile_waiting(names: Collection[str]) -> bytes:
    """Return a filter that makes some calls wait for an answer, as an assembled BPF program. It allows no extra calls.

    The filtered process and its children must not trace.
    """
    rules = Filter(default=Action.ALLOW)
    for name in _TRACING:
        rules.errno(name, errno.ENOSYS)
    for name, position in _POSITION_OF_FLAGS.items():
        # C libraries make fstat this way, without a path.
        rules.allow(name, args=[ArgCmp(position, CmpOp.MASKED_EQ, _AT_EMPTY_PATH, _AT_EMPTY_PATH)])
    for name in names:
        if name == "fcntl":
            for command in _SET_LOCK:
                rules.notify(name, args=[ArgCmp(1, CmpOp.MASKED_EQ, command, _LOW_WORD)])
        else:
            rules.notify(name)
    return rules.program


def _exists(name: str) -> bool:
    # Older calls (open, fork, ...) do not exist on newer architectures.
    try:
        syscall_nr(name)
    except ValueError:
        return False
    return True
