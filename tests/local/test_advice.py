"""The doctor's advice: for each kind of environment, the exact line that gives `full` there."""

from __future__ import annotations

import dataclasses
import os
import tempfile

import pytest

from pytest_rewardkit.local.cli.advice import advice
from pytest_rewardkit.local.cli.place import Place, apparmor_profile, container, look_around
from pytest_rewardkit.local.guest.levels import MachineFindings, plan
from pytest_rewardkit.local.guest.plan import Level, MountRight
from pytest_rewardkit.local.isolation import Isolation

RESTRICTION = "kernel.apparmor_restrict_unprivileged_userns"
DEFAULT = Place(container="docker", root=True, filtered=True, masked_proc=True)
MACHINE = Place(sysctls={"user.max_user_namespaces": 15000, "kernel.unprivileged_userns_clone": 1}, lsm="landlock,yama")


def isolation(level: Level, *, abi: int = 7, refusals: tuple[str, ...] = (), **layers: object) -> Isolation:
    findings = MachineFindings(level is not Level.NS_NOCAP, MountRight.ROOT, abi, {})
    found = dataclasses.replace(plan(findings, level), groups="cgroup v2").layers()
    return Isolation(level, found | layers, (), 1.0, dict.fromkeys(refusals, "no"))


def with_sysctl(place: Place, name: str, value: int) -> Place:
    return dataclasses.replace(place, sysctls={**place.sysctls, name: value})


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (DEFAULT, "`docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined …`"),
        (dataclasses.replace(DEFAULT, filtered=False), "`docker run --security-opt systempaths=unconfined …`"),
        (dataclasses.replace(DEFAULT, masked_proc=False), "`docker run --security-opt seccomp=unconfined …`"),
        (
            dataclasses.replace(DEFAULT, apparmor="docker-default"),
            "systempaths=unconfined --security-opt apparmor=unconfined …`",
        ),
        (
            dataclasses.replace(DEFAULT, container="podman"),
            "`podman run --security-opt seccomp=unconfined --security-opt unmask=ALL …`",
        ),
        (
            dataclasses.replace(DEFAULT, service="github"),
            "options: --security-opt seccomp=unconfined --security-opt systempaths=unconfined}`",
        ),
        (
            dataclasses.replace(DEFAULT, service="gitlab"),
            'no-procfs: in the runner\'s config.toml, [runners.docker] `security_opt = ["seccomp:unconfined"]`',
        ),
        (
            dataclasses.replace(DEFAULT, container="kubernetes"),
            "`securityContext: {seccompProfile: {type: Unconfined}, procMount: Unmasked}`, with `hostUsers: false`",
        ),
        (
            with_sysctl(DEFAULT, RESTRICTION, 1),
            "`docker run --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt systempaths=unconfined",
        ),
        (
            with_sysctl(dataclasses.replace(DEFAULT, container="kubernetes"), RESTRICTION, 1),
            "`securityContext: {seccompProfile: {type: Unconfined}, capabilities: {add: [SYS_ADMIN]}}`",
        ),
        (
            with_sysctl(dataclasses.replace(DEFAULT, filtered=False, masked_proc=False), "user.max_user_namespaces", 0),
            "`sudo sysctl -w user.max_user_namespaces=15000` on the machine on which the container runs",
        ),
        (
            with_sysctl(MACHINE, RESTRICTION, 1),
            "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`",
        ),
        (with_sysctl(MACHINE, "user.max_user_namespaces", 0), "`sudo sysctl -w user.max_user_namespaces=15000`"),
        (with_sysctl(MACHINE, "kernel.unprivileged_userns_clone", 0), "sysctl -w kernel.unprivileged_userns_clone=1`"),
        (dataclasses.replace(MACHINE, filtered=True), "without the filter of system calls"),
    ],
)
def test_how_to_get_to_full(place: Place, expected: str):
    (line,) = advice(place, isolation(Level.LANDLOCK))
    assert line.startswith(("full: ", "no-procfs: "))
    assert expected in line


@pytest.mark.parametrize("place", [DEFAULT, MACHINE])
def test_at_full_nothing_is_advised_that_is_there(place: Place):
    assert advice(place, isolation(Level.FULL)) == []


