"""Where a sandbox's processor time goes: by process, by step of its life, and by the kernel's activity.

    python -m benchmarks.profile [-n 200]

The time by process comes from /proc, in ticks of 10 ms, so many cycles are necessary. Nobody reaps an interpreter,
which ends with its namespace, so it is measured just before its sandbox is killed. Time that belongs to no process is
that of the kernel's own threads and of interpreters' ends, minus the machine's load before. The kernel's activity
comes from `perf`, if it is installed and allowed to measure.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from e2b_code_interpreter import Sandbox

from pytest_rewardkit.local.handle import LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator

TICK: Final = 1000 / os.sysconf("SC_CLK_TCK")
IDLE_SECONDS: Final = 3.0
WARM_UP: Final = 20

CYCLES: Final[dict[str, int]] = {
    "create, kill": 0,
    "create, first cell, kill": 1,
    "create, two cells, kill": 2,
}

# The first one whose symbol is in the stack counts; the upper entries are parts of the lower ones.
KERNEL: Final = {
    "taking networks down": r"cleanup_net|ops_exit_list|ops_undo",
    "making networks": r"copy_net_ns|setup_net",
    "other namespaces": r"create_new_namespaces|copy_namespaces|unshare|create_user_ns|free_nsproxy|put_mnt_ns",
    "control groups": r"cgroup|css_|memcg_online|mem_cgroup_css",
    "mounts": r"_sys_mount|path_mount|move_mount|pivot_root|open_tree|fsmount|umount|fsconfig|fsopen|mount_setattr",
    "seccomp": r"seccomp|bpf",
    "fork": r"copy_process|kernel_clone",
    "exit": r"do_exit|mmput|exit_mm|delayed_put_task",
    "pages touched": r"exc_page_fault|handle_mm_fault",
    "sockets and pipes": r"sock_|unix_|pipe_|tcp_|_sys_send|_sys_recv",
    "files": r"vfs_|do_sys_open|_sys_open|_sys_stat|path_",
}


def children(pid: int) -> list[int]:
    """The processes that a process has started and not yet reaped."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def used(pid: int) -> tuple[float, float]:
    """Milliseconds of processor time of a process, and of the children that it has reaped."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own, buried = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
    return own * TICK, buried * TICK


def busy() -> float:
    """Milliseconds for which the machine's processors have not been idle."""
    user, nice, system, _, _, irq, softirq, steal, *_ = map(int, Path("/proc/stat").read_text().split()[1:11])
    return (user + nice + system + irq + softirq + steal) * TICK


def by_place(server: int) -> dict[str, float]:
    """Milliseconds of each place since its start, and of the machine."""
    forks = [used(pid) for pid in children(server)]
    return {
        "client and SDK": sum(os.times()[:2]) * 1000,
        "server": used(server)[0],
        "fork servers": sum(own for own, _ in forks),
        "sandboxes": sum(buried for _, buried in forks),
        "machine": busy(),
    }


class Interpreters:
    """The interpreters of a server's sandboxes, and each one's processor time when last measured.

    Parameters:
        server: the server's process.
    """

    def __init__(self, server: int) -> None:
        self._server = server
        self._used: dict[int, float] = {}
        self.looking = 0.0
        """Milliseconds that measuring has taken this process."""

    def look(self) -> None:
        begun = time.process_time()
        for fork_server in children(self._server):
            for guest in children(fork_server):
                with suppress(OSError):  # it has ended meanwhile
                    for interpreter in children(guest):
                        ran = Path(f"/proc/{interpreter}/schedstat").read_text().split()[0]
                        self._used[interpreter] = int(ran) / 1e6
        self.looking += (time.process_time() - begun) * 1000

    def used(self) -> float:
        """Milliseconds of all of them."""
        return sum(self._used.values())


def cycles(count: int, cells: int, interpreters: Interpreters | None = None) -> None:
    for _ in range(count):
        sandbox = Sandbox.create()
        for _ in range(cells):
            sandbox.run_code("1 + 1")
        if interpreters is not None:
            interpreters.look()
        sandbox.kill()


