"""A shell's variables may point to a local server that has ended."""

import socket

import pytest

from pytest_rewardkit.errors import SandboxUnavailable
from pytest_rewardkit.sandboxes.creation import infrastructure_failures
from pytest_rewardkit.sandboxes.ended_server import ended_server


@pytest.fixture
def port():
    """A port of this machine on which nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_the_failure_says_what_to_do(monkeypatch, port):
    monkeypatch.setenv("E2B_API_URL", f"http://127.0.0.1:{port}")
    said = rf"127\.0\.0\.1:{port}, where E2B_API_URL leads: unset it"
    with pytest.raises(SandboxUnavailable, match=said), infrastructure_failures():
        raise ConnectionRefusedError


def test_nothing_is_said_of_a_server_that_listens(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("E2B_API_URL", f"http://127.0.0.1:{listening.getsockname()[1]}")
        assert ended_server() == ""


@pytest.mark.parametrize(
    "url", ["", "https://api.e2b.dev", "http://example.invalid:1", "http://[", "http://127.0.0.1:x"]
)
def test_nothing_is_said_of_other_places(monkeypatch, url):
    monkeypatch.setenv("E2B_API_URL", url)
    assert ended_server() == ""
