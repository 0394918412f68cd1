"""The valid values of options: each function reads a text, or raises ValueError with what the text must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_rewardkit.ledger.shard import Shard


def choice(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            from pytest_rewardkit.errors import did_you_mean

            raise ValueError(f"unknown value {value!r}{did_you_mean(value, choices)}")
        return value

    return parse


def switch(value: str) -> bool:
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError(f"must be true or false, not {value!r}")


def count(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and int(value) > 0):
        raise ValueError(f"must be a whole number, 1 or more, not {value!r}")
    return int(value)


def rate(value: str) -> float:
    number = _number(value)
    if not 0 < number < float("inf"):
        raise ValueError(f"must be a number over 0, such as 5 or 0.5, not {value!r}")
    return number


def price(value: str) -> float:
    number = _number(value)
    if not 0 <= number < float("inf"):
        raise ValueError(f"must be a number, 0 or more, not {value!r}")
    return number


def quota(value: str) -> tuple[int, float]:
    from pytest_rewardkit.sandboxes.quota.allowance import parse_quota

    return parse_quota(value)


def names(value: str) -> tuple[str, ...]:
    found = tuple(name.strip() for name in value.split(","))
    if not all(found) or len(set(found)) < len(found):
        raise ValueError(f"must be names separated by commas, each once, not {value!r}")
    return found


def limit(name: str) -> Callable[[str], int]:
    def parse(value: str) -> int:
        from pytest_rewardkit.local.limits import Limits

        if (number := count(value)) < (least := Limits.least(name)):
            raise ValueError(f"must be at least {least}, not {value!r}")
        return number

    return parse


def shard(value: str) -> Shard:
    from pytest_rewardkit.ledger.shard import parse_shard

    return parse_shard(value)


def fraction(value: str) -> float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise ValueError(f"must be a number in [0, 1], not {value!r}")
    return number


def confidence(value: str) -> float:
    number = _number(value)
    if not 0.5 <= number < 1:
        raise ValueError(f"must be a number from 0.5 to under 1, such as 0.95, not {value!r}")
    return number


def _number(value: str) -> float:
    """Return the number in a text; NaN, which lies in no range, if it is not a number."""
    try:
        return float(value)
    except ValueError:
        return float("nan")
