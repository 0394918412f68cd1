"""The circumstances of a run, for people: when, where, with what, and with which options."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.formatting import counted, duration

if TYPE_CHECKING:
    from collections.abc import Mapping

_IN_SIGHT: Final = {
    "Started": "{}",
    "Duration": "{}",
    "Sandboxes": "{}",
    "System": "{}",
    "Workers": "{} workers",
    "Python": "Python {}",
    "pytest": "pytest {}",
    "Seed": "seed {}",
    "Shard": "shard {}",
    "Shards": "{} shards",
}
"""The facts that are always shown, with their labels."""


def facts_in(facts: Mapping[str, Any], *, sandboxes: str = "", seconds: float | None = None) -> dict[str, str]:
    """Return a run's circumstances for people, from the first line of its results.

    Parameters:
        sandboxes: where they came from, in one line; if "", taken from `facts`.
        seconds: how long the run took.
    """
    versions = _mapping(facts.get("versions"))
    shard = _mapping(facts.get("shard"))
    shards = [_mapping(it) for it in facts.get("shards") or ()]
    shown_facts = {
        "Started": _time(facts.get("started")),
        "Duration": "" if seconds is None else duration(seconds),
        "Sandboxes": sandboxes or _sandboxes(_mapping(facts.get("sandboxes"))),
        "Workers": str(facts.get("workers") or ""),
        "System": _system(facts),
        "Command": str(facts.get("command") or ""),
        "Seed": str(facts.get("seed") or ""),
        "Shards": str(len(shards) or ""),
        "Shard": f"{shard.get('number')} of {shard.get('of')}" if shard else "",
        **{"Python" if name == "python" else name: str(version) for name, version in versions.items()},
        **{f"Shard {shard.get('number')}": _shard(shard) for shard in shards},
    }
    return {name: fact for name, fact in shown_facts.items() if fact}


def in_sight(facts: Mapping[str, str]) -> list[str]:
    """Return the facts that distinguish runs at a glance, in few words each."""
    return [text.format(facts[name]) for name, text in _IN_SIGHT.items() if name in facts]


def _time(started: Any) -> str:
    try:
        return f"{datetime.fromisoformat(started):%Y-%m-%d %H:%M:%S %Z}".strip()
    except (TypeError, ValueError):
        return str(started or "")


def _sandboxes(facts: Mapping[str, Any]) -> str:
    provider, isolation = (str(facts.get(name) or "") for name in ("provider", "isolation"))
    return f"{provider} sandboxes, isolation {isolation}" if provider and isolation else provider


def _system(facts: Mapping[str, Any]) -> str:
    host = _mapping(facts.get("host"))
    system = " ".join(str(host[name]) for name in ("system", "machine") if name in host)
    processors = host.get("processors")
    return f"{system}, {counted(processors, 'processor')}" if isinstance(processors, int) else system


def _shard(shard: Mapping[str, Any]) -> str:
    """Return the circumstances of one shard, in one line."""
    sandboxes, versions = _mapping(shard.get("sandboxes")), _mapping(shard.get("versions"))
    seconds = shard.get("seconds")
    found = [
        " ".join(str(sandboxes[name]) for name in ("provider", "isolation") if name in sandboxes),
        f"Python {versions['python']}" if "python" in versions else "",
        _system(shard),
        duration(seconds) if isinstance(seconds, int | float) else "cut off",
    ]
    return "; ".join(text for text in found if text)


def _mapping(value: Any) -> Mapping[str, Any]:
    # A stored run may come from anywhere.
    return value if isinstance(value, dict) else {}