@pytest.mark.parametrize(
    ("place", "found", "expected"),
    [
        (Place(lsm="lockdown,yama\n"), isolation(Level.FULL, abi=0), "`lsm=landlock,lockdown,yama`"),
        (Place(), isolation(Level.WEAK, abi=0), "CONFIG_SECURITY_LANDLOCK"),
        (Place(), isolation(Level.WEAK, seccomp=False), "CONFIG_SECCOMP_FILTER"),
        (
            Place(root=True, closed="/root"),
            isolation(Level.LANDLOCK, refusals=("full", "uid")),
            "uid: `chmod o+rx /root`",
        ),
        (
            with_sysctl(Place(), "kernel.yama.ptrace_scope", 2),
            isolation(Level.LANDLOCK),
            "`sudo sysctl -w kernel.yama.ptrace_scope=1`",
        ),
        (Place(), isolation(Level.FULL, **{"memory in all": "watchdog"}), "systemd-run --user --scope"),
    ],
)
def test_what_else_gives_more(place: Place, found: Isolation, expected: str):
    assert any(expected in line for line in advice(place, found))


def test_what_is_in_order_is_not_advised():
    yama = with_sysctl(Place(), "kernel.yama.ptrace_scope", 1)
    assert advice(yama, isolation(Level.LANDLOCK)) == []
    user = Place(root=False, closed="/home/me")
    assert advice(user, isolation(Level.LANDLOCK, refusals=("uid",))) == []


@pytest.mark.parametrize(
    ("environment", "files", "groups", "mounts", "expected"),
    [
        ({}, (), "0::/user.slice\n", "22 1 254:0 / / rw - ext4 /dev/vda rw", ""),
        ({}, ("/.dockerenv",), "", "", "docker"),
        ({}, ("/run/.containerenv",), "", "", "podman"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, ("/.dockerenv",), "", "", "kubernetes"),
        ({}, ("/var/run/secrets/kubernetes.io",), "", "", "kubernetes"),
        ({"container": "lxc"}, (), "", "", "lxc"),
        ({}, (), "4:memory:/docker/0123abcd\n", "", "docker"),
        ({}, (), "0::/kubepods/besteffort/pod1\n", "", "kubernetes"),
        ({}, (), "0::/\n", "9 1 0:50 / / rw - overlay o rw,upperdir=/var/lib/docker/overlay2/1/diff", "docker"),
        ({}, (), "0::/\n", "9 1 0:50 / / rw - overlay o rw,upperdir=/x/containers/storage/overlay/1", "podman"),
        # A machine that runs an engine is not a container.
        ({}, (), "", "22 1 8:1 / / rw - ext4 a rw\n9 22 0:50 / /var/lib/docker/overlay2/1 rw - overlay o rw", ""),
    ],
)
def test_containers_are_recognised(
    environment: dict[str, str], files: tuple[str, ...], groups: str, mounts: str, expected: str
):
    assert container(environment, files.__contains__, groups, mounts) == expected


@pytest.mark.parametrize(
    ("text", "profile"),
    [
        ("unconfined\n", ""),
        ("docker-default (enforce)\n", "docker-default"),
        ("something (complain)\n", ""),
        ("system_u:system_r:container_t:s0", ""),
        ("", ""),
    ],
)
def test_apparmor_profiles(text: str, profile: str):
    assert apparmor_profile(text) == profile


def test_this_place_can_be_looked_at():
    place = look_around()
    assert place.root == (os.geteuid() == 0)
    assert "user.max_user_namespaces" in place.sysctls


def test_a_closed_directory_of_the_interpreter_is_named(monkeypatch: pytest.MonkeyPatch):
    with tempfile.TemporaryDirectory() as closed:  # other users cannot enter these
        monkeypatch.setattr("sys.prefix", f"{closed}/environment")
        assert look_around().closed == os.path.realpath(closed)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (isolation(Level.FULL), ()),
        (isolation(Level.NO_PROCFS), ("no /proc of their own",)),
        (isolation(Level.UID), ("no terminals, ports or internet",)),
        (isolation(Level.LANDLOCK, **{"translated paths": False}), ("no terminals", "cannot use /home/user and /tmp")),
        (isolation(Level.WEAK), ("candidates can disturb each other",)),
        (isolation(Level.NONE), ("NO SECURITY BOUNDARY",)),
    ],
)
def test_what_is_different_below_full(found: Isolation, words: tuple[str, ...]):
    assert bool(found.difference) == bool(words)
    assert all(word in found.difference for word in words)