def measured(server: int, count: int, cells: int, idle: float) -> dict[str, float]:
    """Milliseconds of processor time for one cycle, by place."""
    interpreters = Interpreters(server)
    interpreters.look()
    waited, looking = interpreters.used(), interpreters.looking
    begun, before = time.perf_counter(), by_place(server)
    cycles(count, cells, interpreters)
    time.sleep(0.5)  # cleanup after the last answer counts, too
    after, elapsed = by_place(server), (time.perf_counter() - begun) * 1000
    spent = {place: (after[place] - before[place]) / count for place in before}
    looking = (interpreters.looking - looking) / count
    machine = spent.pop("machine") - looking - idle * elapsed / count
    spent["client and SDK"] -= looking
    spent["guests"] = spent.pop("sandboxes")
    spent["interpreters"] = (interpreters.used() - waited) / count
    spent["kernel's own threads, ends"] = max(machine - sum(spent.values()), 0.0)
    return {**spent, "all": sum(spent.values())}


@contextmanager
def perf() -> Iterator[Counter[str] | None]:
    """Counts samples of the whole machine by the kernel's activity; None without permission."""
    program = shutil.which("perf")
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/perf.data"
        record = ["record", "-q", "-e", "cpu-clock", "-F", "1000", "-a", "-g", "-o", data]
        probe = [program or "", *record, "true"]
        if program is None or subprocess.run(probe, capture_output=True, check=False).returncode:
            yield None
            return
        counts: Counter[str] = Counter()
        recorder = subprocess.Popen([program, *record], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield counts
        finally:
            recorder.send_signal(signal.SIGINT)
            recorder.wait()
        script = [program, "script", "-i", data, "-F", "comm,ip,sym"]
        text = subprocess.run(script, capture_output=True, text=True, errors="replace", check=True).stdout
        counts.update(map(_doing, text.split("\n\n")))
        del counts[""]


def _doing(sample: str) -> str:
    name, _, stack = sample.strip("\n").partition("\n")
    kernel = "\n".join(line.strip() for line in stack.splitlines() if line.strip().startswith("ffff"))
    if not name or "swapper" in name or "perf" in name or re.search(r"default_idle|cpuidle", kernel):
        return ""
    if not kernel:
        return "no kernel: Python, the SDK"
    return next((what for what, pattern in KERNEL.items() if re.search(pattern, kernel)), "other of the kernel")


def main() -> None:
    parser = argparse.ArgumentParser(description="Processor time of a sandbox, by place and by step.")
    parser.add_argument("-n", type=int, default=200, help="cycles of each kind")
    count = parser.parse_args().n
    with LocalServer.listen() as server:
        os.environ.update(server.environment())
        before = set(children(os.getpid()))
        cycles(WARM_UP, 1)
        (pid,) = set(children(os.getpid())) - before or before
        start = busy()
        time.sleep(IDLE_SECONDS)
        idle = (busy() - start) / (IDLE_SECONDS * 1000)
        columns = {name: measured(pid, count, cells, idle) for name, cells in CYCLES.items()}
        with perf() as doing:
            cycles(count, 1)
    print(
        f"milliseconds of processor time a cycle, {count} cycles each; the machine idled at {idle:.0%} of one processor"
    )
    print(f"{'':<28}" + "".join(f"{name:>28}" for name in columns))
    for place in next(iter(columns.values())):
        print(f"{place:<28}" + "".join(f"{column[place]:>28.1f}" for column in columns.values()))
    if doing is None:
        print("no `perf` that may look at the kernel")
        return
    total = doing.total()
    print(f"\nof create, first cell, kill, by {total} samples of the whole machine:")
    for what, samples in doing.most_common():
        print(f"{what:<34}{samples / total:>7.1%}{samples / count:>8.2f} ms a cycle")


if __name__ == "__main__":
    main()
