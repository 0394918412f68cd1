"""What a create call asks for, read and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.api.body import text_map
from pytest_rewardkit.local.api.errors import ApiError, NotServedError
from pytest_rewardkit.local.limits import Limits
from pytest_rewardkit.local.sandbox import DEFAULT_TIMEOUT_SECONDS, SandboxRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_TIMEOUT_SECONDS = 30 * 24 * 3600

_NOT_SERVED = {"mcp": "the MCP gateway", "iam": "workload identity", "volumeMounts": "volumes"}
_NETWORK_FIELDS = ("allowPublicTraffic", "denyOut")
_ALL_TRAFFIC = "0.0.0.0/0"


def parse(body: Mapping[str, Any], limits: str) -> SandboxRequest:
    """A create call as a request.

    Parameters:
        body: the call's body.
        limits: what it says about limits, as `memory_mb=256, processes=16`.

    Raises:
        ApiError: it asks for what is not served (501) or makes no sense (400).
    """
    template = body.get("templateID")
    if not isinstance(template, str) or not template:
        raise ApiError(400, "templateID must be a text")
    for name, what in _NOT_SERVED.items():
        if body.get(name):
            raise NotServedError(what)
    may_go_out, public_traffic = _network(body.get("network") or {})
    return SandboxRequest(
        template=template,
        timeout=timeout(body),
        metadata=text_map(body.get("metadata"), "metadata"),
        envs=text_map(body.get("envVars"), "envVars"),
        internet=_flag(body, "allow_internet_access", default=False) and may_go_out,
        public_traffic=public_traffic,
        limits=_limits(limits),
        auto_pause=_flag(body, "autoPause", default=False),
        auto_pause_memory=_flag(body, "autoPauseMemory", default=True),
        auto_resume=_flag(body.get("autoResume") or {}, "enabled", default=False),
    )


def timeout(body: Mapping[str, Any]) -> int:
    """The seconds that a call gives a sandbox.

    Raises:
        ApiError: they are no number, or out of range (400).
    """
    return integer(body.get("timeout"), "timeout", DEFAULT_TIMEOUT_SECONDS, 0, MAX_TIMEOUT_SECONDS)


def integer(value: Any, name: str, default: int, least: int, most: int) -> int:
    """A whole number of a body or a query; `default` when there is none.

    Raises:
        ApiError: it is something else, or out of range (400).
    """
    if value is None:
        return default
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(most)):
        value = int(value)
    if type(value) is not int or not least <= value <= most:
        raise ApiError(400, f"{name} must be a whole number from {least} to {most}")
    return value


def _flag(body: Any, name: str, *, default: bool) -> bool:
    value = body.get(name, default) if isinstance(body, dict) else None
    if not isinstance(value, bool):
        raise ApiError(400, f"{name} must be true or false")
    return value


def _limits(text: str) -> dict[str, int]:
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    changes = {name.strip(): integer(value.strip(), name.strip(), 0, 1, 2**31) for name, _, value in pairs}
    try:
        Limits().changed(changes)
    except ValueError as error:
        raise ApiError(400, str(error)) from error
    return changes


def _network(network: Any) -> tuple[bool, bool]:
    """Whether a network configuration lets the sandbox out, and lets everybody in."""
    if not isinstance(network, dict):
        raise ApiError(400, "network must be an object")
    for name, value in network.items():
        if value and name not in _NETWORK_FIELDS:
            raise NotServedError(
                f"network rules ({name}); allow_internet_access turns the network on or off as a whole"
            )
    denied = network.get("denyOut") or []
    if denied and _ALL_TRAFFIC not in denied:
        raise NotServedError(f"network rules (denyOut) other than {_ALL_TRAFFIC}")
    return not denied, network.get("allowPublicTraffic") is not False
