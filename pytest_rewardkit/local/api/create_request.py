"""Reads and checks create calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.api.body import text_map
from pytest_rewardkit.local.api.errors import ApiError, NotServedError
from pytest_rewardkit.local.internet.rules import NetworkRules
from pytest_rewardkit.local.limits import Limits
from pytest_rewardkit.local.server.sandbox import DEFAULT_TIMEOUT_SECONDS, SandboxRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MAX_TIMEOUT_SECONDS = 30 * 24 * 3600

MCP_TEMPLATE = "mcp-gateway"
_NOT_SERVED = {"iam": "workload identity", "volumeMounts": "volumes"}
_NETWORK_FIELDS = ("allowPublicTraffic", "allowOut", "denyOut")
_UPDATE_FIELDS = ("allow_internet_access", "allowOut", "denyOut")


def parse(body: Mapping[str, Any], limits: str) -> SandboxRequest:
    """The request of a create call.

    Parameters:
        body: the call's body.
        limits: the limits that it asks for, as `memory_mb=256, processes=16`.

    Raises:
        ApiError: it asks for something that is not served (501) or makes no sense (400).
    """
    template = body.get("templateID")
    if not isinstance(template, str) or not template:
        raise ApiError(400, "templateID must be a text")
    for name, what in _NOT_SERVED.items():
        if body.get(name):
            raise NotServedError(what)
    network = body.get("network") or {}
    if not isinstance(network, dict):
        raise ApiError(400, "network must be an object")
    internet = _flag(body, "allow_internet_access", default=False)
    return SandboxRequest(
        template=template,
        timeout=timeout(body),
        metadata=text_map(body.get("metadata"), "metadata"),
        envs=text_map(body.get("envVars"), "envVars"),
        internet=internet,
        rules=_rules(network, _NETWORK_FIELDS, internet=internet),
        public_traffic=network.get("allowPublicTraffic") is not False,
        limits=_limits(limits),
        auto_pause=_flag(body, "autoPause", default=False),
        auto_pause_memory=_flag(body, "autoPauseMemory", default=True),
        mcp=template == MCP_TEMPLATE and bool(body.get("mcp")),
        auto_resume=_flag(body.get("autoResume") or {}, "enabled", default=False),
    )


def network_update(body: Mapping[str, Any], *, internet: bool) -> tuple[bool, NetworkRules]:
    """An update of a sandbox's network: whether it has internet from now on, and its rules.

    Parameters:
        body: the call's body.
        internet: whether it has internet now, which stays if the call does not mention it.

    Raises:
        ApiError: it asks for something that is not served (501) or makes no sense (400).
    """
    internet = _flag(body, "allow_internet_access", default=internet)
    return internet, _rules(body, _UPDATE_FIELDS, internet=internet)


def timeout(body: Mapping[str, Any]) -> int:
    """The seconds that a call gives a sandbox.

    Raises:
        ApiError: the value is not a number, or is out of range (400).
    """
    return integer(body.get("timeout"), "timeout", DEFAULT_TIMEOUT_SECONDS, 0, MAX_TIMEOUT_SECONDS)


def integer(value: Any, name: str, default: int, least: int, most: int) -> int:
    """A whole number of a body or a query; `default` if it is missing.

    Raises:
        ApiError: it is not a whole number, or is out of range (400).
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


def _rules(network: Mapping[str, Any], served: Collection[str], *, internet: bool) -> NetworkRules:
    for name, value in network.items():
        if value and name not in served:
            raise NotServedError(f"network rules ({name})")
    allow, deny = (_texts(network, name) for name in ("allowOut", "denyOut"))
    if allow and not internet:
        raise ApiError(400, "network.allowOut needs allow_internet_access, which is off unless it is asked for here")
    try:
        return NetworkRules.parse(allow, deny)
    except ValueError as error:
        raise ApiError(400, f"network.{error}") from error


def _texts(network: Mapping[str, Any], name: str) -> list[str]:
    value = network.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ApiError(400, f"network.{name} must be an array of texts")
    return value
