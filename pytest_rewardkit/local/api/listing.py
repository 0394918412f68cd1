"""Filters, orders and pages the lists of the control plane."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import parse_qsl, unquote

from pytest_rewardkit.local.api.create_request import integer
from pytest_rewardkit.local.api.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_rewardkit.local.server.sandbox import Sandbox

MAX_PAGE = 100
STATES = ("running", "paused")


class Listed(Protocol):
    """An item with a place in the order of creation."""

    @property
    def serial(self) -> int: ...


T = TypeVar("T", bound=Listed)


def page(items: Iterable[T], query: Mapping[str, str]) -> tuple[list[T], dict[str, str]]:
    """One page of items, newest first unless the query says `order=asc`.

    Parameters:
        items: all items that pass the query's filters.
        query: `order`, `limit` and `nextToken`, which is the serial of the previous page's last item.

    Returns:
        The items, and the headers that lead to the next page, if there is one.

    Raises:
        ApiError: the query makes no sense (400).
    """
    order = query.get("order") or "desc"
    if order not in ("asc", "desc"):
        raise ApiError(400, "order must be asc or desc")
    descending = order == "desc"
    ordered = sorted(items, key=lambda item: item.serial, reverse=descending)
    if token := query.get("nextToken"):
        last = integer(token, "nextToken", 0, 0, 2**53)
        ordered = [item for item in ordered if (item.serial < last if descending else item.serial > last)]
    limit = integer(query.get("limit"), "limit", MAX_PAGE, 1, MAX_PAGE)
    return ordered[:limit], {"x-next-token": str(ordered[limit - 1].serial)} if len(ordered) > limit else {}


def matching(sandboxes: Iterable[Sandbox], query: Mapping[str, str]) -> list[Sandbox]:
    """The sandboxes that pass a query's filters: `state`, `metadata`, `template` and `startedAfter`.

    Raises:
        ApiError: the query makes no sense (400).
    """
    states = [state for state in query.get("state", "").split(",") if state]
    if not set(states) <= set(STATES):
        raise ApiError(400, f"state must be one of {', '.join(STATES)}")
    # The SDK encodes each key and value, and then the whole again.
    wanted = parse_qsl(query.get("metadata", ""), keep_blank_values=True)
    metadata = {unquote(key): unquote(value) for key, value in wanted}
    template = query.get("template")
    after = _parse_time(query["startedAfter"]) if query.get("startedAfter") else None
    return [
        sandbox
        for sandbox in sandboxes
        if (not states or sandbox.state in states)
        and metadata.items() <= sandbox.request.metadata.items()
        and (not template or template == sandbox.request.template)
        and (after is None or sandbox.started_at >= after)
    ]


def _parse_time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ApiError(400, "startedAfter must be a time as RFC 3339 writes it") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
