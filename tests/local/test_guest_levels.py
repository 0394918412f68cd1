"""The pure parts of the guest: choosing levels, describing them, and making values plain."""

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

from pytest_rewardkit.local.guest import identity, levels, seccomp
from pytest_rewardkit.local.guest.homes import Directories
from pytest_rewardkit.local.guest.levels import Findings, Level
from pytest_rewardkit.local.guest.plain import NotPlainError, plain

EVERYTHING = Findings(
    root=True,
    readable_interpreter=True,
    mounts=True,
    user_namespaces=True,
    namespaces=True,
    landlock_abi=7,
    seccomp=True,
)


def strongest(**changes: object) -> Level:
    return levels.available(dataclasses.replace(EVERYTHING, **changes))[0]


def test_the_strongest_level_that_each_machine_can_have():
    assert strongest() is Level.FULL
    assert strongest(root=False) is Level.FULL
    assert strongest(user_namespaces=False) is Level.FULL
    assert strongest(landlock_abi=0) is Level.FULL
    assert strongest(mounts=False) is Level.UID
    assert strongest(mounts=False, root=False) is Level.NS_NOCAP
    assert strongest(mounts=False, root=False, namespaces=False) is Level.LANDLOCK
    assert strongest(mounts=False, readable_interpreter=False) is Level.LANDLOCK
    assert strongest(mounts=False, landlock_abi=1) is Level.UID
    assert strongest(mounts=False, root=False, namespaces=False, landlock_abi=5) is Level.WEAK
    assert strongest(mounts=False, landlock_abi=0) is Level.WEAK
    assert strongest(seccomp=False) is Level.WEAK
    assert strongest(seccomp=False, landlock_abi=0) is Level.NONE


def test_no_level_is_always_available():
    nothing = Findings(False, False, False, False, False, 0, False)
    assert levels.available(nothing) == [Level.NONE]


def test_what_is_asked_for_is_had_or_refused():
    weak = dataclasses.replace(EVERYTHING, seccomp=False)
    nothing = dataclasses.replace(weak, landlock_abi=0)
    assert levels.choose(EVERYTHING, "auto") is levels.choose(EVERYTHING, "strict") is Level.FULL
    assert levels.choose(EVERYTHING, "uid") is Level.UID
    assert levels.choose(EVERYTHING, "ns-nocap") is None
    assert levels.choose(weak, "auto") is Level.WEAK
    assert levels.choose(weak, "strict") is None
    assert levels.choose(dataclasses.replace(EVERYTHING, mounts=False), "strict") is None
    assert levels.choose(nothing, "auto") is None
    assert levels.choose(nothing, "none") is Level.NONE


@pytest.mark.parametrize("level", list(Level))
def test_a_plan_is_what_its_level_says(level):
    findings = dataclasses.replace(EVERYTHING, root=level is not Level.NS_NOCAP)
    plan = levels.plan(findings, level)
    assert plan.level is level
    assert plan.process_namespace == (level in (Level.FULL, Level.NS_NOCAP))
    assert plan.private_root == (level is Level.FULL)
    assert plan.seccomp == (level is not Level.NONE)
    assert plan.guest_paths == (level is not Level.NONE)
    assert plan.translated_paths == (level not in (Level.FULL, Level.NONE))
    assert bool(plan.landlock_abi) == (level is not Level.NONE)
    assert json.loads(json.dumps(plan.layers())) == plan.layers()


def test_root_mounts_before_it_gives_up_its_user_namespace_and_a_user_after():
    root = levels.plan(EVERYTHING, Level.FULL)
    assert (root.user_namespace_at_clone, root.user_namespace_after_mounts, root.own_user_id) == (False, True, True)
    user = levels.plan(dataclasses.replace(EVERYTHING, root=False), Level.FULL)
    assert (user.user_namespace_at_clone, user.user_namespace_after_mounts, user.own_user_id) == (True, False, False)


def test_gaps_grow_as_levels_weaken():
    counts = [
        len(levels.plan(dataclasses.replace(EVERYTHING, root=level is not Level.NS_NOCAP), level).gaps())
        for level in Level
    ]
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
