"""The control plane's descriptions of sandboxes, snapshots and measurements, in E2B's terms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_rewardkit.local.server.meter import Usage
    from pytest_rewardkit.local.server.sandbox import Sandbox
    from pytest_rewardkit.local.server.snapshots import Snapshot

ENVD_VERSION = "0.6.13"
"""The version of envd whose protocol the server speaks; the SDK enables features by it."""


def of_new_sandbox(sandbox: Sandbox, domain: str) -> dict[str, Any]:
    """The fields that a client needs to use a sandbox that it has made or connects to.

    Parameters:
        sandbox: the sandbox.
        domain: the host and port in the names of its ports.
    """
    return {
        "templateID": sandbox.request.template,
        "sandboxID": sandbox.id,
        "clientID": "local",
        "envdVersion": ENVD_VERSION,
        "envdAccessToken": sandbox.token,
        "trafficAccessToken": sandbox.traffic_token,
        "domain": domain,
    }


def of_sandbox(sandbox: Sandbox, domain: str) -> dict[str, Any]:
    """A sandbox's entry in a list; parameters as for `of_new_sandbox`."""
    return {
        "templateID": sandbox.request.template,
        "alias": sandbox.request.template,
        "sandboxID": sandbox.id,
        "clientID": "local",
        "envdVersion": ENVD_VERSION,
        "domain": domain,
        "startedAt": _time(sandbox.started_at),
        "endAt": _time(sandbox.end_at),
        "cpuCount": sandbox.meter.cpu_count,
        "memoryMB": sandbox.limits.memory_mb,
        "diskSizeMB": sandbox.limits.disk_mb,
        "state": sandbox.state,
        "metadata": dict(sandbox.request.metadata),
        "volumeMounts": [],
    }


def with_its_rules(sandbox: Sandbox, domain: str) -> dict[str, Any]:
    """The description of a single sandbox: its entry in a list, its network and how it ends."""
    wanted = sandbox.request
    return {
        **of_sandbox(sandbox, domain),
        "envdAccessToken": sandbox.token,
        "allowInternetAccess": wanted.internet,
        "network": {
            "allowPublicTraffic": wanted.public_traffic,
            "allowOut": wanted.rules.allow_out(),
            "denyOut": wanted.rules.deny_out(),
        },
        "lifecycle": {"onTimeout": "pause" if wanted.auto_pause else "kill", "autoResume": wanted.auto_resume},
    }


def of_usage(usage: Usage) -> dict[str, Any]:
    """A measurement."""
    return {
        "timestamp": _time(usage.at),
        "timestampUnix": int(usage.at.timestamp()),
        "cpuCount": usage.cpu_count,
        "cpuUsedPct": usage.cpu_percent,
        "memUsed": usage.memory_used,
        "memTotal": usage.memory_total,
        "memCache": 0,
        "diskUsed": usage.disk_used,
        "diskTotal": usage.disk_total,
    }


def of_snapshot(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot."""
    return {"snapshotID": snapshot.id, "names": [snapshot.name] if snapshot.name is not None else []}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
