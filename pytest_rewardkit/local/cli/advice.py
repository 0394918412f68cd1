"""How to reach isolation `full` in a place, or to get closer: the exact option, setting or line. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pytest_rewardkit.local.cli.place import Place
    from pytest_rewardkit.local.isolation import Isolation

_APPARMOR_RESTRICTION: Final = "kernel.apparmor_restrict_unprivileged_userns"
_WHOLE_PROC: Final = "systempaths=unconfined"
_USER_NAMESPACES: Final = {
    _APPARMOR_RESTRICTION: (True, 0),
    "kernel.unprivileged_userns_clone": (False, 1),
    "user.max_user_namespaces": (False, 15000),
}
"""Settings that can forbid user namespaces: whether they do so if set or if 0, and the value that allows them."""
_TRACING_OF_CHILDREN: Final = 1


def advice(place: Place, isolation: Isolation) -> list[str]:
    """Return the steps to `full` here, then other improvements."""
    return mending(place, isolation) + _for_landlock(place, isolation) + _for_memory(isolation)


def mending(place: Place, isolation: Isolation) -> list[str]:
    """Return the steps to `full` here, or to a level closer to it."""
    if isolation.level == "full":
        return []
    found = _for_system_calls(isolation) or _for_containers(place) or _for_machines(place)
    return found + _for_weaker(place, isolation)


def _for_containers(place: Place) -> list[str]:
    if not place.container:
        return []
    # AppArmor's restriction applies to users other than root with this right.
    capable = place.root and bool(place.sysctls.get(_APPARMOR_RESTRICTION))
    of_machine = [] if capable else _for_machines(place)
    if place.container == "kubernetes":
        return [*_for_kubernetes(place, capable=capable), *of_machine]
    options = _security_options(place)
    if place.service == "gitlab":
        return [_for_gitlab(options, capable=capable), *of_machine]
    if not options and not capable:
        return of_machine or ["full: the machine on which the container runs must allow user namespaces"]
    flags = " ".join((["--cap-add SYS_ADMIN"] if capable else []) + [f"--security-opt {option}" for option in options])
    if place.service == "github":
        return [f"full: in the workflow, `container: {{image: …, options: {flags}}}`", *of_machine]
    engine = "podman" if place.container == "podman" else "docker"
    return [f"full: `{engine} run {flags} …`; in a compose file, `security_opt` with the same", *of_machine]


def _security_options(place: Place) -> list[str]:
    options = ["seccomp=unconfined"] if place.filtered else []
    if place.masked_proc:
        options.append("unmask=ALL" if place.container == "podman" else _WHOLE_PROC)
    if place.apparmor:
        options.append("apparmor=unconfined")
    return options


def _for_gitlab(options: list[str], *, capable: bool) -> str:
    # Only Docker's own command line can uncover /proc.
    listed = ", ".join(f'"{option.replace("=", ":", 1)}"' for option in options if option != _WHOLE_PROC)
    level = "no-procfs" if _WHOLE_PROC in options and not capable else "full"
    capability = ' and `cap_add = ["SYS_ADMIN"]`' if capable else ""
    return f"{level}: in the runner's config.toml, [runners.docker] `security_opt = [{listed}]`{capability}"


def _for_kubernetes(place: Place, *, capable: bool) -> list[str]:
    fields = ["seccompProfile: {type: Unconfined}"] if place.filtered else []
    if place.masked_proc and not capable:
        fields.append("procMount: Unmasked")
    if place.apparmor:
        fields.append("appArmorProfile: {type: Unconfined}")
    if capable:
        fields.append("capabilities: {add: [SYS_ADMIN]}")
    if not fields:
        return []
    pod = ", with `hostUsers: false` in the pod's spec" if place.masked_proc and not capable else ""
    return [f"full: in the container's spec, `securityContext: {{{', '.join(fields)}}}`{pod}"]


def _for_machines(place: Place) -> list[str]:
    found = []
    where = " on the machine on which the container runs" if place.container else ""
    for name, (forbids, value) in _USER_NAMESPACES.items():
        if name in place.sysctls and bool(place.sysctls[name]) is forbids:
            found.append(f"full: `sudo sysctl -w {name}={value}`{where}")
    if place.filtered and not place.container:
        found.append(
            "full: start it without the filter of system calls that it runs under "
            "(of a systemd service: RestrictNamespaces=, SystemCallFilter=, PrivateUsers=)"
        )
    return found


def _for_system_calls(isolation: Isolation) -> list[str]:
    if isolation.level == "none" or isolation.layers.get("seccomp"):
        return []
    return ["full: filters of system calls: a kernel with CONFIG_SECCOMP_FILTER, and nothing that forbids seccomp(2)"]


def _for_weaker(place: Place, isolation: Isolation) -> list[str]:
    found = []
    if place.root and place.closed and "uid" in isolation.refusals:
        found.append(f"uid: `chmod o+rx {place.closed}`, or an environment in a directory that other users can read")
    scope = place.sysctls.get("kernel.yama.ptrace_scope", 0)
    if scope > _TRACING_OF_CHILDREN and not isolation.layers.get("private root"):
        found.append(
            "/home/user and /tmp for code: `sudo sysctl -w kernel.yama.ptrace_scope=1` (after a restart, if it is 3)"
        )
    return found


def _for_landlock(place: Place, isolation: Isolation) -> list[str]:
    if isolation.layers.get("landlock abi") or isolation.level == "none":
        return []
    if place.lsm and "landlock" not in place.lsm:
        return [f"Landlock: start the kernel with `lsm=landlock,{place.lsm.strip()}`"]
    return ["Landlock: a kernel from 5.13 on (6.12 for all of it) with CONFIG_SECURITY_LANDLOCK, and lsm=landlock,…"]


def _for_memory(isolation: Isolation) -> list[str]:
    if isolation.layers.get("memory in all") != "watchdog" or isolation.level == "none":
        return []
    return [
        "a limit on memory in all: control groups that the server may make, as root has them outside of containers, "
        "and others under `systemd-run --user --scope`"
    ]
