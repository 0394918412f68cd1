"""Where sandboxes come from: E2B's cloud (or a cluster of one's own) or the local server, behind one protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.sandboxes.provider import Provider, Server

if TYPE_CHECKING:
    from collections.abc import Mapping

PROVIDERS = ("auto", "e2b", "local")

__all__ = ["PROVIDERS", "Provider", "Server", "choose", "resolve"]


def choose(name: str, environ: Mapping[str, str]) -> str:
    """The provider that `name` stands for: with `auto`, E2B where there is a key, else the local server.

    Parameters:
        name: one of `PROVIDERS`.
        environ: the environment to look for `E2B_API_KEY` in.

    Raises:
        RewardkitUsageError: `name` is no provider, or it is `e2b` and there is no key.
    """
    if name not in PROVIDERS:
        raise RewardkitUsageError(f"unknown sandbox provider {name!r}; use one of {', '.join(PROVIDERS)}")
    has_key = bool(environ.get("E2B_API_KEY"))
    if name == "e2b" and not has_key:
        raise RewardkitUsageError(
            "the e2b provider needs a key: set E2B_API_KEY (https://e2b.dev/dashboard), "
            "or use --rewardkit-provider=local, which needs none"
        )
    if name == "auto":
        return "e2b" if has_key else "local"
    return name


def resolve(name: str, *, environ: Mapping[str, str], server: Server | None, run_id: str, isolation: str) -> Provider:
    """The provider object for a run.

    Parameters:
        name: one of `PROVIDERS`.
        environ: the environment, for E2B's key and addresses.
        server: the local server that the run shares; only the local provider uses it.
        run_id: the mark by which this run knows its own cloud sandboxes again.
        isolation: `auto`, `strict` or `none`; only the local provider uses it.

    Raises:
        RewardkitUsageError: the choice cannot work here; the text says what would.
    """
    if choose(name, environ) == "e2b":
        from pytest_rewardkit.sandboxes.e2b import E2BProvider

        return E2BProvider(environ=environ, run_id=run_id)
    from pytest_rewardkit.sandboxes.local import LocalProvider, require_platform

    require_platform()
    if server is None:
        raise RewardkitUsageError("the local provider needs the run's local server, and there is none on this worker")
    return LocalProvider(server=server, isolation=isolation)
