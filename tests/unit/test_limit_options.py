"""The limits of local sandboxes have the same names and defaults everywhere."""

import os
from contextlib import contextmanager
from dataclasses import fields
from types import SimpleNamespace

import pytest
from e2b.exceptions import RateLimitException
from e2b_code_interpreter import Sandbox

from pytest_rewardkit import options
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.local.limits import LIMITS_HEADER, Limits
from pytest_rewardkit.sandboxes import again, creation
from pytest_rewardkit.sandboxes.e2b import CREATE_RETRIES, E2BProvider
from pytest_rewardkit.sandboxes.local import LocalProvider
from pytest_rewardkit.sandboxes.options import check_options


@pytest.fixture
def local():
    class Server:
        def environment(self):
            return dict.fromkeys(("E2B_API_KEY", "E2B_API_URL", "E2B_DOMAIN", "E2B_SANDBOX_URL"), "")

        def log_path(self):
            return os.devnull

    return LocalProvider(server=Server(), isolation="auto")


@pytest.fixture
def cloud():
    return E2BProvider(environ={}, run_id="run")


def test_each_limit_of_the_server_is_an_option_of_the_plugin():
    assert [item.name for item in fields(Limits)] == list(options.LIMITS)
    for option in options.OPTIONS:
        if option.name in options.LIMITS:
            assert option.flag == f"--rewardkit-{option.name.replace('_', '-')}"
            assert option.default == getattr(Limits(), option.name)


@pytest.mark.parametrize("value", [0, -1, "1g", "256", True, 1.5])
def test_a_limit_that_cannot_be_is_refused(local, value):
    with pytest.raises(RewardkitUsageError) as refused:
        check_options({"memory_mb": value}, local)
    assert str(refused.value) == f"memory_mb must be a whole number of at least 16, not {value!r}"


def test_an_unknown_limit_names_the_nearest(local, cloud):
    for provider in (local, cloud):
        with pytest.raises(RewardkitUsageError, match=r"^unknown keyword 'memory_md'; did you mean 'memory_mb'\?$"):
            check_options({"memory_md": 256}, provider)


def test_limits_belong_to_the_template_at_e2b(cloud):
    with pytest.raises(RewardkitUsageError, match=r"^disk_mb cannot be set for a sandbox of the e2b provider"):
        check_options({"disk_mb": 10}, cloud)
    check_options({"disk_mb": None, "timeout": 10}, cloud)


def test_limits_go_into_a_header_beside_others(local, monkeypatch):
    created = []
    monkeypatch.setattr(creation, "create", lambda **options: created.append(options))
    local.create(memory_mb=256, processes=16, disk_mb=None, timeout=5, api_headers={"X-Mine": "1"})
    (given,) = created
    assert given["api_headers"] == {"X-Mine": "1", LIMITS_HEADER: "memory_mb=256, processes=16"}
    assert given["timeout"] == 5
    assert not {"memory_mb", "processes", "disk_mb"} & given.keys()


def test_what_is_asked_for_again_keeps_to_the_pace_too(cloud, monkeypatch):
    """The SDK's own retries would not: with a pace it makes none."""
    seen = []

    def create(*, retries, **_):
        seen.append(retries)
        if seen.count(0) == 1:
            raise RateLimitException("429: Rate limit exceeded")
        return SimpleNamespace(connection_config=SimpleNamespace())

    @contextmanager
    def pace():
        seen.append("paced")
        yield
        seen.append("answered")

    monkeypatch.setattr(again, "PAUSES", (0.0,))
    monkeypatch.setattr(Sandbox, "create", create)
    cloud.on_retry = lambda: seen.append("counted")
    cloud.create()
    cloud.pace = pace
    cloud.create()
    assert seen == [CREATE_RETRIES, "paced", 0, "counted", "paced", 0, "answered"]
