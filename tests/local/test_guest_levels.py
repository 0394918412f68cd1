"""The pure parts of the guest: choosing and describing levels, and converting values to plain data."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit.local.errors import NotPlainError
from pytest_rewardkit.local.guest import identity, levels, seccomp
from pytest_rewardkit.local.guest.homes import Directories
from pytest_rewardkit.local.guest.levels import Feature, MachineFindings
from pytest_rewardkit.local.guest.plain import plain
from pytest_rewardkit.local.guest.plan import Level, MountRight

EVERYTHING = MachineFindings(root=True, mount_right=MountRight.ROOT, landlock_abi=7, obstacles={})
USER = dataclasses.replace(EVERYTHING, root=False, mount_right=MountRight.USER_OF_NAMESPACE)
NOTHING = MachineFindings(False, MountRight.USER_OF_NAMESPACE, 0, dict.fromkeys(Feature, "refused"))
NO_PROCFS = (Feature.PROCFS,)
NO_MOUNTS = (Feature.MOUNTS, Feature.PROCFS)


def without(*trials: Feature, findings: MachineFindings = EVERYTHING, **changes: object) -> MachineFindings:
    obstacles = {trial: f"no {trial}" for trial in trials}
    return dataclasses.replace(findings, obstacles=obstacles, **changes)


@pytest.mark.parametrize(
    ("findings", "strongest"),
    [
        (EVERYTHING, Level.FULL),
        (USER, Level.FULL),
        (without(Feature.USER_NAMESPACES), Level.FULL),
        (without(landlock_abi=0), Level.FULL),
        (without(*NO_PROCFS), Level.NO_PROCFS),
        (without(*NO_PROCFS, landlock_abi=0), Level.NO_PROCFS),
        (without(*NO_PROCFS, mount_right=MountRight.ROOT_OF_NAMESPACE), Level.NO_PROCFS),
        (without(*NO_PROCFS, findings=USER), Level.NO_PROCFS),
        (without(*NO_MOUNTS), Level.UID),
        (without(*NO_MOUNTS, findings=USER), Level.NS_NOCAP),
        (without(*NO_MOUNTS, Feature.NAMESPACES, findings=USER), Level.LANDLOCK),
        (without(*NO_MOUNTS, Feature.INTERPRETER), Level.LANDLOCK),
        (without(*NO_MOUNTS, landlock_abi=1), Level.UID),
        (without(*NO_MOUNTS, Feature.NAMESPACES, findings=USER, landlock_abi=5), Level.WEAK),
        (without(*NO_MOUNTS, landlock_abi=0), Level.WEAK),
        (without(Feature.PATHS), Level.FULL),
        (without(*NO_PROCFS, Feature.PATHS), Level.NO_PROCFS),
        (without(*NO_MOUNTS, Feature.PATHS), None),
        (without(Feature.SECCOMP, Feature.PATHS), None),
        (without(Feature.SECCOMP, Feature.PATHS, landlock_abi=0), None),
        (NOTHING, None),
    ],
)
def test_the_strongest_level_that_each_machine_can_have(findings, strongest):
    plan = levels.strongest(findings, "auto", ())
    assert (plan and plan.level) == strongest


@pytest.mark.parametrize("findings", [without(*NO_MOUNTS), without(*NO_MOUNTS, findings=USER)])
def test_a_level_without_paths_is_had_by_its_name_alone(findings):
    failed: dict[str, str] = {}
    while plan := levels.strongest(findings, "auto", failed):
        assert plan.guest_paths
        failed[plan.name] = "no paths"
    lacks = dict.fromkeys(failed, "no paths")
    assert lacks
    assert levels.refusals(findings, "auto", failed, None).items() >= lacks.items()
    for level in map(Level, (name.split()[0] for name in failed)):
        plan = levels.strongest(findings, level, failed)
        assert plan is not None
        assert (plan.level, plan.guest_paths) == (level, False)
        assert "/home/user and /tmp do not exist for code, only for the SDK's files" in plan.gaps()


def test_what_paths_lack_is_said():
    blind = without(*NO_MOUNTS, Feature.PATHS)
    paths = {f"{level} with translated paths": "no paths" for level in ("uid", "landlock", "weak")}
    assert levels.refusals(blind, "auto", {}, None).items() >= paths.items()
    plan = levels.strongest(blind, "uid", ())
    assert plan is not None
    assert not plan.guest_paths
    assert levels.refusals(blind, "uid", {}, plan) == {"uid with translated paths": "no paths"}


def test_a_level_that_cannot_be_had_says_why():
    assert levels.obstacle(EVERYTHING, Level.FULL) == ""
    assert levels.obstacle(without(Feature.PROCFS), Level.FULL) == "no procfs"
    assert levels.obstacle(without(*NO_MOUNTS), Level.NO_PROCFS) == "no mounts"
    assert levels.obstacle(without(Feature.INTERPRETER), Level.UID) == "no interpreter"
    assert "not root" in levels.obstacle(USER, Level.UID)
    assert "as root" in levels.obstacle(EVERYTHING, Level.NS_NOCAP)
    assert "ABI is 5" in levels.obstacle(without(landlock_abi=5), Level.LANDLOCK)
    assert "no Landlock" in levels.obstacle(NOTHING, Level.WEAK)


def test_what_is_asked_for():
    assert levels.wanted("auto") == [level for level in Level if level is not Level.NONE]
    assert levels.wanted("strict") == [Level.FULL]
    for level in Level:
        assert levels.wanted(level.value) == [level]


@pytest.mark.parametrize("level", list(Level))
def test_a_plan_is_what_its_level_says(level):
    plan = levels.plan(USER if level is Level.NS_NOCAP else EVERYTHING, level)
    own_root = level in (Level.FULL, Level.NO_PROCFS)
    assert plan.level is level
    assert plan.process_namespace == plan.network_namespace == (own_root or level is Level.NS_NOCAP)
    assert plan.private_root == own_root
    assert plan.procfs == (level is Level.FULL)
    assert plan.seccomp == (level is not Level.NONE)
    assert plan.guest_paths
    assert plan.translated_paths == (not own_root)
    assert bool(plan.landlock_abi) == (level is not Level.NONE)
    assert json.loads(json.dumps(plan.layers())) == plan.layers()


def test_directories_whose_locks_are_shared_are_a_gap():
    whole = levels.plan(EVERYTHING, Level.FULL)
    some = dataclasses.replace(whole, shared_directories=("/usr", "/opt/python"))
    assert whole.layers()["own file locks"] is True
    assert some.layers()["own file locks"] == "not in /usr, /opt/python"
    told = "a candidate can lock and watch files in /usr, /opt/python, which others notice"
    assert [gap for gap in some.gaps() if gap not in whole.gaps()] == [told]
    without_overlays = levels.plan(without(Feature.OVERLAYS), Level.FULL)
    assert without_overlays.layers()["own file locks"] is False
    assert "a candidate can lock and watch the system's files, which others notice" in without_overlays.gaps()


@pytest.mark.parametrize("level", [Level.FULL, Level.NO_PROCFS])
@pytest.mark.parametrize("right", list(MountRight))
def test_root_mounts_before_it_gives_up_its_user_namespace_and_a_user_after(right, level):
    plan = levels.plan(dataclasses.replace(EVERYTHING, mount_right=right), level)
    first = right is MountRight.USER_OF_NAMESPACE
    assert (plan.user_namespace_at_clone, plan.user_namespace_after_mounts, plan.own_user_id) == (
        first,
        not first,
        not first,
    )


def test_root_without_user_namespaces_takes_a_network_by_its_own_right():
    plan = levels.plan(without(Feature.USER_NAMESPACES), Level.FULL)
    assert plan.network_namespace
    assert not plan.user_namespace
    assert plan.own_user_id


def test_gaps_grow_as_levels_weaken():
    counts = [len(levels.plan(USER if level is Level.NS_NOCAP else EVERYTHING, level).gaps()) for level in Level]
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


def test_user_ids_are_used_once_at_a_time():
    ids = identity.HostUserIds()
    taken = [ids.take() for _ in range(1000)]
    assert len(set(taken)) == 1000
    assert 0 not in taken
    ids.give_back(taken[0])
    later = {ids.take() for _ in range(1000)}
    assert not later & set(taken[1:])


@pytest.mark.parametrize("name", ["ptrace", "mount", "bpf", "io_uring_setup", "keyctl", "unshare", "setns", "clone3"])
def test_what_must_never_be_allowed_is_not(name):
    assert name not in seccomp.ALLOWED


def test_calls_with_rules_on_their_arguments_are_not_allowed_outright():
    assert not seccomp.ALLOWED & {"clone", "ioctl", "socket", "socketpair", "personality"}


def test_paths_of_a_sandbox_without_its_own_root():
    directories = Directories("/tmp/base/s1")
    pairs = {
        "/home/user": "/tmp/base/s1/home/user",
        "/home/user/a": "/tmp/base/s1/home/user/a",
        "/tmp/a": "/tmp/base/s1/tmp/a",
        "/var/tmp/a": "/tmp/base/s1/var/tmp/a",
        "/dev/shm": "/tmp/base/s1/dev/shm",
        "/home/user2": "/home/user2",
        "/etc/passwd": "/etc/passwd",
    }
    assert directories.real_path("/tmp/base/s1/home/user/a") == "/tmp/base/s1/home/user/a"
    assert Directories().real_path("/tmp/a") == Directories().guest_path("/tmp/a") == "/tmp/a"
    for guest, real in pairs.items():
        assert directories.real_path(guest) == real
        assert directories.guest_path(real) == guest


class Colour(enum.Enum):
    RED = "red"


class Text(str):
    def __str__(self) -> str:
        return "another text"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (float("inf"), None),
        ({1: 2, None: 4, 1.5: 5}, {"1": 2, "null": 4, "1.5": 5}),
        ({True: 1}, {"true": 1}),
        ((1, {2}), [1, [2]]),
        (Colour.RED, "red"),
        (Text("text"), "text"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC), "2026-01-02T03:04:00+00:00"),
        (decimal.Decimal("1.50"), "1.50"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (b"\x00\xff", "AP8="),
    ],
)
def test_values_become_plain(value, expected):
    assert plain(value) == expected


def test_numpy_values_become_plain():
    numpy = pytest.importorskip("numpy", reason="needs the extra 'examples'")
    value = {"a": numpy.arange(3), "b": numpy.float64(1.5), "c": [numpy.int8(1), numpy.nan], numpy.int64(3): True}
    assert plain(value) == {"a": [0, 1, 2], "b": 1.5, "c": [1, None], "3": True}


def test_values_beyond_the_bounds_are_refused():
    deep: list[object] = []
    for _ in range(1000):
        deep = [deep]
    loop: list[object] = []
    loop.append(loop)
    for value in (deep, loop, [0] * 1_100_000, object(), {object(): 1}):
        with pytest.raises(NotPlainError):
            plain(value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner) | st.tuples(inner)
        ),
    )
)
def test_plain_values_survive_json_and_are_their_own_plain_form(value):
    result = plain(value)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert plain(result) == result
